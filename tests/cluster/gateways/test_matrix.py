"""Every routing mode with everything that a model can have, asked from outside the cluster.

A cell is either the right prediction, or the refusal of the chart with its words.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from tests.cluster.gateways import refused
from tests.cluster.gateways.published import DOMAIN, NAMESPACE, SECOND, on_envoy_gateway, serving
from tests.cluster.harness import curl, grpcv2, iris, outside
from tests.cluster.harness.flowers import FLOWERS, MILLIMETRES

# Where upstream's servers in Python speak gRPC: one line of docs/models.md.
GRPC = {"name": "h2c", "containerPort": 8081, "protocol": "TCP"}
# Two models that disagree, each answer under the name of its step.
STEPS = [{"model": name, "name": name} for name in (iris.NAME, "other")]
BOTH = {"nodes": {"root": {"type": "Ensemble", "steps": STEPS}}}
PATH = {"pathTemplate": "/serving/{{ .Name }}"}
MORE = {"additionalDomains": [SECOND], "gateway": {"className": "istio"}}
MODES = {
    "ingress": {"mode": "ingress"},
    "gatewayApi": {"mode": "gatewayApi", **MORE},
    "gatewayApi+": {"mode": "gatewayApi", **MORE, **PATH, "gatewayApi": {"writeRoutes": True}},
    "virtualService": {"mode": "virtualService", **MORE, **PATH},
}
MODES |= on_envoy_gateway(MODES)


@pytest.fixture(scope="module", params=MODES)
def platform(request, publish):
    """The platform in a mode."""
    with publish(MODES[request.param]) as platform:
        yield platform


@pytest.fixture(scope="module")
def models(platform, trained, shifted, dumper, tmp_path_factory):
    """All models that the mode can have."""
    model = {"format": "sklearn", "storageUri": trained.uri}
    transformer = {"image": "registry.example.com/flowers-transformer:1"}
    explainer = {"image": "registry.example.com/flowers-explainer:1"}
    declared = {
        iris.NAME: model,
        "open": {**model, "protocol": "v2"},
        "remote": {**model, "protocol": "v2", "spec": {"predictor": {"model": {"ports": [GRPC]}}}},
        "pipeline": {**model, "transformer": transformer},
        "explained": {**model, "explainer": explainer},
        "logged": {**model, "logger": {"url": dumper.url}},
        "gathered": {**model, "batcher": {"maxBatchSize": 8, "maxLatency": 50}},
    }
    if platform.mode != "ingress":
        slow = {**transformer, "env": {"DELAY": "4"}}
        declared["slow"] = {**model, "transformer": slow, "timeout": 1}
    if platform.writes_routes:
        canary = {"next": {"storageUri": shifted.uri, "trafficPercent": 20}}
        declared["split"] = {**model, "minReplicas": 2, "canary": canary}
    declared["other"] = {**model, "storageUri": shifted.uri}
    folder = tmp_path_factory.mktemp("models")
    with serving(platform, declared, folder, graphs={"both": BOTH}):
        yield


@pytest.fixture
def refuse(platform, case, cell, tmp_path):
    """Ask the charts for the cell; they must refuse it."""
    return lambda: cell("refused", refused.why(platform.values, case, tmp_path))


def test_v1(platform, models, trained, cell):
    url = f"{platform.url(iris.NAME)}/v1/models/{iris.NAME}:predict"
    assert platform.ask(url, {"instances": FLOWERS}).json == {"predictions": trained.classes}
    cell("predicted")


def test_v2(platform, models, trained, cell):
    tensor = {"name": "input-0", "shape": [3, 4], "datatype": "FP32", "data": FLOWERS}
    url = f"{platform.url('open')}/v2/models/open/infer"
    (output,) = platform.ask(url, {"inputs": [tensor]}).json["outputs"]
    assert output["data"] == trained.classes
    cell("predicted")


def test_grpc_v2(platform, models, trained, cell):
    host = urlsplit(platform.url("remote")).netloc
    assert grpcv2.ask(platform.address, host, "remote", FLOWERS) == trained.classes
    cell("predicted")


def test_graph(cluster, platform, models, trained, shifted, cell):
    """From a pod in each mode; from outside where the chart writes the routes."""
    said = {iris.NAME: {"predictions": trained.classes}, "other": {"predictions": shifted.classes}}
    inside = f"http://both.{NAMESPACE}.svc.cluster.local"
    assert json.loads(curl.post(cluster, inside, {"instances": FLOWERS})) == said
    url = platform.url("both")
    if platform.writes_routes:
        assert platform.ask(url, {"instances": FLOWERS}).json == said
        cell("predicted")
        return
    graph = cluster.get("inferencegraph", "both", NAMESPACE)
    assert graph["status"]["url"] == url
    assert outside.ask(platform.address, url, {"instances": FLOWERS}).status == 404
    cell("not possible", "KServe v0.20.0 writes no route to a graph, though it reports a URL")


def test_transformer(platform, models, trained, cell):
    url = f"{platform.url('pipeline')}/v1/models/pipeline:predict"
    answer = platform.ask(url, {"instances": MILLIMETRES})
    assert answer.json == {"predictions": trained.classes}
    cell("predicted")


def test_explainer(platform, models, trained, cell):
    """On the model's own host; an Ingress of KServe's gives it one of its own."""
    host = "explained-explainer" if platform.mode == "ingress" else "explained"
    url = f"{platform.url(host)}/v1/models/explained:explain"
    answer = platform.ask(url, {"instances": FLOWERS}).json
    assert answer == {"explanations": [0, 0, 0], "predictions": trained.classes}
    cell("predicted")


def test_logger(platform, models, trained, dumper, cell):
    """Request and answer come to the dumper, as they were."""
    url = f"{platform.url('logged')}/v1/models/logged:predict"
    body, answer = {"instances": FLOWERS}, {"predictions": trained.classes}
    before = len(dumper.bodies)
    assert platform.ask(url, body).json == answer
    cluster = platform.release.cluster
    # More may come: of requests before, and of those that the gateway did not answer yet.
    for said in body, answer:
        cluster.wait(f"{said} is logged", lambda said=said: said in dumper.bodies[before:])
    cell("predicted")


def test_batcher(platform, models, trained, cell):
    """What the batcher adds to an answer is the batch that it was in."""
    url = f"{platform.url('gathered')}/v1/models/gathered:predict"
    answer = platform.ask(url, {"instances": FLOWERS}).json
    assert answer["predictions"] == trained.classes
    assert answer["batchId"]
    cell("predicted")


def test_timeout(platform, models, refuse, cell):
    if platform.mode == "ingress":
        refuse()
        return
    url = f"{platform.url('slow')}/v1/models/slow:predict"
    assert platform.ask(url, {"instances": MILLIMETRES}).status == 504
    cell("ended")


def test_canary(platform, models, trained, shifted, refuse, cell):
    """A fifth of a thousand requests: 200, within five standard deviations of 13."""
    if not platform.writes_routes:
        refuse()
        return
    url = f"{platform.url('split')}/v1/models/split:predict"
    platform.ask(url, {"instances": FLOWERS})
    said = outside.ask_often(platform.address, url, {"instances": FLOWERS}, 1000)
    by_classes = {tuple(json.loads(text)["predictions"]): count for text, count in said.items()}
    assert set(by_classes) == {tuple(trained.classes), tuple(shifted.classes)}
    assert 135 <= by_classes[tuple(shifted.classes)] <= 265
    cell(f"{by_classes[tuple(shifted.classes)]} of 1000")


def test_second_domain(platform, models, trained, refuse, cell):
    if platform.mode == "ingress":
        refuse()
        return
    url = platform.url(iris.NAME).replace(DOMAIN, SECOND)
    answer = platform.ask(f"{url}/v1/models/{iris.NAME}:predict", {"instances": FLOWERS})
    assert answer.json == {"predictions": trained.classes}
    cell("predicted")


def test_path_template(platform, models, trained, refuse, cell):
    if not platform.writes_routes:
        refuse()
        return
    path = f"http://{DOMAIN}/serving/{iris.NAME}/v1/models/{iris.NAME}:predict"
    assert platform.ask(path, {"instances": FLOWERS}).json == {"predictions": trained.classes}
    cell("predicted")
