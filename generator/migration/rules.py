"""The rules of generator/data/migration.yaml: what becomes of each value of upstream's charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from generator import CONFIG, DATA
from generator.yaml.data import JsonObject
from generator.yaml.document import load_fast

RESOURCES = "kserve-resources"
RUNTIMES = "kserve-runtime-configs"
CRDS = "kserve-crd"
CHARTS = (CRDS, RESOURCES, RUNTIMES)
"""The charts whose values can be read."""

ALL_IN_ONE = "0.16"
"""The last version whose kserve-resources has the runtimes too, all of them on."""

_SCALARS = (str, int, float, bool)
_VERSION = "VERSION"
_RUNTIME = "RUNTIME"


@dataclass(frozen=True)
class Rule:
    """What becomes of the value at `path` of upstream's chart; migration.yaml explains the rest.

    `how` is the file's `as`, `decided` its `by`. `path` is also what the setting is called here
    when the ConfigMap has it. `runtime` is upstream's word of a runtime, for the values of one;
    `is_version` says that the default is the chart's own version, or an image of that version.
    """

    path: str
    default: Any = ""
    to: str = ""
    how: str = ""
    decided: str = ""
    lost: str = ""
    same: str = ""
    config: str = ""
    since: str = ""
    runtime: str = ""
    is_version: bool = False

    def is_in(self, version: str) -> bool:
        """Whether a version of upstream, such as 0.19, has the value."""
        return order(self.since) <= order(version)


@dataclass(frozen=True)
class UpstreamRuntime:
    """A runtime of upstream's charts: our word for it, and the image that they give it."""

    to: str
    image: str = ""
    tag: str = ""
    since: str = ""


def order(version: str) -> tuple[int, ...]:
    """A version such as 0.16 as numbers that can be compared; nothing comes before all."""
    return tuple(int(part) for part in version.split(".")) if version else ()


@cache
def _data() -> JsonObject:
    data: JsonObject = load_fast(DATA / "migration.yaml")
    return data


def versions() -> tuple[str, ...]:
    """The versions of upstream's charts that were compared, the oldest first."""
    return tuple(_data()["versions"])


def nearest(version: str) -> str:
    """The compared version by whose rules another one is read: the next one, or the last."""
    return next((each for each in versions() if order(each) >= order(version)), versions()[-1])


@cache
def upstream_runtimes() -> Mapping[str, UpstreamRuntime]:
    """By the word that upstream's values have for it."""
    return {word: UpstreamRuntime(**about) for word, about in _data()["runtimes"].items()}


@cache
def rules(chart: str) -> Mapping[str, Rule]:
    """The rules of a chart by the path that its values have; of CONFIG, by the ConfigMap's path."""
    if chart == CONFIG:
        carried = {rule.config: rule for rule in rules(RESOURCES).values() if rule.config}
        return carried | _read(CONFIG)
    return _read(chart)


def _read(chart: str) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for path, about in _data()["charts"][chart].items():
        if _RUNTIME not in path:
            found[path] = _rule(path, about)
            continue
        for word, runtime in upstream_runtimes().items():
            own = path.replace(_RUNTIME, word)
            if (rule := _of_runtime(own, about, runtime, word)) is not None:
                found.setdefault(own, rule)
    return found


def _rule(path: str, about: Mapping[str, Any], *, runtime: str = "") -> Rule:
    about = dict(about)
    renamed = {
        "how": about.pop("as", ""),
        "decided": about.pop("by", ""),
        "to": about.pop("to", "").replace(_RUNTIME, upstream_runtimes()[runtime].to)
        if runtime
        else about.pop("to", ""),
    }
    name, _, version = str(about.get("default", "")).rpartition(":")
    if version == _VERSION:
        about |= {"default": name, "is_version": True}
    return Rule(path, runtime=runtime, **renamed, **about)


def _of_runtime(
    path: str, about: Mapping[str, Any], runtime: UpstreamRuntime, word: str
) -> Rule | None:
    """The rule for a value that every runtime has; None if this runtime has no such value."""
    key = path.rpartition(".")[2]
    if key in ("image", "tag", "imagePullPolicy") and not runtime.image:
        return None
    more: JsonObject = {}
    if key in ("image", "tag"):
        more["default"] = getattr(runtime, key) or _VERSION
    if runtime.since and order(runtime.since) > order(about.get("since", "")):
        more["since"] = runtime.since
    return _rule(path, {**about, **more}, runtime=word)


def misfit(rule: Rule, value: Any) -> str:
    """What upstream wants for a value that is of another kind; "" if it is of the right one."""
    if rule.path.endswith("Domains"):
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return "" if fits else "a list of texts"
    if rule.decided == "pull secrets":
        names = value if isinstance(value, list) else [None]
        names = [each.get("name") if isinstance(each, dict) else each for each in names]
        return "" if all(isinstance(each, str) for each in names) else "a list of names"
    fits = isinstance(value, _SCALARS) or not rule.decided
    return "" if fits else "text, a number, true or false"


def upstream_objects(what: str) -> tuple[str, ...]:
    """Objects that upstream installs, as `kind/name`; `what` is a key of `objects` in the file."""
    return tuple(_data()["objects"][what])


def upstream_pod() -> JsonObject:
    """The pod of the controller's Deployment as upstream installs it, less what has rules."""
    pod: JsonObject = _data()["pod"]
    return pod


def upstream_storage() -> JsonObject:
    """The spec of upstream's ClusterStorageContainer, less what has rules."""
    spec: JsonObject = _data()["storage"]
    return spec


def is_all_in_one(version: str) -> bool:
    """Whether one chart of a version had the controller and the runtimes; not if none is known."""
    return bool(version) and order(version) <= order(ALL_IN_ONE)
