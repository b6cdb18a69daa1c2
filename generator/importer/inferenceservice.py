"""The `models:` entry that stands for an InferenceService."""

from __future__ import annotations

import copy

from generator.importer.fitting import Entry, fits, move, move_parts, without_emptied
from generator.importer.leftovers import MODEL_FORMAT, is_carried, is_written_by_kserve
from generator.importer.lifecycle import drop_sleep, sleep_key, sleep_of
from generator.values.kubernetes import without_null
from generator.yaml.data import JsonObject

# The spellings from before `model:`, one key per framework. KServe has some of them speak v2.
_FRAMEWORKS = (
    "sklearn", "xgboost", "lightgbm", "tensorflow", "pytorch", "triton", "onnx", "huggingface",
    "pmml", "paddle",
)  # fmt: skip
_SPEAK_V2 = ("triton", "onnx", "huggingface")
_PREDICTOR = (
    "minReplicas", "maxReplicas", "timeout", "serviceAccountName", "nodeSelector", "tolerations",
    "affinity",
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
DEPLOYMENT_MODE = "serving.kserve.io/deploymentMode"
"""The annotation that says how a model runs."""

_ANNOTATIONS = {
    DEPLOYMENT_MODE: ("deploymentMode",),
    "serving.kserve.io/autoscalerClass": ("autoscaling", "class"),
    "serving.kserve.io/storageSecretName": ("credentials", "secretName"),
}
_FORMER_MODES = {"RawDeployment": "Standard", "Serverless": "Knative"}
VISIBILITY = "networking.kserve.io/visibility"
"""The label by which KServe writes a model no route."""

CLUSTER_LOCAL = "cluster-local"
"""What that label then says."""

WRITES_ROUTES = "kserve-lite/writeRoutes"
"""The annotation of a model that has the label because the models chart writes its routes."""

# Where the runtimes listen for gRPC.
_GRPC_PORT = 9000


def from_manifest(manifest: JsonObject) -> Entry:
    """The `models:` entry of an InferenceService; what has no key goes to `spec`.

    The models chart makes the same InferenceService of it. `manifest` has the fields and types that
    `services.read_services` wants; what else its metadata has, `leftovers.comments` names.
    """
    given = without_null(manifest["spec"])
    rest = copy.deepcopy(given)
    entry: Entry = {}
    predictor = rest["predictor"]
    if _take_model(predictor, entry):
        sleep = sleep_of(predictor, predictor["model"])
        drop_sleep(predictor, predictor["model"])
    else:
        sleep = sleep_of(predictor, next(iter(predictor.get("containers", [])), {}))
        _take_container(predictor, entry, sleep)
    move(predictor, entry, _PREDICTOR)
    move_parts(predictor, entry, ("logger", "batcher"))
    for key, name in (("scaleMetric", "metric"), ("scaleTarget", "target")):
        if key in predictor and fits("autoscaling", {name: predictor[key]}):
            entry.setdefault("autoscaling", {})[name] = predictor.pop(key)
    for component in ("transformer", "explainer"):
        if component in rest:
            _take_component(rest, entry, component, sleep)
    _take_metadata(manifest["metadata"], entry)
    entry |= sleep_key(entry, sleep)
    if left := without_emptied(rest, given):
        entry["spec"] = left
    return entry


def _take_model(predictor: JsonObject, entry: Entry) -> bool:
    """Move a `model:`, or a framework of old, into the entry; what is left of it stays."""
    framework = next((name for name in _FRAMEWORKS if name in predictor), None)
    if framework is not None and "model" not in predictor:
        implied = {"protocolVersion": "v2"} if framework in _SPEAK_V2 else {}
        own = predictor.pop(framework)
        predictor["model"] = {"modelFormat": {"name": framework}, **implied, **own}
    model = predictor.get("model", {})
    form = model.get("modelFormat", {})
    if not fits("format", form.get("name")):
        return False
    entry["format"] = form.pop("name")
    if fits("formatVersion", str(form.get("version", ""))):
        entry["formatVersion"] = str(form.pop("version"))
    if model.get("name") == "":  # The API server writes it, and means none.
        del model["name"]
    for key, name in _MODEL.items():
        if key in model and fits(name, model[key]):
            entry[name] = model.pop(key)
    move(model, entry, [key for key in _CONTAINER if key not in ("image", "command")])
    _take_env(model, entry)
    if str(entry.get("protocol")).startswith("grpc") and _port(model) == {"protocol": "grpc-v2"}:
        del model["ports"]
    return True


def _take_container(parent: JsonObject, entry: Entry, sleep: int, part: str | None = None) -> bool:
    """Move the one container of a predictor into the entry, of a component into the entry's part.

    Leaves both as they are when it cannot, or the values have no such keys; a model has one `sleep`
    for all its components.
    """
    containers = parent.get("containers", [])
    if len(containers) != 1 or "image" not in containers[0]:
        return False
    own, container = dict(parent), copy.deepcopy(containers[0])
    port = _port(container)
    if container.pop("name", "kserve-container") != "kserve-container" or port is None:
        return False
    if sleep_of(own, container) != sleep:
        return False
    drop_sleep(own, container)
    container.pop("ports", None)
    taken = {**port}
    move(container, taken, _CONTAINER)
    _take_env(container, taken)
    taken.setdefault("securityContext", {})  # Left out, the chart would write one.
    if isinstance(uri := taken.get("env", {}).get("STORAGE_URI"), str):
        taken["storageUri"] = uri
        del taken["env"]["STORAGE_URI"]
    if part is not None:
        # There `storageUri` means something else, or nothing.
        possible = "storageUri" not in taken and fits(part, taken)
    else:
        possible = all(fits(key, value) for key, value in taken.items())
    if container or not possible:
        return False
    del own["containers"]
    parent.clear()
    parent.update(own)
    entry.update(taken)
    return True


def _port(container: JsonObject) -> Entry | None:
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


def _take_component(rest: JsonObject, entry: Entry, name: str, sleep: int) -> None:
    component = rest[name]
    taken: Entry = {}
    if _take_container(component, taken, sleep, part=name):
        for key in ("minReplicas", "maxReplicas"):
            if key in component and fits(name, {key: component[key]}):
                taken[key] = component.pop(key)
        entry[name] = taken


def _take_env(container: JsonObject, entry: Entry) -> None:
    variables = container.get("env", [])
    if not all(isinstance(variable, dict) for variable in variables):
        return
    names = {variable.get("name") for variable in variables}
    # A map has no order, which a reference to another variable needs.
    refers = any("$(" in str(variable.get("value")) for variable in variables)
    bare = any(variable.keys() == {"name"} for variable in variables)
    if not names or None in names or len(names) != len(variables) or refers or bare:
        return
    entry["env"] = {
        variable["name"]: variable["value"]
        if variable.keys() == {"name", "value"}
        else {key: value for key, value in variable.items() if key != "name"}
        for variable in container.pop("env")
    }


def deployment_mode(metadata: JsonObject) -> str | None:
    """The mode that an object's annotation asks for, in today's words; None where it has none."""
    mode = (metadata.get("annotations") or {}).get(DEPLOYMENT_MODE)
    return None if mode is None else _FORMER_MODES.get(mode, mode)


def has_no_route_of_kserves(metadata: JsonObject) -> bool:
    """Whether the label in an InferenceService's metadata keeps KServe from routing it."""
    return bool((metadata.get("labels") or {}).get(VISIBILITY) == CLUSTER_LOCAL)


def _take_metadata(metadata: JsonObject, entry: Entry) -> None:
    annotations = dict(metadata.get("annotations") or {})
    for key, (first, *more) in _ANNOTATIONS.items():
        if key in annotations:
            value = annotations.pop(key)
            value = _FORMER_MODES.get(value, value)
            entry[first] = entry.get(first, {}) | {more[0]: value} if more else value
    labels = dict(metadata.get("labels") or {})
    routed = annotations.pop(WRITES_ROUTES, None) == "true"
    if has_no_route_of_kserves(metadata):
        if not routed:
            entry["clusterLocal"] = True
        del labels[VISIBILITY]
    if is_written_by_kserve(annotations, entry.get("format")):
        del annotations[MODEL_FORMAT]
    for kind, values in (("labels", labels), ("annotations", annotations)):
        if own := {key: value for key, value in values.items() if is_carried(key)}:
            entry[kind] = own
