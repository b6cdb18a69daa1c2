"""Law 3: every value has an effect, and every value that is read exists."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from generator import CHART, MODELS
from generator.chart.rendering import render, schema_of
from generator.errors import ToolFailed, ValuesError
from generator.values.load import Values, merge
from generator.values.schema import Leaf, defaults, find, leaves, values_schema
from tests import rendering
from tests.rendering import CASES, CHARTS, WITH_MODELS, helm_template, values_of

SCHEMA = values_schema()
LEAVES = list(leaves(SCHEMA))
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

VALUES = {case: values_of(case) for case in CASES}
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
    "TrafficPolicy": {"loadBalancer": {"simple": "RANDOM"}},
    "Probe": {"periodSeconds": 17},
    "InferenceServiceSpec": {"predictor": {"minReplicas": 17}},
    "InferenceGraphSpec": {"minReplicas": 17},
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
    "url": "http://flipped.example.com",
}
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
    "format": "xgboost",
    "formatVersion": "1",
    "inferenceService": "shared-too",
    "timeout": "17s",
}


def flips(leaf: Leaf, value: object) -> list[object]:
    """Values that differ from `value` and that the leaf's schema allows; None takes it away."""
    schema = leaf.schema
    # What an entry says may be left out.
    gone = [None] if "default" not in schema and value is not None else []
    if "x-kubernetes" in schema:
        return [SAMPLES[schema["x-kubernetes"]], *gone]
    if "enum" in schema:
        return [it for it in schema["enum"] if it != value] + gone
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "boolean" in kinds:
        return [not value]
    if "integer" in kinds and (value is None or not isinstance(value, str)):
        number = value or 0
        return [number + 1 if number != schema.get("maximum") else number - 1, *gone]
    for name in (leaf.name, leaf.path[-1]):
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


def places(values: dict, path: tuple[str, ...], here: tuple[str, ...] = ()):
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
    return max((1 + nearness(it, path[1:]) for it in entries), default=0)


def changed(values: dict, path: tuple[str, ...], value: object) -> dict:
    """A copy of `values` with `value` at `path`; None removes the key."""
    key, *rest = path
    if rest:
        return {**values, key: changed(values.get(key) or {}, tuple(rest), value)}
    if value is None:
        return {it: values[it] for it in values if it != key}
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


def effect(leaf: Leaf, folder) -> str:
    """What a chart renders with another value of the leaf, where that makes a difference."""
    for chart, case in candidates(leaf):
        values, whole = VALUES[case], WHOLE[case]
        before = without_comments(rendering.template(case, chart=chart))
        for path in places(whole, leaf.path):
            for number, flipped in enumerate(flips(leaf, at(whole, path))):
                file = folder / f"{'.'.join(path)}-{case}-{number}.yaml".replace("/", "_")
                file.write_text(json.dumps(changed(values, path, flipped)))
                if (after := render_with(chart, file)) not in ("", before):
                    return after
    return ""


def render_with(chart: str, file) -> str:
    """What a chart renders with a file; "" if it does not allow a value beside the others."""
    try:
        name = CHART if chart == CHART else f"{CHART}-models"
        text = helm_template(
            CHARTS[chart],
            Values.parsed([file]),
            release=name,
            namespace=rendering.NAMESPACES[chart],
            more=(),
        )
    except (ToolFailed, ValuesError):
        return ""
    return without_comments(text)


def without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*\n", "", text)


def is_misread(text: str) -> bool:
    """Whether DIGITS arrive as a number."""
    return any(value == int(DIGITS) for _, value in rendering.walk(rendering.parse(text)))


@pytest.mark.parametrize("part", range(4))
def test_every_value_has_an_effect(part, tmp_path):
    some = LEAVES[part::4]
    with ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(lambda leaf: effect(leaf, tmp_path), some))
    effects = {leaf.name: text for leaf, text in zip(some, texts, strict=True)}
    assert len(effects) > 80
    assert [name for name, text in effects.items() if not text] == []
    # Law 11: what was a text arrives as a text.
    with_digits = {name: text for name, text in effects.items() if DIGITS in text}
    assert len(with_digits) > 10
    assert [name for name, text in with_digits.items() if is_misread(text)] == []


def test_every_value_that_is_read_exists():
    reads = {
        match[1].strip(".")
        for chart in CHARTS
        for path, text in render(chart=chart).items()
        if path.startswith("templates/")
        for match in re.finditer(r"\.Values((?:\.[A-Za-z0-9]+)+)", text)
    }
    assert len(reads) > 100
    missing = [read for read in reads if find(SCHEMA, tuple(read.split("."))) is None]
    assert missing == []


@pytest.mark.parametrize("chart", CHARTS)
def test_the_defaults_in_values_yaml_are_those_of_the_schema(chart):
    assert yaml.safe_load(render(chart=chart)["values.yaml"]) == defaults(schema_of(chart))


def test_every_value_has_a_chart_that_reads_it():
    assert {leaf.path for leaf in LEAVES} == READERS[CHART] | READERS[MODELS]
