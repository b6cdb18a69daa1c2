"""Rules between the fields of one Kubernetes type, which no schema states.

Each rule takes a value and yields the path below it and what to say. It takes nothing for granted:
wrong types are refused elsewhere. The source is pkg/apis/core/validation of k8s.io/kubernetes at
v1.34.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from typing import Any

from generator.values.quantities import Found, check_limits, check_resources
from generator.yaml.data import JsonObject


def _variable(value: JsonObject) -> Found:
    if value.get("value") and value.get("valueFrom"):
        yield ("valueFrom",), "a variable has a value or takes it from elsewhere; remove one"


def _toleration(value: JsonObject) -> Found:
    exists = value.get("operator") == "Exists"
    if exists and value.get("value"):
        yield ("value",), "operator Exists asks for no value; remove it, or set operator: Equal"
    if not value.get("key") and not exists:
        yield (), "without a key it tolerates everything; set operator: Exists, or name a key"
    if value.get("tolerationSeconds") is not None and value.get("effect") != "NoExecute":
        yield ("tolerationSeconds",), "only NoExecute evicts pods; set effect: NoExecute"


def _requirement(value: JsonObject) -> Found:
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


def _peer(value: JsonObject) -> Found:
    if not value:
        yield (), "is empty; name an ipBlock, a podSelector or a namespaceSelector"
    if value.get("ipBlock") and len(value) > 1:
        yield ("ipBlock",), "an ipBlock stands alone; make two peers of it"


def _network(text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def _block(value: JsonObject) -> Found:
    whole, inner = _network(value.get("cidr")), value.get("except")
    for index, text in enumerate(inner if isinstance(inner, list) else []):
        part = _network(text)
        if whole is None or part is None:
            continue
        if part.version != whole.version or not part.subnet_of(whole):  # type: ignore[arg-type]
            yield ("except", index), f"{text} is not in {whole}; name a range inside it"


def _strategy(value: JsonObject) -> Found:
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


def _security(value: JsonObject) -> Found:
    if value.get("privileged") is True and value.get("allowPrivilegeEscalation") is False:
        yield (
            ("allowPrivilegeEscalation",),
            "a privileged container may escalate; set privileged: false, or remove this",
        )


def _merged_security(value: JsonObject) -> Found:
    """Rules for a security context that is merged over the chart's, which forbids escalation."""
    if value.get("privileged") is True and "allowPrivilegeEscalation" not in value:
        yield (
            ("privileged",),
            "a privileged container may escalate; set allowPrivilegeEscalation: true beside it",
        )


def _profile(value: JsonObject) -> Found:
    local, name = value.get("type") == "Localhost", value.get("localhostProfile")
    if local and not name:
        yield (), "a profile of the node has a name; set localhostProfile, or type: RuntimeDefault"
    if name and not local:
        yield ("localhostProfile",), "is for type Localhost; remove it, or set type: Localhost"


def _one_of(fields: Collection[str], *, needed: bool = False) -> Callable[[JsonObject], Found]:
    """At most one of the fields, or exactly one."""

    def rule(value: JsonObject) -> Found:
        there = [key for key in value if key in fields and value[key] is not None]
        if len(there) > 1:
            yield (there[1],), f"{' and '.join(there)} exclude each other; keep one"
        if needed and not there:
            yield (), f"says nothing; set one of {', '.join(fields)}"

    return rule


def _volume(value: JsonObject) -> Found:
    there = [key for key in value if key != "name" and value[key] is not None]
    if len(there) > 1:
        yield (there[1],), f"{' and '.join(there)} exclude each other; make two volumes of them"


def _mount(value: JsonObject) -> Found:
    if value.get("subPath") and value.get("subPathExpr"):
        yield ("subPathExpr",), "subPath and subPathExpr exclude each other; keep one"


def _living(value: JsonObject) -> Found:
    """Rules for a liveness or startup probe."""
    if value.get("successThreshold") not in (None, 0, 1):
        yield ("successThreshold",), "one success is enough for this probe; remove it, or write 1"


