"""Risks of traffic: hosts that go, what gets published, and where images come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from generator import LOCAL
from generator.comparison.change import Change, Found, Pair, home_and_name
from generator.comparison.reading import of_kinds
from generator.comparison.serving import models
from generator.comparison.settings import config, domain, hosts, refused
from generator.comparison.sides import Side
from generator.images.mention import mentions
from generator.yaml.data import JsonObject
from generator.yaml.embedded import opened
from generator.yaml.fields import at
from generator.yaml.path import dotted

_VISIBILITY = "networking.kserve.io/visibility"
_OF_KNATIVE = "networking.knative.dev/visibility"
_INSIDE = "cluster-local"
EVERY = "*"
"""Stands for all hosts."""

_ROUTES = ("Ingress", "HTTPRoute", "GRPCRoute", "VirtualService")
_OF = "app.kubernetes.io/name"  # the label of a model's routes that has its name
_PUBLIC = ("LoadBalancer", "NodePort")
# A registry is a first segment with a dot or a port, or localhost; else it is Docker Hub.
_IMAGE = re.compile(r"""\b(?:image|defaultJobImage)["']?: *["']?([^\s"',{}]+)""")
_REGISTRY = re.compile(r"^(?:([^/]*[.:][^/]*|localhost)/)?[a-z0-9]")


def removed(change: Change) -> Found:
    """Hosts that nobody routes any more, and models that lose their name or their way in."""
    yield from _unrouted(change)
    yield from _unnamed(change)
    for pair, label in _kept_inside(change, change.new):
        # What KServe does not publish, no label takes back; a route beside it stays.
        known = config(change.old)
        published = label == _OF_KNATIVE or not known or domain(known)
        if published and home_and_name(pair.new) not in _with_routes(change.new):
            field = f'metadata.labels["{label}"]'
            yield pair, field, "from now on the model is reachable inside the cluster only"


def _unrouted(change: Change) -> Found:
    """Hosts that no object of the new side names, and domains that KServe publishes no longer."""
    for pair in change.pairs:
        for host in dict.fromkeys(_hosts(pair.old)):
            if not {host, EVERY} & _routed(change.new):
                word = "not every host is routed" if host == EVERY else f"nothing routes {host}"
                yield pair, "", f"{word} any more"
        before, now = domain(pair.old), domain(pair.new)
        if before and before != now:
            yield pair, "data.ingress", f"KServe publishes models under {before} no longer"


def published(change: Change) -> Found:
    """Hosts that are new, Services that are reachable from outside, models that lose a label."""
    for pair in change.pairs:
        for host in dict.fromkeys(_hosts(pair.new)):
            if not {host, EVERY} & _routed(change.old):
                word = "every host" if host == EVERY else host
                yield pair, "", f"{word} is routed, and was not"
        if (now := domain(pair.new)) and now != domain(pair.old):
            yield pair, "data.ingress", f"KServe publishes every model under {now}"
        kinds = [at(data, "spec.type") for data in (pair.old, pair.new)]
        if pair.kind == "Service" and kinds[1] in _PUBLIC and kinds[0] not in _PUBLIC:
            yield pair, "spec.type", f"{kinds[1]}: reachable from outside the cluster"
    for pair, label in _kept_inside(change, change.old):
        if home_and_name(pair.old) not in _with_routes(change.old):
            field = f'metadata.labels["{label}"]'
            yield pair, field, "the model was reachable inside the cluster only"


def _unnamed(change: Change) -> Found:
    """Services that carry the name of a model that stays."""
    # Where KServe refuses the model's new mode, nothing is taken away either.
    refusals = {home_and_name(pair.new or {}) for pair, *_ in refused(change)}
    staying = {home_and_name(data) for data in models(change.new).values()} - refusals
    for pair in change.pairs:
        if (
            pair.kind == "Service"
            and pair.new is None
            and (name := home_and_name(pair.old)) in staying
        ):
            host = ".".join(filter(None, reversed(name)))
            yield pair, "", f"the model stays, but its name {host} in the cluster leads nowhere"


def _kept_inside(change: Change, side: Side) -> Iterator[tuple[Pair, str]]:
    """Models that a label keeps inside the cluster on one side only, which is `side`, and it."""
    for pair, old, new in change.both:
        if pair.kind == "InferenceService":
            here, there = (old, new) if side is change.old else (new, old)
            if (label := _label(here)) and not _label(there):
                yield pair, label


def _label(model: JsonObject) -> str:
    """The label that keeps a model inside the cluster; empty for none."""
    labels = at(model, "metadata.labels") or {}
    return next((each for each in (_VISIBILITY, _OF_KNATIVE) if labels.get(each) == _INSIDE), "")


@cache
def _with_routes(side: Side) -> frozenset[tuple[str, str]]:
    """The namespaces and names of what has an object that routes hosts to it.

    The charts write NAME for a VirtualService, and NAME.host for a route of the Gateway API.
    """
    found = set()
    for data in of_kinds(side, *_ROUTES):
        if any(_hosts(data)):
            space, name = home_and_name(data)
            label = (at(data, "metadata.labels") or {}).get(_OF)
            found |= {(space, each) for each in (label, name.partition(".")[0]) if each}
    return frozenset(found)


def registries(change: Change) -> Found:
    """Registries that no image of the old side came from."""
    for pair in change.pairs:
        known = {image for _, image in _images(pair.old or {})}
        named: set[str] = set()
        for path, image in _images(pair.new or {}):
            registry = _registry(image)
            if image not in known and registry not in named | _used(change.old):
                named.add(registry)
                yield pair, path, f"{image} comes from {registry}"


@cache
def _used(side: Side) -> frozenset[str]:
    """The registries of all images of a side, those in JSON inside of text included."""
    return frozenset(_registry(image) for each in side.texts for image in _IMAGE.findall(each.text))


@cache
def _routed(side: Side) -> frozenset[str]:
    """Every host that a side routes, or that KServe does by its ConfigMap there."""
    found = {host for data in of_kinds(side, *_ROUTES) for host in _hosts(data)}
    for model in models(side).values():
        if not _label(model):
            found.update(hosts(model, side))
    return frozenset(found)


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


def _images(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The images in an object's fields; arguments and variables are left out, as `_used` does."""
    for path, image in mentions(opened(data)):
        if path[-1] in ("image", "defaultJobImage"):
            yield dotted(path), image


def _registry(image: str) -> str:
    found = _REGISTRY.match(image)
    return (found and found[1]) or "docker.io"
