"""Nulls in values of upstream's charts, by which Helm takes a default of the chart away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from generator.migration.rules import Rule
from generator.migration.state import EMPTY
from generator.yaml.path import Key, value_at


def nulls(data: Any, known: Mapping[str, Rule]) -> Iterator[tuple[Key, str]]:
    """Every null that takes something away, and what to say of it.

    One where upstream's chart has nothing means nothing. One inside a setting that is not carried
    is left to what is said of the setting.
    """
    for path in _paths(data):
        rule, below = _rule(path, known)
        if rule is None:
            name = f"{'.'.join(map(str, path))}."
            if any(other.startswith(name) and _is(known[other].default) for other in known):
                yield path, "null takes all of upstream's defaults below it away"
        elif not (below and (rule.lost or rule.same)):
            default = _default(rule.default, below)
            if _is(default):
                yield path, _message(rule, below, default)


def _paths(data: Any, path: Key = ()) -> Iterator[Key]:
    if data is None:
        yield path
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _paths(value, (*path, key))


def _rule(path: Key, known: Mapping[str, Rule]) -> tuple[Rule | None, Key]:
    """The rule that a path is at or below, and the rest of the path."""
    for end in range(len(path), 0, -1):
        if rule := known.get(".".join(map(str, path[:end]))):
            return rule, path[end:]
    return None, ()


def _default(default: Any, below: Key) -> Any:
    try:
        return value_at(default, below)
    except (LookupError, TypeError):
        return None


def _is(default: Any) -> bool:
    return default not in EMPTY


def _message(rule: Rule, below: Key, default: Any) -> str:
    which = f", {json.dumps(default)}" if isinstance(default, bool | int) else f", {default}"
    which = "" if isinstance(default, dict | list) else which
    remedy = f"; see {'.'.join((rule.to, *map(str, below)))}" if rule.to else ""
    return f"null takes upstream's default away{which}{remedy}"
