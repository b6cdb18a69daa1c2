"""The operations on schemas that every derivation is made of: rewrite, merge, follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from generator.values.sharing import change_parts

Schema = dict[str, Any]
Definitions = dict[str, Schema]
"""Schemas by name, joined by `{"$ref": "#/$defs/NAME"}`."""

REF = "#/$defs/"


def rewrite(schema: Schema, change: Callable[[Schema], Schema], *, logic: bool = True) -> Schema:
    """A copy of `schema` with `change` applied to every schema in it, the innermost first.

    Without `logic`, what is below allOf, anyOf, oneOf and not stays as it is.
    """

    def inside(part: Schema, _: str) -> Schema:
        return rewrite(part, change, logic=logic)

    return change(change_parts(schema, inside, logic=logic))


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