def _ready(value: JsonObject) -> Found:
    if value.get("terminationGracePeriodSeconds") is not None:
        yield (
            ("terminationGracePeriodSeconds",),
            "a readiness probe ends no container; remove it, or move it to the livenessProbe",
        )


_PROBES = {"livenessProbe": _living, "readinessProbe": _ready, "startupProbe": _living}


def _container(value: JsonObject) -> Found:
    yield from _once(value, ("volumeMounts",), "mountPath")
    yield from _once(value, ("ports",), "name")
    for field, rule in _PROBES.items():
        if isinstance(probe := value.get(field), dict):
            yield from (((field, *path), message) for path, message in rule(probe))


def _pod(value: JsonObject) -> Found:
    yield from _once(value, ("containers", "initContainers"), "name")
    yield from _once(value, ("volumes",), "name")
    field = "topologySpreadConstraints"
    for path, message in check_list("TopologySpreadConstraint", value.get(field)):
        yield (field, *path), message


def _once(value: JsonObject, lists: Collection[str], field: str) -> Found:
    """A field that no two items of some lists may have alike."""
    seen: set[str] = set()
    for key in lists:
        items = value.get(key)
        for index, item in enumerate(items if isinstance(items, list) else []):
            name = item.get(field) if isinstance(item, dict) else None
            if isinstance(name, str) and name:
                if name in seen:
                    yield (
                        (key, index, field),
                        f"{name} is there twice; choose another, or join them",
                    )
                seen.add(name)


def check_list(kind: str, items: Any) -> Found:
    """What must hold between the items of a list of a type."""
    if kind != "TopologySpreadConstraint" or not isinstance(items, list):
        return
    seen = set()
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            continue
        pair = str(item.get("topologyKey")), str(item.get("whenUnsatisfiable"))
        if pair in seen:
            yield (index,), f"{' and '.join(pair)} are in an earlier one too; join the two"
        seen.add(pair)


def _spread(value: JsonObject) -> Found:
    if value.get("minDomains") is not None and value.get("whenUnsatisfiable") != "DoNotSchedule":
        yield ("minDomains",), "is for DoNotSchedule; remove it, or set whenUnsatisfiable to that"


def _replicas(value: JsonObject) -> Found:
    least, most = value.get("minReplicas"), value.get("maxReplicas")
    if type(least) is type(most) is int and 0 < most < least:
        yield ("minReplicas",), f"{least} is more than maxReplicas, {most}; raise maxReplicas"


_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_SOURCES = ("configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef")

RULES: dict[str, Callable[[JsonObject], Found]] = {
    "AppArmorProfile": _profile,
    "Container": _container,
    "DeploymentStrategy": _strategy,
    "EnvVar": _variable,
    "EnvVarSource": _one_of(_SOURCES, needed=True),
    "IPBlock": _block,
    "LabelSelectorRequirement": _requirement,
    "LimitRangeItem": check_limits,
    "LifecycleHandler": _one_of(("exec", "httpGet", "sleep", "tcpSocket")),
    "NetworkPolicyPeer": _peer,
    "NodeSelectorRequirement": _requirement,
    "PodSpec": _pod,
    "PredictorSpec": _replicas,
    "Probe": _one_of(_HANDLERS),
    "ResourceRequirements": check_resources,
    "SeccompProfile": _profile,
    "SecurityContext": _security,
    "Toleration": _toleration,
    "TopologySpreadConstraint": _spread,
    "Volume": _volume,
    "VolumeMount": _mount,
    "living Probe": _living,
    "merged SecurityContext": _merged_security,
    "ready Probe": _ready,
}
"""The rules by the type that they are for."""

BY_FIELDS: dict[str, set[str]] = {
    "Container": {"image", "volumeMounts"},
    "PodSpec": {"containers", "volumes"},
    "PredictorSpec": {"minReplicas", "maxReplicas"},
}
"""Rules for every type that has these fields."""
