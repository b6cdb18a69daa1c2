"""What KServe's controller makes of an InferenceService or an InferenceGraph: names, and whether.

Source: pkg/constants/constants.go and pkg/apis/serving/v1beta1 of KServe. That the objects are
there is asked of the real controller in tests/cluster/test_diagram.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.importer.inferenceservice import deployment_mode
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

COMPONENTS = ("predictor", "transformer", "explainer")
"""What an InferenceService is made of, by the fields of its spec."""

HOLD = "serving.kserve.io/disable-auto-update"
"""The annotation that has KServe leave a model alone."""

_STOP = "serving.kserve.io/stop"


def is_stopped(data: JsonObject) -> bool:
    """Whether the controller keeps no pods and no route for an object."""
    annotations = data["metadata"].get("annotations") or {}
    return str(annotations.get(_STOP, "")).lower() == "true"


def is_held(data: JsonObject) -> bool:
    """Whether KServe leaves a model alone, once it is Ready (controller.go, Reconcile)."""
    annotations: Any = at(data, "metadata.annotations") or {}
    return bool(annotations.get(HOLD) == "true")


def is_knative(data: JsonObject, mode: str) -> bool:
    """Whether Knative serves it; `mode` is the deployment mode of one that names none."""
    return (deployment_mode(data["metadata"]) or mode) == "Knative"


def component_name(data: JsonObject, key: str) -> str:
    """The name of the Deployment and the Service of a predictor, transformer or explainer."""
    named = data["spec"][key].get("name") if key == "predictor" else None
    return "-".join(filter(None, (data["metadata"]["name"], named, key)))


def version_name(data: JsonObject, predictor: JsonObject) -> str:
    """The same, of a version beside the predictor."""
    return f"{data['metadata']['name']}-{predictor['name']}-predictor"


def workload_names(data: JsonObject) -> Iterator[str]:
    """The names of the Deployments, or Knative Services, of an InferenceService or a graph."""
    if data["kind"] == "InferenceGraph":
        yield str(data["metadata"]["name"])
        return
    spec = data["spec"]
    yield from (component_name(data, key) for key in COMPONENTS if spec.get(key) is not None)
    yield from (version_name(data, each["predictor"]) for each in spec.get("canary") or [])
