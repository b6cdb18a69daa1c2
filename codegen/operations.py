"""The operations on schemas that every derivation is made of: rewrite, merge, follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]
Definitions = dict[str, Schema]
"""Schemas by name, joined by `{"$ref": "#/$defs/NAME"}`."""

REF = "#/$defs/"

# Where a schema holds schemas. The keys of the first kind are names that people chose, such as a
# field called `default`, so a walk must never take them for keywords.
_NAMED = ("properties", "patternProperties", "$defs")
_SINGLE = ("items", "additionalProperties")
_LOGIC = ("allOf", "anyOf", "oneOf", "not")


def rewrite(schema: Schema, change: Callable[[Schema], Schema], *, logic: bool = True) -> Schema:
    """A copy of `schema` with `change` applied to every schema in it, the innermost first.

    Without `logic`, what is below allOf, anyOf, oneOf and not stays as it is.
    """

    def visit(value: Any) -> Any:
        if isinstance(value, list):
            return [visit(item) for item in value]
        return rewrite(value, change, logic=logic) if isinstance(value, dict) else value

    copy: Schema = {}
    for keyword, value in schema.items():
        if keyword in _NAMED:
            copy[keyword] = {name: visit(child) for name, child in value.items()}
        elif keyword in _SINGLE or (logic and keyword in _LOGIC):
            copy[keyword] = visit(value)
        else:
            copy[keyword] = value
    return change(copy)


def references(schema: Schema) -> Iterator[str]:
    """The names that `schema` refers to, in order, repeated as often as it does."""
    found: list[str] = []

    def note(node: Schema) -> Schema:
        if "$ref" in node:
            found.append(node["$ref"].removeprefix(REF))
        return node

    rewrite(schema, note)
    return iter(found)


def merge(schema: Any, patch: Any) -> Any:
    """`schema` with a JSON merge patch (RFC 7386) applied: null removes, mappings merge."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(schema) if isinstance(schema, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def short(name: str) -> str:
    """A type's name without its package or version: `io.k8s.api.core.v1.Container` and
    `V1beta1PredictorSpec` are `Container` and `PredictorSpec`.
    """
    return re.sub(r"^V\d+(?:(?:alpha|beta)\d+)?(?=[A-Z])", "", name.rpartition(".")[2])
