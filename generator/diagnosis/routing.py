"""The way in from outside: classes, gateways, routes, and the domains that they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator import CHART, CONFIG, LOCAL
from generator.diagnosis.finding import Finding, Findings, condition, label, line, namespace
from generator.diagnosis.snapshot import GROUP, PART_OF, Snapshot
from generator.importer.inferenceservice import CLUSTER_LOCAL, VISIBILITY
from generator.values.identity import called
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_NOBODYS = "example.com"  # Upstream's default, which RFC 2606 keeps for documentation.
_CLUSTER = "cluster.local"
_ZONES = re.compile(r"^\s*kubernetes\s+([^{\n]*)", re.MULTILINE)
_CLASS_OF_CLUSTER = "ingressclass.kubernetes.io/is-default-class"


def check_routing(seen: Snapshot) -> Findings:
    """What routes go through is there and accepted, for the mode that KServe's config says."""
    ingress = seen.setting("ingress")
    domain = str(ingress.get("ingressDomain") or "")
    yield from _routes(seen)
    if not domain or domain == LOCAL or seen.knative:
        return
    if domain == _NOBODYS or domain.endswith(f".{_NOBODYS}"):
        where = called("ConfigMap", CONFIG, seen.release.namespace)
        fact = f"publishes models under {domain}, which leads nowhere"
        yield Finding("domain-unset", where, fact, "set routing.domain to a domain of yours")
    if ingress.get("enableGatewayApi"):
        home, _, name = str(ingress.get("kserveIngressGateway", "")).partition("/")
        yield from _gateway(seen, home, name)
    elif ingress.get("disableIngressCreation"):
        yield from _without_route(seen)
    else:
        yield from _ingress_class(seen, ingress.get("ingressClassName"))


def _ingress_class(seen: Snapshot, name: object) -> Findings:
    if "ingress classes" not in seen.found:
        return
    classes = seen.of("ingress classes")
    names = ", ".join(str(at(each, "metadata.name")) for each in classes) or "none"
    if name and not any(at(each, "metadata.name") == name for each in classes):
        yield Finding(
            "class-missing",
            called("IngressClass", str(name)),
            f"is not there, so nobody serves the Ingresses of models; there is: {names}",
            "install its ingress controller, or set routing.ingressClass.name to one of those",
        )
    elif not name and not any(_is_default(each) for each in classes):
        yield Finding(
            "class-missing",
            called("IngressClass", "(default)"),
            f"the Ingresses of models name no class, and none is the default; there is: {names}",
            "set routing.ingressClass.name",
        )


def _is_default(each: JsonObject) -> bool:
    annotations = at(each, "metadata.annotations") or {}
    return bool(annotations.get(_CLASS_OF_CLUSTER) == "true")


def _gateway(seen: Snapshot, home: str, name: str) -> Findings:
    """The Gateway that routes name is there, programmed, and of a class that is accepted."""
    if "gateways" not in seen.found:
        return
    gateway = seen.named("gateways", name, home)
    if gateway is None:
        fact = "is not there, and routes of models name it"
        yield _missing_gateway(seen, home, name, fact)
        return
    chosen = str(at(gateway, "spec.gatewayClassName"))
    of_class = seen.named("gateway classes", chosen)
    if of_class is None and "gateway classes" in seen.found:
        fact = f"is not there, and {label(gateway)} is of it"
        yield Finding("class-missing", called("GatewayClass", chosen), fact, _install(chosen))
        return
    accepted = condition(of_class or {}, "Accepted")
    if of_class is not None and accepted.get("status") != "True":
        fact = f"is not accepted: {_said(accepted)}"
        yield Finding("class-missing", label(of_class), fact, _install(chosen))
        return
    for kind in ("Accepted", "Programmed"):
        if (found := condition(gateway, kind)).get("status") != "True":
            remedy = f"kubectl -n {home} describe gateway.gateway.networking.k8s.io {name}"
            yield Finding("gateway-refused", label(gateway), f"not {kind}: {_said(found)}", remedy)
            return


def _missing_gateway(seen: Snapshot, home: str, name: str, fact: str) -> Finding:
    """That a gateway is not there: kserve-NAME is that of the tenant NAME, another is for all."""
    remedy = "set routing.gateway.create=true, or name one that is there in routing.gateway"
    tenant = name.removeprefix("kserve-")
    if home == seen.release.namespace and tenant not in (name, "ingress-gateway"):
        remedy = (
            f"set tenants.{tenant}.gateway for the platform, or take that out of the values that "
            "the models' release was given"
        )
    return Finding("gateway-missing", called("Gateway", name, home), fact, remedy)


def _install(name: str) -> str:
    return f"install the controller of class {name}, or set routing.gateway.className to another"


def _said(found: JsonObject) -> str:
    waiting = found.get("status") in (None, "Unknown")
    nobody = "no controller has looked at it"
    return line(found.get("message")) if not waiting else nobody


