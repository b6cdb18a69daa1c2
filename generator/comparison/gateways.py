"""Risks of gateways, of the Gateway API and of Istio: doors that go, and that let in more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generator.comparison.change import Change, Found, Pair
from generator.comparison.traffic import EVERY
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_OWN = "."  # the gateway's own namespace, as Istio writes it
_SHOWN = 3
_NAME = "kubernetes.io/metadata.name"
_Entry = tuple[str, str]
"""Whose routes, a namespace or a selector, and for which host; each EVERY for all."""


def removed(change: Change) -> Found:
    """Gateways, classes of Ingresses, listeners and redirects that are not there any more."""
    gone = {_named(pair.old) for pair in change.pairs if _is_gone(pair, "Gateway")}
    for pair in change.pairs:
        if _is_gone(pair, "Gateway"):
            api = str((pair.old or {})["apiVersion"]).partition("/")[0]
            yield pair, "", f"nothing comes in through this Gateway of {api} any more"
        elif _is_gone(pair, "IngressClass"):
            yield pair, "", "no controller serves the Ingresses of this class any more"
        elif pair.kind == "HTTPRoute" and pair.new is None and _redirects(pair.old, gone):
            yield pair, "", "requests are not redirected any more"
    for pair, old, new in _gateways(change):
        after = _doors(new)
        for name, entries in _doors(old).items():
            if name not in after:
                hosts = ", ".join(dict.fromkeys(_spoken_host(host) for _, host in entries))
                yield pair, _field(new, name), f"nothing listens there any more for {hosts}"


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
        redirecting = _redirecting(old)
        for name in _doors(new):
            if name in redirecting - _redirecting(new):
                yield pair, f"{_field(new, name)}.tls", "serves plain HTTP, which was redirected"


def _is_gone(pair: Pair, kind: str) -> bool:
    return pair.kind == kind and pair.new is None


def _gateways(change: Change) -> Iterator[tuple[Pair, JsonObject, JsonObject]]:
    return (each for each in change.both if each[0].kind == "Gateway")


def _named(data: JsonObject | None) -> tuple[str, str]:
    metadata = (data or {})["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def _redirects(route: JsonObject | None, gone: set[tuple[str, str]]) -> bool:
    """Whether a route does nothing but redirect, at a gateway that is not `gone` as well."""
    spec: Any = at(route or {}, "spec") or {}
    namespace = _named(route)[0]
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
    return {_port(each) for each in servers if at(each, "tls.httpsRedirect") is True}


def _admitted(listener: JsonObject) -> list[str]:
    """The namespaces whose routes a listener takes; a selector that names none, as JSON."""
    allowed: Any = at(listener, "allowedRoutes.namespaces") or {}
    word = allowed.get("from") or "Same"
    if word != "Selector":
        return {"All": [EVERY], "None": []}.get(word, [_OWN])
    selector = allowed.get("selector") or {}
    for each in selector.get("matchExpressions") or []:
        if (each.get("key"), each.get("operator")) == (_NAME, "In"):
            return list(each.get("values") or [])
    if name := (selector.get("matchLabels") or {}).get(_NAME):
        return [name]
    return [json.dumps(selector, sort_keys=True) if selector else EVERY]


def _held(entry: _Entry, held: list[_Entry]) -> bool:
    """Whether what a door lets in, was let in before; its own namespace is nobody else's."""
    whose, host = entry
    return any(
        (own in (whose, EVERY) or whose == _OWN) and _covers(hosts, host) for own, hosts in held
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
