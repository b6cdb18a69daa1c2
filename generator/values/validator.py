"""Validates values against a JSON Schema as Helm reads it, with two keywords of our own.

They are `x-format`, where a pattern cannot tell all, and `x-check`, a rule of consistency.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
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
        """What the schema refuses in JSON's data."""
        for error in self._compiled.iter_errors(value):
            yield from self._refused(error, value)

    def takes(self, value: Any) -> bool:
        """Whether the schema refuses nothing in JSON's data."""
        return bool(self._compiled.is_valid(value))

    @cached_property
    def _compiled(self) -> Any:
        # Imported here: commands that take no values do not wait for it.
        import jsonschema_rs  # noqa: PLC0415

        own: Any = {"x-format": _Format, "x-check": _Rules, _NAMES: _Names}
        return jsonschema_rs.Draft7Validator(_for_rust(self.schema), keywords=own)

    def _refused(self, error: Any, whole: Any) -> Iterator[Refusal]:
        ways = _ways(whole, error.instance_path)
        first = next(ways)
        path, value = next((way for way in chain([first], ways) if way[1] == error.instance), first)
        *steps, keyword = error.schema_path
        schema = value_at(self.schema, tuple(steps))
        if keyword == _NAMES:
            names = Validator(schema["propertyNames"])
            for name in value:
                for found in names.refusals(name):
                    yield replace(found, path=path, is_name=True)
        elif keyword == "x-check":
            for below, message in _broken(schema[keyword], value):
                yield Refusal((*path, *below), value, keyword, schema, message)
        else:
            yield Refusal(path, value, keyword, schema, error.message)


def _ways(data: Any, steps: list[str | int]) -> Iterator[tuple[Key, Any]]:
    """The paths in `data` that `steps` of jsonschema_rs may mean, and what is at each.

    There may be several: in its steps the key "007" is the number 7, and the key "" is left out.
    """
    if not steps:
        yield (), data
    for key, rest in _next(data, steps):
        for path, value in _ways(data[key], rest):
            yield (key, *path), value


def _next(data: Any, steps: list[str | int]) -> Iterator[tuple[str | int, list[str | int]]]:
    """The keys or the index that the first step may mean, and the steps that are left then."""
    if isinstance(data, list):
        found = [step for step in steps[:1] if isinstance(step, int) and step < len(data)]
        yield from ((step, steps[1:]) for step in found)
    if not isinstance(data, dict):
        return
    for step in steps[:1]:
        if str(step) in data:
            yield str(step), steps[1:]
        if isinstance(step, int):
            number = re.compile(rf"\+?0*{step}")
            others = (key for key in data if key != str(step) and number.fullmatch(key))
            yield from ((key, steps[1:]) for key in others)
    if "" in data:
        yield "", steps


# Its own keyword copies the whole mapping for each wrong name: gigabytes for a few thousand.
_NAMES = "x-names"


def _for_rust(node: Any) -> Any:
    r"""A schema as jsonschema_rs has to have it: `_NAMES` for `propertyNames`, and in patterns for
    `\s` what it is to Go, which are no spaces of other scripts.
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
    r"""A pattern with the spaces that `\s` stands for; in brackets, only `\s` is known."""
    spaces = r"\t\n\f\r "

    def named(found: re.Match[str]) -> str:
        """A set in brackets, or a sign outside."""
        if found["sign"]:
            return f"[{'^' if found['sign'] == 'S' else ''}{spaces}]"
        return found[0].replace(r"\s", spaces)

    return re.sub(r"\\(?P<sign>[sS])|\[(?:\\.|[^\]\\])*\]|\\.", named, pattern)


class _Keyword:
    """A keyword of our own, as jsonschema_rs wants one: it raises ValueError for what is wrong."""

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
