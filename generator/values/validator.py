"""Validates values against a JSON Schema as Helm reads it, with two keywords of our own.

They are `x-format`, where a pattern cannot tell all, and `x-check`, a rule of consistency.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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
        """What the schema refuses in JSON's data."""
        for error in self._compiled.iter_errors(value):
            yield from self._refused(error, value)

    @cached_property
    def _compiled(self) -> Any:
        # Imported here: commands that take no values do not wait for it.
        import jsonschema_rs  # noqa: PLC0415

        own: Any = {"x-format": _Format, "x-check": _Rules}
        return jsonschema_rs.Draft7Validator(_ascii(self.schema), keywords=own)

    def _refused(self, error: Any, whole: Any) -> Iterator[Refusal]:
        ways = list(_ways(whole, error.instance_path))
        path, value = next((way for way in ways if way[1] == error.instance), ways[0])
        *steps, keyword = error.schema_path
        schema = value_at(self.schema, tuple(steps))
        if error.kind.name == "propertyNames":
            name = error.kind.error.instance
            yield Refusal(path, name, keyword, schema, error.message, is_name=True)
            return
        if keyword != "x-check":
            yield Refusal(path, value, keyword, schema, error.message)
            return
        for below, message in _broken(schema[keyword], value):
            yield Refusal((*path, *below), value, keyword, schema, message)


def _ways(data: Any, steps: list[str | int]) -> Iterator[tuple[Key, Any]]:
    """The paths in `data` that `steps` of jsonschema_rs may mean, and what is at each.

    There may be several: in its steps the key "007" is the number 7, and the key "" is left out.
    """
    if not steps:
        yield (), data
    children = (
        data if isinstance(data, dict) else dict(enumerate(data if isinstance(data, list) else ()))
    )
    for key, child in children.items():
        if key == "":
            rest = steps
        elif steps and _is_step(key, steps[0]):
            rest = steps[1:]
        else:
            continue
        for path, value in _ways(child, rest):
            yield (key, *path), value


def _is_step(key: str | int, step: str | int) -> bool:
    is_number = isinstance(step, int) and isinstance(key, str)
    return key == step or (is_number and re.fullmatch(rf"\+?0*{step}", str(key)) is not None)


def _ascii(node: Any) -> Any:
    r"""A schema in whose patterns `\s` is what it is to Go, and no space of other scripts."""
    if isinstance(node, dict):
        return {
            key: _explicit(child) if key == "pattern" and isinstance(child, str) else _ascii(child)
            for key, child in node.items()
        }
    return [_ascii(child) for child in node] if isinstance(node, list) else node


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
