"""Validates values against a JSON Schema as Helm reads it, with two keywords of our own.

They are `x-format`, where a pattern cannot tell all, and `x-check`, a rule of consistency.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from generator.values.consistency import RULES
from generator.values.formats import WRONG, compiled
from generator.yaml.data import JsonObject
from generator.yaml.path import Key, value_at


@dataclass(frozen=True)
class Refusal:
    """What a schema refuses.

    `keyword` is the one of `schema` that `value` breaks, which is at `path`; with `is_name` it is a
    key of the mapping there, and for `x-check` the mapping in which a rule found what is at `path`.
    """

    path: Key
    value: Any
    keyword: str
    schema: JsonObject
    message: str
    is_name: bool = False

    @property
    def wanted(self) -> Any:
        """What the schema has at the keyword."""
        return self.schema[self.keyword]


class Validator:
    """A schema of draft 7, which is compiled when it is first asked."""

    def __init__(self, schema: JsonObject) -> None:
        self.schema = schema

    def refusals(self, value: Any) -> Iterator[Refusal]:
        """What the schema refuses in JSON's data, as it is read from values: no text in it holds a
        lone surrogate, and it is at most a hundred levels deep. Raises ValueError for other data.
        """
        if self.takes(value):
            return
        errors = self._compiled.evaluate(value).errors()
        # A mapping that lacks two keys has two errors.
        found = {(_outer(e["schemaLocation"]), e["instanceLocation"]): e["error"] for e in errors}
        for (where, here), message in found.items():
            yield from self._refused(_key(self.schema, where), _key(value, here), value, message)

    def takes(self, value: Any) -> bool:
        """Whether the schema refuses nothing in JSON's data."""
        return bool(self._compiled.is_valid(value))

    @cached_property
    def _compiled(self) -> Any:
        # Imported here: commands that take no values do not wait for it.
        import jsonschema_rs  # noqa: PLC0415

        own: Any = {"x-format": _Format, "x-check": _Rules, _NAMES: _Names}
        return jsonschema_rs.Draft7Validator(_for_rust(self.schema), keywords=own)

    def _refused(self, where: Key, path: Key, whole: Any, message: str) -> Iterator[Refusal]:
        *above, keyword = where
        schema, value = value_at(self.schema, tuple(above)), value_at(whole, path)
        if keyword == _NAMES:
            names = Validator(schema["propertyNames"])
            for name in value:
                for found in names.refusals(name):
                    yield replace(found, path=path, is_name=True)
        elif keyword == "x-check":
            for below, said in _broken(schema[keyword], value):
                yield Refusal((*path, *below), value, keyword, schema, said)
        else:
            yield Refusal(path, value, str(keyword), schema, message)


def _outer(location: str) -> str:
    """Where in a schema an error is: for one in a choice, the choice."""
    return re.sub(r"/(anyOf|oneOf)/[0-9]+/.*", r"/\1", location)


def _key(data: Any, pointer: str) -> Key:
    """A JSON pointer as a path in `data`; its last step need not be there."""
    path: Key = ()
    for step in pointer.split("/")[1:]:
        is_list = isinstance(data, list)
        key = int(step) if is_list else step.replace("~1", "/").replace("~0", "~")
        path = (*path, key)
        data = data[key] if is_list else data.get(key)
    return path


_NAMES = "x-names"
"""In place of `propertyNames`: that tells a name from no other but in the words of its message."""


def _for_rust(node: Any) -> Any:
    """A schema as jsonschema_rs has to have it: `_NAMES` for `propertyNames`, and patterns that it
    reads as Go does. No field of ours is called like these keywords.
    """
    if isinstance(node, list):
        return [_for_rust(child) for child in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _for_rust(child) for key, child in node.items() if key != "propertyNames"}
    if isinstance(node.get("pattern"), str):
        schema["pattern"] = _explicit(node["pattern"])
    return schema | ({_NAMES: node["propertyNames"]} if "propertyNames" in node else {})


def _explicit(pattern: str) -> str:
    r"""A pattern with `.` and `\s` written out: to JavaScript, whose rules jsonschema_rs has, every
    script's spaces are some, and a `.` is not every sign of a line. In brackets only `\s` is known.
    """
    spaces = r"\t\n\f\r "
    known = {r"\s": f"[{spaces}]", r"\S": f"[^{spaces}]", ".": r"[^\n]"}

    def named(found: re.Match[str]) -> str:
        """A set in brackets, a sign, or one that is escaped."""
        return known.get(found[0]) or found[0].replace(r"\s", spaces)

    return re.sub(r"\[(?:\\.|[^\]\\])*\]|\\.|\.", named, pattern)


class _Keyword:
    """A keyword of our own, as jsonschema_rs wants one: whatever it raises is a refusal."""

    def __init__(self, parent: JsonObject, wanted: Any, _path: list[str]) -> None:
        self.parent = parent
        self.wanted = wanted


class _Format(_Keyword):
    def validate(self, value: Any) -> None:
        """Raise ValueError for a text that the pattern lets pass although it is wrong."""
        if self.wanted not in WRONG or not isinstance(value, str):
            return
        if compiled(self.parent["pattern"]).search(value) and WRONG[self.wanted](value):
            raise ValueError(f"{value!r} is not a {self.wanted}")


class _Names(_Keyword):
    def __init__(self, parent: JsonObject, wanted: Any, _path: list[str]) -> None:
        super().__init__(parent, wanted, _path)
        self.names = Validator(wanted)

    def validate(self, value: Any) -> None:
        """Raise ValueError for a mapping with a wrong name; `Validator` says which, and why."""
        if isinstance(value, dict) and not all(map(self.names.takes, value)):
            raise ValueError("has wrong names")


class _Rules(_Keyword):
    def validate(self, value: Any) -> None:
        """Raise ValueError for what breaks a rule; `Validator` asks the rule what to say."""
        if any(_broken(self.wanted, value)):
            raise ValueError(f"breaks {self.wanted}")


def _broken(names: str | list[str], value: Any) -> Iterator[tuple[Key, str]]:
    """What the rules of these names find: the path below the value, and what to say."""
    if isinstance(value, dict):
        for name in [names] if isinstance(names, str) else names:
            yield from RULES[name](value)
