"""Which models a runtime serves, where they are on both sides of a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from generator.comparison.change import Change, Pair
from generator.comparison.reading import of_kinds
from generator.comparison.sides import Side
from generator.importer.workload import is_held
from generator.values.identity import Identity, of_object
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_SERVER = "kserve-container"
_TAG = re.compile(r":[\w.-]*$", re.ASCII)


def served(runtime: Pair, change: Change) -> Iterator[tuple[Pair, str, JsonObject, str]]:
    """The models that a runtime serves, or may serve: each with the field of the predictor that it
    serves, the predictor, and why; those on one side only restart not.

    Without a name KServe chooses by format, protocol and priority among all runtimes of the
    cluster, which are not all here: such a model may be served by another one.
    """
    old = models(change.old)
    for identity, data in models(change.new).items():
        if identity not in old or (runtime.kind == "ServingRuntime" and not _beside(data, runtime)):
            continue
        if is_held(old[identity]) and is_held(data):
            continue
        before = predictors(old[identity])
        for field, predictor in predictors(data).items():
            if field in before and (why := _why(predictor, runtime)):
                yield Pair(identity, old[identity], data), field, predictor, why


def with_art(change: Change) -> Iterator[Pair]:
    """The models on both sides whose ART explainer has the image that KServe gives it."""
    old = models(change.old)
    for identity, data in models(change.new).items():
        art = at(data, "spec.explainer.art")
        there = identity in old and isinstance(at(old[identity], "spec.explainer.art"), dict)
        if there and isinstance(art, dict) and not art.get("image") and not is_held(data):
            yield Pair(identity, old[identity], data)


@cache
def models(side: Side) -> dict[Identity, JsonObject]:
    """The InferenceServices of a side."""
    found = of_kinds(side, "InferenceService")
    return {identity: data for data in found if (identity := of_object(data, ""))}


def predictors(model: JsonObject) -> dict[str, JsonObject]:
    """What KServe makes the pods of a model's predictor and of its canaries of, each by its field.

    A canary is put over the predictor (components/predictor.go, buildCanaryPredictor).
    """
    stable = at(model, "spec.predictor") or {}
    found = {"spec.predictor": stable}
    return found | {field: _over(stable, own) for field, own in canaries(model).items()}


def canaries(model: JsonObject) -> dict[str, JsonObject]:
    """What a model's canaries say themselves, each by its field."""
    found: Any = at(model, "spec.canary") or []
    each_own = [each.get("predictor") or {} for each in found]
    return {f"spec.canary[{own.get('name')}].predictor": own for own in each_own}


def as_served(runtime: JsonObject, predictor: JsonObject) -> JsonObject:
    """A runtime with the tag of its image that a predictor's runtimeVersion puts into its place."""
    # Also of `sklearn: {…}`, of which KServe makes `model: {…}`.
    said = (each.get("runtimeVersion") for each in predictor.values() if isinstance(each, dict))
    containers: Any = at(runtime, "spec.containers")
    if not (version := next(filter(None, said), None)) or not isinstance(containers, list):
        return runtime
    tagged = [_tagged(each, str(version)) for each in containers]
    return runtime | {"spec": runtime["spec"] | {"containers": tagged}}


def _tagged(container: Any, version: str) -> Any:
    """A container with its image as KServe tags it (utils.go, UpdateImageTag)."""
    if not isinstance(container, dict) or container.get("name") != _SERVER:
        return container
    image = str(container.get("image") or "")
    if "@sha256:" in image:
        return container
    return container | {"image": f"{_TAG.sub('', image)}:{version}"}


def _over(base: JsonObject, own: JsonObject) -> JsonObject:
    """One mapping over another: what is empty counts for nothing, as in Go's mergo."""
    made = dict(base)
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            made[key] = _over(base[key], value)
        elif value:
            made[key] = value
    return made


def _why(predictor: JsonObject, runtime: Pair) -> str:
    """Why a predictor's pods are made of a runtime; empty if they are not."""
    model = predictor.get("model") or {}
    if named := model.get("runtime"):
        return f"its runtime {runtime.name} differs" if named == runtime.name else ""
    own = str(at(model, "modelFormat.name") or "")
    # KServe makes `model: {modelFormat: {name: sklearn}, …}` of `sklearn: {…}`.
    formats = {own} if own else predictor.keys()
    for chosen in _automatic(runtime.new):
        if chosen in formats:
            return f"{runtime.kind} {runtime.name}, which its format {chosen} may choose, differs"
    return ""


def _beside(data: JsonObject, runtime: Pair) -> bool:
    """Whether a model is in the namespace of a ServingRuntime."""
    other = runtime.new or {}
    return bool(at(data, "metadata.namespace") == at(other, "metadata.namespace"))


def _automatic(runtime: JsonObject | None) -> list[str]:
    """The formats for which a runtime is chosen by itself."""
    formats: Any = at(runtime or {}, "spec.supportedModelFormats") or []
    return [str(each.get("name")) for each in formats if each and each.get("autoSelect") is True]
