"""The parts of an InferenceService that an entry under `models:` cannot carry, and why.

What a server or a tool keeps in an object for itself is nobody's intent, and goes without a word.
Whatever else is left out is said in a comment beside the entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generator.yaml.data import JsonObject
from generator.yaml.path import dotted

WRITTEN = (
    "creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid",
)  # fmt: skip
"""What the API server writes into the metadata of every object."""

# What kubectl and KServe's webhook write there.
_WRITTEN_KEYS = ("kubectl.kubernetes.io/last-applied-configuration", "internal.serving.kserve.io/")
_FINALIZER = "inferenceservice.finalizers"
MODEL_FORMAT = "modelFormat"
"""The annotation that KServe's webhook adds, with the name of the model's format."""
# What the models chart writes itself, whatever an entry says.
_CHARTS = tuple(
    f"app.kubernetes.io/{name}" for name in ("instance", "managed-by", "name", "part-of")
)
# By these a tool knows the objects it owns, or decides when to apply and delete them; on an object
# of another release they would make two tools fight over it.
_OWNERS = (
    "argocd.argoproj.io/installation-id", "argocd.argoproj.io/tracking-id",
    "helm.sh/chart", "helm.sh/hook", "helm.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/namespace", "kapp.k14s.io/", "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace", "meta.helm.sh/", "objectset.rio.cattle.io/",
)  # fmt: skip


NO_KEY = "an entry has no key for it"
"""Why most of what is left out is."""


def is_carried(key: str) -> bool:
    """Whether a label or an annotation goes into the entry."""
    return key not in _CHARTS and not key.startswith((*_OWNERS, *_WRITTEN_KEYS))


def is_written_by_kserve(annotations: JsonObject, model_format: object) -> bool:
    """Whether MODEL_FORMAT is what KServe's webhook derives from the model's format."""
    return MODEL_FORMAT in annotations and annotations[MODEL_FORMAT] == model_format


def left_out(path: str, value: Any, reason: str) -> str:
    """A comment, on one line, on something that an entry does not carry."""
    text = json.dumps(value, ensure_ascii=False)
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
    return f"Left out: {path}: {safe}; {reason}."


def comments(manifest: JsonObject) -> list[str]:
    """A line for each thing that the entry of an InferenceService does not carry."""
    return [left_out(path, value, reason) for path, value, reason in _left_out(manifest)]


def _left_out(manifest: JsonObject) -> Iterator[tuple[str, Any, str]]:
    metadata = manifest["metadata"]
    for key, value in metadata.items():
        path = dotted(("metadata", key))
        if key == "namespace" and value:
            yield path, value, "the models chart's namespace takes its place"
        elif key in ("labels", "annotations"):
            for own, text in (value or {}).items():
                if reason := _why(own, text, metadata["name"]):
                    yield dotted(("metadata", key, own)), text, reason
        elif key == "finalizers" and value == [_FINALIZER]:
            continue
        elif key not in ("name", "namespace", *WRITTEN) and value is not None:
            yield path, value, NO_KEY
    for key, value in manifest.items():
        if key not in ("apiVersion", "kind", "metadata", "spec", "status"):
            yield dotted((key,)), value, NO_KEY


def _why(key: str, value: str, name: str) -> str | None:
    """Why a label or an annotation is left out; None if it is not, or was written by a server."""
    if key.startswith(_WRITTEN_KEYS):
        return None
    if key in _CHARTS:
        written = {"name": name, "managed-by": "Helm", "part-of": "kserve-lite"}
        same = written.get(key.partition("/")[2]) == value
        return None if same else "the models chart sets this label itself"
    return "it ties the object to the tool that applied it" if key.startswith(_OWNERS) else None
