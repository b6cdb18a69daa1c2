"""Upstream's sample InferenceServices through `generator model` and the models chart.

Needs Go, and the network the first time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.derive import sources
from generator.errors import ValuesError
from generator.inferenceservice import from_manifest
from generator.manifests import models
from generator.schema import catalog
from generator.values import read
from tests import rendering

SAMPLES = sources.folder("github.com/kserve/kserve") / "docs" / "samples"
PLATFORM = {
    "runtimes": {key: {"enabled": True} for key in catalog()["runtimes"]},
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
        for number, it in enumerate(documents):
            service = isinstance(it, dict) and it.get("kind") == "InferenceService"
            if service and it["apiVersion"] == "serving.kserve.io/v1beta1":
                yield f"{file.relative_to(SAMPLES)}-{number}", it


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
    knative = [it for it in entries.values() if "canaryTrafficPercent" in json.dumps(it)]
    platform = PLATFORM | ({"deploymentMode": "Knative"} if knative else {})
    file.write_text(json.dumps(platform | {"models": entries}))
    read([file])
    found = rendering.of_kind(rendering.parse(models([file])), "InferenceService")
    return {it["metadata"]["name"]: it for it in found}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    entries = {f"m{number}": from_manifest(ALL[name])[1] for number, name in enumerate(TAKEN)}
    folder = tmp_path_factory.mktemp("samples")
    split = {name: it for name, it in entries.items() if "canaryTrafficPercent" in json.dumps(it)}
    assert 0 < len(split) < len(entries)
    others = {name: it for name, it in entries.items() if name not in split}
    by_name = render(folder / "split.yaml", split) | render(folder / "others.yaml", others)
    return {name: by_name[f"m{number}"] for number, name in enumerate(TAKEN)}


def test_there_are_samples():
    assert len(TAKEN) > 80
    assert all(any(name.startswith(it) for name in ALL) for it in REFUSED)


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
    own, entry = from_manifest(ALL[name])
    (said,) = (said for start, said in REFUSED.items() if name.startswith(start))
    with pytest.raises(ValuesError, match=said):
        render(tmp_path / "values.yaml", {own: entry})
