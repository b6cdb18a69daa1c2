"""Right and hostile values, put anywhere into the values API, and into what Kubernetes has a type for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from generator.values.kubernetes import _definitions, _schema
from generator.values.schema import Leaf, leaves, values_schema
from generator.yaml.data import JsonObject
from tests.rendering import CASES
from tests.unit.test_formats import EXAMPLES

FUZZ = int(os.environ.get("FUZZ", "0"))
LEAVES = list(leaves(values_schema()))
TYPED = [leaf for leaf in LEAVES if "x-kubernetes" in leaf.schema]
BASES = ("default", "everything-on", "istio-virtual-service", "models-every-key", "istio-models")

TEXTS = [
    "", " ", "a", "a b", "a\nb", "a\n", "\ta", "{{ .x }}", "{{", "}}", "'", '"', "\\", "日本", "\u2028", "\x7f",
    "1e3", "12345678", "0x1f", "-1", "9" * 30, "-", "--flag", "-x", "a: b", "# x", "a" * 300, "../..", "/", ".", "..",
    "$(id)", "`id`", "%s", "null", "true", "~", "*", "&a", "!a", "a,b", "a=b", "a/b", "A", "a_b", "a..b", ".a", "a.",
    "https://example.com", "s3://a b", "s3:/a", "oci://", "10.0.0.0/33", "banana", "100%", "101%", "5 m", "60s", "60",
    "*.example.com", "example.com:99999", "sha256:ab", "a@sha256:" + "0" * 64, "<b>", "${VAR}", "$(VAR)",
]  # fmt: skip
NUMBERS = [0, 1, -1, 65535, 65536, 2**31, 2**63, 10**30, 0.5, 1e308, -0.0]
SHAPES = [
    None,
    True,
    False,
    [],
    [None],
    [{}],
    ["a", "a"],
    {},
    {"a": None},
    {"a": {}},
    {"": "a"},
    {"a b": "a"},
]
NAMES = [
    "m",
    "another-model",
    "a-predictor",
    "1m",
    "m" * 48,
    "m" * 64,
    "a b",
    "A",
    "",
    "on",
    "m.n",
    "m_n",
    "-m",
    "123",
]
# Of types without a format; most of them are right somewhere.
PLAIN = ["a", "b", "x.y", "/a", "8080", "a b", ""]

HOSTILE = st.sampled_from([*TEXTS, *NUMBERS, *SHAPES])


def fuzz(examples: int) -> settings:
    """The same examples each time, unless FUZZ asks for more."""
    return settings(
        max_examples=FUZZ or examples,
        derandomize=not FUZZ,
        deadline=None,
        database=None,
        # A smaller example would take minutes: a run of Helm for each.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def values(draw: st.DrawFn) -> JsonObject:
    """A case's values with some leaves replaced, and sometimes a branch."""
    data: JsonObject = yaml.safe_load(CASES[draw(st.sampled_from(BASES))].read_text("utf-8")) or {}
    for _ in range(draw(st.sampled_from([1, 1, 2, 3, 5]))):
        leaf = draw(st.sampled_from(LEAVES) | st.sampled_from(TYPED))
        path = draw(places(leaf.path, data))
        how = draw(st.integers(0, 19))
        if how == 0:
            put(data, path[:-1] or path, draw(HOSTILE))
        else:
            put(data, path, draw(right(leaf) if how > 4 else HOSTILE))
    return data


@st.composite
def places(draw: st.DrawFn, path: Sequence[str], data: Any) -> list[str]:
    """A path in `data`: an entry that is there for each `*`, or now and then a new one."""
    steps: list[str] = []
    for key in path:
        if key == "*":
            there = list(data) if isinstance(data, dict) else []
            new = not there or draw(st.integers(0, 5)) == 0
            steps.append(draw(st.sampled_from(NAMES if new else there)))
        else:
            steps.append(key)
        data = data.get(steps[-1]) if isinstance(data, dict) else None
    return steps


def put(data: JsonObject, steps: Sequence[str], value: Any) -> None:
    """Set what is at a path, whatever stood in its way."""
    for step in steps[:-1]:
        inner = data.get(step)
        data[step] = inner = dict(inner) if isinstance(inner, dict) else {}
        data = inner
    data[steps[-1]] = value


