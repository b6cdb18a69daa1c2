"""How models were reached, and how they are from now on: the values below `routing`.

Upstream's values for it depend on one another, and so do ours. What KServe reads in which mode is
in pkg/controller/v1beta1/inferenceservice/reconcilers of the KServe module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator import LOCAL
from generator.migration.state import Carried, Finding, Lost, Noted, State

MODE = "kserve.controller.deploymentMode"
_GATEWAY = "kserve.controller.gateway"
_DOMAIN = f"{_GATEWAY}.domain"
_MORE_DOMAINS = f"{_GATEWAY}.additionalIngressDomains"
_PATH = f"{_GATEWAY}.pathTemplate"
_NO_INGRESS = f"{_GATEWAY}.disableIngressCreation"
_NO_ISTIO = f"{_GATEWAY}.disableIstioVirtualHost"
_NO_TIMEOUT = f"{_GATEWAY}.disableHTTPRouteTimeout"
_API = f"{_GATEWAY}.ingressGateway.enableGatewayApi"
_NAME = f"{_GATEWAY}.ingressGateway.kserveGateway"
_CREATE = f"{_GATEWAY}.ingressGateway.createGateway"
_CLASS = f"{_GATEWAY}.ingressGateway.className"
# The Gateway that upstream's chart makes, and its class, whatever the values say.
_UPSTREAMS_GATEWAY = "kserve-ingress-gateway"
_UPSTREAMS_CLASS = "envoy"
# GKE reads the class of an Ingress from an annotation alone.
_OF_GKE = ("gce", "gce-internal")

_MODES = {
    "Knative": "Knative",
    "Serverless": "Knative",
    "Standard": "Standard",
    "RawDeployment": "Standard",
}
_DEFAULT = "upstream's default"


@dataclass(frozen=True)
class _Route:
    """The answers that the values below depend on."""

    state: State
    standard: bool
    mode: str
    published: bool


def routing(state: State) -> Iterator[Finding]:
    """What becomes of the deployment mode and of all below `kserve.controller.gateway`."""
    word = _MODES.get(state.value(MODE))
    route = _Route(
        state,
        standard=word != "Knative",
        mode=_mode(state),
        published=state.value(_DOMAIN) not in ("", LOCAL),
    )
    yield from _deployment_mode(state, word)
    if route.mode != "ingress":
        yield Carried(
            "routing.mode", route.mode, _API if route.mode == "gatewayApi" else _NO_INGRESS
        )
    yield from _domains(route)
    yield from _hosts(route)
    yield from _ingress(route)
    yield from _gateway(route)
    yield from _switches(route)


def _mode(state: State) -> str:
    if state.is_on(_NO_INGRESS):
        return "none"
    return "gatewayApi" if state.is_on(_API) else "ingress"


def _deployment_mode(state: State, word: str | None) -> Iterator[Finding]:
    given = state.value(MODE)
    if word is None:
        yield Lost(MODE, f"kserve-lite has no mode {given}; its models run in mode Standard")
    elif word == "Knative":
        why = f"{given} is what KServe calls Knative now" if given != word else ""
        own = "kserve-lite's own is Standard, which needs no Knative"
        default = f"{_DEFAULT}; {own}"
        yield Carried("deploymentMode", word, MODE, why if state.is_changed(MODE) else default)
    elif given != word:
        yield Noted(MODE, f"{given} is what KServe calls Standard now, and kserve-lite's default")


def _domains(route: _Route) -> Iterator[Finding]:
    state = route.state
    domain, more = state.value(_DOMAIN), state.value(_MORE_DOMAINS) or []
    needed = route.standard or state.value(_PATH)
    if not route.published:
        if state.is_changed(_DOMAIN):
            yield Noted(_DOMAIN, "models are reachable inside the cluster only, as by default here")
        if more:
            yield Lost(_MORE_DOMAINS, "nothing is published without a domain; set routing.domain")
        return
    if state.is_changed(_DOMAIN) or needed:
        why = f"{_DEFAULT}; leave it out to publish nothing"
        yield Carried("routing.domain", domain, _DOMAIN, "" if state.is_changed(_DOMAIN) else why)
    if not more:
        return
    if route.standard and route.mode != "gatewayApi":
        remedy = "set routing.mode=gatewayApi or virtualService with routing.additionalDomains"
        yield Lost(_MORE_DOMAINS, f"the Ingresses that KServe writes have none of them; {remedy}")
        return
    distinct = [each for each in dict.fromkeys(more) if each != domain]
    why = "" if distinct == more else "without those that were there twice"
    yield Carried("routing.additionalDomains", distinct, _MORE_DOMAINS, why)
    if not (state.is_changed(_DOMAIN) or needed):
        yield Carried("routing.domain", domain, _DOMAIN, _DEFAULT)


def _hosts(route: _Route) -> Iterator[Finding]:
    state = route.state
    template, scheme = f"{_GATEWAY}.domainTemplate", f"{_GATEWAY}.urlScheme"
    if state.is_changed(template):
        yield Carried("routing.domainTemplate", state.value(template), template)
    if state.is_changed(scheme):
        yield Carried("routing.urlScheme", state.value(scheme), scheme)
    if not state.value(_PATH):
        return
    if not route.published:
        yield Lost(
            _PATH, "a path is one under routing.domain, and there is none; set routing.domain"
        )
    elif not route.standard:
        yield Carried("routing.pathTemplate", state.value(_PATH), _PATH)
    elif route.mode == "gatewayApi":
        fact = "KServe's HTTPRoutes would send the rest of the domain to one model"
        remedy = "set routing.gatewayApi.writeRoutes=true with routing.pathTemplate"
        yield Lost(_PATH, f"{fact}; {remedy}")
    else:
        remedy = "set routing.mode=virtualService with routing.pathTemplate"
        yield Lost(_PATH, f"the Ingresses that KServe writes have no path of it; {remedy}")


def _ingress(route: _Route) -> Iterator[Finding]:
    state = route.state
    name = state.value(_CLASS)
    if route.mode != "ingress":
        if state.is_changed(_CLASS):
            yield Lost(_CLASS, "is for Ingresses, and with these values KServe writes none")
        return
    why = (
        ""
        if state.is_changed(_CLASS)
        else f"{_DEFAULT}; the IngressClass is in the cluster already"
    )
    if name in _OF_GKE:
        why = "GKE reads it from the annotation alone"
        key = 'routing.ingressAnnotations["kubernetes.io/ingress.class"]'
        yield Carried(key, name, _CLASS, why)
        yield Carried("routing.ingressClass.create", False, _CLASS)
    elif name:
        if state.is_changed(_CLASS) or (route.standard and route.published):
            yield Carried("routing.ingressClass.name", name, _CLASS, why)
    else:
        yield Carried("routing.ingressClass.create", False, _CLASS, "the cluster's default class")


def _gateway(route: _Route) -> Iterator[Finding]:
    state = route.state
    namespace, slash, name = str(state.value(_NAME)).partition("/")
    if route.mode != "gatewayApi":
        for path in (_NAME, _CREATE, *([_API] if route.mode == "none" else [])):
            if state.is_changed(path):
                yield Lost(path, "is for HTTPRoutes, and with these values KServe writes none")
        return
    if not slash:
        yield Lost(_NAME, f"{name or namespace} is not NAMESPACE/NAME; set routing.gateway.name")
        return
    if state.is_on(_CREATE) and name == _UPSTREAMS_GATEWAY:
        why = "upstream's chart gives its Gateway this class, whatever className says"
        yield Carried("routing.gateway.className", _UPSTREAMS_CLASS, _CREATE, why)
        if state.is_changed(_NAME):
            yield Noted(_NAME, "kserve-lite makes this Gateway in the namespace of its release")
        return
    if state.is_on(_CREATE):
        fact = f"upstream's Gateway {_UPSTREAMS_GATEWAY} is not {name}, which the routes name"
        yield Lost(_CREATE, f"{fact}; see routing.gateway")
    why = "" if state.is_changed(_NAME) else _DEFAULT
    yield Carried("routing.gateway.create", False, _NAME, "the Gateway exists")
    yield Carried("routing.gateway.name", name, _NAME, why)
    yield Carried("routing.gateway.namespace", namespace, _NAME, why)


def _switches(route: _Route) -> Iterator[Finding]:
    state = route.state
    if state.is_changed(_NO_ISTIO):
        if route.standard:
            yield Noted(_NO_ISTIO, "in mode Standard kserve-lite sets it itself")
        else:
            to = "configOverrides.ingress.disableIstioVirtualHost"
            yield Carried(to, state.value(_NO_ISTIO), _NO_ISTIO, "kserve-lite has no value for it")
    if state.is_changed(_NO_TIMEOUT):
        if route.mode == "gatewayApi":
            yield Carried("routing.httpRouteTimeouts", False, _NO_TIMEOUT)
        else:
            yield Lost(_NO_TIMEOUT, "is for HTTPRoutes, and with these values KServe writes none")
