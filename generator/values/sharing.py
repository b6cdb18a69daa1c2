"""The parts of a JSON schema, which are schemas too: changed one by one, or shared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from generator.yaml.data import JsonObject

# Where a schema holds schemas. The keys of the first kind are names that people chose, such as a
# field called `default`, so a walk must never take them for keywords.
_NAMED = ("properties", "patternProperties", "$defs")
_SINGLE = ("items", "additionalProperties")
_LOGIC = ("allOf", "anyOf", "oneOf", "not")

_WORTH_SHARING = 120  # characters
_encoded = json.JSONEncoder(sort_keys=True).encode


def change_parts(
    schema: JsonObject,
    change: Callable[[JsonObject, str], JsonObject],
    *,
    name: str = "",
    logic: bool = True,
) -> JsonObject:
    """A copy of `schema` with `change` applied to every part that it holds itself.

    `change` also gets the name of the field that the part describes, or `name` where there is none.
    Without `logic`, what is below allOf, anyOf, oneOf and not stays as it is.
    """

    def changed(value: Any, field: str) -> Any:
        if isinstance(value, dict):
            return change(value, field)
        return [changed(part, field) for part in value] if isinstance(value, list) else value

    copy = dict(schema)
    for keyword, value in schema.items():
        if keyword == "properties":
            copy[keyword] = {field: changed(part, field) for field, part in value.items()}
        elif keyword in _NAMED:
            copy[keyword] = {key: changed(part, name) for key, part in value.items()}
        elif keyword in _SINGLE or (logic and keyword in _LOGIC):
            copy[keyword] = changed(value, name)
    return copy


def share(schema: JsonObject, *, under: str) -> JsonObject:
    """`schema` with every larger part that is repeated once, `under` that key, named after a field.

    What validates stays. Who compiles a schema compiles each part anew, so that fifteen runtimes of
    the same shape cost as much as one.
    """
    return _Sharing(under).shared(schema)


class _Sharing:
    """Numbers the distinct parts from the innermost outwards; a part holds those in it as numbers.

    So each is compared once, by a short text.
    """

    def __init__(self, under: str) -> None:
        self.under = under
        self.parts: list[JsonObject] = []
        self.numbers: dict[str, int] = {}
        self.sizes: list[int] = []
        self.uses: Counter[int] = Counter()
        self.names: dict[int, str] = {}
        self.definitions: JsonObject = {}

    def shared(self, schema: JsonObject) -> JsonObject:
        root = self.restored(self.numbered(schema, ""), "part")
        return root | ({self.under: self.definitions} if self.definitions else {})

    def numbered(self, part: JsonObject, _: str) -> JsonObject:
        inner: list[int] = []

        def note(each: JsonObject, name: str) -> JsonObject:
            numbered = self.numbered(each, name)
            inner.append(numbered["#"])
            return numbered

        flat = change_parts(part, note)
        text = _encoded(flat)
        number = self.numbers.setdefault(text, len(self.parts))
        if number == len(self.parts):
            self.parts.append(flat)
            self.sizes.append(len(text) + sum(self.sizes[each] for each in inner))
            self.uses.update(inner)
        return {"#": number}

    def restored(self, part: JsonObject, name: str) -> JsonObject:
        number = part["#"]
        if self.uses[number] < 2 or self.sizes[number] < _WORTH_SHARING:
            return change_parts(self.parts[number], self.restored, name=name)
        if number not in self.names:
            self.names[number] = self._free(name)
            self.definitions[self.names[number]] = None  # It stands before what is in it.
            definition = change_parts(self.parts[number], self.restored, name=name)
            self.definitions[self.names[number]] = definition
        return {"$ref": f"#/{self.under}/{self.names[number]}"}

    def _free(self, field: str) -> str:
        name = "".join(filter(str.isalnum, field))  # In a $ref anything else has an escape.
        taken = set(self.names.values())
        same = (f"{name}{number or ''}" for number in range(len(taken) + 2) if number != 1)
        return next(each for each in same if each not in taken)
