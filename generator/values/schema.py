"""The values API: generator/data/values.schema.yaml, its abbreviations expanded with the catalog.

An expanded node is JSON Schema. An object with `properties` is a *branch*; everything else is a
*leaf* with a `default`. A leaf with `x-entries` is a map of closed objects in which nothing is
required and nothing has a default; in paths `*` stands for the name of an entry. A node with
`x-foreign` is the other chart's: it may be there, and has no default here. A leaf with
`x-fixed` chose the files of a chart for one cluster. `x-removed` maps keys and values that a node
had once to the reason, with a remedy; `x-elsewhere` those that an entry never had, and that are set
in another way.

What is derived from the tree: the default values, the schema that Helm checks (helmschema.py), the
commented values file and the table of VALUES.md (docs.py).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from generator import CHART, DATA
from generator.cache import kept, state
from generator.yaml.data import JsonObject
from generator.yaml.document import load_fast

ValuePath = tuple[str, ...]
"""The path of a value in the values API: keys only, `*` for the name of an entry."""

# What of a node is JSON Schema that Helm checks.
KEYWORDS = (
    "type",
    "enum",
    "const",
    "pattern",
    "not",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "minProperties",
    "items",
    "additionalProperties",
    "propertyNames",
)


@dataclass(frozen=True)
class Leaf:
    """A value that a user can set: its path, its expanded schema (with `default`)."""

    path: ValuePath
    schema: JsonObject

    @property
    def name(self) -> str:
        """The path as users write it: `controller.image.tag`."""
        return ".".join(self.path)


@cache
def values_schema() -> JsonObject:
    """The expanded values.schema.yaml. Not to be changed in place."""
    return kept("values.schema", state().encode(), _expanded)


def _expanded() -> JsonObject:
    from generator.values.expansion import Expansion  # noqa: PLC0415

    return Expansion().expand(load_fast(DATA / "values.schema.yaml"))


def leaves(node: JsonObject, path: ValuePath = ()) -> Iterator[Leaf]:
    """Every leaf below an expanded `node`, in the order of the file; those of entries under `*`."""
    for key, child in node.get("properties", {}).items():
        here = (*path, key)
        if "x-entries" in child:
            yield from leaves(child["additionalProperties"], (*here, "*"))
        elif "properties" in child:
            yield from leaves(child, here)
        else:
            yield Leaf(here, child)


def defaults(node: JsonObject) -> JsonObject:
    """The default values of an expanded branch, as nested dicts; a fresh copy."""
    return {
        key: defaults(child) if "properties" in child else copy.deepcopy(child["default"])
        for key, child in node["properties"].items()
        if "x-foreign" not in child
    }


def is_tree(node: JsonObject) -> bool:
    """Whether a leaf holds fields or items that the values API does not name."""
    kinds = node.get("type", "string" if "enum" in node else "object")
    return "x-kubernetes" in node or not {"object", "array"}.isdisjoint(
        kinds if isinstance(kinds, list) else [kinds]
    )


def find(node: JsonObject, path: ValuePath) -> JsonObject | None:
    """The expanded node at `path`, or None; in a map of entries any name leads to the entry."""
    for key in path:
        found = node["additionalProperties"] if "x-entries" in node else None
        found = found or node.get("properties", {}).get(key)
        if found is None:
            return None
        node = found
    return node


def of_chart(node: JsonObject, chart: str) -> JsonObject:
    """The schema of one chart's values, as `x-charts` says: the platform's, unless it says more.

    What is the other chart's stays, so that one values file serves both charts, but is foreign.
    """
    return _own(node, "platform" if chart == CHART else "models", "platform")


def _own(node: JsonObject, chart: str, owner: str) -> JsonObject:
    owner = node.get("x-charts", owner)
    if "properties" in node:
        children = {key: _own(child, chart, owner) for key, child in node["properties"].items()}
        if any("x-foreign" not in child for child in children.values()):
            return node | {"properties": children}
    elif owner in (chart, "both"):
        return node
    kept = {"type": "object"} if {"properties", "x-entries"} & node.keys() else node
    return {key: kept[key] for key in KEYWORDS if key in kept} | {"x-foreign": True}
