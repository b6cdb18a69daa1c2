"""The routes, Istio's or the Gateway API's, of InferenceServices that somebody applies by hand.

They are those of the models chart: each InferenceService is put to it as an entry that has just
what its routes depend on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from generator.errors import ValuesError
from generator.importer.fitting import Entry
from generator.importer.inferenceservice import (
    CLUSTER_LOCAL,
    VISIBILITY,
    from_manifest,
    has_no_route_of_kserves,
)
from generator.importer.origins import ORIGINS, in_manifest
from generator.importer.services import Service, distinct, read_services
from generator.manifests.parsing import split
from generator.manifests.rendering import models
from generator.release import DEFAULT, Release
from generator.teams import without_declared
from generator.values.check import check
from generator.values.load import Values
from generator.values.sources import read_sources
from generator.yaml.data import JsonObject

_PARTS = ("transformer", "explainer")
_IN_THE_CLUSTER = "in-the-cluster"


def render(files: Sequence[Path], values: Values, release: Release = DEFAULT) -> Iterator[str]:
    """The text of every object that routes the InferenceServices in `files`.

    Raises ValuesError at once when the values do not ask for such routes, and after the last text
    when there is something in `files` that gets no route.
    """
    _check_values(values)
    found = [read_services(source) for source in read_sources(files)]
    services, doubles = distinct(
        [service for own in found for service in own.services],
        lambda service: (service.namespace or release.models, service.name),
    )
    problems = [*doubles, *(each for own in found for each in [*own.needed, *own.problems])]
    for service in services:
        try:
            yield from _texts(service, values, release)
        except ValuesError as error:
            problems += error.problems
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


def _texts(service: Service, values: Values, release: Release) -> list[str]:
    """The text of every object that routes one InferenceService.

    Raises ValuesError, with what is wrong placed in the InferenceService.
    """
    entry = _deciding(service.manifest)
    by_gateway = values.whole["routing"]["mode"] == "gatewayApi"
    if entry.get("deploymentMode", values.whole["deploymentMode"]) == "Knative":
        message = (
            f"{service} has no route of these: it runs on Knative, which routes it; leave it out"
        )
        raise ValuesError([service.object.problem(ORIGINS["deploymentMode"], message)])
    if by_gateway and not has_no_route_of_kserves(service.manifest["metadata"]):
        message = (
            f"KServe writes routes of its own for {service}; "
            f"add the label {VISIBILITY}: {CLUSTER_LOCAL}, by which it writes none"
        )
        raise ValuesError([service.object.problem(("metadata",), message)])
    if by_gateway:
        entry.pop("clusterLocal", None)  # What keeps KServe from its route keeps nobody else.
    try:
        return _routes(service, entry, values, release)
    except ValuesError as error:
        raise ValuesError([in_manifest(each, service) for each in error.problems]) from None


def _routes(service: Service, entry: Entry, values: Values, release: Release) -> list[str]:
    """What the models chart makes of an entry, the InferenceService aside."""
    platform = without_declared(values).merged
    made = Values.made(platform | {"models": {service.name: entry}})
    if wrong := list(check(made)):
        raise ValuesError(wrong)
    text = models(made, replace(release, models=service.namespace or release.models))
    return [each.text for each in split(text) if each.kind != "InferenceService"]


def _deciding(manifest: JsonObject) -> Entry:
    """The parts of a model that its routes depend on; the server is in the cluster already."""
    entry, spec = from_manifest(manifest), manifest["spec"]
    kept: Entry = {
        key: entry[key] for key in ORIGINS if key in entry and key not in (*_PARTS, "canary")
    }
    kept |= {"image": _IN_THE_CLUSTER, "storageUri": f"s3://{_IN_THE_CLUSTER}"}
    for component in _PARTS:
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
