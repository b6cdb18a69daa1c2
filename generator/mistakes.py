"""What to say of a value that a JSON Schema refuses."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` is probably a misspelling of."""
    known = list(words)
    by_lower = {it.lower(): it for it in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def explain(error: Any) -> str:
    """A sentence for a jsonschema ValidationError, in the words of people who write values."""
    tell = _SENTENCES.get(error.validator)
    return tell(error.instance, error.validator_value) if tell else str(error.message)


def _type(value: Any, wanted: Any) -> str:
    kinds = wanted if isinstance(wanted, list) else [wanted]
    return f"{_show(value)} is not {' or '.join(map(_article, kinds))}"


def _enum(value: Any, wanted: list[Any]) -> str:
    words = [str(it) for it in wanted]
    near = nearest(str(value), words)
    hint = f"; did you mean {near}?" if near else ""
    return f"{_show(value)} is not one of {', '.join(words)}{hint}"


def _any_of(value: Any, wanted: list[dict[str, Any]]) -> str:
    return _type(value, [it.get("type", "value") for it in wanted])


_SENTENCES: dict[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "enum": _enum,
    "anyOf": _any_of,
    "not": lambda value, _: f"{_show(value)} is no name: YAML reads it as a boolean or null",
    "pattern": lambda value, wanted: f"{_show(value)} does not match {wanted}",
    "minLength": lambda _value, _wanted: "must not be empty",
    "maxLength": lambda value, wanted: f"has {len(value)} characters, and {wanted} are allowed",
    "minimum": lambda value, wanted: f"{value} is less than {wanted}",
    "maximum": lambda value, wanted: f"{value} is more than {wanted}",
}


def _show(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _article(kind: str) -> str:
    names = {"object": "a mapping", "array": "a list", "integer": "a whole number"}
    return names.get(kind, f"a {kind}")
