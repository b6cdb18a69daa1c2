"""Other values of each leaf of the values API, and what the charts render with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from generator import CHART, MODELS
from generator.chart.rendering import schema_of
from generator.values.load import Values, merge
from generator.values.schema import Leaf, defaults, leaves, values_schema
from tests import rendering
from tests.rendering import CASES, CHARTS, MODES, WITH_MODELS, helm_template, values_of

SCHEMA = values_schema()
LEAVES = list(leaves(SCHEMA))


def branches(node: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """What an entry may have or not: each object with values of its own below a `*`."""
    for key, child in node.get("properties", {}).items():
        here = (*path, key)
        if "*" in path and ("properties" in child or "x-entries" in child):
            yield Leaf(here, child)
        if "x-entries" in child:
            yield from branches(child["additionalProperties"], (*here, "*"))
        else:
            yield from branches(child, here)


BRANCHES = list(branches(SCHEMA))
READERS = {
    chart: {leaf.path for leaf in leaves(schema_of(chart)) if "x-foreign" not in leaf.schema}
    for chart in CHARTS
}
# Where most values show first, so that most need one render.
ORDER = {
    CHART: ["everything-on", "default", "existing-certificate", "cert-manager", "istio-both"],
    MODELS: ["models-every-key", "istio-models", "models-by-host"],
}
for _chart, _cases in ((CHART, CASES), (MODELS, WITH_MODELS)):
    ORDER[_chart] += [case for case in _cases if case not in ORDER[_chart]]

# How requests are routed decides what most values change, so these are tried in every such case.
ROUTED = {
    CHART: ["tenants-gateways", "istio-tenants"],
    MODELS: ["gateway-routes", "istio-models", "tenant-routes", "tenant-virtual-service"],
}
_ROUTED = {
    CHART: ("global", "routing", "tenants"),
    MODELS: (
        "deploymentMode",
        "global",
        "graphs",
        "inference",
        "networkPolicy",
        "platform",
        "routing",
        "tenants",
    ),
}

VALUES = {case: values_of(case) for case in CASES | MODES}
WHOLE = {case: merge(defaults(SCHEMA), values) for case, values in VALUES.items()}

SAMPLES = {
    "ResourceRequirements": {"limits": {"example.com/thing": 3}},
    "DeploymentStrategy": {"type": "RollingUpdate"},
    "map[string]EnvVar": {"FLIPPED": "x"},
    "map[string]Volume": {"flipped": {"emptyDir": {}}},
    "map[string]VolumeMount": {"/flipped": {"name": "cert"}},
    "PodSecurityContext": {"fsGroup": 4711},
    "SecurityContext": {"runAsUser": 4711},
    "[]Toleration": [{"key": "flipped", "operator": "Exists"}],
    "Affinity": {"podAffinity": {}},
    "[]TopologySpreadConstraint": [{"topologyKey": "flipped"}],
    "LabelSelector": {"matchLabels": {"flipped": "true"}},
    "map[string]CustomRuntime": {"flipped": {"spec": {"containers": []}}},
    "map[string]Object": {
        "flipped": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "flipped"}}
    },
    "GatewayInfrastructure": {"labels": {"flipped": "true"}},
    "AllowedRoutes": {"namespaces": {"from": "Same"}},
    "[]RelabelConfig": [{"targetLabel": "flipped", "replacement": "x"}],
    "[]NetworkPolicyPeer": [{"podSelector": {}}],
    "LimitRangeSpec": {"limits": [{"type": "Pod", "max": {"cpu": "17"}}]},
    "ResourceQuotaSpec": {"hard": {"pods": 17}},
    "TrafficPolicy": {"loadBalancer": {"simple": "RANDOM"}},
    "Probe": {"periodSeconds": 17},
    "InferenceServiceSpec": {"predictor": {"minReplicas": 17}},
    "InferenceGraphSpec": {"minReplicas": 17},
}
# The same with a text that the type leaves to whoever writes it.
WRITTEN: dict[str, Callable[[str], Any]] = {
    "ResourceRequirements": lambda text: {"limits": {"cpu": text}},
    "DeploymentStrategy": lambda text: {"type": text},
    "map[string]EnvVar": lambda text: {"WRITTEN": text},
    "map[string]Volume": lambda text: {"written": {"hostPath": {"path": text}}},
    "map[string]VolumeMount": lambda text: {"/written": {"name": "cert", "subPath": text}},
    "PodSecurityContext": lambda text: {"seLinuxOptions": {"user": text}},
    "SecurityContext": lambda text: {"seLinuxOptions": {"user": text}},
    "[]Toleration": lambda text: [{"key": "written", "value": text}],
    "Affinity": lambda text: {
        "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": text}]}
    },
    "[]TopologySpreadConstraint": lambda text: [
        {"topologyKey": text, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "LabelSelector": lambda text: {"matchLabels": {"written": text}},
    "map[string]CustomRuntime": lambda text: {
        "written": {"spec": {"containers": [{"name": "kserve-container", "args": [text]}]}}
    },
    "map[string]Object": lambda text: {
        "written": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "written"},
            "data": {"text": text},
        }
    },
    "GatewayInfrastructure": lambda text: {"annotations": {"written": text}},
    "AllowedRoutes": lambda text: {"namespaces": {"from": text}},
    "[]RelabelConfig": lambda text: [{"targetLabel": "written", "replacement": text}],
    "[]NetworkPolicyPeer": lambda text: [{"podSelector": {"matchLabels": {"written": text}}}],
    "LimitRangeSpec": lambda text: {"limits": [{"type": text}]},
    "ResourceQuotaSpec": lambda text: {"scopes": [text]},
    "TrafficPolicy": lambda text: {"loadBalancer": {"consistentHash": {"httpHeaderName": text}}},
    "Probe": lambda text: {"exec": {"command": [text]}},
    "InferenceServiceSpec": lambda text: {"predictor": {"model": {"args": [text]}}},
    "InferenceGraphSpec": lambda text: {"nodeSelector": {"written": text}},
}
# Texts of formats that neither a number nor a domain has.
FORMATS = {
    "controller name": "flipped.example.com/controller",
    "domain template": "{{ .Name }}.flipped.{{ .IngressDomain }}",
    "http url": "http://flipped.example.com",
    "kind": "Flipped",
    "namespace pattern": "flipped",
    "path": "/flipped",
    "path template": "/flipped/{{ .Namespace }}/{{ .Name }}",
    "resource name": "example.com/flipped",
    "storage uri": "s3://flipped",
    "storage uri of an object": "s3://flipped",
    "url": "http://flipped.example.com",
}


def versions() -> list[str]:
    """The names of the versions beside a model, in all cases."""
    models = (entry for values in WHOLE.values() for entry in (values.get("models") or {}).values())
    return sorted({name for entry in models for name in entry.get("canary") or {}})


# A text that shows whether it stays one (law 11).
DIGITS = "1000017"
# Strings that their pattern makes special.
STRINGS = {
    "digest": "sha256:" + "ab" * 32,
    "duration": "1700h",
    "renewBefore": "17h",
    "interval": "17s",
    "scrapeTimeout": "17s",
    "scrapeInterval": "17s",
    "ingressGateway": "flipped/flipped",
    "localGateway": "flipped/flipped",
    "webhook.certificate.caBundle": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tIGZsaXBwZWQK",
    "maxSurge": "17%",
    "maxUnavailable": "17%",
    "cpu": "17m",
    "memory": "17Mi",
    # No less than what is requested.
    "limits.cpu": "17",
    "limits.memory": "17Gi",
    "format": "xgboost",
    "formatVersion": "1",
    "inferenceService": "shared-too",
    "timeout": "17s",
}


def flips(leaf: Leaf, value: object) -> list[object]:
    """Values that differ from `value` and that the leaf's schema allows; None takes it away."""
    schema = leaf.schema
    if "properties" in schema or "x-entries" in schema:
        return [branch_of(leaf)] if value is None else [None]
    # What an entry says may be left out.
    gone = [None] if "default" not in schema and value is not None else []
    if "x-kubernetes" in schema:
        return [SAMPLES[schema["x-kubernetes"]], *gone]
    if "enum" in schema:
        return [word for word in schema["enum"] if word != value] + gone
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "boolean" in kinds:
        return [not value]
    if "integer" in kinds and (value is None or not isinstance(value, str)):
        number = value or 0
        return [number + 1 if number != schema.get("maximum") else number - 1, *gone]
    for name in (leaf.name, ".".join(leaf.path[-2:]), leaf.path[-1]):
        if name in STRINGS and "string" in kinds:
            return [STRINGS[name], *gone]
    form = schema.get("x-format", "").removesuffix("?")
    if form in FORMATS:
        return [FORMATS[form], *([""] if value else []), *gone]
    if "string" in kinds:
        return [DIGITS, "flipped.example.com", *([""] if value else []), *gone]
    if "array" in kinds:
        item = FORMATS.get(schema["items"].get("x-format", ""), "flipped.example.com")
        # MLServer's extraArgs may not start with any word.
        longer = [[*value, item]] if value else []
        return [[item], *longer, *gone]
    inner = {} if schema.get("additionalProperties") == {"type": "object"} else "x"
    return [{"flipped": inner}, *gone]


