"""What of an InferenceService fits the keys of a `models:` entry, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from generator.values.helmschema import helm_schema
from generator.values.schema import values_schema
from generator.values.validator import Validator
from generator.yaml.data import JsonObject

Entry = dict[str, Any]


def move(parent: JsonObject, entry: Entry, keys: Sequence[str]) -> None:
    """Move what the values have a key for, in a form that they take."""
    for key in keys:
        if key in parent and fits(key, parent[key]):
            entry[key] = parent.pop(key)


def move_parts(predictor: JsonObject, entry: Entry, keys: Sequence[str]) -> None:
    """Move what the values have keys for of things that decide where requests go.

    The models chart looks for them in the entry itself; the rest is merged over that.
    """
    for key in keys:
        if key in predictor:
            own = predictor.pop(key)
            entry[key] = {name: value for name, value in own.items() if fits(key, {name: value})}
            if rest := {name: value for name, value in own.items() if name not in entry[key]}:
                predictor[key] = rest


def fits(key: str, value: Any) -> bool:
    """Whether a key of an entry may have a value; what may not stays in the spec."""
    return not any(_entry()[key].refusals(value))


@cache
def _entry() -> dict[str, Validator]:
    """What checks each key of an entry."""
    schema = helm_schema(values_schema(), ours=True)["properties"]["models"]
    properties = schema["additionalProperties"]["properties"]
    return {key: Validator(node) for key, node in properties.items()}


def without_emptied(value: Any, given: Any) -> Any:
    """`value` without the mappings that taking things out of it left empty."""
    if not isinstance(value, dict):
        return value
    former = given if isinstance(given, dict) else {}
    kept = {key: without_emptied(child, former.get(key)) for key, child in value.items()}
    return {key: child for key, child in kept.items() if child != {} or former.get(key) == {}}
