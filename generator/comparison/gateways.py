"""Risks of gateways, of the Gateway API and of Istio: doors that go, and that let in more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generator.comparison.callers import selects
from generator.comparison.change import Change, Found, Pair, home_and_name
from generator.comparison.traffic import EVERY
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_OWN = "."  # the gateway's own namespace, as Istio writes it
_REDIRECT = "httpsRedirect"
_TLS = ("HTTPS", "TLS")
_SHOWN = 3
_NAME = "kubernetes.io/metadata.name"
_Entry = tuple[str, str]
"""Whose routes, a namespace or a selector, and for which host; each EVERY for all."""


def removed(change: Change) -> Found:
    """Gateways, classes of Ingresses, listeners and redirects that are not there any more."""
    closed = {home_and_name(pair.old) for pair in change.pairs if _is_gone(pair, "Gateway")}
    for pair in change.pairs:
        if _is_gone(pair, "Gateway"):
            api = str((pair.old or {})["apiVersion"]).partition("/")[0]
            yield pair, "", f"nothing comes in through this Gateway of {api} any more"
        elif _is_gone(pair, "IngressClass"):
            yield pair, "", "no controller serves the Ingresses of this class any more"
        elif pair.kind == "HTTPRoute" and pair.new is None and _redirects(pair.old, closed):
            yield pair, "", "requests are not redirected any more"
    for pair, old, new in _gateways(change):
        after = _doors(new)
        for name, entries in _doors(old).items():
            left = [host for _, host in after.get(name, ())]
            gone = [host for _, host in entries if not any(_covers(each, host) for each in left)]
            if name not in after or gone:
                hosts = ", ".join(dict.fromkeys(map(_spoken_host, gone)))
                but = f", but for {', '.join(dict.fromkeys(left))}" if left else ""
                yield pair, _field(new, name), f"nothing listens there any more for {hosts}{but}"


def published(change: Change) -> Found:
    """Listeners that take requests for more hosts, the routes of more namespaces, or plain HTTP."""
    born = {pair.name for pair in change.pairs if pair.kind == "Namespace" and pair.old is None}
    for pair, old, new in _gateways(change):
        before = _doors(old)
        every = [entry for entries in before.values() for entry in entries]
        for name, entries in _doors(new).items():
            held = before.get(name, every)
            # A namespace that comes with the change has had nothing to hide.
            more = [each for each in entries if each[0] not in born and not _held(each, held)]
            if more:
                shown = ", ".join(dict.fromkeys(map(_spoken, more[:_SHOWN])))
                yield pair, _field(new, name), f"lets in {shown}, and did not"
        yield from _in_clear(pair, old, new)


def _in_clear(pair: Pair, old: JsonObject, new: JsonObject) -> Found:
    """Listeners that take clear text, and did not."""
    redirecting, encrypted = _redirecting(new), _encrypted(new)
    for name in _doors(new):
        field = f"{_field(new, name)}.tls"
        if name in _redirecting(old) - redirecting - encrypted:
            yield pair, field, "serves plain HTTP, which was redirected"
        elif name in _encrypted(old) - redirecting - encrypted:
            yield pair, field, "takes clear text, where it was encrypted"


def _is_gone(pair: Pair, kind: str) -> bool:
    return pair.kind == kind and pair.new is None


def _gateways(change: Change) -> Iterator[tuple[Pair, JsonObject, JsonObject]]:
    return (each for each in change.both if each[0].kind == "Gateway")


def _redirects(route: JsonObject | None, gone: set[tuple[str, str]]) -> bool:
    """Whether a route does nothing but redirect, at a gateway that is not `gone` as well."""
    spec: Any = at(route or {}, "spec") or {}
    namespace = home_and_name(route)[0]
    parents = {
        (parent.get("namespace") or namespace, parent.get("name"))
        for parent in spec.get("parentRefs") or []
    }
    leads = any(rule.get("backendRefs") for rule in spec.get("rules") or [])
    return not leads and not (parents and parents <= gone)


def _field(gateway: JsonObject, name: str) -> str:
    return f"spec.{'servers' if 'servers' in (gateway.get('spec') or {}) else 'listeners'}[{name}]"


def _doors(gateway: JsonObject) -> dict[str, list[_Entry]]:
    """Each listener, or server of Istio's, by its name, with what it lets in."""
    spec: Any = gateway.get("spec") or {}
    found: dict[str, list[_Entry]] = {}
    for listener in spec.get("listeners") or []:
        host = listener.get("hostname") or EVERY
        entries = [(whose, host) for whose in _admitted(listener)]
        found[str(listener.get("name"))] = entries
    for server in spec.get("servers") or []:
        entries = []
        for host in server.get("hosts") or []:
            whose, slash, rest = host.partition("/")
            entries.append((whose, rest) if slash else (EVERY, host))
        found[_port(server)] = entries
    return found


