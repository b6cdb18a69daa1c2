"""Risks of restarts: what the controllers put into pods, and so what replaces them.

Which fields those are is asked of the real controller in tests/cluster/test_restarts.py.
"""

from __future__ import annotations

from typing import Any

from generator import CONTROLLER
from generator.comparison.change import Change, Found, Pair
from generator.comparison.serving import as_served, canaries, predictors, served, with_art
from generator.comparison.settings import art_image, kept_back, mode, refused
from generator.comparison.sides import Side
from generator.importer.workload import COMPONENTS, HOLD, is_held
from generator.yaml.data import JsonObject
from generator.yaml.fields import ABSENT, at, compare, same

# Fields of a component that leave the pods of Standard mode alone, and those of Knative as well.
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
_OF_KNATIVE = ("scaleMetricType", "autoScaling", "deploymentStrategy", "canaryTrafficPercent")
# What KServe writes into a revision where a model says nothing (SetAutoScalingAnnotations).
_REVISED = {"minReplicas": 1, "maxReplicas": 0}
_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
# Fields of a runtime that choose it, and are not in its pods.
_CHOOSING = ("supportedModelFormats", "disabled", "protocolVersions", "multiModel")


def controller(change: Change) -> Found:
    """The controller's Deployment, when what its pods are made of differs."""
    for pair, old, new in change.both:
        if (pair.kind, pair.name) == ("Deployment", CONTROLLER):
            fields = _paths(at(old, "spec.template"), at(new, "spec.template"))
            if fields:
                yield pair, "spec.template", _reason(fields, "its pods are made of this")


def models(change: Change) -> Found:
    """Models whose pods differ: by what they say themselves, or by their runtime."""
    never = {pair.identity for pair, *_ in refused(change)}
    for pair, old, new in change.both:
        if pair.kind == "InferenceService":
            if pair.identity not in never and not is_held(new):
                yield from _of_a_model(pair, change)
        elif pair.kind in _RUNTIMES and (fields := runtime_fields(old, new)):
            yield pair, "spec", _reason(fields, "every model that it serves restarts")
            for model, field, predictor, why in served(pair, change):
                made = (as_served(data, predictor) for data in (old, new))
                if own := runtime_fields(*made):
                    yield model, field, _reason(own, why)
    yield from _explainers(change)


def _of_a_model(pair: Pair, change: Change) -> Found:
    """What a model says itself of its pods, and says otherwise."""
    old, new = (
        _without_kept_back(data or {}, side)
        for data, side in ((pair.old, change.old), (pair.new, change.new))
    )
    if is_held(old):
        reason = "KServe left the model alone, and no longer does: its pods may be replaced"
        yield pair, f'metadata.annotations["{HOLD}"]', reason
    for path in ("metadata.labels", "metadata.annotations"):
        without = (HOLD,) if is_held(old) else ()
        if fields := _paths(at(old, path), at(new, path), without=without):
            yield pair, path, _reason(fields, "the pods carry these as well")
    knative = mode(old, new, change) == "Knative"
    for component in COMPONENTS:
        before, after = at(old, f"spec.{component}"), at(new, f"spec.{component}")
        # A component that comes or goes takes no pod of the others along.
        if ABSENT in (before, after):
            continue
        if knative:
            before, after = (_REVISED | (each or {}) for each in (before, after))
        if fields := _paths(before, after, without=_not_in_pods(component, knative=knative)):
            what = f"the {component}'s pods are made of this"
            yield pair, f"spec.{component}", _reason(fields, what)
    yield from _canaries(pair, old, new)


def _not_in_pods(component: str, *, knative: bool) -> tuple[str, ...]:
    """The fields of a component that leave its pods alone."""
    if knative:
        return _OF_KNATIVE
    # Of the others KServe makes it an argument, --workers (transformer_custom.go, GetContainer).
    workers = "containerConcurrency"
    return tuple(key for key in _SCALING if component == "predictor" or key != workers)


def _explainers(change: Change) -> Found:
    """Models with an ART explainer, whose image KServe takes from its ConfigMap."""
    before, after = art_image(change.old), art_image(change.new)
    if before and after and before != after:
        for model in with_art(change):
            yield model, "spec.explainer", f"KServe's image for it differs: {before} → {after}"


def _without_kept_back(model: JsonObject, side: Side) -> JsonObject:
    """A model without the annotations, its own or a component's, that KServe keeps from pods."""
    never = kept_back(side)

    def carried(data: Any) -> Any:
        found = (data or {}).get("annotations") or {}
        if not isinstance(data, dict) or not isinstance(found, dict):
            return data
        return data | {"annotations": {key: found[key] for key in found if key not in never}}

    spec = model.get("spec") or {}
    components = {key: carried(spec[key]) for key in COMPONENTS if key in spec}
    return model | {"metadata": carried(model["metadata"]), "spec": spec | components}


def _canaries(pair: Pair, old: JsonObject, new: JsonObject) -> Found:
    """Canaries whose own fields differ; those that come or go take no pod of the others along."""
    before, after = predictors(old), predictors(new)
    said = canaries(old)
    for field, own in canaries(new).items():
        if field not in said or same(said[field], own):
            continue
        if fields := _paths(before[field], after[field], without=_SCALING):
            yield pair, field, _reason(fields, "the canary's pods are made of this")


def runtime_fields(old: JsonObject, new: JsonObject) -> list[str]:
    """The fields of a runtime's spec that differ and that pods are made of."""
    return _paths(at(old, "spec"), at(new, "spec"), without=_CHOOSING)


def _paths(old: Any, new: Any, *, without: tuple[str, ...] = ()) -> list[str]:
    """The fields that differ, less those below some keys."""
    before, after = (
        {key: value for key, value in (data or {}).items() if key not in without}
        for data in (old, new)
    )
    return [field.path for field in compare(before, after)]


def _reason(fields: list[str], what: str) -> str:
    return f"{what}: {', '.join(fields[:3])}"
