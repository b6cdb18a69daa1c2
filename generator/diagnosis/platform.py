"""The platform: whether it is there, is one, fits the chart, and runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from generator import CHART, CONFIG, CONTROLLER, DATA
from generator.catalog import catalog
from generator.diagnosis import pods
from generator.diagnosis.finding import Finding, Findings, condition, label, line, namespace
from generator.diagnosis.snapshot import PART_OF, Snapshot
from generator.values.identity import called
from generator.yaml.data import JsonObject
from generator.yaml.document import load_fast
from generator.yaml.fields import at
from generator.yaml.path import dotted

_RELEASE = "app.kubernetes.io/instance"
_SHOWN = 3  # fields of a CRD, of all that it lacks


def check_presence(seen: Snapshot) -> Findings:
    """The controller is in the release's namespace, and no other KServe is anywhere."""
    release = seen.release
    others = [each for each in seen.of("controllers") if each is not seen.controller]
    if seen.controller is None and "controllers" in seen.found:
        ours = next((each for each in others if _owner(each) == release.name), None)
        remedy = (
            f"say where it is: doctor -n {namespace(ours)}"
            if ours
            else f"helm upgrade --install {release.name} charts/{CHART} -n {release.namespace} "
            "--create-namespace -f my.yaml --wait"
        )
        others = [each for each in others if each is not ours]
        yield Finding(
            "platform-missing",
            called("Deployment", CONTROLLER, release.namespace),
            "is not there, and without a controller no model is served",
            remedy,
        )
    elif seen.controller and (owner := _owner(seen.controller)) != release.name:
        yield Finding(
            "foreign-kserve",
            label(seen.controller),
            f"is of {_said(owner)}, not of release {release.name}",
            f"doctor --release {owner}" if owner else _ONE_KSERVE,
        )
    for other in others:
        fact = f"is a second controller, of {_said(_owner(other))}; both change the same models"
        yield Finding("foreign-kserve", label(other), fact, _ONE_KSERVE)


_ONE_KSERVE = (
    "a cluster has one KServe at most: uninstall one of them, and keep CRDs and models "
    "(docs/operations.md)"
)


def _owner(data: JsonObject) -> str:
    """The release of these charts that an object is of; empty for somebody else's."""
    labels = at(data, "metadata.labels") or {}
    return str(labels.get(_RELEASE, "")) if labels.get(PART_OF) == CHART else ""


def _said(owner: str) -> str:
    return f"release {owner}" if owner else "somebody else's KServe"


def check_versions(seen: Snapshot) -> Findings:
    """Kubernetes is new enough, and the controller is the one that the CRDs here belong to."""
    oldest = catalog().versions.kubernetes
    if (have := _version(seen.kubernetes)) and have < _version(oldest):
        fact = f"is {seen.kubernetes}, and the chart needs {oldest}"
        yield Finding("kubernetes-old", "the cluster", fact, "upgrade Kubernetes first")
    if seen.controller is None:
        return
    ours = catalog().versions.kserve
    for image in _images(seen.controller):
        tag = image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else ""
        if "@" not in image and _version(tag) and _version(tag) != _version(ours):
            yield Finding(
                "controller-version",
                label(seen.controller),
                f"runs {image}, and this command knows KServe {ours}",
                f"use the kserve-lite of {tag}, or upgrade the platform: docs/operations.md",
            )


