"""Risks of traffic: hosts that go, what gets published, and where images come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from generator import CONFIG, LOCAL
from generator.comparison.change import Change, Found
from generator.comparison.reading import of_kinds
from generator.comparison.sides import Side
from generator.images.mention import mentions
from generator.yaml.embedded import opened
from generator.yaml.fields import at
from generator.yaml.path import dotted

_VISIBILITY = "networking.kserve.io/visibility"
EVERY = "*"
"""Stands for all hosts."""

_ROUTES = ("Ingress", "HTTPRoute", "GRPCRoute", "VirtualService")
_PUBLIC = ("LoadBalancer", "NodePort")
# A registry is a first segment with a dot or a port, or localhost; else it is Docker Hub.
_IMAGE = re.compile(r"""\b(?:image|defaultJobImage)["']?: *["']?([^\s"',{}]+)""")
_REGISTRY = re.compile(r"^(?:([^/]*[.:][^/]*|localhost)/)?[a-z0-9]")


def removed(change: Change) -> Found:
    """Hosts that no object of the new side names, and domains that KServe publishes no longer."""
    for pair in change.pairs:
        for host in dict.fromkeys(_hosts(pair.old)):
            if not {host, EVERY} & _routed(change.new):
                word = "not every host is routed" if host == EVERY else f"nothing routes {host}"
                yield pair, "", f"{word} any more"
        before, now = _published_by_kserve(pair.old), _published_by_kserve(pair.new)
        if before and before != now:
            yield pair, "data.ingress", f"KServe publishes models under {before} no longer"


def published(change: Change) -> Found:
    """Hosts that are new, Services that are reachable from outside, models that lose a label."""
    for pair in change.pairs:
        for host in dict.fromkeys(_hosts(pair.new)):
            if not {host, EVERY} & _routed(change.old):
                word = "every host" if host == EVERY else host
                yield pair, "", f"{word} is routed, and was not"
        if (now := _published_by_kserve(pair.new)) and now != _published_by_kserve(pair.old):
            yield pair, "data.ingress", f"KServe publishes every model under {now}"
        kinds = [at(data, "spec.type") for data in (pair.old, pair.new)]
        if pair.kind == "Service" and kinds[1] in _PUBLIC and kinds[0] not in _PUBLIC:
            yield pair, "spec.type", f"{kinds[1]}: reachable from outside the cluster"
        if pair.kind == "InferenceService" and pair.old and pair.new:
            labels = [at(data, "metadata.labels") for data in (pair.old, pair.new)]
            local = [_VISIBILITY in (each or {}) for each in labels]
            if local == [True, False]:
                field = f'metadata.labels["{_VISIBILITY}"]'
                yield pair, field, "the model was reachable inside the cluster only"


def registries(change: Change) -> Found:
    """Registries that no image of the old side came from."""
    for pair in change.pairs:
        named: set[str] = set()
        for path, image in _images(pair.new or {}):
            registry = _registry(image)
            if registry not in named | _used(change.old):
                named.add(registry)
                yield pair, path, f"{image} comes from {registry}"


@cache
def _used(side: Side) -> frozenset[str]:
    """The registries of all images of a side, those in JSON inside of text included."""
    return frozenset(_registry(image) for each in side.texts for image in _IMAGE.findall(each.text))


@cache
def _routed(side: Side) -> frozenset[str]:
    """Every host that a side routes."""
    return frozenset(host for data in of_kinds(side, *_ROUTES) for host in _hosts(data))


def _hosts(data: dict[str, Any] | None) -> Iterator[str]:
    """The hosts that an object routes, EVERY for all; those inside the cluster aside."""
    if data is None or not isinstance(spec := data.get("spec"), dict):
        return
    found: list[Any] = []
    if data["kind"] == "Ingress":
        found = [rule.get("host") or EVERY for rule in spec.get("rules") or []]
        found += [EVERY] if spec.get("defaultBackend") else []
    elif data["kind"] in ("HTTPRoute", "GRPCRoute"):
        # One that leads nowhere redirects.
        if any(rule.get("backendRefs") for rule in spec.get("rules") or []):
            found = spec.get("hostnames") or [EVERY]
    elif data["kind"] == "VirtualService":
        found = spec.get("hosts") or []
    for host in found:
        if host == EVERY or (isinstance(host, str) and "." in host and not _is_local(host)):
            yield host


def _is_local(host: str) -> bool:
    return host.endswith(LOCAL)


def _published_by_kserve(data: dict[str, Any] | None) -> str:
    """The domain under which KServe itself publishes models; empty for none."""
    if not data or (data["kind"], data["metadata"]["name"]) != ("ConfigMap", CONFIG):
        return ""
    ingress = at(opened(data), "data.ingress")
    if not isinstance(ingress, dict):
        return ""
    domain = str(ingress.get("ingressDomain", ""))
    return "" if ingress.get("disableIngressCreation") or domain == LOCAL else domain


def _images(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The images in an object's fields; arguments and variables are left out, as `_used` does."""
    for path, image in mentions(opened(data)):
        if path[-1] in ("image", "defaultJobImage"):
            yield dotted(path), image


def _registry(image: str) -> str:
    found = _REGISTRY.match(image)
    return (found and found[1]) or "docker.io"
