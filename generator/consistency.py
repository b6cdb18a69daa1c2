"""What must hold between the fields of one Kubernetes type, and no schema says.

Each rule takes a value and yields the path below it and what to say. It takes nothing for granted:
wrong types are refused elsewhere. The source is pkg/apis/core/validation of k8s.io/kubernetes at
v1.34.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

Found = Iterator[tuple[tuple[str | int, ...], str]]
Node = dict[str, Any]

_UNITS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def amount(quantity: Any) -> Decimal | None:
    """A Kubernetes quantity as a number: `500m` is 0.5, `1Ki` is 1024; None for what is none."""
    if isinstance(quantity, bool) or not isinstance(quantity, str | int | float):
        return None
    match = re.fullmatch(r"\+?([0-9.]+(?:[eE][-+]?[0-9]{1,3})?)([A-Za-z]{0,2})", str(quantity))
    if not match:
        return None
    number, unit = match.groups()
    try:
        value = Decimal(number)
    except InvalidOperation:
        return None
    if unit in _BINARY:
        return value * Decimal(1024 ** _BINARY[unit])
    return value.scaleb(_UNITS[unit]) if unit in _UNITS else None


def _resources(value: Node) -> Found:
    requests, limits = value.get("requests"), value.get("limits")
    if not (isinstance(requests, dict) and isinstance(limits, dict)):
        return
    for name in requests.keys() & limits.keys():
        wanted, allowed = amount(requests[name]), amount(limits[name])
        if wanted is not None and allowed is not None and wanted > allowed:
            yield (
                ("requests", name),
                f"{requests[name]} is more than the limit, {limits[name]}; "
                f"lower it, or raise limits.{name}",
            )


def _variable(value: Node) -> Found:
    if value.get("value") and value.get("valueFrom"):
        yield ("valueFrom",), "a variable has a value or takes it from elsewhere; remove one"


def _toleration(value: Node) -> Found:
    exists = value.get("operator") == "Exists"
    if exists and value.get("value"):
        yield ("value",), "operator Exists asks for no value; remove it, or set operator: Equal"
    if not value.get("key") and not exists:
        yield (), "without a key it tolerates everything; set operator: Exists, or name a key"
    if value.get("tolerationSeconds") is not None and value.get("effect") != "NoExecute":
        yield ("tolerationSeconds",), "only NoExecute evicts pods; set effect: NoExecute"


def _requirement(value: Node) -> Found:
    operator, values = value.get("operator"), value.get("values") or []
    if not isinstance(values, list):
        return
    if operator in ("In", "NotIn") and not values:
        yield (), f"operator {operator} wants values; add them, or set operator: Exists"
    if operator in ("Exists", "DoesNotExist") and values:
        yield ("values",), f"operator {operator} takes no values; remove them"
    if operator in ("Gt", "Lt") and not (
        len(values) == 1 and re.fullmatch(r"-?[0-9]+", str(values[0]))
    ):
        yield (), f'operator {operator} wants one number; write values: ["1"]'


def _peer(value: Node) -> Found:
    if not value:
        yield (), "is empty; name an ipBlock, a podSelector or a namespaceSelector"
    if value.get("ipBlock") and len(value) > 1:
        yield ("ipBlock",), "an ipBlock stands alone; make two peers of it"


def _network(text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def _block(value: Node) -> Found:
    whole, inner = _network(value.get("cidr")), value.get("except")
    for index, text in enumerate(inner if isinstance(inner, list) else []):
        part = _network(text)
        if whole is None or part is None:
            continue
        if part.version != whole.version or not part.subnet_of(whole):  # type: ignore[arg-type]
            yield ("except", index), f"{text} is not in {whole}; name a range inside it"


def _strategy(value: Node) -> Found:
    rolling = value.get("rollingUpdate")
    if value.get("type") == "Recreate" and rolling:
        yield (
            ("rollingUpdate",),
            "type Recreate rolls nothing; remove it, or set type: RollingUpdate",
        )
    if isinstance(rolling, dict):
        zero = [rolling.get(key) in (0, "0%") for key in ("maxSurge", "maxUnavailable")]
        if all(zero):
            yield ("rollingUpdate",), "with both at 0 nothing can be replaced; set maxSurge: 1"


def _security(value: Node) -> Found:
    if value.get("privileged") is True and value.get("allowPrivilegeEscalation") is False:
        yield (
            ("allowPrivilegeEscalation",),
            "a privileged container may escalate; set privileged: false, or remove this",
        )


def _one_of(fields: Collection[str], *, needed: bool = False) -> Callable[[Node], Found]:
    """At most one of the fields, or exactly one."""

    def rule(value: Node) -> Found:
        there = [key for key in value if key in fields and value[key] is not None]
        if len(there) > 1:
            yield (there[1],), f"{' and '.join(there)} exclude each other; keep one"
        if needed and not there:
            yield (), f"says nothing; set one of {', '.join(fields)}"

    return rule


def _volume(value: Node) -> Found:
    there = [key for key in value if key != "name" and value[key] is not None]
    if len(there) > 1:
        yield (there[1],), f"{' and '.join(there)} exclude each other; make two volumes of them"


_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_SOURCES = ("configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef")

RULES: dict[str, Callable[[Node], Found]] = {
    "DeploymentStrategy": _strategy,
    "EnvVar": _variable,
    "EnvVarSource": _one_of(_SOURCES, needed=True),
    "IPBlock": _block,
    "LabelSelectorRequirement": _requirement,
    "LifecycleHandler": _one_of(("exec", "httpGet", "sleep", "tcpSocket")),
    "NetworkPolicyPeer": _peer,
    "NodeSelectorRequirement": _requirement,
    "Probe": _one_of(_HANDLERS),
    "ResourceRequirements": _resources,
    "SecurityContext": _security,
    "Toleration": _toleration,
    "Volume": _volume,
}
"""By the type that they are about."""
