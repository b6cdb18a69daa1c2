"""The running controller's Deployment and storage container: what is carried of their changes."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from generator.importer.objects import Object
from generator.migration.rules import RESOURCES, Rule, misfit, rules, upstream_pod, upstream_storage
from generator.migration.state import EMPTY, Spot, State
from generator.yaml.data import JsonObject
from generator.yaml.fields import ABSENT, at
from generator.yaml.path import Key

_TEMPLATE: Key = ("spec", "template", "spec")
_MANAGER = "manager"
_PROXY = "kube-rbac-proxy"  # There is a rule for it, and its Deployment says nothing more.
# What is carried, by its name in the pod and in its container; the rest of each rule's path.
_OF_THE_POD = {
    "nodeSelector": "nodeSelector",
    "tolerations": "tolerations",
    "affinity": "affinity",
    "topologySpreadConstraints": "topologySpreadConstraints",
    "securityContext": "securityContext",
    "imagePullSecrets": "imagePullSecrets",
}
_OF_THE_CONTAINER = {
    "image": "image",
    "resources": "resources",
    "imagePullPolicy": "imagePullPolicy",
    "securityContext": "containerSecurityContext",
}
_OF_THE_STORAGE = {
    "image": "image",
    "resources": "resources",
    "securityContext": "containerSecurityContext",
}
_LOGGING = {
    "--zap-log-level": "controller.logging.level",
    "--zap-encoder": "controller.logging.format",
}
_SET_HERE = {
    "--metrics-addr": "kserve-lite sets this argument; see observability.metrics",
    "--leader-elect": "kserve-lite sets this argument; see controller.replicas",
    "--health-probe-addr": "kserve-lite sets this argument; see controller.healthProbePort",
    "--webhook-port": "kserve-lite sets this argument; see webhook",
}
_ARGUMENTS = ("--metrics-addr=127.0.0.1:8080", "--leader-elect", "--leader-elect=true")
_NO_VALUE = "is not as upstream installs it, and kserve-lite has no value for it"
# What an API server fills in where nothing is said.
_FILLED_IN: JsonObject = {
    "protocol": "TCP",
    "scheme": "HTTP",
    "successThreshold": 1,
    "periodSeconds": 10,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "apiVersion": "v1",
    "defaultMode": 420,
}


def read_deployment(found: Object, pod: JsonObject, manager: JsonObject, state: State) -> None:
    """Take the controller's Deployment into account: its pod, and the container in it."""
    spot = Spot(found.document, (*found.path, *_TEMPLATE))
    for part, names in ((pod, _OF_THE_POD), (manager, _OF_THE_CONTAINER)):
        for key, name in names.items():
            if part.get(key):
                _give(rules(RESOURCES)[f"kserve.controller.{name}"], part[key], spot, state)
    for rule, value in _more(pod, manager):
        _give(rule, value, spot, state)
    replicas: Any = at(found.data, "spec.replicas")
    if replicas not in (ABSENT, 1):
        rule = Rule("controller.replicas", to="controller.replicas", default=1)
        state.give(rule, replicas, Spot(found.document, (*found.path, "spec", "replicas")))
    for path in _others(pod, manager):
        state.unknown.append((Spot(found.document, (*spot.key, *path)), _NO_VALUE))


def read_storage(found: Object, state: State) -> None:
    """Take the ClusterStorageContainer of upstream into account."""
    spec: Any = at(found.data, "spec")
    spec = spec if isinstance(spec, dict) else {}
    container = spec.get("container")
    container = container if isinstance(container, dict) else {}
    spot = Spot(found.document, (*found.path, "spec"))
    for key, name in _OF_THE_STORAGE.items():
        if container.get(key):
            _give(rules(RESOURCES)[f"kserve.storage.{name}"], container[key], spot, state)
    if extra := environment(container):
        state.give(_own("storage.initializer.env"), extra, spot)
    usual = upstream_storage()
    paths: list[Key] = [(key,) for key in _changed(spec, usual) if key != "container"]
    changed = _changed(container, usual["container"])
    paths += [("container", key) for key in changed if key not in (*_OF_THE_STORAGE, "env")]
    for path in paths:
        state.unknown.append((Spot(found.document, (*spot.key, *path)), _NO_VALUE))


