"""Risks of restarts: what the controllers put into pods, and so what replaces them.

Which fields those are is asked of the real controller in tests/cluster/test_restarts.py.
"""

from __future__ import annotations

from typing import Any

from generator.comparison.change import Change, Found
from generator.comparison.fields import at, compare

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_CONTROLLER = "kserve-controller-manager"
# Fields of a component that leave the pods of Standard mode alone.
_SCALING = (
    "minReplicas",
    "maxReplicas",
    "scaleTarget",
    "scaleMetric",
    "scaleMetricType",
    "autoScaling",
    "deploymentStrategy",
    "canaryTrafficPercent",
    "timeout",
    "containerConcurrency",
)
_COMPONENTS = ("predictor", "transformer", "explainer")
# Fields of a runtime that choose it, and are not in its pods.
_CHOOSING = ("supportedModelFormats", "disabled", "protocolVersions", "multiModel")


def controller(change: Change) -> Found:
    """The controller's Deployment, when what its pods are made of differs."""
    for pair, old, new in change.both:
        if pair.kind == "Deployment" and pair.name == _CONTROLLER:
            fields = _paths(at(old, "spec.template"), at(new, "spec.template"))
            if fields:
                yield pair, "spec.template", f"its pods are made of this: {', '.join(fields[:3])}"


def models(change: Change) -> Found:
    """Models whose pods differ: by what they say themselves, or by their runtime."""
    for pair, old, new in change.both:
        if pair.kind == "InferenceService":
            for field in ("metadata.labels", "metadata.annotations"):
                if paths := _paths(_carried(old, field), _carried(new, field)):
                    yield pair, field, f"the pods carry these as well: {', '.join(paths[:3])}"
            for component in _COMPONENTS:
                before, after = (at(data, f"spec.{component}") for data in (old, new))
                if isinstance(before, dict) and isinstance(after, dict):
                    fields = _paths(_podded(before), _podded(after))
                    if fields:
                        yield pair, f"spec.{component}", _reason(component, fields)
        elif pair.kind in ("ServingRuntime", "ClusterServingRuntime"):
            fields = _paths(_made(old), _made(new))
            if fields:
                yield pair, "spec", f"every model that it serves restarts: {', '.join(fields[:3])}"


def _carried(data: dict[str, Any], field: str) -> dict[str, str]:
    """The labels or annotations of an InferenceService that its pods get."""
    return {key: value for key, value in (at(data, field) or {}).items() if key != _LAST_APPLIED}


def _paths(old: Any, new: Any) -> list[str]:
    return [field.path for field in compare(old, new)]


def _podded(component: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in component.items() if key not in _SCALING}


def _made(runtime: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in runtime["spec"].items() if key not in _CHOOSING}


def _reason(component: str, fields: list[str]) -> str:
    return f"the {component}'s pods are made of this: {', '.join(fields[:3])}"