def _version(text: str) -> tuple[int, ...]:
    """The first version in a text, to the minor number and beyond; empty if there is none."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups() if part) if found else ()


def _images(deployment: JsonObject) -> list[str]:
    containers = at(deployment, "spec.template.spec.containers") or []
    return [str(each.get("image", "")) for each in containers]


_APPLY_CRDS = f"kubectl apply --server-side --force-conflicts -f charts/{CHART}/crds"


def check_crds(seen: Snapshot) -> Findings:
    """Each CRD is there, with all the fields that the chart's has."""
    if "crds" not in seen.found or not (seen.of("crds") or seen.of("controllers")):
        return  # Where there is no KServe at all, that is what there is to say.
    for file in sorted((DATA / "crds").glob("*.yaml")):
        ours = load_fast(file)
        name = at(ours, "metadata.name")
        object_label = called("CustomResourceDefinition", name)
        if (live := seen.named("crds", name)) is None:
            yield Finding("crd-missing", object_label, "is not there", _APPLY_CRDS)
            continue
        if lacking := list(_lacking(ours, live)):
            more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
            fact = f"has no {', '.join(lacking[:_SHOWN])}{more}: the API server drops what is there"
            yield Finding("crd-old", object_label, fact, _APPLY_CRDS)


def _lacking(ours: JsonObject, live: JsonObject) -> Iterator[str]:
    """The fields that a CRD of the chart has and the cluster's has not, nor takes without one."""
    schemas = {each.get("name"): at(each, "schema.openAPIV3Schema") for each in _served(live)}
    for version in _served(ours):
        name = version["name"]
        if name not in schemas:
            yield f"version {name}"
        else:
            yield from _missing(at(version, "schema.openAPIV3Schema"), schemas[name] or {}, name)


def _served(crd: JsonObject) -> list[JsonObject]:
    return [each for each in at(crd, "spec.versions") or [] if each.get("served")]


def _missing(ours: JsonObject, live: JsonObject, path: str) -> Iterator[str]:
    if live.get("x-kubernetes-preserve-unknown-fields"):
        return
    theirs = live.get("properties") or {}
    for key, child in (ours.get("properties") or {}).items():
        own = f"{path}.{dotted((key,))}"
        if key in theirs:
            yield from _missing(child, theirs[key], own)
        elif not isinstance(live.get("additionalProperties"), dict):
            yield own
    for word, mark in (("items", "[]"), ("additionalProperties", "[*]")):
        if isinstance(child := ours.get(word), dict) and isinstance(other := live.get(word), dict):
            yield from _missing(child, other, path + mark)


def check_config(seen: Snapshot) -> Findings:
    """KServe's ConfigMap is there, and each key of it is JSON."""
    if seen.controller is None or "config" not in seen.found:
        return
    upgrade = _upgrade(seen)
    config = seen.named("config", CONFIG, seen.release.namespace)
    if config is None:
        where = called("ConfigMap", CONFIG, seen.release.namespace)
        fact = "is not there; the controller does not start without it"
        yield Finding("config-broken", where, fact, upgrade)
        return
    for key, text in (config.get("data") or {}).items():
        try:
            json.loads(text)
        except ValueError as error:
            if not key.startswith("_"):  # Upstream explains its keys in one that nothing reads.
                fact = f"{key} is no JSON: {error}"
                yield Finding("config-broken", label(config), fact, upgrade)


def _upgrade(seen: Snapshot, *more: str) -> str:
    release = seen.release
    words = (f"helm upgrade {release.name} charts/{CHART} -n {release.namespace} -f my.yaml", *more)
    return " ".join((*words, "--wait"))


def check_controller(seen: Snapshot) -> Findings:
    """A pod of the controller is ready; if none is, why."""
    if (controller := seen.controller) is None or at(controller, "status.availableReplicas"):
        return
    home = namespace(controller)
    if at(controller, "spec.replicas") == 0:
        fact = "is scaled to no pods, and the webhooks refuse every model"
        remedy = f"kubectl -n {home} scale deployment/{CONTROLLER} --replicas=1"
        yield Finding("controller-down", label(controller), fact, remedy)
        return
    reasons = list(pods.reasons(seen.controller_pods))
    refused = line(condition(controller, "ReplicaFailure").get("message"))
    fact = "has no ready pod" + (f": {refused}" if refused else "")
    remedy = f"kubectl -n {home} describe pods -l app.kubernetes.io/component=controller"
    if reasons:
        remedy = "see the findings about its pods"
    yield Finding("controller-down", label(controller), fact, remedy)
    yield from reasons
