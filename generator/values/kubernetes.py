"""The fields of Kubernetes types: checks the open sub-trees that the values pass through whole.

Helm takes almost anything there, and the API server refuses it long after. definitions.json in
generator/data/schemas knows the fields and their types; kubernetes.yaml knows what they may hold,
and consistency.py what must hold between them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from generator import DATA
from generator.values.consistency import BY_FIELDS, RULES, check_list
from generator.values.formats import ONE, expand, kubernetes
from generator.values.messages import explain, nearest
from generator.values.validator import Refusal, Validator
from generator.yaml.data import JsonObject
from generator.yaml.path import Key, dotted

# In a mapping the key stands for this field of the type.
_KEYED = {"EnvVar": "name", "Volume": "name", "VolumeMount": "mountPath"}
# Merged over what the chart makes, so nothing in them is required.
_PARTIAL = ("InferenceServiceSpec", "InferenceGraphSpec")
# Upstream's schemas leave open what its validation insists on.
_REQUIRED = {
    "ConfigMapEnvSource": ["name"],
    "ConfigMapKeySelector": ["name"],
    "ConfigMapVolumeSource": ["name"],
    "SecretEnvSource": ["name"],
    "SecretKeySelector": ["name"],
    "SecretVolumeSource": ["secretName"],
}
# What `customRuntimes` holds, beside the types of Kubernetes and KServe.
_OWN: dict[str, JsonObject] = {
    "CustomRuntime": {
        "type": "object",
        "additionalProperties": False,
        "required": ["spec"],
        "properties": {
            "annotations": expand({"x-format": "annotations"}),
            "labels": expand({"x-format": "labels"}),
            "spec": {"$ref": "#/$defs/ServingRuntimeSpec"},
        },
    },
    # Any object at all; kubeconform checks it once it is rendered.
    "Object": {"type": "object", "required": ["apiVersion", "kind", "metadata"]},
}


def check_fields(kind: str, value: Any, *, custom: bool) -> Iterator[tuple[Key, str]]:
    """What is wrong in `value`, of the type `kind`: the path below it and what to say.

    `kind` is `Type`, `[]Type` or `map[string]Type`, as `x-kubernetes` in values.schema.yaml has it;
    `custom` says that it becomes a part of a custom resource, which reads quantities more strictly,
    and takes no null. Elsewhere a field that is null is not there; an item of a list may never be.
    """
    if kind.startswith("[]"):
        for index, item in enumerate(value if isinstance(value, list) else []):
            yield from _check(kind.removeprefix("[]"), item, (index,), custom=custom)
        yield from check_list(kind.removeprefix("[]"), value)
    elif kind.startswith("map[string]"):
        for key, item in value.items() if isinstance(value, dict) else []:
            yield from _check(kind.removeprefix("map[string]"), item, (key,), custom=custom)
    else:
        yield from _check(kind, value, (), custom=custom)


def _refusals(kind: str, value: JsonObject, *, custom: bool) -> Iterator[Refusal]:
    validator = _validator(kind, custom=custom)
    there = value if custom else without_null(value)
    yield from validator.refusals(there)
    if there != value:
        # A key that nobody knows is wrong although it says nothing.
        for found in validator.refusals(value):
            if found.keyword == "additionalProperties" and found.value is not None:
                unknown = found.value.keys() - found.schema.get("properties", {}).keys()
                if all(found.value[key] is None for key in unknown):
                    yield found


def without_null(value: Any) -> Any:
    """`value` without keys that are null, which Kubernetes takes as not there."""
    if isinstance(value, list):
        return [without_null(child) for child in value]
    if not isinstance(value, dict):
        return value
    return {key: without_null(child) for key, child in value.items() if child is not None}


def _check(kind: str, value: Any, path: Key, *, custom: bool) -> Iterator[tuple[Key, str]]:
    if not isinstance(value, dict):
        return  # The values' own schema says what else may stand here.
    for found in _refusals(kind, value, custom=custom):
        here: Key = (*path, *found.path)
        if found.value is None and found.keyword != "type":
            continue  # That it is null says it all.
        if found.is_name:
            yield (*here, found.value), f"the name {explain(found)}"
        elif found.keyword == "additionalProperties" and "properties" in found.schema:
            known = found.schema["properties"]
            for key in found.value.keys() - known.keys():
                near = nearest(key, known)
                hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
                yield (*here, key), f"unknown key; {hint}"
        elif found.keyword == "required":
            for key in set(found.wanted) - found.value.keys():
                if (here, key) != (path, _KEYED.get(kind)) and not _is_partial(kind, found):
                    yield here, f"{dotted((key,))} is missing; add it"
        else:
            yield here, explain(found)


def _is_partial(kind: str, found: Refusal) -> bool:
    """Whether the chart may add what is missing here; in a list it adds nothing."""
    return kind in _PARTIAL and not any(isinstance(step, int) for step in found.path)


@cache
def _validator(kind: str, *, custom: bool) -> Validator:
    return Validator(_schema(kind, custom=custom))


def _schema(kind: str, *, custom: bool) -> JsonObject:
    own = _OWN.get(kind) or {"$ref": f"#/$defs/{kind}"}
    return {"$defs": _definitions(custom=custom), **own}


@cache
def _definitions(*, custom: bool) -> JsonObject:
    """Every type with what its fields may hold."""
    text = (DATA / "schemas" / "definitions.json").read_text(encoding="utf-8")
    definitions: JsonObject = json.loads(text)["$defs"]
    fields = kubernetes()["fields"]
    for name, definition in definitions.items():
        own, properties = fields.get(name, {}), definition.get("properties", {})
        for field in own.keys() & properties.keys():
            properties[field] = _narrowed(properties[field], own[field])
        for field in fields["*"].keys() & properties.keys() - own.keys():
            if "$ref" not in properties[field]:
                properties[field] = _narrowed(properties[field], fields["*"][field])
        if rules := _rules(name, properties):
            definition["x-check"] = rules
        if name in _REQUIRED:
            definition["required"] = sorted({*definition.get("required", []), *_REQUIRED[name]})
    amount = "quantity of a custom resource" if custom else "quantity"
    definitions["Quantity"] = _narrowed({}, amount)
    for definition in definitions.values():
        _forbid_null(definition)
    return definitions


def _rules(name: str, properties: JsonObject) -> list[str]:
    """The rules for a type: its own, and those for types with the fields that it has."""
    own = [name] if name in RULES.keys() - BY_FIELDS.keys() else []
    return [*own, *(rule for rule, fields in BY_FIELDS.items() if fields <= properties.keys())]


def _forbid_null(node: JsonObject) -> None:
    """Take null out of what a node and all in it may be, in place."""
    if isinstance(node.get("type"), list):
        kinds = [kind for kind in node["type"] if kind != "null"]
        node["type"] = kinds[0] if len(kinds) == 1 else kinds
    for key in ONE:
        if isinstance(node.get(key), dict):
            _forbid_null(node[key])
    for child in node.get("properties", {}).values():
        _forbid_null(child)


def _narrowed(node: JsonObject, narrowing: str | list[str] | JsonObject) -> JsonObject:
    """A field that may hold less: a format, `[]FORMAT`, one of some words, or a schema to add."""
    node = {key: value for key, value in node.items() if key != "$ref"}
    if isinstance(narrowing, list):
        return node | {"enum": narrowing}
    if isinstance(narrowing, dict):
        return node | expand(narrowing)
    if narrowing.startswith("[]"):
        return node | {"items": expand({"x-format": narrowing.removeprefix("[]")})}
    return node | expand({"x-format": narrowing})
