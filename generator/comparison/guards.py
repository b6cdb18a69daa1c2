"""Risks of guards: policies that keep callers from pods, and what pods of a Namespace may do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from generator.comparison.callers import Grant, of_istio, of_network
from generator.comparison.change import Change, Found, Pair, home_and_name
from generator.comparison.reading import of_kinds
from generator.comparison.sides import Side
from generator.manifests.protection import keepers
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_ENFORCE = "pod-security.kubernetes.io/enforce"
_LEVELS = ("privileged", "baseline", "restricted")
# The kinds of policies: where their rules are, and what follows where none is left.
_POLICIES = {
    "NetworkPolicy": (
        "spec.ingress",
        "any pod of the cluster may now call the pods that it selects",
    ),
    "AuthorizationPolicy": ("spec.rules", "anybody may now call the pods that it selects"),
    "PeerAuthentication": ("spec.mtls", "callers without mutual TLS may now call its pods"),
}
_LABELS = "spec.template.metadata.labels"
# What makes pods, and where the labels of these are.
_WORKLOADS = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "Job"), _LABELS),
    "CronJob": f"spec.jobTemplate.{_LABELS}",
}
# What KServe makes pods of, and the label of these that has its name.
_OF_KSERVE = {
    "InferenceService": "serving.kserve.io/inferenceservice",
    "InferenceGraph": "serving.kserve.io/inferencegraph",
}


def pod_security(change: Change) -> Found:
    """Namespaces that enforce a weaker level of Pod Security."""
    for pair, *both in change.both:
        if pair.kind == "Namespace":
            before, after = ((at(each, "metadata.labels") or {}).get(_ENFORCE) for each in both)
            if _level(after) < _level(before):
                now = f"{after} is enforced" if after else "no level is enforced"
                yield pair, f'metadata.labels["{_ENFORCE}"]', f"{now}, where it was {before}"


def _level(word: str | None) -> int:
    """How strict a level is; Kubernetes takes one that it does not know for the strictest."""
    return _LEVELS.index(word or _LEVELS[0]) if not word or word in _LEVELS else len(_LEVELS)


def published(change: Change) -> Found:
    """Policies that go, or that let in somebody whom they kept out."""
    for pair in change.pairs:
        if pair.kind in _POLICIES:
            rules, then = _POLICIES[pair.kind]
            field = rules if pair.new else ""
            if pair.old and not _loses_pods(change, pair.old):
                if _is_guard(pair.old) and not _guards(change.new, pair.old):
                    yield pair, field, then
                for reason in _forgiven(pair.old, change.new):
                    yield pair, field, reason
            if pair.new:
                for grant in _admitted(pair.new, change.old):
                    yield pair, field, f"lets in {grant.spoken}"
        if pair.kind == "PeerAuthentication" and pair.new:
            yield from _opened(pair, pair.new, change)


def _opened(pair: Pair, policy: JsonObject, change: Change) -> Found:
    """The ports that a policy takes out of mutual TLS, or all where it comes beside another."""
    if pair.old and _is_guard(pair.old) and not _guards(change.new, pair.old):
        return
    before = [pair.old] if pair.old else _guards(change.old, policy)
    ports = {port for each in (*before, policy) for port in _by_port(each)}
    for port in sorted(ports) if pair.old else ["", *sorted(ports)]:
        strict = any(_is_strict(each, port, change.old) for each in before)
        if strict and not _is_strict(policy, port, change.new):
            field, what = ("spec.mtls", "its pods")
            if port:
                field, what = f"spec.portLevelMtls[{port}]", f"port {port} of its pods"
            yield pair, field, f"callers without mutual TLS may now call {what}"


def _by_port(policy: JsonObject) -> dict[str, Any]:
    ports: Any = at(policy, "spec.portLevelMtls") or {}
    return {str(port): (each or {}).get("mode") for port, each in ports.items()}


def _is_strict(policy: JsonObject, port: str, side: Side) -> bool:
    """Whether a port asks for mutual TLS; by a policy that does not say, as the namespace does."""
    for mode in (_by_port(policy).get(port), at(policy, "spec.mtls.mode")):
        if mode and mode != "UNSET":
            return bool(mode == "STRICT")
    return bool(_guards(side, policy))


def _forgiven(policy: JsonObject, new: Side) -> Iterator[str]:
    """Whom a policy refused, or asked a provider about, and none on the new side does."""
    if _is_denial(policy):
        for grant in _uncovered(policy, _guards(new, policy, _is_denial)):
            yield f"refuses {grant.spoken} no longer"
    elif _is_asking(policy):
        for grant in _uncovered(policy, _guards(new, policy, _is_asking)):
            yield f"no longer asks its provider whether to let in {grant.spoken}"


def _admitted(policy: JsonObject, old: Side) -> Iterator[Grant]:
    """Whom a policy lets in that was kept out; where nobody was, one more keeps out more."""
    if _is_guard(policy) and (guards := _guards(old, policy)):
        yield from _uncovered(policy, guards)


def _uncovered(policy: JsonObject, others: Sequence[JsonObject]) -> Iterator[Grant]:
    """Whom a policy names, and no other one."""
    held = [grant for each in others for grant in _grants(each)]
    return (grant for grant in _grants(policy) if not any(each.covers(grant) for each in held))


def _is_denial(policy: JsonObject) -> bool:
    return bool(policy["kind"] == "AuthorizationPolicy" and at(policy, "spec.action") == "DENY")


def _is_asking(policy: JsonObject) -> bool:
    """Whether nobody whom a policy names gets in without being asked for; a refusal is stricter."""
    custom = policy["kind"] == "AuthorizationPolicy" and at(policy, "spec.action") == "CUSTOM"
    return custom or _is_denial(policy)


def _is_guard(policy: JsonObject) -> bool:
    """Whether a policy keeps out whom it does not let in."""
    if policy["kind"] == "NetworkPolicy":
        return "Ingress" in (at(policy, "spec.policyTypes") or ["Ingress"])
    if policy["kind"] == "AuthorizationPolicy":
        return (at(policy, "spec.action") or "ALLOW") == "ALLOW"
    return bool(at(policy, "spec.mtls.mode") == "STRICT")


def _grants(policy: JsonObject) -> Sequence[Grant]:
    if policy["kind"] == "PeerAuthentication":
        return []
    return of_network(policy) if policy["kind"] == "NetworkPolicy" else of_istio(policy)


def _guards(
    side: Side, policy: JsonObject, wanted: Callable[[JsonObject], bool] = _is_guard
) -> list[JsonObject]:
    """The policies of a kind on a side that are for all pods that one is for."""
    pods = _pods(policy)
    return [
        other
        for other in _policies(side, policy["kind"], wanted)
        if home_and_name(other)[0] == home_and_name(policy)[0] and _pods(other) in ("", pods)
    ]


@cache
def _policies(
    side: Side, kind: str, wanted: Callable[[JsonObject], bool]
) -> tuple[JsonObject, ...]:
    return tuple(data for data in of_kinds(side, kind) if wanted(data))


def _selector(policy: JsonObject) -> Any:
    key = "podSelector" if policy["kind"] == "NetworkPolicy" else "selector"
    return at(policy, f"spec.{key}") or {}


def _pods(policy: JsonObject) -> str:
    """The pods of a policy, to compare; empty for all of its namespace."""
    targets = [at(policy, f"spec.{key}") for key in ("targetRef", "targetRefs")]
    found = [each for each in (_selector(policy), *targets) if each]
    return json.dumps(found, sort_keys=True) if found else ""


def _loses_pods(change: Change, policy: JsonObject) -> bool:
    """Whether the pods of a policy go as well, as far as the sides have what makes them."""
    space = home_and_name(policy)[0]
    if _goes(change, space):
        return all(other != space for other, _ in _makers(change.new))
    labels = _selector(policy).get("matchLabels") or {}
    if not labels:
        return False
    before, after = (
        any(other == space and labels.items() <= own.items() for other, own in makers)
        for makers in (_makers(change.old), _makers(change.new))
    )
    return before and not after


def _goes(change: Change, space: str) -> bool:
    """Whether a Namespace goes, and no tool keeps it."""
    for pair in change.pairs:
        if (pair.kind, pair.name, pair.new) == ("Namespace", space, None):
            annotations = at(pair.old or {}, "metadata.annotations") or {}
            return not keepers(annotations)
    return False


@cache
def _makers(side: Side) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The namespaces and the labels of the pods that the objects of a side make."""
    found = []
    for data in of_kinds(side, *_WORKLOADS, *_OF_KSERVE):
        if data["kind"] in _OF_KSERVE:
            labels = {_OF_KSERVE[data["kind"]]: data["metadata"]["name"]}
        else:
            labels = at(data, _WORKLOADS[data["kind"]])
        if isinstance(labels, dict):
            found.append((home_and_name(data)[0], labels))
    return tuple(found)
