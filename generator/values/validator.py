"""Validates values against a JSON Schema as Helm reads it, with two keywords of our own."""

from __future__ import annotations

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

    own = {"pattern": _pattern, "x-format": _format, "x-check": _check}
    extend: Any = jsonschema.validators.extend
    return extend(jsonschema.Draft7Validator, own)


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
