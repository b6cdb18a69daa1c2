"""The way of a request: from a client over gateway, route and Service to the pods."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from generator import LOCAL
from generator.diagram.components import Declared, Graph, Service
from generator.diagram.parts import Edge, Node, Shape
from generator.values.address import filled
from generator.yaml.data import JsonObject

OUTSIDE = Node("", "a client outside", shape=Shape.ROUND)
INSIDE = Node("", "a client in the cluster", shape=Shape.ROUND)
DECLARED = ("InferenceService", "InferenceGraph")
"""Kinds that a client asks, so that a user may want them drawn."""
_BY_LABEL = re.compile(r"isvc\.(.+)")


def requests(
    objects: Sequence[JsonObject], config: JsonObject, wanted: Collection[str]
) -> Iterator[Edge]:
    """The edges of every InferenceService and graph among `objects` that is called as is `wanted`.

    `objects` are those of the models chart, `config` is KServe's ConfigMap with its JSON opened. A
    graph leads to the Services of its models also where these are not wanted.
    """
    mode = str(config["deploy"]["defaultDeploymentMode"])
    services = [Service(each, mode) for each in objects if each["kind"] == "InferenceService"]
    graphs = [Graph(each, mode) for each in objects if each["kind"] == "InferenceGraph"]
    by_name = {service.name: service for service in services}
    for declared in (*services, *graphs):
        if declared.name not in wanted:
            continue
        if declared.stopped:
            yield Edge(OUTSIDE, declared.idle, "nothing")
        elif isinstance(declared, Graph):
            yield from _to_graph(declared)
            yield from _by_chart(declared.name, objects)
            yield from declared.edges(by_name)
        elif isinstance(declared, Service):
            yield from _by_kserve(declared, config["ingress"])
            yield from _by_chart(declared.name, objects)
            if explainer := declared.component("explainer"):
                yield Edge(INSIDE, explainer.service, ":explain")
            yield from declared.edges()


def _to_graph(graph: Graph) -> Iterator[Edge]:
    """From clients to a graph's Service; only with Knative does KServe write a route for it."""
    if graph.knative:
        yield from _by_knative(graph, graph.service)
    else:
        yield Edge(INSIDE, graph.service)


def _by_knative(declared: Declared, service: Node) -> Iterator[Edge]:
    gateway = Node("", "Knative's gateway")
    yield Edge(INSIDE if declared.local else OUTSIDE, gateway)
    yield Edge(gateway, service)


def _by_kserve(service: Service, ingress: JsonObject) -> Iterator[Edge]:
    """From outside to the Services, where KServe writes the route."""
    entry = service.entry
    if entry is None:
        return
    if service.knative:
        yield from _by_knative(service, entry.service)
        return
    hidden = service.local or ingress.get("disableIngressCreation")
    if hidden or ingress["ingressDomain"] == LOCAL:
        return
    by_gateway = ingress.get("enableGatewayApi")
    if by_gateway:
        gateway = Node("Gateway", str(ingress["kserveIngressGateway"]).partition("/")[2])
    else:
        name = ingress.get("ingressClassName") or "(the cluster's default)"
        gateway = Node("IngressClass", str(name))
    route = Node("HTTPRoute" if by_gateway else "Ingress", service.name)
    yield Edge(OUTSIDE, gateway, _url(service, ingress))
    yield Edge(gateway, route)
    explainer = service.component("explainer")
    # Beside a transformer, KServe's Ingress has no host for the explainer.
    if explainer and (by_gateway or not service.component("transformer")):
        yield Edge(route, explainer.service, ":explain" if by_gateway else "the explainer's host")
    yield Edge(route, entry.service)


def _url(service: Service, ingress: JsonObject) -> str:
    """The address of a model, by KServe's template; what depends on labels stays as it is."""
    known = {
        "Name": service.name,
        "Namespace": service.namespace,
        "IngressDomain": ingress["ingressDomain"],
    }
    host = filled(str(ingress.get("domainTemplate", "")), known)
    return f"{ingress.get('urlScheme', 'http')}://{host}"


def _by_chart(name: str, objects: Sequence[JsonObject]) -> Iterator[Edge]:
    """From clients to the Services of a model or graph, by what the models chart writes."""
    for each in objects:
        if each["metadata"].get("labels", {}).get("app.kubernetes.io/name") != name:
            continue
        node = Node(each["kind"], each["metadata"]["name"])
        if each["kind"] == "Service":
            yield Edge(INSIDE, node)
            selector = _BY_LABEL.fullmatch(str(each["spec"].get("selector", {}).get("app", "")))
            if selector:
                yield Edge(node, Node("Deployment", selector[1]))
        elif each["kind"] == "VirtualService":
            yield from _outside(node, each["spec"]["hosts"], each["spec"]["gateways"])
            yield from _destinations(node, each["spec"]["http"])
        elif each["kind"] in ("HTTPRoute", "GRPCRoute"):
            gateways = [parent["name"] for parent in each["spec"]["parentRefs"]]
            yield from _outside(node, each["spec"]["hostnames"], gateways)
            yield from _backends(node, each["spec"]["rules"])


def _outside(route: Node, hosts: Sequence[str], gateways: Sequence[str]) -> Iterator[Edge]:
    for name in gateways:
        gateway = Node("Gateway", name.rpartition("/")[2])
        yield Edge(OUTSIDE, gateway, ", ".join(hosts))
        yield Edge(gateway, route)


def _destinations(route: Node, rules: Sequence[JsonObject]) -> Iterator[Edge]:
    """From a VirtualService, whose rule for the explainer is named so."""
    for rule in rules:
        for each in rule.get("route") or []:
            name = each["destination"]["host"].partition(".")[0]
            what = ":explain" if "explain" in rule.get("name", "") else ""
            yield Edge(route, Node("Service", name), _label(what, each, rule["route"]))


def _backends(route: Node, rules: Sequence[JsonObject]) -> Iterator[Edge]:
    """From an HTTPRoute or a GRPCRoute."""
    for rule in rules:
        text = json.dumps(rule.get("matches", []))
        for each in rule.get("backendRefs") or []:
            what = ":explain" if "explain" in text else ""
            yield Edge(
                route, Node("Service", each["name"]), _label(what, each, rule["backendRefs"])
            )


def _label(what: str, backend: Any, all_of_them: Sequence[Any]) -> str:
    share = f"{backend.get('weight')} %" if len(all_of_them) > 1 else ""
    return " ".join(filter(None, (what, share)))