def branch_of(leaf: Leaf) -> object:
    """What the cases have at a branch; an empty one if they have none."""
    every = (at(values, path) for values in VALUES.values() for path in places(values, leaf.path))
    return next((found for found in every if found), {})


def writings(leaf: Leaf, value: Any, text: str) -> list[object]:
    """Values of the leaf's kind with `text` in them, of a map also as a key; none of a number.

    What is in a list, its present `value`, stays before the text.
    """
    schema = leaf.schema
    if "x-kubernetes" in schema:
        return [WRITTEN[schema["x-kubernetes"]](text)]
    if "enum" in schema:
        return [text]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "string" in kinds:
        return [text]
    if "array" in kinds:
        return [[*(value or []), text]]
    if "object" in kinds:
        return [{"written": text}, {text: "x"}]
    return []


def places(
    values: dict[str, Any], path: tuple[str, ...], here: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The paths that `path` stands for in these values: `*` is each entry that is there."""
    if "*" not in path:
        yield (*here, *path)
        return
    star = path.index("*")
    entries = at(values, path[:star]) or {}
    for name in entries:
        yield from places(entries[name], path[star + 1 :], (*here, *path[:star], name))


def at(values: object, path: tuple[str, ...]) -> object:
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def nearness(values: object, path: tuple[str, ...]) -> int:
    """How much of a path a case's own values have: where more is set, more shows."""
    if not path or not isinstance(values, dict):
        return 0
    entries = values.values() if path[0] == "*" else [values[path[0]]] if path[0] in values else []
    return max((1 + nearness(entry, path[1:]) for entry in entries), default=0)


def changed(values: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """A copy of `values` with `value` at `path`; None removes the key."""
    key, *rest = path
    if rest:
        return {**values, key: changed(values.get(key) or {}, tuple(rest), value)}
    if value is None:
        return {name: values[name] for name in values if name != key}
    return {**values, key: value}


def candidates(leaf: Leaf) -> list[tuple[str, str]]:
    """The charts and cases in which a leaf could have an effect, the likeliest first."""
    charts = [chart for chart in CHARTS if leaf.path in READERS[chart]]
    pairs = [(chart, case) for chart in charts for case in ORDER[chart]]

    def unlikeliness(pair: tuple[str, str]) -> tuple[bool, int]:
        values = VALUES[pair[1]]
        # One registry for all hides that of each image.
        hidden = leaf.path[-1] == "registry" and "imageRegistry" in values.get("global", {})
        return hidden, -nearness(values, leaf.path)

    return sorted(pairs, key=unlikeliness)


class Trial(NamedTuple):
    """A file with a case's values, but for another value at `path`; a chart to render it with."""

    chart: str
    case: str
    path: tuple[str, ...]
    file: Path


def trials(
    leaf: Leaf, others: Callable[[Leaf, object], list[object]], folder: Path
) -> Iterator[Trial]:
    """What to render to see a leaf's effect, for each of the `others` of its value.

    `others` takes the leaf and the value that it has; the likeliest to have an effect come first.
    """
    for chart, case in candidates(leaf):
        yield from trials_in(chart, case, leaf, others, folder)


def trials_in(
    chart: str,
    case: str,
    leaf: Leaf,
    others: Callable[[Leaf, object], list[object]],
    folder: Path,
) -> Iterator[Trial]:
    """The trials of a leaf in one case."""
    for path in places(WHOLE[case], leaf.path):
        for number, other in enumerate(others(leaf, at(WHOLE[case], path))):
            file = folder / f"{chart}-{'.'.join(path)}-{case}-{number}.yaml".replace("/", "_")
            file.write_text(json.dumps(changed(VALUES[case], path, other), indent=1))
            yield Trial(chart, case, path, file)


def routed(leaf: Leaf, folder: Path) -> Iterator[Trial]:
    """The trials of a leaf in the cases that route requests, of a leaf that may matter there."""
    for chart, cases in ROUTED.items():
        if leaf.path[0] in _ROUTED[chart] and is_read(leaf, chart):
            for case in cases:
                yield from trials_in(chart, case, leaf, back_too, folder)


def back_too(leaf: Leaf, value: object) -> list[object]:
    """The flips of a leaf; its default, too, where the case has another value."""
    default = leaf.schema.get("default")
    others = flips(leaf, value)
    return others if default in (None, value, *others) else [*others, default]


def is_read(leaf: Leaf, chart: str) -> bool:
    """Whether a chart reads a leaf, or something below a branch."""
    return any(path[: len(leaf.path)] == leaf.path for path in READERS[chart])


def render_with(chart: str, values: Values, *, helm: str = "helm") -> str:
    """What a chart renders with some values. Raises ToolFailed or ValuesError if it refuses them."""
    return helm_template(
        CHARTS[chart],
        values,
        release=CHART if chart == CHART else f"{CHART}-models",
        namespace=rendering.NAMESPACES[chart],
        helm=helm,
        more=(),
    )
