"""What is risky about a change, each with its reason; the names of the risks are a closed list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

from generator.comparison import access, gateways, guards, immutable, restarts, traffic
from generator.comparison.change import Change, Found
from generator.comparison.settings import refused
from generator.manifests.protection import KEEP, keepers, promises
from generator.yaml.fields import at


@dataclass(frozen=True)
class Risk:
    """A risk: its name in `RISKS`, the object and the field that it is about, and why."""

    risk: str
    object: str
    field: str
    reason: str

    @property
    def where(self) -> str:
        """The object, and the field if one is named."""
        return f"{self.object}: {self.field}" if self.field else self.object


# The kinds whose loss is a risk of its own: its name, what it means, and what follows from it.
_LOSSES = (
    ("model-removed", ("InferenceService", "TrainedModel"), "a model disappears", ""),
    ("graph-removed", ("InferenceGraph",), "a graph disappears", ""),
    (
        "runtime-removed",
        ("ServingRuntime", "ClusterServingRuntime"),
        "a runtime disappears",
        "; a model that names it, or finds it by its format, gets no new pod",
    ),
    (
        "namespace-removed",
        ("Namespace",),
        "a Namespace disappears, with all that is in it",
        "; everything in it goes along",
    ),
    (
        "crd-removed",
        ("CustomResourceDefinition",),
        "a CRD disappears",
        "; every object of its kind goes along",
    ),
)


def _removed(kinds: tuple[str, ...], then: str, change: Change) -> Found:
    for pair in change.pairs:
        if pair.new is None and pair.kind in kinds:
            annotations = at(pair.old or {}, "metadata.annotations") or {}
            kept = len(keepers(annotations)) == len(KEEP)
            what = (
                "; it says that it is kept: to have it gone, delete it yourself" if kept else then
            )
            yield pair, "", f"{pair.kind} {pair.name} is not there any more{what}"


def _unprotected(change: Change) -> Found:
    reason = "is gone: the tool that heeds it may delete the object, and what it holds"
    for pair, *both in change.both:
        before, after = (promises(at(data, "metadata.annotations") or {}) for data in both)
        for key in KEEP:
            if gone := sorted(before[key] - after[key]):
                yield pair, f'metadata.annotations["{key}"]', f"{', '.join(gone)} {reason}"


def _any(*rules: Callable[[Change], Found]) -> Callable[[Change], Found]:
    return lambda change: chain.from_iterable(rule(change) for rule in rules)


RISKS: dict[str, tuple[str, Callable[[Change], Found]]] = {
    "model-restart": ("pods of a model are replaced", restarts.models),
    "controller-restart": ("the KServe controller's pods are replaced", restarts.controller),
    **{name: (meaning, partial(_removed, kinds, then)) for name, kinds, meaning, then in _LOSSES},
    "crd-version-removed": ("a CRD stops serving a version", access.crd_versions),
    "crd-field-removed": ("a field leaves a CRD: the API server drops it", access.crd_fields),
    "immutable-field": ("the apply would fail", _any(immutable.fields, refused)),
    "rbac-wider": ("somebody may do more, rule by rule", access.wider),
    "pod-security-weaker": ("pods of a Namespace may do more", guards.pod_security),
    "webhook-scope": ("a webhook is asked about other objects", access.webhook_scope),
    "webhook-failure-policy": ("a webhook that fails does something else", access.webhook_policy),
    "route-removed": (
        "a route, a gateway or a host disappears",
        _any(traffic.removed, gateways.removed),
    ),
    "published": (
        "something gets reachable that was not",
        _any(traffic.published, gateways.published, guards.published),
    ),
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
