"""Who may call a model, where its pods and their callers are in Istio's mesh."""

from __future__ import annotations

import json

import pytest

from tests.cluster.gateways import matrix
from tests.cluster.gateways.published import NAMESPACE, serving
from tests.cluster.harness import curl, iris, istio
from tests.cluster.harness.flowers import FLOWERS, MILLIMETRES

INJECTION = "istio-injection"
BODY = {"instances": FLOWERS}
# How a caller in the mesh is refused. To answer so, Envoy must know that a port speaks HTTP: the chart's
# Services say it in the name of theirs, those of KServe do not, and Istio goes by the older of the two,
# which is often not a second. In mutual TLS only the filter istio.alpn, which is not here, would tell.
DENIED = "RBAC: access denied"
ENDED = "reset reason: connection termination"
INSIDE = f"http://{iris.NAME}.{{}}/v1/models/{iris.NAME}:predict"


@pytest.fixture(scope="module")
def callers(cluster, mesh):
    """Namespaces to call from: one that is allowed, one that is not, and one outside the mesh."""
    names = {each: cluster.namespace(each, enforce="privileged") for each in ("friends", "others")}
    for name in (*names.values(), NAMESPACE):
        cluster.kubectl("label", "namespace", name, f"{INJECTION}=enabled")
    yield {**names, "strangers": cluster.namespace("strangers", enforce="privileged")}
    cluster.kubectl("label", "namespace", NAMESPACE, f"{INJECTION}-")


@pytest.fixture(scope="module")
def platform(publish, callers):
    """The ingress gateway and the friends may call, with Istio's mutual TLS and not otherwise."""
    policy = {
        "allowNamespaces": [istio.NAMESPACE, callers["friends"]],
        "peerAuthentication": "STRICT",
    }
    routing = {"mode": "virtualService", "virtualService": policy}
    with publish(routing) as platform:
        yield platform


@pytest.fixture(scope="module")
def models(platform, callers, trained, tmp_path_factory):
    """One that is called as such, one that its transformer calls, and a graph that calls the first."""
    model = {"format": "sklearn", "storageUri": trained.uri}
    transformer = {"image": "registry.example.com/flowers-transformer:1"}
    declared = {iris.NAME: model, "pipeline": {**model, "transformer": transformer}}
    root = {"type": "Sequence", "steps": [{"model": iris.NAME}]}
    folder = tmp_path_factory.mktemp("models")
    with serving(platform, declared, folder, graphs={"chain": {"nodes": {"root": root}}}):
        yield


@pytest.fixture
def call(cluster, models, callers):
    """What a pod of some namespace is answered at the host of a Service."""
    suffix = f"{NAMESPACE}.svc.cluster.local"
    return lambda caller, url: curl.post(cluster, url.format(suffix), BODY, callers[caller])


def test_every_pod_of_a_model_has_a_sidecar(cluster, models):
    every = cluster.list("pods", NAMESPACE)
    # Those of an earlier release serve on for a while.
    pods = [pod for pod in every if "deletionTimestamp" not in pod["metadata"]]
    assert pods
    for pod in pods:
        sidecars = [
            each["name"] for each in pod["spec"]["initContainers"] if "restartPolicy" in each
        ]
        assert sidecars == ["istio-proxy"]


def test_policies(platform, models, call, trained):
    """From outside the gateway calls, which is allowed; then each caller for itself."""
    cell = matrix.cell(platform.column, "policies")
    said = {"predictions": trained.classes}
    url = f"{platform.url(iris.NAME)}/v1/models/{iris.NAME}:predict"
    assert platform.ask(url, BODY).json == said
    assert json.loads(call("friends", INSIDE)) == said
    assert call("others", INSIDE).endswith((DENIED, ENDED))
    assert "Connection reset by peer" in call("strangers", INSIDE)
    cell("predicted", "for callers that are allowed, and for no others")


def test_a_graph_calls_its_model_for_those_who_may(call, trained):
    url = "http://chain.{}"
    assert json.loads(call("friends", url)) == {"predictions": trained.classes}
    assert call("others", url).endswith(ENDED)
    assert "Connection reset by peer" in call("strangers", url)


def test_a_transformer_may_call_its_model(platform, models, trained):
    url = f"{platform.url('pipeline')}/v1/models/pipeline:predict"
    answer = platform.ask(url, {"instances": MILLIMETRES})
    assert answer.json == {"predictions": trained.classes}
