"""`generator model` and `generator routes`: what people have, taken in."""

import json

import pytest
import yaml

from generator.errors import ValuesError
from generator.inferenceservice import from_manifest
from generator.insertion import insert
from generator.modelfolder import from_folder
from generator.models import add, read_source
from generator.routes import render
from generator.yamlio import dump
from tests import rendering
from tests.rendering import CASES

ENTRY = {"format": "sklearn", "storageUri": "s3://m/one"}


def service(**spec: object) -> dict:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m"},
        "spec": spec,
    }


# --- an InferenceService --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predictor", "entry"),
    [
        ({"sklearn": {"storageUri": "s3://m"}}, {"format": "sklearn", "storageUri": "s3://m"}),
        (
            {"model": {"modelFormat": {"name": "onnx", "version": "1"}, "protocolVersion": "grpc-v2",
                       "ports": [{"containerPort": 9000, "name": "h2c", "protocol": "TCP"}]}},
            {"format": "onnx", "formatVersion": "1", "protocol": "grpc-v2"},
        ),
        (
            {"containers": [{"name": "kserve-container", "image": "a/b:1", "env": [
                {"name": "STORAGE_URI", "value": "s3://m"}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}]},
            {"image": "a/b:1", "securityContext": {}, "storageUri": "s3://m", "env": {"A": {"valueFrom": {"fieldRef": {"fieldPath": "x"}}}}},
        ),
        (
            {"model": {"modelFormat": {"name": "sklearn"}, "storage": {"key": "k"}}, "minReplicas": 0, "scaleMetric": "cpu"},
            {"format": "sklearn", "minReplicas": 0, "autoscaling": {"metric": "cpu"},
             "spec": {"predictor": {"model": {"storage": {"key": "k"}}}}},
        ),
        # KServe never reads the batcher's timeout, and the entry has no key for it.
        (
            {"model": {"modelFormat": {"name": "sklearn"}}, "batcher": {"maxBatchSize": 8, "timeout": 9}},
            {"format": "sklearn", "batcher": {"maxBatchSize": 8}, "spec": {"predictor": {"batcher": {"timeout": 9}}}},
        ),
        # Two variables of which one refers to the other keep their order.
        (
            {"model": {"modelFormat": {"name": "sklearn"}, "env": [{"name": "B", "value": "1"}, {"name": "A", "value": "$(B)"}]}},
            {"format": "sklearn", "spec": {"predictor": {"model": {"env": [
                {"name": "B", "value": "1"}, {"name": "A", "value": "$(B)"}]}}}},
        ),
    ],
)  # fmt: skip
def test_an_inference_service_becomes_an_entry(predictor, entry):
    assert from_manifest(service(predictor=predictor)) == ("m", entry)


def test_its_annotations_and_labels_become_keys():
    manifest = service(predictor={"sklearn": {}})
    manifest["metadata"] |= {
        "annotations": {
            "serving.kserve.io/deploymentMode": "RawDeployment",
            "serving.kserve.io/autoscalerClass": "keda",
            "serving.kserve.io/storageSecretName": "bucket",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "example.com/note": "kept",
        },
        "labels": {"networking.kserve.io/visibility": "cluster-local", "team": "ml"},
    }
    assert from_manifest(manifest)[1] == {
        "format": "sklearn",
        "deploymentMode": "Standard",
        "autoscaling": {"class": "keda"},
        "credentials": {"secretName": "bucket"},
        "clusterLocal": True,
        "labels": {"team": "ml"},
        "annotations": {"example.com/note": "kept"},
    }


@pytest.mark.parametrize("case", rendering.WITH_MODELS)
def test_what_the_chart_renders_becomes_the_entry_that_it_was(case, tmp_path):
    """There and back: every model of every case, rendered, read and rendered again."""
    values = rendering.values_of(case)
    services = {
        it["metadata"]["name"]: it
        for it in rendering.of_kind(
            rendering.objects(case, chart=rendering.MODELS), "InferenceService"
        )
    }
    again = {name: from_manifest(it)[1] for name, it in services.items()}
    for name, model in again.items():
        # What a manifest cannot say: which store a Secret comes from.
        credentials = values["models"][name].get("credentials")
        if credentials:
            model["credentials"] = credentials
            model.get("annotations", {}).pop("serving.kserve.io/secretName", None)
    file = tmp_path / "again.yaml"
    file.write_text(json.dumps(values | {"models": again}))
    text = rendering.manifests.helm_template(
        rendering.CHARTS[rendering.MODELS],
        rendering.Values.parsed([file]),
        release="kserve-lite-models",
        namespace="default",
        more=(),
    )
    for it in rendering.of_kind(rendering.parse(text), "InferenceService"):
        assert it == services[it["metadata"]["name"]]


# --- a model folder -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "My_Sklearn.Model"
    path.mkdir()
    (path / "model.joblib").write_bytes(b"")
    (path / "sklearnserver.yaml").write_text("modelFormat: sklearn\nmodelUri: s3://m/iris\n")
    return path


def test_a_model_folder_becomes_an_entry(folder):
    assert from_folder(folder) == (
        "my-sklearn-model",
        {"format": "sklearn", "storageUri": "s3://m/iris"},
    )
    (folder / "sklearnserver.yaml").write_text(
        'modelFormat: {name: sklearn, version: "1"}\nmodelUri: s3://m/iris\n'
    )
    assert from_folder(folder)[1]["formatVersion"] == "1"


