"""Whom a policy lets in: a NetworkPolicy of Kubernetes, or an AuthorizationPolicy of Istio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import product
from typing import Any

from generator.yaml.data import JsonObject
from generator.yaml.fields import at


@dataclass(frozen=True)
class Grant:
    """Who may call, and what of the pods, each None for all; `who` is a peer or a source."""

    who: JsonObject | None
    what: JsonObject | None

    def covers(self, other: Grant) -> bool:
        """Whether all that another grant lets in gets in by this one as well."""
        if self.what is not None and self.what != other.what:
            return False
        if self.who is None or self.who == other.who:
            return True
        return other.who is not None and self._covers(self.who, other.who)

    def _covers(self, held: JsonObject, other: JsonObject) -> bool:
        raise NotImplementedError

    @property
    def spoken(self) -> str:
        """What people call it."""
        who = "everybody"
        if self.who is not None:
            lists = [(key, each) for key, each in self.who.items() if isinstance(each, list)]
            # `namespaces: [shop]` is namespace shop.
            names = [f"{key.removesuffix('s')} {', '.join(each)}" for key, each in lists]
            who = names[0] if len(names) == len(self.who) == 1 else json.dumps(self.who)
        if self.what is None:
            return who
        port = self.what.get("port")
        return f"{who} on port {port}" if port else f"{who} for {json.dumps(self.what)}"


class Peer(Grant):
    """What a NetworkPolicy grants."""

    def _covers(self, held: JsonObject, other: JsonObject) -> bool:
        if "ipBlock" in held and "ipBlock" in other:
            return _block_covers(held["ipBlock"] or {}, other["ipBlock"] or {})
        return {*held, *other} <= {"podSelector", "namespaceSelector"} and _selected(held, other)


class Source(Grant):
    """What an AuthorizationPolicy grants: a caller has to be in every list, or in none of `not`."""

    def _covers(self, held: JsonObject, other: JsonObject) -> bool:
        return all(
            not key.startswith("not") and other.get(key) and {*other[key]} <= {*(values or ())}
            for key, values in held.items()
        )


def of_network(policy: JsonObject) -> list[Peer]:
    """Whom a NetworkPolicy lets in."""
    rules: Any = at(policy, "spec.ingress") or []
    return [
        Peer(peer, port and {"protocol": "TCP", **port})
        for rule in rules
        for peer, port in product(rule.get("from") or [None], rule.get("ports") or [None])
    ]


def of_istio(policy: JsonObject) -> list[Source]:
    """Whom the rules of an AuthorizationPolicy name, each namespace and the like by itself."""
    rules: Any = at(policy, "spec.rules") or []
    return [
        Source(source, {key: rule[key] for key in ("to", "when") if rule.get(key)} or None)
        for rule in rules
        for each in rule.get("from") or [{}]
        for source in _sources((each or {}).get("source") or {})
    ]


def _sources(source: JsonObject) -> Iterator[JsonObject | None]:
    if len(source) == 1:
        ((key, values),) = source.items()
        # All that are none of these, are no list of some.
        if not key.startswith("not"):
            yield from ({key: [value]} for value in values or [])
            return
    yield source or None


def _selected(held: JsonObject, other: JsonObject) -> bool:
    spaces = held.get("namespaceSelector"), other.get("namespaceSelector")
    # Without a selector of namespaces it is the policy's own.
    if spaces[0] is None or (spaces[1] is None and spaces[0] != {}):
        same_space = spaces[0] is spaces[1]
    else:
        same_space = _selects(spaces[0], spaces[1] or {})
    return same_space and _selects(held.get("podSelector") or {}, other.get("podSelector") or {})


def _selects(held: JsonObject, other: JsonObject) -> bool:
    """Whether a selector selects all that another one does, which asks for as much and more."""
    labels = (held.get("matchLabels") or {}).items() <= (other.get("matchLabels") or {}).items()
    others = other.get("matchExpressions") or []
    return labels and all(each in others for each in held.get("matchExpressions") or [])


def _block_covers(held: JsonObject, other: JsonObject) -> bool:
    try:
        wide, narrow = (ip_network(each.get("cidr") or "", strict=False) for each in (held, other))
    except ValueError:
        return False
    if wide.version != narrow.version:
        return False
    left_out = {*(held.get("except") or ())} <= {*(other.get("except") or ())}
    return left_out and narrow.subnet_of(wide)  # type: ignore[arg-type]
