"""From a pod of the cluster to a model, and to a graph: by DNS, by Service, by kube-proxy."""

import json

import pytest

from generator import MODELS
from tests.cluster.harness import curl, iris, waiting
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.flowers import FLOWERS
from tests.rendering import CHARTS


@pytest.fixture(scope="module")
def model(cluster, platform, trained, shifted, tmp_path_factory):
    """The model of the quick start in the namespace that it has there, another, and both asked."""
    names = (iris.NAME, "other")
    uris = (trained.uri, shifted.uri)
    steps = [{"model": name, "name": name} for name in names]
    values = {
        "models": {
            name: {"format": "sklearn", "storageUri": uri}
            for name, uri in zip(names, uris, strict=True)
        },
        "graphs": {"both": {"nodes": {"root": {"type": "Ensemble", "steps": steps}}}},
    }
    file = tmp_path_factory.mktemp("models") / "models.json"
    file.write_text(json.dumps(values))
    release = Release(cluster, "default", chart=CHARTS[MODELS], name="iris")
    release.install(f"--values={file}")
    for served in (*(f"inferenceservice/{name}" for name in names), "inferencegraph/both"):
        waiting.until_ready(cluster, served, "default")
    cluster.kubectl("rollout", "status", "deployment", "-n", "default", "--timeout=3m")
    yield release
    release.uninstall()


@pytest.mark.parametrize("service", [iris.NAME, f"{iris.NAME}-predictor"])
def test_a_pod_reaches_a_model_by_its_name(cluster, model, trained, service):
    url = f"http://{service}.default.svc.cluster.local/v1/models/{iris.NAME}:predict"
    answer = curl.post(cluster, url, {"instances": FLOWERS})
    assert json.loads(answer) == {"predictions": trained.classes}


def test_a_graph_asks_two_models(cluster, model, trained, shifted):
    answer = curl.post(cluster, "http://both.default.svc.cluster.local", {"instances": FLOWERS})
    assert json.loads(answer) == {
        iris.NAME: {"predictions": trained.classes},
        "other": {"predictions": shifted.classes},
    }