def test_what_the_runtime_would_not_find_is_said(folder):
    (folder / "model.joblib").rename(folder / "model.bin")
    with pytest.raises(ValuesError) as caught:
        from_folder(folder)
    assert str(caught.value) == (
        f"{folder}/sklearnserver.yaml:1:1: modelFormat: the sklearn runtime looks for one file like "
        "*.joblib or *.pkl or *.pickle; found none"
    )
    (folder / "a.pkl").touch()
    (folder / "b.pkl").touch()
    with pytest.raises(ValuesError, match=r"found a\.pkl, b\.pkl"):
        from_folder(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modelUri: s3://m\n", "modelFormat: is missing"),
        ("modelFormat: sklearn\n", "modelUri: is missing"),
        ("[]\n", "modelFormat: is missing"),
        ("modelFormat: tensorflow\nmodelUri: s3://m\n", "missing: [0-9]*/saved_model.pb"),
        (
            "modelFormat: pytorch\nmodelUri: s3://m\n",
            "missing: model-store/*.mar, config/config.properties",
        ),
    ],
)
def test_what_the_description_lacks_is_said(folder, text, said):
    (folder / "sklearnserver.yaml").write_text(text)
    with pytest.raises(ValuesError) as caught:
        from_folder(folder)
    assert said in str(caught.value)


def test_a_folder_without_a_description_is_refused(tmp_path):
    with pytest.raises(ValuesError, match="found none"):
        from_folder(tmp_path)


# --- into the values file -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "models:\n  m:\n    format: sklearn\n    storageUri: s3://m/one\n"),
        ("# only a comment", "# only a comment\n\nmodels:\n  m:\n    format: sklearn\n    storageUri: s3://m/one\n"),
        ("models: {}  # none yet\nplatform: openshift\n",
         "models:  # none yet\n  m:\n    format: sklearn\n    storageUri: s3://m/one\nplatform: openshift\n"),
        ("models:\nplatform: openshift\n",
         "models:\n  m:\n    format: sklearn\n    storageUri: s3://m/one\nplatform: openshift\n"),
        ("models:\n    a: {image: x}  # flow\n\n# after\nplatform: openshift",
         "models:\n    a: {image: x}  # flow\n    m:\n      format: sklearn\n      storageUri: s3://m/one\n\n# after\nplatform: openshift"),
        ("models:\n  a:\n    args:\n    - |\n      text\n\n  # trailing\n",
         "models:\n  a:\n    args:\n    - |\n      text\n  m:\n    format: sklearn\n    storageUri: s3://m/one\n\n  # trailing\n"),
    ],
)  # fmt: skip
def test_an_entry_is_added_and_nothing_else_is_touched(before, after, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(before)
    assert insert(file, "models", "m", ENTRY) == after


@pytest.mark.parametrize("case", CASES)
def test_an_entry_fits_into_every_values_file(case, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(CASES[case].read_text())
    text = insert(file, "models", "added", ENTRY)
    data = yaml.safe_load(file.read_text())
    assert yaml.safe_load(text) == data | {"models": data.get("models", {}) | {"added": ENTRY}}
    kept = [line for line in file.read_text().splitlines() if line != "{}"]
    added = dump(ENTRY).splitlines()
    assert [
        line for line in text.splitlines() if line.strip() not in (*added, "added:")
    ] == kept or "models:" in text


def test_adding_refuses_what_is_there_or_wrong_and_leaves_the_file(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("models:\n  m: {format: sklearn, storageUri: s3://x}\n")
    before = file.read_text()
    for entries, said in (
        ({"m": ENTRY}, "my.yaml:2:3: models.m: is there already"),
        ({"n": ENTRY, "Bad": ENTRY}, 'the name "Bad" is not a name'),
    ):
        with pytest.raises(ValuesError, match=said):
            add(file, entries)
        assert file.read_text() == before
        assert [it.name for it in tmp_path.iterdir()] == ["my.yaml"]
    file.write_text("models: {a: {image: x}}\n")
    with pytest.raises(ValuesError, match="written with braces"):
        add(file, {"m": ENTRY})


def test_a_source_without_a_model_is_refused(tmp_path):
    file = tmp_path / "x.yaml"
    old = service() | {"apiVersion": "serving.kubeflow.org/v1alpha2"}
    for text, said in (
        ("kind: Pod\n", "holds no InferenceService"),
        ("a: [\n", "not valid YAML"),
        (json.dumps(old), r"m is of serving\.kubeflow\.org/v1alpha2; KServe takes serving\.kserve"),
    ):
        file.write_text(text)
        with pytest.raises(ValuesError, match=said):
            read_source(file)
    file.write_text(yaml.safe_dump_all([service(predictor={"sklearn": {}})] * 2))
    with pytest.raises(ValuesError, match="--name is for one"):
        read_source(file, "other")


# --- routes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["istio-models", "models-by-host"])
def test_a_model_applied_by_hand_gets_the_routes_of_a_declared_one(case, tmp_path):
    declared = rendering.objects(case, chart=rendering.MODELS)
    file = tmp_path / "services.yaml"
    file.write_text(yaml.safe_dump_all(rendering.of_kind(declared, "InferenceService")))
    routes = [it for text in render([file], rendering.given(case)) for it in rendering.parse(text)]
    assert sorted(map(rendering.identity, routes)) == sorted(
        rendering.identity(it) for it in declared if it["kind"] != "InferenceService"
    )
    by_identity = rendering.by_identity(declared)
    assert all(it == by_identity[rendering.identity(it)] for it in routes)


def test_routes_that_kserve_writes_are_not_written(tmp_path):
    file = tmp_path / "service.yaml"
    file.write_text(yaml.safe_dump(service(predictor={"sklearn": {}})))
    with pytest.raises(ValuesError, match=r"set routing\.mode=virtualService"):
        list(render([file], rendering.given("istio-gateway-api")))
