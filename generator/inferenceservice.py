"""The `models:` entry that stands for an InferenceService."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from generator.schema import Node

Entry = dict[str, Any]

# The spellings from before `model:`, one key a framework. KServe has some of them speak v2.
_FRAMEWORKS = (
    "sklearn", "xgboost", "lightgbm", "tensorflow", "pytorch", "triton", "onnx", "huggingface",
    "pmml", "paddle",
)  # fmt: skip
_SPEAK_V2 = ("triton", "onnx", "huggingface")
_PREDICTOR = (
    "minReplicas", "maxReplicas", "timeout", "serviceAccountName", "nodeSelector", "tolerations",
    "affinity", "logger", "batcher",
)  # fmt: skip
_CONTAINER = (
    "args", "command", "image", "resources", "securityContext",
    "startupProbe", "livenessProbe", "readinessProbe",
)  # fmt: skip
_MODEL = {
    "storageUri": "storageUri",
    "runtime": "runtime",
    "runtimeVersion": "runtimeVersion",
    "protocolVersion": "protocol",
}
_ANNOTATIONS = {
    "serving.kserve.io/deploymentMode": ("deploymentMode",),
    "serving.kserve.io/autoscalerClass": ("autoscaling", "class"),
    "serving.kserve.io/storageSecretName": ("credentials", "secretName"),
}
_MODES = {"RawDeployment": "Standard", "Serverless": "Knative"}
_VISIBILITY = "networking.kserve.io/visibility"
# Where the runtimes listen for gRPC.
_GRPC_PORT = 9000
# What tools write, and what is not for people to set.
_NOT_OURS = ("kubectl.kubernetes.io/", "app.kubernetes.io/", "helm.sh/", "meta.helm.sh/")


def from_manifest(manifest: Node) -> tuple[str, Entry]:
    """The name and the `models:` entry of an InferenceService; what has no key goes to `spec`.

    The models chart makes the same InferenceService of it.
    """
    metadata = manifest.get("metadata", {})
    rest = copy.deepcopy(manifest.get("spec", {}))
    entry: Entry = {}
    predictor = rest.get("predictor", {})
    _take_model(predictor, entry) or _take_container(predictor, entry)
    _move(predictor, entry, _PREDICTOR)
    # KServe keeps this one and never reads it, so an entry has no key for it.
    if "timeout" in (batcher := entry.get("batcher") or {}):
        predictor["batcher"] = {"timeout": batcher.pop("timeout")}
    for key, name in (("scaleMetric", "metric"), ("scaleTarget", "target")):
        if key in predictor and entry.get("autoscaling", {}).get(name) is None:
            entry.setdefault("autoscaling", {})[name] = predictor.pop(key)
    for component in ("transformer", "explainer"):
        if component in rest:
            _take_component(rest, entry, component)
    _take_metadata(metadata, entry)
    if left := _without_empty(rest):
        entry["spec"] = left
    return metadata["name"], entry


def _take_model(predictor: Node, entry: Entry) -> bool:
    """Move a `model:`, or a framework of old, into the entry; what is left of it stays."""
    framework = next((it for it in _FRAMEWORKS if it in predictor), None)
    if framework is not None:
        implied = {"protocolVersion": "v2"} if framework in _SPEAK_V2 else {}
        own = predictor.pop(framework)
        predictor["model"] = {"modelFormat": {"name": framework}, **implied, **own}
    model = predictor.get("model")
    if not model or "name" not in model.get("modelFormat", {}):
        return False
    entry["format"] = model["modelFormat"].pop("name")
    if "version" in model["modelFormat"]:
        entry["formatVersion"] = str(model["modelFormat"].pop("version"))
    for key, name in _MODEL.items():
        if key in model:
            entry[name] = model.pop(key)
    _move(model, entry, [key for key in _CONTAINER if key not in ("image", "command")])
    _take_env(model, entry)
    if str(entry.get("protocol")).startswith("grpc") and _port(model) == {"protocol": "grpc-v2"}:
        del model["ports"]
    return True


def _take_container(place: Node, entry: Entry, unknown: Sequence[str] = ()) -> bool:
    """Move the one container of a predictor, transformer or explainer into the entry.

    Leaves both as they are when it cannot, or when the entry would have one of the `unknown` keys.
    """
    containers = place.get("containers", [])
    if len(containers) != 1 or "image" not in containers[0]:
        return False
    container = copy.deepcopy(containers[0])
    port = _port(container)
    if container.pop("name", "kserve-container") != "kserve-container" or port is None:
        return False
    container.pop("ports", None)
    taken = {**port}
    _move(container, taken, _CONTAINER)
    _take_env(container, taken)
    taken.setdefault("securityContext", {})  # Left out, the chart would write one.
    if isinstance(uri := taken.get("env", {}).get("STORAGE_URI"), str):
        taken["storageUri"] = uri
        del taken["env"]["STORAGE_URI"]
    if container or any(key in taken for key in unknown):
        return False
    del place["containers"]
    entry.update(taken)
    return True


def _port(container: Node) -> Entry | None:
    """The keys that stand for a container's ports; None if none do."""
    match container.get("ports", []):
        case []:
            return {}
        case [{"containerPort": number, "name": "http1", "protocol": "TCP", **more}] if not more:
            return {"port": number}
        case [{"containerPort": number, "name": "h2c", "protocol": "TCP", **more}] if not more:
            return {"protocol": "grpc-v2"} | ({} if number == _GRPC_PORT else {"port": number})
        case _:
            return None


def _take_component(rest: Node, entry: Entry, name: str) -> None:
    component = rest[name]
    taken: Entry = {}
    if _take_container(component, taken, unknown=("protocol", "storageUri")):
        _move(component, taken, ("minReplicas", "maxReplicas"))
        entry[name] = taken


def _take_env(container: Node, entry: Entry) -> None:
    variables = container.get("env", [])
    names = {it["name"] for it in variables}
    # A map has no order, which a reference to another variable needs.
    refers = any("$(" in str(it.get("value")) for it in variables)
    if not names or len(names) != len(variables) or refers:
        return
    entry["env"] = {
        it["name"]: it["value"]
        if it.keys() == {"name", "value"}
        else {key: value for key, value in it.items() if key != "name"}
        for it in container.pop("env")
    }


def _take_metadata(metadata: Node, entry: Entry) -> None:
    annotations = dict(metadata.get("annotations") or {})
    for key, (first, *more) in _ANNOTATIONS.items():
        if key in annotations:
            value = annotations.pop(key)
            value = _MODES.get(value, value)
            entry[first] = entry.get(first, {}) | {more[0]: value} if more else value
    labels = dict(metadata.get("labels") or {})
    if labels.pop(_VISIBILITY, None) == "cluster-local":
        entry["clusterLocal"] = True
    for kind, values in (("labels", labels), ("annotations", annotations)):
        own = {key: value for key, value in values.items() if not key.startswith(_NOT_OURS)}
        if own:
            entry[kind] = own


def _move(place: Node, entry: Entry, keys: Sequence[str]) -> None:
    for key in keys:
        if key in place:
            entry[key] = place.pop(key)


def _without_empty(value: Any) -> Any:
    """`value` without the mappings that taking things out of it left empty."""
    if not isinstance(value, dict):
        return value
    kept = {key: _without_empty(child) for key, child in value.items()}
    return {key: child for key, child in kept.items() if child != {}}
