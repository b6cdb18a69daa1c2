"""The routes, Istio's or the Gateway API's, of InferenceServices that somebody applies by hand.

They are those of the models chart: each InferenceService is put to it as an entry that has just
what its routes depend on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from generator.errors import ValuesError
from generator.importer.inferenceservice import (
    CLUSTER_LOCAL,
    VISIBILITY,
    Entry,
    from_manifest,
)
from generator.importer.services import Service, distinct, read_services
from generator.manifests.parsing import split
from generator.manifests.rendering import DECLARED, models
from generator.release import DEFAULT, Release
from generator.values.check import check
from generator.values.load import Values
from generator.values.sources import read_sources
from generator.yaml.data import JsonObject
from generator.yaml.document import Document

_DECIDING = (
    "annotations",
    "batcher",
    "clusterLocal",
    "deploymentMode",
    "labels",
    "logger",
    "port",
    "protocol",
    "timeout",
)
_IN_THE_CLUSTER = "in-the-cluster"


def render(files: Sequence[Path], values: Values, release: Release = DEFAULT) -> Iterator[str]:
    """The text of every object that routes the InferenceServices in `files`.

    Raises ValuesError at once when the values do not ask for such routes, and after the last text
    when there is something in `files` that gets no route.
    """
    _check_values(values)
    by_gateway = values.whole["routing"]["mode"] == "gatewayApi"
    platform = {key: value for key, value in values.merged.items() if key not in DECLARED}
    found = [read_services(source) for source in read_sources(files)]
    services, doubles = distinct(
        [service for own, _ in found for service in own],
        lambda service: (service.namespace or release.models, service.name),
    )
    problems = [*doubles, *(problem for _, own in found for problem in own)]
    for service in services:
        if by_gateway and not _is_ours(service):
            message = (
                f"KServe writes routes of its own for {service}; "
                f"add the label {VISIBILITY}: {CLUSTER_LOCAL}, by which it writes none"
            )
            problems.append(service.object.problem(("metadata",), message))
            continue
        entry = _deciding(service.manifest)
        if by_gateway:
            entry.pop("clusterLocal")  # What keeps KServe from its route keeps nobody else.
        own = platform | {"models": {service.name: entry}}
        made = Values.made(own, _document(service, own))
        if wrong := list(check(made)):
            problems += wrong
            continue
        yield from _routes(made, replace(release, models=service.namespace or release.models))
    if problems:
        raise ValuesError(problems)


def _check_values(values: Values) -> None:
    """Raise ValuesError where the models chart would write no route of an InferenceService."""
    routing = values.whole["routing"]
    modes = {"virtualService", "gatewayApi" if routing["gatewayApi"]["writeRoutes"] else ""}
    if routing["mode"] not in modes or not routing["domain"]:
        message = (
            "KServe writes the routes; set routing.mode=virtualService and routing.domain, "
            "or routing.mode=gatewayApi, routing.gatewayApi.writeRoutes=true and routing.domain"
        )
        raise ValuesError([values.problem(("routing",), message)])


def _is_ours(service: Service) -> bool:
    """Whether KServe is told to write no HTTPRoute for an InferenceService."""
    labels = service.manifest["metadata"].get("labels") or {}
    return bool(labels.get(VISIBILITY) == CLUSTER_LOCAL)


def _document(service: Service, values: JsonObject) -> Document:
    """Values that stand for an InferenceService, so that what is wrong is said to be there."""
    where = service.object
    return Document(where.document.file, values, {("models", service.name): where.position})


def _routes(values: Values, release: Release) -> Iterator[str]:
    """What the models chart makes of the values, the InferenceService aside."""
    text = models(values, release)
    yield from (each.text for each in split(text) if each.kind != "InferenceService")


def _deciding(manifest: JsonObject) -> Entry:
    """The parts of a model that its routes depend on; the server is in the cluster already."""
    entry, spec = from_manifest(manifest), manifest["spec"]
    kept: Entry = {key: entry[key] for key in _DECIDING if key in entry}
    kept["image"] = _IN_THE_CLUSTER
    for component in ("transformer", "explainer"):
        if spec.get(component) is not None:
            kept[component] = {"image": _IN_THE_CLUSTER}
            if port := entry.get(component, {}).get("port"):
                kept[component]["port"] = port
    if spec.get("canary"):
        kept["canary"] = {
            canary["predictor"].get("name", ""): {"trafficPercent": canary["trafficPercent"]}
            for canary in spec["canary"]
        }
    return kept