def right(leaf: Leaf) -> st.SearchStrategy[Any]:
    """Values of the kind that the leaf wants, not all of them in its range."""
    if "x-kubernetes" in leaf.schema:
        return typed(leaf.schema["x-kubernetes"], custom="x-custom" in leaf.schema)
    return of_schema(leaf.schema)


@st.composite
def of_schema(
    draw: st.DrawFn, node: JsonObject, definitions: JsonObject | None = None, depth: int = 0
) -> Any:
    """What a JSON schema takes, or nearly; of an object only some fields."""
    if "$ref" in node and definitions:
        node = definitions[node["$ref"].rpartition("/")[2]]
    if draw(st.integers(0, 49)) == 0:
        return draw(HOSTILE)
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    form = node.get("x-format", "").removesuffix("?")
    if form in EXAMPLES:
        return draw(st.sampled_from(EXAMPLES[form][0]))
    kinds = node.get("type", "object")
    match draw(st.sampled_from(kinds)) if isinstance(kinds, list) else kinds:
        case "object":
            return draw(_object(node, definitions, depth))
        case "array":
            item = of_schema(node.get("items", {"type": "string"}), definitions, depth + 1)
            return draw(st.lists(item, max_size=2))
        case "boolean":
            return draw(st.booleans())
        case "integer":
            return draw(st.sampled_from([0, 1, 2, 80, 100, -1, 65536, 2**31]))
        case "number":
            return draw(st.sampled_from([0, 1, 0.5]))
    return draw(st.sampled_from(PLAIN) | st.sampled_from(TEXTS) | st.text(max_size=8))


@st.composite
def _object(
    draw: st.DrawFn, node: JsonObject, definitions: JsonObject | None, depth: int
) -> JsonObject:
    fields = node.get("properties") or node.get("x-parts") or {}
    if fields:
        wanted = [name for name in node.get("required", []) if name in fields]
        more = draw(st.lists(st.sampled_from(sorted(fields)), max_size=3 if depth < 5 else 0))
        names = dict.fromkeys([*wanted, *more])
        return {name: draw(of_schema(fields[name], definitions, depth + 1)) for name in names}
    form = node.get("propertyNames", {}).get("x-format")
    names = dict.fromkeys(
        draw(st.lists(st.sampled_from(EXAMPLES[form][0] if form else PLAIN), max_size=2))
    )
    inner = node.get("additionalProperties")
    entry = inner if isinstance(inner, dict) else {"type": "string"}
    return {name: draw(of_schema(entry, definitions, depth + 1)) for name in names}


@st.composite
def typed(draw: st.DrawFn, kind: str, *, custom: bool) -> Any:
    """A value of `Type`, `[]Type` or `map[string]Type`."""
    if kind.startswith("[]"):
        return draw(st.lists(typed(kind.removeprefix("[]"), custom=custom), max_size=2))
    if kind.startswith("map[string]"):
        kind = kind.removeprefix("map[string]")
        names = st.sampled_from(["/mnt/a", "/b"] if kind == "VolumeMount" else ["a", "b-c", "X"])
        entries = draw(st.dictionaries(names, typed(kind, custom=custom), max_size=2))
        keyed = {"EnvVar": "name", "Volume": "name", "VolumeMount": "mountPath"}.get(kind)
        return {name: _without(entry, keyed) for name, entry in entries.items()}
    if kind == "Object":
        data = draw(st.sampled_from(TEXTS))
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "x"},
            "data": {"a": data},
        }
    return draw(of_schema(_schema(kind, custom=custom), _definitions(custom=custom)))


def _without(entry: Any, key: str | None) -> Any:
    return (
        {name: entry[name] for name in entry if name != key} if isinstance(entry, dict) else entry
    )


@st.composite
def inference_services(draw: st.DrawFn) -> JsonObject:
    """An InferenceService, most of the time nearly right."""
    spec = draw(typed("InferenceServiceSpec", custom=True))
    if isinstance(spec, dict) and draw(st.integers(0, 3)):
        model = {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://a/b"}
        given = spec.get("predictor")
        spec["predictor"] = {**(given if isinstance(given, dict) else {}), "model": model}
    name = draw(st.sampled_from(NAMES) if draw(st.integers(0, 4)) == 0 else st.just("m"))
    metadata: JsonObject = {"name": name}
    for kind in ("labels", "annotations"):
        if draw(st.booleans()):
            metadata[kind] = draw(
                of_schema({"type": "object", "additionalProperties": {"type": "string"}})
            )
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": spec,
    }
