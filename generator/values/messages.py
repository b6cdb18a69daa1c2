"""Messages for values that a JSON Schema refuses: a fact, and after a semicolon the remedy."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from generator.values.formats import describe, slip
from generator.values.validator import Refusal

# What a format's sentence says better than the keyword that found the mistake.
_WORDED = ("type", "pattern", "not", "minLength", "x-format")


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` is probably a misspelling of."""
    known = list(words)
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def explain(found: Refusal) -> str:
    """A sentence for what a schema refuses, in the words of people who write values."""
    value, schema = found.value, found.schema
    name = schema.get("x-format")
    if name and found.keyword in _WORDED and (what := describe(name)):
        remedy = slip(name, value) or (
            _remedy(value, _kinds(schema.get("type", "string")), schema)
            if found.keyword == "type"
            else None
        )
        fact = f"{_show(value)} is not {what}"
        return f"{fact}; {remedy}" if remedy else fact
    tell = _SENTENCES.get(found.keyword)
    return tell(value, found.wanted, schema) if tell else found.message


def misspelt_formats(models: Any, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Models whose format is nearly one of the `known` ones: their name, and what to say.

    One that names its runtime may have a format that only this runtime knows.
    """
    for name, model in models.items():
        form = model.get("format")
        if model.get("runtime") or not isinstance(form, str) or form.lower() in known:
            continue
        if near := nearest(form, known):
            yield name, f'no runtime serves "{form}"; did you mean {near}?'


def _type(value: Any, wanted: Any, schema: Any) -> str:
    kinds = _kinds(wanted)
    fact = f"{_show(value)} is not {' or '.join(map(_article, kinds))}"
    return f"{fact}; {_remedy(value, kinds, schema)}"


def _kinds(wanted: Any) -> list[str]:
    kinds = wanted if isinstance(wanted, list) else [wanted]
    return [kind for kind in kinds if kind != "null"]


def _remedy(value: Any, kinds: list[str], schema: Any) -> str:
    """How to write `value`, which has the wrong type, as one of `kinds`."""
    if value is None:
        return "leave it out"
    scalar = not isinstance(value, dict | list)
    return _REMEDIES["string" if scalar and "string" in kinds else kinds[0]](value, schema)


def _as_text(value: Any, _schema: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"name"}:
        return f"write {value['name']} alone"
    if isinstance(value, dict | list):
        return "write one word or number"
    if isinstance(value, float):
        return 'put it in quotes (1.10 without them is the number 1.1, "1.10" is text)'
    return f'put it in quotes: "{_show(value)}"'


def _as_list(value: Any, _schema: Any) -> str:
    if not isinstance(value, dict):
        return f"write [{json.dumps(value)}]"
    return "begin each entry with a dash" if value else "write [] for none"


def _as_number(value: Any, _schema: Any) -> str:
    digits = isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value)
    return f"write {int(value)} without quotes" if digits else "write a number such as 2"


def _as_mapping(value: Any, schema: Any) -> str:
    if not isinstance(value, list):
        return "write keys and their values below it"
    first = value[0] if value else None
    if isinstance(first, str) and "enabled" in _fields(schema, first):
        return f"write {first}: {{enabled: true}}, without the dash"
    if isinstance(first, dict) and isinstance(first.get("name"), str):
        rest = {key: content for key, content in first.items() if key != "name"}
        entry = rest["value"] if rest.keys() == {"value"} else rest
        return f"write each name as a key, such as {first['name']}: {json.dumps(entry)}"
    return "write keys and their values, without dashes" if value else "write {} for none"


_REMEDIES: dict[str, Callable[[Any, Any], str]] = {
    "array": _as_list,
    "boolean": lambda _value, _schema: "write true or false, without quotes",
    "integer": _as_number,
    "number": _as_number,
    "object": _as_mapping,
    "string": _as_text,
}


def _fields(schema: Any, key: str) -> Any:
    return schema.get("properties", {}).get(key, {}).get("properties", {})


def _enum(value: Any, wanted: list[Any], _schema: Any) -> str:
    words = ['""' if word == "" else str(word) for word in wanted if word is not None]
    near = nearest(str(value), words)
    hint = f"did you mean {near}?" if near else "choose one of them"
    return f"{_show(value)} is not one of {', '.join(words)}; {hint}"


def _range(value: Any, _wanted: Any, schema: Any) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    side = f"less than {low}" if low is not None and value < low else f"more than {high}"
    if high is None:
        return f"{value} is {side}; write {low} or more"
    return f"{value} is {side}; write a number from {low or 0} to {high}"


def _empty(_value: Any, _wanted: Any, schema: Any) -> str:
    fields = ", ".join(schema.get("properties", {}))
    return f"is empty; {f'set one of {fields}' if fields else 'say something'}, or leave it out"


def _exclusive(_value: Any, wanted: list[Any], _schema: Any) -> str:
    fields = sorted({field for choice in wanted for field in choice.get("required", [])})
    return f"{', '.join(fields)} exclude each other; keep one"


_SENTENCES: dict[str, Callable[[Any, Any, Any], str]] = {
    "type": _type,
    "enum": _enum,
    "not": lambda value, _wanted, _schema: f"{_show(value)} may not stand here; choose another",
    "pattern": lambda value, wanted, _: f"{_show(value)} does not match {wanted}; write it so",
    "minLength": lambda _value, _wanted, _schema: "is empty; say something, or leave it out",
    "maxLength": lambda value, wanted, _: (
        f"{_show(value)} has {len(value)} characters, and {wanted} are allowed; shorten it"
    ),
    "maxItems": lambda value, wanted, _: f"has {len(value)} entries; write {wanted} or fewer",
    "maxProperties": lambda value, wanted, _: f"has {len(value)} keys; write {wanted} or fewer",
    "minItems": lambda _value, _wanted, _schema: "is empty; add an entry",
    "minProperties": _empty,
    "minimum": _range,
    "oneOf": _exclusive,
    "maximum": _range,
}


def _show(value: Any) -> str:
    if isinstance(value, str):
        return f'"{_on_one_line(value)}"' if len(value) <= 80 else f'"{_on_one_line(value[:80])}…"'
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _on_one_line(text: str) -> str:
    """`text` with what nobody sees, and what ends a line, as YAML and JSON write it."""
    signs = (sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
    return "".join(signs)


def _article(kind: str) -> str:
    names = {
        "object": "a mapping",
        "array": "a list",
        "integer": "a whole number",
        "string": "text",
    }
    return names.get(kind, f"a {kind}")
