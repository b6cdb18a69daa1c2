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

_ADDRESSES = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")


@dataclass(frozen=True)
class Grant:
    """Who may call, and what of the pods, each None for all; `who` is a peer or a source."""

    who: JsonObject | None
    what: JsonObject | None

    def covers(self, other: Grant) -> bool:
        """Whether all that another grant lets in gets in by this one as well."""
        return all(
            held is None or held == part or (part is not None and covers(held, part))
            for held, part, covers in (
                (self.who, other.who, self._covers),
                (self.what, other.what, self._reaches),
            )
        )

    def _covers(self, held: JsonObject, other: JsonObject) -> bool:
        raise NotImplementedError

    def _reaches(self, held: JsonObject, other: JsonObject) -> bool:
        """As `_covers`, for what of the pods."""
        raise NotImplementedError

    @property
    def spoken(self) -> str:
        """What people call it."""
        who = "everybody"
        if self.who is not None:
            lists = [(key, each) for key, each in self.who.items() if isinstance(each, list)]
            names = [_spoken(key, each) for key, each in lists]
            who = names[0] if len(names) == len(self.who) == 1 else json.dumps(self.who)
        if self.what is None:
            return who
        if "protocol" not in self.what:
            return f"{who} for {json.dumps(self.what)}"
        port, end = self.what.get("port"), self.what.get("endPort")
        if port is None:
            return f"{who} on every port of {self.what['protocol']}"
        return f"{who} on ports {port} to {end}" if end else f"{who} on port {port}"


def _spoken(key: str, values: list[Any]) -> str:
    """`namespaces: [shop]` is namespace shop."""
    names = ", ".join(map(str, values))
    one = _named(key).removesuffix("s")
    return f"every {one} but {names}" if key.startswith("not") else f"{one} {names}"


class Peer(Grant):
    """What a NetworkPolicy grants."""

    def _covers(self, held: JsonObject, other: JsonObject) -> bool:
        if "ipBlock" in held and "ipBlock" in other:
            return _block_covers(held["ipBlock"] or {}, other["ipBlock"] or {})
        return {*held, *other} <= {"podSelector", "namespaceSelector"} and _selected(held, other)

    def _reaches(self, held: JsonObject, other: JsonObject) -> bool:
        port, of_other = held.get("port"), other.get("port")
        if held["protocol"] != other["protocol"]:
            return False
        if port is None or port == of_other:
            return port is None or _end(held) >= _end(other)
        numbers = isinstance(port, int) and isinstance(of_other, int)
        return numbers and port <= of_other and _end(other) <= _end(held)


class Source(Grant):
    """What an AuthorizationPolicy grants: a caller has to be in every list, or in none of `not`."""

    def _covers(self, held: JsonObject, other: JsonObject) -> bool:
        return _fields_cover(held, other)

    def _reaches(self, held: JsonObject, other: JsonObject) -> bool:
        # Of the operations one has to fit, of the conditions every one.
        operations, others = (
            [at(each, "operation") or {} for each in what.get("to") or [{}]]
            for what in (held, other)
        )
        return all(
            any(_fields_cover(wide, narrow) for wide in operations) for narrow in others
        ) and all(
            any(_asks_more(narrow, wide) for narrow in other.get("when") or [])
            for wide in held.get("when") or []
        )


def of_network(policy: JsonObject) -> list[Peer]:
    """Whom a NetworkPolicy lets in."""
    rules: Any = at(policy, "spec.ingress") or []
    return [
        Peer(peer, port if port is None else _port(port))
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


def _end(port: JsonObject) -> Any:
    """The last port of a range; of one port itself, and of a port by name nothing to compare."""
    number, end = port.get("port"), port.get("endPort")
    return (end if isinstance(end, int) else number) if isinstance(number, int) else 0


def _port(port: JsonObject) -> JsonObject:
    return {**port, "protocol": port.get("protocol") or "TCP"}


def _named(key: str) -> str:
    """What a list that may begin with `not` names: `namespaces` for `notNamespaces`."""
    return key[3:4].lower() + key[4:] if key.startswith("not") else key


def _asks_more(condition: JsonObject, other: JsonObject) -> bool:
    """Whether a condition holds only where another one does."""
    lists = [
        {key: each[key] for key in ("values", "notValues") if each.get(key)}
        for each in (other, condition)
    ]
    return condition.get("key") == other.get("key") and _fields_cover(*lists)


def _fields_cover(held: JsonObject, other: JsonObject) -> bool:
    """Whether all that is in the lists of one is in those of another, and in none of its `not`."""
    for key, values in held.items():
        found = other.get(key) or []
        if not key.startswith("not"):
            fits = found and all(
                any(_matches(key, wide, each) for wide in values or ()) for each in found
            )
        else:
            named = other.get(_named(key))
            fits = all(
                any(_matches(key, wide, each) for wide in found)
                or (named and all(_apart(key, each, one) for one in named))
                for each in values or []
            )
        if not fits:
            return False
    return True


def _matches(key: str, wide: Any, narrow: Any) -> bool:
    """Whether a pattern of Istio's has all that another one has: `*`, `a*`, `*a` or an address."""
    if wide in (narrow, "*"):
        return True
    if key in _ADDRESSES:
        return _block_covers({"cidr": wide}, {"cidr": narrow})
    pattern, text = str(wide), str(narrow)
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return pattern.endswith("*") and text.startswith(pattern[:-1])


def _apart(key: str, left_out: Any, named: Any) -> bool:
    """Whether what is left out leaves alone what is named, as far as that can be told."""
    if key in _ADDRESSES or "*" in str(named):
        return False
    return not _matches(key, left_out, named)


def _selected(held: JsonObject, other: JsonObject) -> bool:
    spaces = held.get("namespaceSelector"), other.get("namespaceSelector")
    # Without a selector of namespaces it is the policy's own.
    if spaces[0] is None or (spaces[1] is None and spaces[0] != {}):
        same_space = spaces[0] is spaces[1]
    else:
        same_space = selects(spaces[0], spaces[1] or {})
    return same_space and selects(held.get("podSelector") or {}, other.get("podSelector") or {})


def selects(held: JsonObject, other: JsonObject) -> bool:
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