def _port(server: JsonObject) -> str:
    port = server.get("port") or {}
    return str(port.get("name") or port.get("number"))


def _redirecting(gateway: JsonObject) -> set[str]:
    """The servers of Istio's that answer with a redirect to HTTPS."""
    servers: Any = at(gateway, "spec.servers") or []
    return {_port(each) for each in servers if at(each, f"tls.{_REDIRECT}") is True}


def _encrypted(gateway: JsonObject) -> set[str]:
    """The listeners, or servers of Istio's, that speak TLS."""
    spec: Any = gateway.get("spec") or {}
    listeners = spec.get("listeners") or []
    found = {str(each.get("name")) for each in listeners if each.get("protocol") in _TLS}
    servers = spec.get("servers") or []
    return found | {_port(each) for each in servers if {*(each.get("tls") or ())} - {_REDIRECT}}


def _admitted(listener: JsonObject) -> list[str]:
    """The namespaces whose routes a listener takes, by name, or by a selector as JSON."""
    allowed: Any = at(listener, "allowedRoutes.namespaces") or {}
    word = allowed.get("from") or "Same"
    if word != "Selector":
        return {"All": [EVERY], "None": []}.get(word, [_OWN])
    selector = allowed.get("selector") or {}
    labels, rest = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    for each in rest:
        if (each.get("key"), each.get("operator")) == (_NAME, "In") and _NAME not in labels:
            others = [other for other in rest if other is not each]
            return [_whose(labels | {_NAME: name}, others) for name in each.get("values") or []]
    return [_whose(labels, rest)]


def _whose(labels: JsonObject, expressions: list[Any]) -> str:
    if not expressions and labels.keys() <= {_NAME}:
        return str(labels.get(_NAME, EVERY))
    parts = {"matchLabels": labels, "matchExpressions": expressions}
    return json.dumps({key: each for key, each in parts.items() if each}, sort_keys=True)


def _selector(whose: str) -> JsonObject:
    """What selects the namespaces again that `_whose` has in short."""
    if whose.startswith("{"):
        return dict(json.loads(whose))
    return {} if whose == EVERY else {"matchLabels": {_NAME: whose}}


def _held(entry: _Entry, held: list[_Entry]) -> bool:
    """Whether what a door lets in, was let in before; its own namespace is nobody else's."""
    whose, host = entry
    return any(
        (whose in (own, _OWN) or (own != _OWN and selects(_selector(own), _selector(whose))))
        and _covers(hosts, host)
        for own, hosts in held
    )


def _covers(hosts: str, host: str) -> bool:
    return hosts in (EVERY, host) or (hosts.startswith("*.") and host.endswith(hosts[1:]))


def _spoken(entry: _Entry) -> str:
    whose, host = entry
    words = {EVERY: "every namespace", _OWN: "its own namespace"}
    owner = words.get(whose, f"namespace {whose}" if whose[:1] != "{" else f"namespaces by {whose}")
    return f"routes of {owner} for {_spoken_host(host)}"


def _spoken_host(host: str) -> str:
    return "every host" if host == EVERY else host
