"""Risks of fields that nobody may change once they are set: the apply fails."""

from __future__ import annotations

from typing import Any

from generator.comparison.change import Change, Found
from generator.values.quantities import amount
from generator.yaml.data import JsonObject
from generator.yaml.fields import ABSENT, at, compare

# What an API server takes from nobody once it is set (its validation of updates).
_IMMUTABLE = {
    "Deployment": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
    "DaemonSet": ("spec.selector",),
    "Job": ("spec.selector", "spec.template", "spec.completions", "spec.completionMode"),
    "Service": ("spec.clusterIP",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Secret": ("type",),
    "IngressClass": ("spec.controller",),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.storageClassName", "spec.volumeName"),
    "CustomResourceDefinition": ("spec.group", "spec.scope", "spec.names.kind"),
}
# What it takes such a field for where there is none; what is not here it may fill in itself.
_DEFAULTS: dict[tuple[str, str], Any] = {
    ("StatefulSet", "spec.serviceName"): "",
    ("StatefulSet", "spec.volumeClaimTemplates"): [],
    ("Job", "spec.completionMode"): "NonIndexed",
    ("Secret", "type"): "Opaque",
    ("IngressClass", "spec.controller"): "",
}
_MEMORY = "spec.model.memory"


def fields(change: Change) -> Found:
    """Fields that differ although the API server, or KServe's webhook, refuses that."""
    for pair, old, new in change.both:
        for path in _IMMUTABLE.get(pair.kind, ()):
            before, after = (_taken(data, path) for data in (old, new))
            if before != after and (ABSENT not in (before, after) or _is_headless(old, new)):
                yield pair, path, "cannot be changed: the apply fails; delete the object first"
        if pair.kind == "TrainedModel" and _memory(old) != _memory(new):
            yield pair, _MEMORY, "KServe refuses to change it: the apply fails; delete it first"
        if old.get("immutable") is True and any(compare(old, new)):
            yield pair, "immutable", "the object says that it is immutable: the apply fails"


def _memory(model: JsonObject) -> Any:
    """The memory of a TrainedModel, as a number (trainedmodel_webhook.go)."""
    found = at(model, _MEMORY) or 0
    return found if (number := amount(found)) is None else number


def _taken(data: JsonObject, path: str) -> Any:
    """What an API server takes a field for; ABSENT where that is not known."""
    found = at(data, path)
    return _DEFAULTS.get((data["kind"], path), ABSENT) if found in (ABSENT, None, "") else found


def _is_headless(old: JsonObject, new: JsonObject) -> bool:
    """Whether a Service is to lose the address that it was given; none is kept, and not given."""
    types = [at(data, "spec.type") for data in (old, new)]
    return (
        new["kind"] == "Service"
        and at(new, "spec.clusterIP") == "None"
        and "ExternalName" not in types
    )
