"""From a pod of the cluster to a model: by DNS, by Service, by kube-proxy."""

import json

import pytest

from generator import MODELS
from tests.cluster.harness import curl, iris, waiting
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.flowers import FLOWERS, MILLIMETRES
from tests.rendering import CASES, CHARTS

SPECIES = ["setosa", "versicolor", "virginica"]


@pytest.fixture(scope="module")
def model(cluster, platform, trained):
    """The model of the quick start, in the namespace that it has there."""
    release = Release(cluster, "default", chart=CHARTS[MODELS], name="iris")
    release.install(
        f"--set=models.{iris.NAME}.format=sklearn",
        f"--set=models.{iris.NAME}.storageUri={trained.uri}",
    )
    waiting.until_ready(cluster, f"inferenceservice/{iris.NAME}", "default")
    yield release
    release.uninstall()


@pytest.mark.parametrize("service", [iris.NAME, f"{iris.NAME}-predictor"])
def test_a_pod_reaches_a_model_by_its_name(cluster, model, trained, service):
    url = f"http://{service}.default.svc.cluster.local/v1/models/{iris.NAME}:predict"
    answer = curl.post(cluster, url, {"instances": FLOWERS})
    assert json.loads(answer) == {"predictions": trained.classes}


@pytest.fixture(scope="module")
def pipeline(cluster, platform, trained, dumper, tmp_path_factory):
    """The example with programs on KServe's SDK for its users' own, and its namespace."""
    transformer = {
        "image": "registry.example.com/flowers-transformer:1",
        "env": {"SPECIES": ",".join(SPECIES)},
    }
    ours = {
        "storageUri": trained.uri,
        "transformer": transformer,
        "explainer": {"image": "registry.example.com/flowers-explainer:1"},
        "logger": {"url": dumper.url},
    }
    file = tmp_path_factory.mktemp("pipeline") / "values.json"
    file.write_text(json.dumps({"models": {"income": ours}}))
    release = Release(cluster, cluster.namespace("pipeline"), chart=CHARTS[MODELS], name="income")
    release.install(f"--values={CASES['pipeline']}", f"--values={file}")
    waiting.until_ready(cluster, "inferenceservice/income", release.namespace)
    # A model that is not published is Ready without its transformer and its explainer.
    every = ("deployment", "-n", release.namespace, "--timeout=10m")
    cluster.kubectl("rollout", "status", *every)
    yield release.namespace
    release.uninstall()


def test_an_example_with_a_transformer_predicts(cluster, pipeline, trained):
    """It changes what goes in, millimetres, and what comes out, numbers of classes."""
    url = f"http://income.{pipeline}.svc.cluster.local/v1/models/income:predict"
    answer = curl.post(cluster, url, {"instances": MILLIMETRES})
    assert json.loads(answer) == {"predictions": [SPECIES[each] for each in trained.classes]}


def test_its_explainer_explains(cluster, pipeline, trained):
    url = f"http://income-explainer.{pipeline}.svc.cluster.local/v1/models/income:explain"
    answer = curl.post(cluster, url, {"instances": FLOWERS})
    assert json.loads(answer) == {"explanations": [0, 0, 0], "predictions": trained.classes}
