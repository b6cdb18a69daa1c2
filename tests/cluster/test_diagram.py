"""The objects that `graph` draws are in the cluster, and requests go the way that it shows."""

import json

import pytest

from generator import MODELS
from generator import release as releases
from generator.diagram.drawing import draw
from generator.diagram.parts import Node
from generator.diagram.requests import OUTSIDE
from generator.values.check import read
from tests.cluster.harness import foreign, iris
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.status import accept_routes, condition
from tests.rendering import CHARTS

DOMAIN = "models.example.com"
GATEWAY_API = "gateway.networking.k8s.io"
PART = {"image": "registry.example.com/part:1"}
MODEL = {"format": "sklearn", "storageUri": iris.URI}
DECLARED = {
    "models": {
        "alone": MODEL,
        "income": {**MODEL, "transformer": PART},
        "loan": {**MODEL, "explainer": PART},
    },
    "graphs": {
        "vote": {
            "nodes": {
                "root": {"type": "Ensemble", "steps": [{"model": "alone"}, {"model": "income"}]}
            }
        }
    },
}
WRITES = {"gatewayApi": {"writeRoutes": True}}


@pytest.fixture(scope="module", autouse=True)
def others(cluster):
    with foreign.crds(cluster, "gateway-api", "istio"):
        yield
        cluster.reset()


def ends_of(diagram, start):
    return {edge.end for edge in diagram.edges if edge.start == start}


def resource(node, mode):
    """What kubectl calls a kind; two groups have a Gateway."""
    group = GATEWAY_API if mode.startswith("gatewayApi") else "networking.istio.io"
    return f"gateways.{group}" if node.kind == "Gateway" else node.kind


def backends(found):
    """The Services that a route leads to, whatever its kind.

    The hosts that KServe's Ingress has for predictor and transformer aside: both lead to the predictor.
    """
    aside = tuple(f"{found['metadata']['name']}-{part}-" for part in ("predictor", "transformer"))
    rules = [
        rule
        for rule in found["spec"].get("rules", [])
        if not rule.get("host", "").startswith(aside)
    ]
    text = json.dumps(rules or found["spec"])
    names = {
        f"{name}-{part}"
        for name in DECLARED["models"]
        for part in ("predictor", "transformer", "explainer")
    }
    names |= DECLARED["graphs"].keys()
    return {name for name in names if f'"{name}"' in text or f'"{name}.' in text}


@pytest.mark.parametrize("mode", ["ingress", "gatewayApi", "gatewayApi+", "virtualService"])
def test_what_is_drawn_is_there(cluster, release, models, tmp_path, mode):
    routing = {"mode": mode.strip("+"), "domain": DOMAIN, **(WRITES if mode.endswith("+") else {})}
    file = tmp_path / "my.json"
    where = {"global": {"platformNamespace": release.namespace}}
    file.write_text(json.dumps({"routing": routing, **where, **DECLARED}))
    release.install(f"--values={file}")
    of_models = Release(cluster, models, chart=CHARTS[MODELS], name="declared")
    of_models.install(f"--values={file}")

    def ready():
        accept_routes(cluster, models)
        found = cluster.list("inferenceservices", models)
        return all(condition(each, "Ready") == "True" for each in found) and found

    services = cluster.wait("models ready", ready)
    names = releases.Release(namespace=release.namespace, models=models)
    diagram = draw(read([str(file)]), names)
    drawn = [node for group in diagram.groups for node in group.nodes if node.kind]
    assert {"Deployment", "Service"} < {node.kind for node in drawn}
    for node in drawn:
        home = release.namespace if node.kind in ("Gateway", "IngressClass") else models
        kind = resource(node, mode)
        # KServe comes to a graph once it has come to its models.
        cluster.wait(str(node), lambda kind=kind, node=node, home=home: cluster.get(kind, node.name, home))  # fmt: skip

    (gateway,) = ends_of(diagram, OUTSIDE)
    for route in ends_of(diagram, gateway):
        leads = {node.name for node in ends_of(diagram, route)}
        assert leads == backends(cluster.get(route.kind, route.name, models))
    urls = {edge.label.removeprefix("http://") for edge in diagram.edges if edge.start == OUTSIDE}
    if mode in ("ingress", "gatewayApi"):
        assert urls == {each["status"]["url"].removeprefix("http://") for each in services}

    for part in ("income-transformer", "loan-explainer"):
        (asked,) = ends_of(diagram, Node("Deployment", part))
        made = cluster.get("deployment", part, models)
        arguments = made["spec"]["template"]["spec"]["containers"][0]["args"]
        host = arguments[arguments.index("--predictor_host") + 1]
        assert host == f"{asked.name}.{models}"
    of_models.uninstall()
