"""Upstream's sample InferenceServices through `generator model` and the models chart.

Needs Go, and the network the first time.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegen import upstream
from generator.catalog import catalog
from generator.errors import GeneratorError, ValuesError
from generator.importer.entries import add, read_models
from generator.importer.inferenceservice import from_manifest
from generator.importer.services import read_services
from generator.manifests import routes
from generator.manifests.rendering import models
from generator.values.check import read
from generator.values.sources import read_source
from tests import rendering

SAMPLES = upstream.folder("github.com/kserve/kserve") / "docs" / "samples"
PLATFORM = {
    "runtimes": {key: {"enabled": True} for key in catalog().runtimes},
    "storage": {"ociModels": {"mode": "modelcar"}},
}
# What KServe 0.20 takes no more.
REFUSED = {
    "explanation/alibi/": "spec.explainer.alibi: unknown key",
    "multimodelserving/triton/": "no storageUri says where the model is",
    "rollout-strategy/rollout-strategy-example.yaml-0": "spec.transformer.custom: unknown key",
    "v1beta1/torchserve/v1/bloom/": "spec.nodeName: unknown key",
    "v1beta1/transformer/feast/driver_transformer_modelmesh": '"ModelMesh" is not one of',
}


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(SAMPLES.rglob("*.yaml")):
        try:
            documents = list(yaml.safe_load_all(file.read_text()))
        except yaml.YAMLError:
            continue  # Ten are not YAML.
        for number, document in enumerate(documents):
            service = isinstance(document, dict) and document.get("kind") == "InferenceService"
            if service and document["apiVersion"] == "serving.kserve.io/v1beta1":
                yield f"{file.relative_to(SAMPLES)}-{number}", document


ALL = dict(samples())
TAKEN = [name for name in ALL if not name.startswith(tuple(REFUSED))]


def with_model(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec as the API server keeps it: KServe turns a framework's key into `model:`."""
    predictor = dict(spec["predictor"])
    for name in ("sklearn", "xgboost", "lightgbm", "tensorflow", "pytorch", "pmml", "paddle"):
        if name in predictor:
            predictor["model"] = {"modelFormat": {"name": name}, **predictor.pop(name)}
    for name in ("triton", "onnx", "huggingface"):
        if name in predictor:
            former = {"protocolVersion": "v2", **predictor.pop(name)}
            predictor["model"] = {"modelFormat": {"name": name}, **former}
    return {**spec, "predictor": predictor}


