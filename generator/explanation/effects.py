"""Which objects and fields each value changes: what law 3 measured, kept as data.

`make golden` measures anew; tests/laws/test_03_no_dead_value.py compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache

from generator import DATA

FILE = DATA / "effects.json"
NAME = "NAME"
"""What stands for the names of a user's models, graphs and runtimes."""

NAMED = ("models", "graphs", "trainedModels", "customRuntimes", "extraObjects")
"""The values that are entries by name, of which objects are made."""

TENANTS = "tenants"
"""The entries whose names are those of namespaces."""

WHOLE = ""
"""What stands for the whole object among its fields."""

_HASH = re.compile(r"-[0-9a-f]{8}$")

Effects = dict[str, list[str]]
"""Fields by object, such as `Deployment/manager`: none where the object itself comes or goes, and
WHOLE among them where it does so with some values and changes with others."""


@cache
def measured() -> dict[str, Effects]:
    """The effects of every leaf, by its name. Not to be changed in place."""
    return dict(json.loads(FILE.read_text("utf-8"))["effects"])


def below(name: str) -> Effects:
    """The effects of a leaf, or of every leaf below a branch, together."""
    found: dict[str, dict[str, None]] = {}
    for leaf, effects in measured().items():
        if leaf == name or leaf.startswith(f"{name}."):
            for thing, fields in effects.items():
                found.setdefault(thing, {}).update(dict.fromkeys(fields or [WHOLE]))
    only_whole = {WHOLE: None}
    return {
        thing: [] if fields == only_whole else list(fields)
        for thing, fields in sorted(found.items())
    }


def is_whole(fields: Sequence[str]) -> bool:
    """Whether an object with these fields among the effects comes or goes."""
    return not fields or WHOLE in fields


def label(kind: str, name: str) -> str:
    """What an object is called among the effects; the hash at the end of a Job's name is HASH."""
    return f"{kind}/{_HASH.sub('-HASH', name)}"


def grouped(effects: Effects) -> Iterator[tuple[list[str], list[str]]]:
    """Objects with the same fields together: the objects, and the fields."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for thing, fields in effects.items():
        groups.setdefault(tuple(fields), []).append(thing)
    yield from ((things, list(fields)) for fields, things in groups.items())
