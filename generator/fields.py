"""The fields of Kubernetes types: checks the open sub-trees that the values pass through whole.

Helm takes any key there, and the API server refuses it long after; definitions.json in
generator/schemas knows better.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from generator.mistakes import explain, nearest
from generator.schema import HERE, Node
from generator.yamlio import Key, dotted

# In a mapping the key stands for this field of the type.
_KEYED = {"EnvVar": "name", "Volume": "name", "VolumeMount": "mountPath"}
# Merged over what the chart makes, so nothing in them is required.
_PARTIAL = ("InferenceServiceSpec", "InferenceGraphSpec")
# What `customRuntimes` holds, beside the types of Kubernetes and KServe.
_OWN: dict[str, Node] = {
    "CustomRuntime": {
        "type": "object",
        "additionalProperties": False,
        "required": ["spec"],
        "properties": {
            "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "spec": {"$ref": "#/$defs/ServingRuntimeSpec"},
        },
    },
    # Any object at all; kubeconform checks it once it is rendered.
    "Object": {"type": "object", "required": ["apiVersion", "kind", "metadata"]},
}


def check_fields(kind: str, value: Any) -> Iterator[tuple[Key, str]]:
    """What is wrong in `value`, of the type `kind`: the path below it and what to say.

    `kind` is `Type`, `[]Type` or `map[string]Type`, as `x-kubernetes` in values.schema.yaml has it.
    """
    if kind.startswith("[]") and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check(kind.removeprefix("[]"), item, (index,))
    elif kind.startswith("map[string]") and isinstance(value, dict):
        for key, item in value.items():
            yield from _check(kind.removeprefix("map[string]"), item, (key,))
    elif isinstance(value, dict):
        yield from _check(kind, value, ())


def _check(kind: str, value: Any, path: Key) -> Iterator[tuple[Key, str]]:
    if not isinstance(value, dict):
        return  # The values' own schema says what else may stand here.
    for error in _validator(kind).iter_errors(value):
        here: Key = (*path, *error.absolute_path)
        if error.validator == "additionalProperties" and "properties" in error.schema:
            known = error.schema["properties"]
            for key in error.instance.keys() - known.keys():
                near = nearest(key, known)
                hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
                yield (*here, key), f"unknown key; {hint}"
        elif error.validator == "required":
            for key in set(error.validator_value) - error.instance.keys():
                if (kind, key) not in _KEYED.items() and kind not in _PARTIAL:
                    yield here, f"{dotted((key,))} is missing"
        else:
            yield here, explain(error)


@cache
def _validator(kind: str) -> Any:
    # Imported here: commands that take no values do not wait for it.
    import jsonschema  # noqa: PLC0415

    definitions = _definitions()
    own = _OWN.get(kind) or {"$ref": f"#/$defs/{kind}"}
    return jsonschema.Draft7Validator({"$defs": definitions, **own})


@cache
def _definitions() -> Node:
    text = (HERE / "schemas" / "definitions.json").read_text(encoding="utf-8")
    definitions: Node = json.loads(text)["$defs"]
    return definitions
