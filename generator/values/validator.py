"""Validates values against a JSON Schema as Helm reads it, with two keywords of our own."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterator
from functools import cache
from typing import Any

from generator.values.consistency import RULES
from generator.values.formats import WRONG, compiled


def refusals(schema: Any, value: Any) -> Iterator[Any]:
    """The jsonschema ValidationErrors of `value` against a schema of draft 7.

    Beside what Helm checks there is `x-format`, where a pattern cannot tell all, and `x-check`, a
    rule of consistency.py.
    """
    yield from _class()(schema).iter_errors(value)


@cache
def _class() -> Any:
    # Imported here: commands that take no values do not wait for it.
    import jsonschema  # noqa: PLC0415

    own = {
        "pattern": _pattern,
        "properties": _properties,
        "x-format": _format,
        "x-check": _check,
    }
    extend: Any = jsonschema.validators.extend
    return extend(jsonschema.Draft7Validator, own)


_SOUND: dict[tuple[int, bytes], Any] = {}
"""The schemas by which a value was found to be sound, by their identity and the value's digest."""

_MANY = 100_000


def _properties(validator: Any, properties: Any, value: Any, _schema: Any) -> Iterator[Any]:
    """As jsonschema has it, but that what was sound once is not gone through again.

    The clusters of a fleet have most of their values in common.
    """
    if not isinstance(value, dict):
        return
    for name, schema in properties.items():
        if name not in value:
            continue
        child = value[name]
        key = id(schema), _digest(child)
        if key in _SOUND:
            continue
        is_sound = True
        for error in validator.descend(child, schema, path=name, schema_path=name):
            is_sound = False
            yield error
        if is_sound:
            if len(_SOUND) > _MANY:
                _SOUND.clear()
            _SOUND[key] = schema  # What is kept here keeps its identity.


def _digest(value: Any) -> bytes:
    """A digest of JSON's data, which tells true from 1 and 1 from 1.0."""
    return hashlib.sha256(marshal.dumps(value, 2)).digest()


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(value, str) and not compiled(pattern).search(value):
        yield _error(f"{value!r} does not match {pattern!r}")


def _format(_validator: Any, name: str, value: Any, schema: Any) -> Iterator[Any]:
    if name not in WRONG or not isinstance(value, str):
        return
    if compiled(schema["pattern"]).search(value) and WRONG[name](value):
        yield _error(f"{value!r} is not a {name}")


def _check(_validator: Any, names: str | list[str], value: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name in [names] if isinstance(names, str) else names:
            for path, message in RULES[name](value):
                yield _error(message, path=path)


def _error(message: str, **more: Any) -> Any:
    import jsonschema  # noqa: PLC0415

    return jsonschema.ValidationError(message, **more)
