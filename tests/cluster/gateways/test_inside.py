"""From a pod of the cluster to a model: by DNS, by Service, by kube-proxy."""

import json

import pytest

from generator import MODELS
from tests.cluster.harness import curl, iris, waiting
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.flowers import FLOWERS
from tests.rendering import CHARTS


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
