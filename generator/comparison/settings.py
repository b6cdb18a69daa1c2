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
from generator.yaml.fields import at, leaves

_TEMPLATE = "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}"
_STORAGE_URI = "[kserve-container].env[STORAGE_URI].value"
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


def art_image(side: Side) -> str:
    """The image of ART explainers, without its tag; empty where the side does not tell."""
    return str(at(opened(config(side) or {}), "data.explainers.art.image") or "")


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
    """Models of which KServe's webhook refuses the update: another mode, or another name for the
    same model (inference_service_validation.go, ValidateUpdate).
    """
    for pair, old, new in change.both:
        if pair.kind != "InferenceService":
            continue
        if modes := _modes(old, new, change):
            reason = f"KServe refuses to change {modes[0]} to {modes[1]}: the apply fails"
            yield pair, f'metadata.annotations["{_MODE}"]', f"{reason}; delete the model first"
        names, uris = ({read(data) for data in (old, new)} for read in (_name, _storage_uri))
        if len(names) > len(uris):
            reason = "KServe refuses another name without another storageUri: the apply fails"
            yield pair, "spec.predictor.name", reason


def _name(model: JsonObject) -> str:
    return str(at(model, "spec.predictor.name") or "")


def _storage_uri(model: JsonObject) -> str:
    """Where a model is stored, by `model`, the key of its format or its container's environment."""
    predictor: Any = at(model, "spec.predictor") or {}
    own = {path: value for path, _, value in leaves(predictor.get("containers"))}
    found = [each.get("storageUri") for each in predictor.values() if isinstance(each, dict)]
    return str(next(filter(None, [*found, own.get(_STORAGE_URI)]), ""))


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