def _give(rule: Rule, value: Any, spot: Spot, state: State) -> None:
    if wanted := misfit(rule, value):
        state.unknown.append((spot, f"{rule.path}: Kubernetes wants {wanted} here"))
    else:
        state.give(rule, value, spot)


def _more(pod: JsonObject, manager: JsonObject) -> Iterator[tuple[Rule, Any]]:
    """What upstream's charts have no value for, and ours have."""
    for name, default in (("priorityClassName", ""), ("terminationGracePeriodSeconds", 10)):
        if pod.get(name, default) != default:
            yield _own(f"controller.{name}"), pod[name]
    more: list[str] = []
    for each in _arguments(manager):
        flag, _, word = each.partition("=")
        if flag in _LOGGING:
            yield _own(_LOGGING[flag]), word
        elif flag in _SET_HERE and each not in _ARGUMENTS:
            yield Rule(flag, default=None, lost=_SET_HERE[flag]), word
        elif each not in _ARGUMENTS:
            more.append(each)
    if more:
        yield _own("controller.extraArgs"), more
    usual = [each["name"] for each in upstream_pod()["containers"][0]["env"]]
    if extra := environment(manager, usual):
        yield _own("controller.extraEnv"), extra


def _arguments(manager: JsonObject) -> list[str]:
    """The arguments, each in one word and behind two dashes."""
    found: list[str] = []
    for each in map(str, _listed(manager.get("args"))):
        if each.startswith("-"):
            found.append(f"--{each.lstrip('-')}")
        elif found:
            found[-1] += f"={each}"
    return found


def environment(container: JsonObject, usual: Container[str] = ()) -> JsonObject:
    """The variables of a container but for the usual ones, as our values have them."""
    listed = [dict(each) for each in _listed(container.get("env")) if isinstance(each, dict)]
    found = {str(each.pop("name", "")): each.get("value", each) for each in listed}
    return {name: each for name, each in found.items() if name not in usual}


def _own(path: str) -> Rule:
    return Rule(path, to=path, default=None)


def _others(pod: JsonObject, manager: JsonObject) -> Iterator[Key]:
    """The paths in the pod of what is there, is not carried, and is not upstream's."""
    usual = upstream_pod()
    carried = {*_OF_THE_POD, "containers", "priorityClassName", "terminationGracePeriodSeconds"}
    yield from ((key,) for key in _changed(pod, usual) if key not in carried)
    for number, each in enumerate(_listed(pod.get("containers"))):
        name = each.get("name") if isinstance(each, dict) else None
        if name == _MANAGER:
            carried = {*_OF_THE_CONTAINER, "args", "env"}
            changed = _changed(manager, usual["containers"][0])
            yield from (("containers", number, key) for key in changed if key not in carried)
        elif name != _PROXY:
            yield "containers", number


def _changed(found: JsonObject, usual: JsonObject) -> Iterator[str]:
    """The keys of what is there, and is not upstream's; of a list, upstream may have more."""
    bare, ours = _bare(found), _bare(usual)
    for key, value in bare.items():
        known = ours.get(key)
        if isinstance(value, list) and isinstance(known, list):
            is_known = all(each in known for each in value)
        else:
            is_known = value in EMPTY or value == known
        if not is_known:
            yield key


def _bare(data: Any) -> Any:
    """Data less what an API server fills in."""
    if isinstance(data, dict):
        return {key: _bare(each) for key, each in data.items() if _FILLED_IN.get(key) != each}
    return [_bare(each) for each in data] if isinstance(data, list) else data


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