def _routes(seen: Snapshot) -> Findings:
    """Routes of models are taken by the gateways that they name, which are there."""
    routes = [route for route in seen.of("HTTPRoutes", "GRPCRoutes") if _is_of_model(route)]
    for home, name in dict.fromkeys(each for route in routes for each in _parents(route)):
        yield from _gateway(seen, home, name)
    for route in routes:
        for parent in at(route, "status.parents") or []:
            found = condition({"status": parent}, "Accepted")
            if found.get("status") == "False":
                gateway = at(parent, "parentRef.name")
                fact = f"Gateway {gateway} does not take it: {line(found.get('message'))}"
                remedy = "look at allowedRoutes and hostname of the Gateway's listeners"
                yield Finding("route-refused", label(route), fact, remedy)
    if "istio gateways" in seen.found:
        yield from _istio_gateways(seen)


def _parents(route: JsonObject) -> Iterator[tuple[str, str]]:
    """The namespaces and names of the Gateways that a route is attached to."""
    for parent in at(route, "spec.parentRefs") or []:
        if parent.get("kind", "Gateway") == "Gateway":
            yield str(parent.get("namespace") or namespace(route)), str(parent["name"])


def _istio_gateways(seen: Snapshot) -> Findings:
    """The Istio Gateways that models' VirtualServices name are there, and a pod serves each."""
    named: dict[tuple[str, str], JsonObject] = {}
    for service in filter(_is_of_model, seen.of("virtual services")):
        for gateway in at(service, "spec.gateways") or []:
            home, _, name = str(gateway).rpartition("/")
            if name != "mesh":
                named.setdefault((home or namespace(service), name), service)
    for (home, name), service in named.items():
        found = seen.named("istio gateways", name, home)
        if found is None:
            fact = f"is not there, and {label(service)} names it"
            yield _missing_gateway(seen, home, name, fact)
        elif "gateway pods" in seen.found and not _is_served(seen, found):
            labels = ", ".join(f"{key}={value}" for key, value in _selector(found).items())
            fact = f"no pod has the labels of its selector: {labels}"
            remedy = "install Istio's ingress gateway, or set routing.gateway.selector"
            yield Finding("gateway-refused", label(found), fact, remedy)


def _selector(gateway: JsonObject) -> JsonObject:
    return at(gateway, "spec.selector") or {}


def _is_served(seen: Snapshot, gateway: JsonObject) -> bool:
    wanted = _selector(gateway).items()
    return any(
        wanted <= (at(pod, "metadata.labels") or {}).items() for pod in seen.of("gateway pods")
    )


def _is_of_model(route: JsonObject) -> bool:
    """Whether a route is KServe's, or that of the models chart."""
    made = at(route, "metadata.ownerReferences") or []
    labels = at(route, "metadata.labels") or {}
    return labels.get(PART_OF) == CHART or any(
        str(each.get("apiVersion", "")).startswith(f"{GROUP}/") for each in made
    )


def _without_route(seen: Snapshot) -> Findings:
    """Models that are published where KServe writes no route, and nobody else did."""
    if "virtual services" not in seen.found:
        return
    hosts = {
        (namespace(service), str(at(target, "destination.host")).partition(".")[0])
        for service in seen.of("virtual services")
        for target in _targets(service)
    }
    for model in seen.of("models"):
        name, home = str(at(model, "metadata.name")), namespace(model)
        names = {name, *(f"{name}-{component}" for component in ("predictor", "transformer"))}
        if (at(model, "metadata.labels") or {}).get(VISIBILITY) == CLUSTER_LOCAL:
            continue
        if not any((home, each) in hosts for each in names):
            fact = "no VirtualService leads to it, and KServe writes none in this mode"
            remedy = (
                "declare it in the models chart, or: python -m generator routes (docs/models.md)"
            )
            yield Finding("route-missing", label(model), fact, remedy)


def _targets(service: JsonObject) -> Iterator[JsonObject]:
    for rule in at(service, "spec.http") or []:
        yield from rule.get("route") or []


def check_dns(seen: Snapshot) -> Findings:
    """The cluster's DNS serves the domain that addresses inside the cluster end in."""
    config = seen.named("dns", "coredns", "kube-system")
    zones = _ZONES.findall(str(at(config, "data.Corefile") or "")) if config else []
    served = {zone.rstrip(".") for found in zones for zone in found.split()}
    if config and served and _CLUSTER not in served:
        domains = ", ".join(sorted(zone for zone in served if not zone.endswith(".arpa")))
        fact = f"serves {domains}, and addresses of models end in {_CLUSTER}"
        remedy = f"add {_CLUSTER} to the zones of `kubernetes` in its Corefile"
        yield Finding("dns-domain", label(config), fact, remedy)
