"""What is risky about a change, each with its reason; the names of the risks are a closed list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generator.comparison import access, restarts, traffic
from generator.comparison.change import Change, Found
from generator.comparison.fields import ABSENT, at, compare
from generator.manifests.protection import KEEP


@dataclass(frozen=True)
class Risk:
    """A risk: its name in `RISKS`, the object and the field that it is about, and why."""

    risk: str
    object: str
    field: str
    reason: str


_REMOVED = {
    "InferenceService": "model-removed",
    "TrainedModel": "model-removed",
    "InferenceGraph": "graph-removed",
    "ServingRuntime": "runtime-removed",
    "ClusterServingRuntime": "runtime-removed",
    "Namespace": "namespace-removed",
    "CustomResourceDefinition": "crd-removed",
}
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


def _removed(change: Change, risk: str) -> Found:
    for pair in change.pairs:
        if pair.new is None and _REMOVED.get(pair.kind) == risk:
            yield (
                pair,
                "",
                f"{pair.kind} {pair.name} is not there any more{_AND_THEN.get(risk, '')}",
            )


_AND_THEN = {
    "namespace-removed": "; everything in it goes along",
    "crd-removed": "; every object of its kind goes along",
    "runtime-removed": "; a model that names it, or finds it by its format, gets no new pod",
}


def _immutable(change: Change) -> Found:
    for pair in change.pairs:
        if pair.old is None or pair.new is None:
            continue
        for path in _IMMUTABLE.get(pair.kind, ()):
            old, new = at(pair.old, path), at(pair.new, path)
            if old != new and ABSENT not in (old, new):
                yield pair, path, "cannot be changed: the apply fails; delete the object first"
        if pair.old.get("immutable") is True and any(compare(pair.old, pair.new)):
            yield pair, "immutable", "the object says that it is immutable: the apply fails"


def _unprotected(change: Change) -> Found:
    for pair in change.pairs:
        if pair.old is None or pair.new is None:
            continue
        before, after = (at(data, "metadata.annotations") for data in (pair.old, pair.new))
        for key, value in KEEP.items():
            if (before or {}).get(key) == value and (after or {}).get(key) != value:
                field = f'metadata.annotations["{key}"]'
                yield (
                    pair,
                    field,
                    "the tool that heeds this may delete the object, and what it holds",
                )


RISKS: dict[str, tuple[str, Callable[[Change], Found]]] = {
    "model-restart": ("pods of a model are replaced", restarts.models),
    "controller-restart": ("the KServe controller's pods are replaced", restarts.controller),
    "model-removed": ("a model disappears", lambda change: _removed(change, "model-removed")),
    "graph-removed": ("a graph disappears", lambda change: _removed(change, "graph-removed")),
    "runtime-removed": ("a runtime disappears", lambda change: _removed(change, "runtime-removed")),
    "namespace-removed": (
        "a Namespace disappears, with all that is in it",
        lambda change: _removed(change, "namespace-removed"),
    ),
    "crd-removed": ("a CRD disappears", lambda change: _removed(change, "crd-removed")),
    "crd-version-removed": ("a CRD stops serving a version", access.crd_versions),
    "crd-field-removed": ("a field leaves a CRD: the API server drops it", access.crd_fields),
    "immutable-field": ("the apply would fail", _immutable),
    "rbac-wider": ("somebody may do more, rule by rule", access.wider),
    "webhook-scope": ("a webhook is asked about other objects", access.webhook_scope),
    "webhook-failure-policy": ("a webhook that fails does something else", access.webhook_policy),
    "route-removed": ("a route or a host disappears", traffic.removed),
    "published": ("something gets reachable that was not", traffic.published),
    "image-registry": ("an image comes from a registry that was not used", traffic.registries),
    "protection-removed": ("an object is no longer kept when a tool prunes", _unprotected),
}
"""Every risk: what it means, and what finds it. In the order in which they are reported."""


def risks(change: Change) -> list[Risk]:
    """The risks of a change, the gravest kinds first."""
    return [
        Risk(name, pair.label, field, reason)
        for name, (_, find) in RISKS.items()
        for pair, field, reason in find(change)
    ]
