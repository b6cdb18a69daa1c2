"""A model's whole way: declared in three lines, fetched, loaded and asked through its Service."""

import argparse
import json
import os
import shlex
import subprocess
import urllib.request

import pytest

from generator import MODELS, tools
from tests.cluster.harness import (
    flowers,
    foreign,
    iris,
    modelserver,
    podmonitor,
    prediction,
    quickstart,
    waiting,
)
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.flowers import FLOWERS
from tests.rendering import CHARTS

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def trained(cluster, tmp_path_factory):
    """Where a model is, and which class it says each of FLOWERS is."""
    if cluster.node is None:
        yield iris.URI, [1, 0, 2]
        return
    if not modelserver.environment().is_dir():
        pytest.skip("upstream's model server needs Python 3.10, 3.11 or 3.12")
    with flowers.served(tmp_path_factory.mktemp("bucket")) as trained:
        yield trained.uri, trained.classes


@pytest.fixture(scope="module")
def release(cluster, platform, trained, tmp_path_factory):
    """The model, Ready."""
    values = tmp_path_factory.mktemp("values") / "models.json"
    model = {"format": "sklearn", "storageUri": trained[0]}
    values.write_text(json.dumps({"models": {iris.NAME: model}}))
    iris_release = Release(cluster, cluster.namespace("models"), chart=CHARTS[MODELS], name="iris")
    iris_release.install("-f", str(values))
    waiting.until_ready(cluster, f"inferenceservice/{iris.NAME}", iris_release.namespace)
    where = (cluster, iris.NAME, iris_release.namespace)
    cluster.wait("its Service leads to it", lambda: prediction.endpoints(*where))
    return iris_release


@pytest.fixture(scope="module")
def ask(cluster, release):
    """What the Service NAME answers to a POST: `ask(path, body, headers)`."""
    proxy = [str(tools.find("kubectl")), "proxy", "--port=0"]
    environment = os.environ | cluster.environment
    with subprocess.Popen(proxy, env=environment, stdout=subprocess.PIPE, text=True) as forward:
        # Starting to serve on 127.0.0.1:…
        host = forward.stdout.readline().split()[-1]
        service = f"/api/v1/namespaces/{release.namespace}/services/{iris.NAME}:80/proxy"

        def ask(path, body, headers):
            url = f"http://{host}{service}{path}"
            request = urllib.request.Request(url, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        yield ask
        forward.terminate()


def test_it_predicts(ask, trained):
    answer = ask(f"/v1/models/{iris.NAME}:predict", {"instances": FLOWERS}, JSON)
    assert answer == {"predictions": trained[1]}


def test_it_predicts_by_the_open_inference_protocol(ask, trained):
    tensor = {"name": "input-0", "shape": [3, 4], "datatype": "FP32", "data": FLOWERS}
    answer = ask(f"/v2/models/{iris.NAME}/infer", {"inputs": [tensor]}, JSON)
    (output,) = answer["outputs"]
    assert output["data"] == trained[1]


def test_the_quick_start_predicts(ask):
    curl = argparse.ArgumentParser()
    curl.add_argument("url")
    curl.add_argument("-d", dest="body")
    curl.add_argument(
        "-H", dest="header", default="Content-Type: application/x-www-form-urlencoded"
    )
    said = curl.parse_args(shlex.split(quickstart.curl().replace("\\\n", " "))[1:])
    headers = dict([said.header.split(": ")])
    answer = ask(said.url.removeprefix(quickstart.MODEL), json.loads(said.body), headers)
    assert answer == {"predictions": [1]}


def test_the_pages_podmonitor_is_one(cluster):
    """The API server refuses a key that the kind does not have."""
    monitor = podmonitor.of_the_page()
    namespace = cluster.namespace("monitored")
    monitor["metadata"]["namespace"] = namespace
    with foreign.crds(cluster, "prometheus-operator"):
        apply = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
        cluster.kubectl(*apply, stdin=json.dumps(monitor))


def test_a_prometheus_finds_the_models_metrics(cluster, ask, release):
    """By the page's PodMonitor, in the pod that KServe makes of the model, and from its server."""
    ask(f"/v1/models/{iris.NAME}:predict", {"instances": FLOWERS}, JSON)
    monitor = podmonitor.of_the_page()
    (pod,) = (
        pod
        for pod in cluster.list("pods", release.namespace)
        if podmonitor.selects(monitor, pod["metadata"]["labels"])
    )
    (container,) = pod["spec"]["containers"]
    assert "ports" not in container, "then the PodMonitor could name one"
    ((address, path),) = podmonitor.targets(monitor, pod)
    assert address == f"{pod['status']['podIP']}:8080"
    port = address.rpartition(":")[2]
    name = pod["metadata"]["name"]
    url = f"/api/v1/namespaces/{release.namespace}/pods/{name}:{port}/proxy{path}"
    text = cluster.kubectl("get", "--raw", url)
    assert "# TYPE request_predict_seconds histogram" in text
    assert f'request_predict_seconds_count{{model_name="{iris.NAME}"}}' in text


def test_it_has_no_metrics_without_the_annotation(cluster, release):
    """What the PodMonitor goes by: else it would ask port 80 of the pod."""
    monitor = podmonitor.of_the_page()
    (pod,) = cluster.list("pods", release.namespace)
    del pod["metadata"]["annotations"]["prometheus.kserve.io/port"]
    assert podmonitor.targets(monitor, pod) == []
