"""Which models a runtime serves, where they are on both sides of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from generator.comparison.change import Change, Pair
from generator.comparison.reading import of_kinds
from generator.comparison.sides import Side
from generator.values.identity import Identity, of_object
from generator.yaml.data import JsonObject
from generator.yaml.fields import at


def served(runtime: Pair, change: Change) -> Iterator[tuple[Pair, str]]:
    """The models that a runtime serves, or may serve, and why; those on one side only restart not.

    Without a name KServe chooses by format, protocol and priority among all runtimes of the
    cluster, which are not all here: such a model may be served by another one.
    """
    old = models(change.old)
    for identity, data in models(change.new).items():
        if identity in old and (why := _why(data, runtime)):
            yield Pair(identity, old[identity], data), why


@cache
def models(side: Side) -> dict[Identity, JsonObject]:
    """The InferenceServices of a side."""
    found = of_kinds(side, "InferenceService")
    return {identity: data for data in found if (identity := of_object(data, ""))}


def _why(data: JsonObject, runtime: Pair) -> str:
    """Why a model's pods are made of a runtime; empty if they are not."""
    if runtime.kind == "ServingRuntime" and not _beside(data, runtime):
        return ""
    predictor = at(data, "spec.predictor") or {}
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
