"""What several of upstream's values decide together: the words after `by` in the rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from generator.catalog import catalog
from generator.migration.reference import Reference, parse, split
from generator.migration.routing import routing
from generator.migration.rules import order, upstream_runtimes
from generator.migration.state import Carried, Finding, Lost, Noted, State

_ON = "kserve.servingruntime.enabled"
_RELEASED = re.compile(r"v0\.\d+\.\d+")
_OURS = catalog().versions.kserve
_AGENT = "agent.image"


def decide(decision: str, state: State) -> Iterator[Finding]:
    """What becomes of the values that a decision is about."""
    return _DECISIONS[decision](state)


def _version(state: State) -> Iterator[Finding]:
    (rule,) = state.decided_by("version")
    if state.is_changed(rule.path) and state.value(rule.path) != _OURS:
        yield Noted(rule.path, f"this kserve-lite runs KServe {_OURS}, and upgrades to that")


def _runtimes(state: State) -> Iterator[Finding]:
    """Which runtimes there are: upstream has one switch for all, and one more for each."""
    on = True if state.all_in_one else state.is_on(_ON)
    version = state.version or "999"
    for word, runtime in upstream_runtimes().items():
        path = f"kserve.servingruntime.{word}.disabled"
        there = order(runtime.since) <= order(version)
        enabled = on and there and not state.is_on(path)
        if enabled != catalog().runtimes[runtime.to].enabled:
            why = "" if path in state.given or _ON in state.given else "upstream's default"
            origin = path if path in state.given else _ON
            yield Carried(f"runtimes.{runtime.to}.enabled", enabled, origin, why)
    for name, runtime_of_ones_own in state.custom.items():
        yield Carried(f'customRuntimes["{name}"]', runtime_of_ones_own, name)


def _images(state: State) -> Iterator[Finding]:
    """Images, of which upstream has name and tag apart, and its ConfigMap both in one."""
    by_target: dict[str, list[str]] = {}
    for rule in state.decided_by("images"):
        by_target.setdefault(rule.to, []).append(rule.path)
    for path in by_target.pop("", ()):
        if path in state.given and state.given[path] != state.given.get(_AGENT, state.given[path]):
            yield Lost(path, state.rules[path].lost)
    for target, paths in by_target.items():
        if _is_used(target, state):
            yield from _image(target, paths, state)


def _is_used(target: str, state: State) -> bool:
    """Whether an image is of the platform, of a runtime that is on, or was given."""
    paths = [rule.path for rule in state.decided_by("images") if rule.to == target]
    word = state.rules[paths[0]].runtime
    if not word or any(state.is_changed(path) for path in paths):
        return True
    on = state.all_in_one or state.is_on(_ON)
    return on and not state.is_on(f"kserve.servingruntime.{word}.disabled")


def _image(target: str, paths: list[str], state: State) -> Iterator[Finding]:
    """The parts of an image that differ from ours."""
    ours = _catalogued(target)
    for path in paths:
        if state.rules[path].runtime == "" and not state.is_changed(path):
            continue
        given = str(state.value(path))
        is_tag = path.endswith(("tag", "Version"))
        found = Reference(tag=given) if is_tag else parse(given)
        yield from _parts(target, path, found, ours, state)


def _parts(
    target: str, path: str, found: Reference, ours: Mapping[str, str], state: State
) -> Iterator[Finding]:
    for part, value in split(found).items():
        if part == "tag" and (value, ours["tag"]) == (_OURS, ""):
            continue
        if part == "tag" and _is_of_kserve(value, target, state):
            if path in state.given and value != f"v{state.version}.0":
                yield Noted(path, f"{value} is a version of KServe, and kserve-lite runs {_OURS}")
        elif value != ours[part]:
            why = ""
            if not state.is_changed(path):
                why = f"upstream's default; kserve-lite's is {ours[part]}"
            yield Carried(f"{target}.{part}", value, path, why)


def _is_of_kserve(tag: str, target: str, state: State) -> bool:
    """Whether a tag says no more than which KServe it is."""
    if not _RELEASED.fullmatch(tag):
        return tag == "latest" and not target.startswith("runtimes.")
    return not target.startswith("runtimes.") or tag.startswith(f"v{state.version or 'x'}.")


def _catalogued(target: str) -> Mapping[str, str]:
    """The parts of our own image at a path of the values."""
    if target.startswith("runtimes."):
        image = catalog().runtimes[target.split(".")[1]].image
    else:
        image = catalog().images[_IMAGES[target]]
    # Their tag is empty in the values where it is KServe's version.
    tag = "" if image.tag == _OURS else image.tag
    return {"registry": image.registry, "repository": image.repository, "tag": tag, "digest": ""}


_IMAGES = {
    "controller.image": "controller",
    "inference.agent.image": "agent",
    "inference.artExplainer.image": "artExplainer",
    "inference.router.image": "router",
    "storage.initializer.image": "storageInitializer",
}


def _pull_secrets(state: State) -> Iterator[Finding]:
    """One list here, for all that pulls images; upstream has one for each."""
    names: dict[str, str] = {}
    for rule in state.decided_by("pull secrets"):
        for entry in state.given.get(rule.path) or ():
            name = entry.get("name") if isinstance(entry, dict) else entry
            names.setdefault(str(name), rule.path)
    if names:
        why = "one list for the controller, the runtimes, the router and the models of the values"
        yield Carried("global.imagePullSecrets", list(names), next(iter(names.values())), why)


def _pull_policy(state: State) -> Iterator[Finding]:
    """One policy here; upstream has one for each image."""
    changed = {
        rule.path: state.value(rule.path)
        for rule in state.decided_by("pull policy")
        if state.is_changed(rule.path)
    }
    words = set(changed.values())
    if len(words) == 1:
        (word,) = words
        if word != "IfNotPresent":
            why = "one policy for the controller, the runtimes, the router and the initializer"
            yield Carried("global.imagePullPolicy", word, next(iter(changed)), why)
        else:
            yield from (Noted(path, "kserve-lite's default") for path in changed)
        return
    for path in changed:
        yield Lost(path, "kserve-lite has one policy for all images; set global.imagePullPolicy")


_DECISIONS: Mapping[str, Callable[[State], Iterator[Any]]] = {
    "images": _images,
    "pull policy": _pull_policy,
    "pull secrets": _pull_secrets,
    "routing": routing,
    "runtimes": _runtimes,
    "version": _version,
}
