"""Objects of a running install, as kubectl prints them, read as the settings that they came of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator import CONFIG, CONTROLLER
from generator.catalog import catalog
from generator.errors import ValuesError
from generator.importer.leftovers import is_carried
from generator.importer.objects import Object
from generator.migration.deployment import read_deployment, read_storage
from generator.migration.reference import parse
from generator.migration.rules import RUNTIMES, Rule, misfit, rules, upstream_runtimes
from generator.migration.state import Spot, State
from generator.yaml.data import JsonObject
from generator.yaml.fields import at, compare
from generator.yaml.path import Key, dotted, key_of

_EXAMPLE = "_example"
_RELEASED = re.compile(r"v([0-9]+\.[0-9]+)\.[0-9]+")
_SWITCH = "kserve.servingruntime.enabled"
# Of a runtime: what is carried or has a rule of its own, and what two versions say differently
# without meaning anything else.
_APART = ("disabled", "imagePullSecrets", "annotations")
_APART_OF_CONTAINERS = ("image", "imagePullPolicy", "resources", "securityContext")
# Read by KServe for a component that kserve-lite does not install (config_loader.go of llmisvc).
_WITHOUT_RULES = {"scheduler"}
_FOREIGN = "KServe has no such key; keep it in a ConfigMap of your own"


def read_object(found: Object, state: State) -> None:
    """Take what an object says into account; most say nothing that we have a value for.

    Raises ValuesError for a ConfigMap that KServe could not read either.
    """
    kind, name = found.data["kind"], found.data["metadata"]["name"]
    if (kind, name) == ("ConfigMap", CONFIG):
        _read_config(found, state)
    elif kind == "ClusterServingRuntime":
        _read_runtime(found, name, state)
    elif (kind, name) == ("Deployment", CONTROLLER):
        _read_deployment(found, state)
    elif (kind, name) == ("ClusterStorageContainer", "default"):
        read_storage(found, state)


def _read_config(found: Object, state: State) -> None:
    if state.config:
        raise ValuesError([found.problem((), f"is {CONFIG} once more; leave one of them out")])
    state.config = True
    known = rules(CONFIG)
    state.know(known)
    for key, text in (found.data.get("data") or {}).items():
        if key == _EXAMPLE:
            continue
        try:
            content: Any = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            if key not in _keys():
                state.unknown.append((Spot(found.document, (*found.path, "data", key)), _FOREIGN))
                continue
            message = f"is not JSON, which KServe wants there: {error}"
            raise ValuesError([found.problem(("data", key), message)]) from None
        for path, value in _settings(content, (key,), known):
            spot = Spot(found.document, (*found.path, "data", key), dotted(path[1:]))
            rule = known.get(dotted(path)) or _override(path)
            if wanted := misfit(rule, value):
                state.unknown.append((spot, f"KServe wants {wanted} here"))
            else:
                state.give(rule, value, spot)


def _keys() -> set[str]:
    """The keys of the ConfigMap that KServe reads, as JSON."""
    return {str(key_of(path)[0]) for path in rules(CONFIG)} | _WITHOUT_RULES


def _settings(data: Any, path: Key, known: Mapping[str, Rule]) -> Iterator[tuple[Key, Any]]:
    """Every setting in the JSON of a key, by its path from that key on."""
    if dotted(path) in known or not (isinstance(data, dict) and data):
        if data not in (None, {}):
            yield path, data
        return
    for key, value in data.items():
        yield from _settings(value, (*path, key), known)


def _override(path: Key) -> Rule:
    """The rule for a setting that nobody knows: KServe gets it all the same."""
    return Rule(dotted(path), to=dotted(("configOverrides", *path)), default=None)


def _read_runtime(found: Object, name: str, state: State) -> None:
    known = rules(RUNTIMES)
    spec = found.data.get("spec") or {}
    spot = Spot(found.document, (*found.path, "spec"))
    word = _word(name)
    if _SWITCH not in state.given:
        state.know({path: rule for path, rule in known.items() if _is_of_runtimes(rule)})
        state.give(known[_SWITCH], True, spot)
        for other in upstream_runtimes():
            state.given.setdefault(f"kserve.servingruntime.{other}.disabled", True)
    if word is None:
        state.custom[name] = _custom(found.data)
        state.spots[name] = spot
        return
    values = {"disabled": spec.get("disabled", False)}
    (container, *_) = containers(spec) or [{}]
    if image := container.get("image"):
        values["image"] = image
    for key, value in values.items():
        if rule := known.get(f"kserve.servingruntime.{word}.{key}"):
            state.give(rule, value, spot)
    _read_resources(container, word, spot, state)
    if fields := _differences(name, spec):
        message = f"{name} differs from kserve-lite's in {', '.join(fields[:3])}"
        remedy = "if models need that, write it under customRuntimes, with another name"
        state.unknown.append((spot, f"{message}; {remedy}"))


def _is_of_runtimes(rule: Rule) -> bool:
    return rule.path == _SWITCH or bool(rule.runtime)


def _word(name: str) -> str | None:
    """Upstream's word for a runtime of a name; None for one that is not upstream's."""
    for word, runtime in upstream_runtimes().items():
        if catalog().runtimes[runtime.to].name == name:
            return word
    return None


def _read_resources(container: JsonObject, word: str, spot: Spot, state: State) -> None:
    """The resources of a runtime's models, for which upstream's charts have no value."""
    runtime = catalog().runtimes[upstream_runtimes()[word].to]
    usual = {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "1", "memory": "2Gi"}}
    resources = container.get("resources") or {}
    if resources and resources != (dict(runtime.resources) or usual):
        path = f"{word}.resources"
        rule = Rule(path, to=f"runtimes.{runtime.key}.resources", how="changes", default=usual)
        state.give(rule, resources, spot)


def _differences(name: str, spec: JsonObject) -> list[str]:
    """The fields in which a runtime's spec is not the catalog's, those apart that are carried."""
    (ours,) = (each.spec for each in catalog().runtimes.values() if each.name == name)
    return [field.path for field in compare(_bare(spec), _bare(ours))]


def _bare(spec: Mapping[str, Any]) -> JsonObject:
    bare = {key: value for key, value in spec.items() if key not in _APART and value != {}}
    bare["containers"] = [
        {key: value for key, value in each.items() if key not in _APART_OF_CONTAINERS}
        for each in containers(spec)
    ]
    return bare


def containers(spec: Any) -> list[JsonObject]:
    """The containers of a pod's or a runtime's spec, whatever else is there in their place."""
    listed = spec.get("containers") if isinstance(spec, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def manager(spec: Any) -> JsonObject:
    """The controller's container in the spec of its pod; empty if there is none."""
    found = (each for each in containers(spec) if each.get("name") == "manager")
    return next(found, {})


def version_of(image: str) -> str:
    """KServe's version as the tag of its image says it, such as 0.19; "" if it does not."""
    found = _RELEASED.fullmatch(parse(image).tag)
    return found[1] if found else ""


def _custom(data: JsonObject) -> JsonObject:
    metadata = data["metadata"]
    custom: JsonObject = {}
    for key in ("labels", "annotations"):
        own = {name: text for name, text in (metadata.get(key) or {}).items() if is_carried(name)}
        if own:
            custom[key] = own
    return {**custom, "spec": data.get("spec") or {}}


def _read_deployment(found: Object, state: State) -> None:
    pod: Any = at(found.data, "spec.template.spec")
    pod = pod if isinstance(pod, dict) else {}
    container = manager(pod)
    if not state.version:
        state.version = version_of(str(container.get("image", "")))
    read_deployment(found, pod, container, state)
