"""What a side tells KServe: the domain under which it publishes, and how models run."""

from __future__ import annotations

from functools import cache
from typing import Any

from generator import CONFIG, LOCAL
from generator.comparison.change import Change, Found
from generator.comparison.reading import of_kinds
from generator.comparison.sides import Side
from generator.values.address import filled
from generator.yaml.data import JsonObject
from generator.yaml.embedded import opened
from generator.yaml.fields import at

_TEMPLATE = "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}"
_MODE = "serving.kserve.io/deploymentMode"
# What KServe still takes, and what it makes of that (constants.go, ParseDeploymentMode).
_LEGACY = {"RawDeployment": "Standard", "Serverless": "Knative"}
# The modes that its webhook writes into a model that says none (inference_service_defaults.go).
_WRITTEN = ("Standard", "ModelMesh")
# The annotations that KServe keeps from pods (constants.go, ServiceAnnotationDisallowedList).
_KEPT_BACK = (
    "autoscaling.knative.dev/min-scale",
    "autoscaling.knative.dev/max-scale",
    "internal.serving.kserve.io/storage-initializer-sourceuri",
    "kubectl.kubernetes.io/last-applied-configuration",
    "modelFormat",
)


def domain(data: JsonObject | None) -> str:
    """The domain under which KServe itself publishes models, by its ConfigMap; empty for none."""
    if not data or (data["kind"], data["metadata"]["name"]) != ("ConfigMap", CONFIG):
        return ""
    ingress = at(opened(data), "data.ingress")
    if not isinstance(ingress, dict):
        return ""
    found = str(ingress.get("ingressDomain", ""))
    return "" if ingress.get("disableIngressCreation") or found == LOCAL else found


@cache
def config(side: Side) -> JsonObject | None:
    """KServe's ConfigMap, where it is on a side."""
    found = of_kinds(side, "ConfigMap")
    return next((data for data in found if data["metadata"]["name"] == CONFIG), None)


def kept_back(side: Side) -> tuple[str, ...]:
    """The annotations of models that no pod carries."""
    found = at(opened(config(side) or {}), "data.inferenceService.serviceAnnotationDisallowedList")
    return (*_KEPT_BACK, *map(str, found if isinstance(found, list) else ()))


def hosts(model: JsonObject, side: Side) -> list[str]:
    """The hosts under which KServe publishes a model, unless a label keeps it inside."""
    known = config(side)
    if not (main := domain(known)):
        return []
    ingress: Any = at(opened(known or {}), "data.ingress")
    metadata = model["metadata"]
    labels, annotations = (metadata.get(key) or {} for key in ("labels", "annotations"))
    fields = {
        "Name": metadata["name"],
        "Namespace": metadata.get("namespace") or "",
        "IngressDomain": main,
        "Labels": labels,
        "Annotations": annotations,
    }
    host = filled(str(ingress.get("domainTemplate") or _TEMPLATE), fields)
    more = ingress.get("additionalIngressDomains")
    if not isinstance(more, list) or not host.endswith(main):
        return [host]
    return [host, *(f"{host.removesuffix(main)}{each}" for each in more)]


def refused(change: Change) -> Found:
    """Models whose mode changes: KServe's webhook refuses the update (validateDeploymentMode)."""
    for pair, old, new in change.both:
        if pair.kind == "InferenceService" and (modes := _modes(old, new, change)):
            reason = f"KServe refuses to change {modes[0]} to {modes[1]}: the apply fails"
            yield pair, f'metadata.annotations["{_MODE}"]', f"{reason}; delete the model first"


def mode(old: JsonObject, new: JsonObject, change: Change) -> str:
    """The mode of a model that KServe leaves in it; empty where neither side tells."""
    return _said(old) or _default(change.old) or _said(new) or _default(change.new)


def _modes(old: JsonObject, new: JsonObject, change: Change) -> tuple[str, str] | None:
    """The modes of a model, where both are known and differ."""
    before = _said(old) or _default(change.old)
    after = _said(new)
    # KServe keeps a model in its mode, unless the webhook writes another into it.
    if not after and (default := _default(change.new)) in _WRITTEN:
        after = default
    return (before, after) if before and after and before != after else None


def _said(model: JsonObject) -> str:
    annotations: Any = at(model, "metadata.annotations") or {}
    return _parsed(annotations.get(_MODE))


def _default(side: Side) -> str:
    """The mode of models that say none; empty where the side does not tell."""
    return _parsed(at(opened(config(side) or {}), "data.deploy.defaultDeploymentMode"))


def _parsed(mode: Any) -> str:
    return _LEGACY.get(mode, mode) if isinstance(mode, str) else ""