def render(file: Path, entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The InferenceServices of the entries, by name."""
    # Most samples are for any mode; a traffic split between revisions is for Knative alone.
    knative = [entry for entry in entries.values() if "canaryTrafficPercent" in json.dumps(entry)]
    platform = PLATFORM | ({"deploymentMode": "Knative"} if knative else {})
    file.write_text(json.dumps(platform | {"models": entries}))
    read([file])
    found = rendering.of_kind(rendering.parse(models(read([file]))), "InferenceService")
    return {service["metadata"]["name"]: service for service in found}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    entries = {f"m{number}": from_manifest(ALL[name]) for number, name in enumerate(TAKEN)}
    folder = tmp_path_factory.mktemp("samples")
    split = {
        name: entry
        for name, entry in entries.items()
        if "canaryTrafficPercent" in json.dumps(entry)
    }
    assert 0 < len(split) < len(entries)
    others = {name: entry for name, entry in entries.items() if name not in split}
    by_name = render(folder / "split.yaml", split) | render(folder / "others.yaml", others)
    return {name: by_name[f"m{number}"] for number, name in enumerate(TAKEN)}


def test_there_are_samples():
    assert len(TAKEN) > 80
    assert all(any(name.startswith(prefix) for name in ALL) for prefix in REFUSED)


@pytest.mark.parametrize("name", TAKEN)
def test_a_sample_becomes_an_entry_that_renders_it(name, rendered):
    assert rendered[name]["spec"] == with_model(ALL[name]["spec"])
    metadata = ALL[name]["metadata"]
    modes = {"RawDeployment": "Standard", "Serverless": "Knative"}
    annotations = metadata.get("annotations", {}).items()
    kept = {key: modes.get(value, value) for key, value in annotations}
    assert rendered[name]["metadata"].get("annotations", {}) == kept
    assert metadata.get("labels", {}).items() <= rendered[name]["metadata"]["labels"].items()


@pytest.mark.parametrize("name", [name for name in ALL if name not in TAKEN])
def test_what_kserve_takes_no_more_is_refused(name, tmp_path):
    own, entry = ALL[name]["metadata"]["name"], from_manifest(ALL[name])
    (said,) = (said for start, said in REFUSED.items() if name.startswith(start))
    with pytest.raises(ValuesError, match=said):
        render(tmp_path / "values.yaml", {own: entry})


def test_all_of_them_in_a_list_become_the_same_entries(tmp_path):
    items = [copy.deepcopy(ALL[name]) for name in TAKEN]
    for number, item in enumerate(items):
        item["metadata"] |= {"name": f"m{number}", "uid": "u", "resourceVersion": "1"}
    file = tmp_path / "list.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    found = read_models(file)
    assert found.entries == {item["metadata"]["name"]: from_manifest(item) for item in items}
    assert not found.left_out
    assert yaml.safe_load(str(found)) == {"models": found.entries}


# What people and programs leave in the place of something.
JUNK = st.sampled_from(
    [
        *(None, True, 0, -1, 1.5, 10**30, "", "text", "a\nb", "n", "012", "{{ .Name }}", "\u2028"),
        *([], {}, ["a"], [None], [[]], [{}], {"a": None}, {"name": None}, {"": []}, {"n": 1}),
    ]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything below a value."""
    for key in (
        value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    ):
        yield (*path, key)
        yield from places(value[key], (*path, key))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample in which something is replaced, removed, wrapped or renamed; perhaps its bytes too."""
    manifest: Any = copy.deepcopy(ALL[draw(st.sampled_from(list(ALL)))])
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(places(manifest))))
        parent = manifest
        for key in above:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "remove", "wrap", "rename"])):
            case "replace":
                parent[last] = copy.deepcopy(draw(JUNK))
            case "wrap":
                parent[last] = [parent[last]]
            case "rename" if isinstance(parent, dict):
                parent[draw(st.sampled_from(["name", "spec", "model", "env", "x"]))] = parent.pop(
                    last
                )
            case _ if len(manifest) > 1:
                del parent[last]
    text = yaml.safe_dump(manifest) if draw(st.booleans()) else json.dumps(manifest, indent=1)
    data = text.encode()
    if draw(st.booleans()):
        start = draw(st.integers(0, len(data)))
        noise = draw(
            st.binary(max_size=3)
            | st.sampled_from([b"&a ", b"*a", b"!x ", b"\n---\n", b": ", b"- "])
        )
        data = data[:start] + noise + data[start + draw(st.integers(0, 9)) :]
    return data


@given(data=damaged())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_sample_is_taken_or_refused_with_its_place(data, tmp_path_factory):
    """No exception but the generator's own; what is printed is YAML, and fits a values file."""
    folder = tmp_path_factory.getbasetemp()
    source, values = folder / "damaged.yaml", folder / "my.yaml"
    source.write_bytes(data)
    values.write_text("platform: openshift\n")
    try:
        found = read_models(source)
    except GeneratorError as error:
        assert re.match(rf"{re.escape(str(source))}:[0-9]+:1: ", str(error))
        return
    assert all(str(problem).startswith(f"{source}:") for problem in found.left_out)
    assert found.entries or found.left_out
    if found.entries:
        assert yaml.safe_load(str(found)) == {"models": found.entries}
        add(values, found)
        whole = {"platform": "openshift", "models": found.entries}
        assert yaml.safe_load(values.read_text()) == whole
    for service in read_services(read_source(source)).services:
        routes._deciding(service.manifest)
