"""Law 3: every value has an effect, and every value that is read exists."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from generator.chart import render
from generator.errors import ToolFailed, ValuesError
from generator.manifests import helm_template
from generator.schema import Leaf, defaults, find, leaves, values_schema
from generator.values import merge
from tests import rendering
from tests.rendering import CASES, STOCK, values_of

SCHEMA = values_schema()
LEAVES = list(leaves(SCHEMA))
# Where most values show first, so that most need one render.
ORDER = ["everything-on", "default", "existing-certificate", "cert-manager", "istio-both"]
ORDER += [case for case in CASES if case not in ORDER]

SAMPLES = {
    "ResourceRequirements": {"limits": {"example.com/thing": 3}},
    "DeploymentStrategy": {"type": "RollingUpdate"},
    "map[string]EnvVar": {"FLIPPED": "x"},
    "map[string]Volume": {"flipped": {"emptyDir": {}}},
    "map[string]VolumeMount": {"/flipped": {"name": "flipped"}},
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
}
# Strings that their pattern makes special.
STRINGS = {
    "digest": "sha256:" + "ab" * 32,
    "duration": "17h",
    "renewBefore": "17h",
    "interval": "17s",
    "scrapeTimeout": "17s",
    "scrapeInterval": "17s",
    "ingressGateway": "flipped/flipped",
    "localGateway": "flipped/flipped",
    "caBundle": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tIGZsaXBwZWQK",
    "maxSurge": "17%",
    "maxUnavailable": "17%",
    "cpu": "17m",
    "memory": "17Mi",
}


def flips(leaf: Leaf, value: object) -> list[object]:
    """Values that differ from `value` and that the leaf's schema allows."""
    schema = leaf.schema
    if "x-kubernetes" in schema:
        return [SAMPLES[schema["x-kubernetes"]]]
    if "enum" in schema:
        return [it for it in schema["enum"] if it != value]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "boolean" in kinds:
        return [not value]
    if leaf.path[-1] in STRINGS and "string" in kinds:
        return [STRINGS[leaf.path[-1]]]
    if "integer" in kinds:
        return [value + 1 if value != schema.get("maximum") else value - 1]
    if "string" in kinds:
        return ["flipped.example.com", ""] if value else ["flipped.example.com"]
    if "array" in kinds:
        return [["flipped.example.com"]]
    return [
        {"flipped": {} if leaf.schema.get("additionalProperties") == {"type": "object"} else "x"}
    ]


def at(values: dict, path: tuple[str, ...]) -> object:
    for key in path:
        values = values[key]
    return values


def nested(path: tuple[str, ...], value: object) -> dict:
    for key in reversed(path):
        value = {key: value}
    return value


def is_alive(leaf: Leaf, folder) -> bool:
    """Whether changing the leaf changes a render, in one case or another."""
    for case in ORDER:
        values = values_of(case)
        whole = merge(defaults(SCHEMA), values)
        for number, flipped in enumerate(flips(leaf, at(whole, leaf.path))):
            file = folder / f"{leaf.name}-{case}-{number}.yaml"
            file.write_text(json.dumps(merge(values, nested(leaf.path, flipped))))
            try:
                text = helm_template(STOCK, [file], more=())
            except (ToolFailed, ValuesError):
                continue  # Not allowed beside this case's other values; another case may allow it.
            if yaml_of(text) != yaml_of(rendering.template(case)):
                return True
    return False


def yaml_of(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*\n", "", text)


@pytest.mark.parametrize("part", range(4))
def test_every_value_has_an_effect(part, tmp_path):
    some = LEAVES[part::4]
    with ThreadPoolExecutor(2) as pool:
        alive = list(pool.map(lambda leaf: is_alive(leaf, tmp_path), some))
    assert len(some) > 50
    assert [leaf.name for leaf, works in zip(some, alive, strict=True) if not works] == []


def test_every_value_that_is_read_exists():
    reads = {
        match[1].strip(".")
        for path, text in render().items()
        if path.startswith("templates/")
        for match in re.finditer(r"\.Values((?:\.[A-Za-z0-9]+)+)", text)
    }
    assert len(reads) > 100
    missing = [read for read in reads if find(SCHEMA, tuple(read.split("."))) is None]
    assert missing == []


def test_the_defaults_in_values_yaml_are_those_of_the_schema():
    assert yaml.safe_load(render()["values.yaml"]) == defaults(SCHEMA)
