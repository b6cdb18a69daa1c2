"""routing.gatewayApi.writeRoutes on the real controller: whose routes a model has, and when.

The Gateway API's CRDs are there and no gateway: that a route is accepted, the tests report.
"""

from __future__ import annotations

import json
import re

import pytest

from generator import MODELS
from generator.errors import ToolFailed
from generator.values.check import read
from tests import rendering
from tests.cluster.harness import controller, foreign, iris, waiting
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.status import accept_routes, condition
from tests.rendering import CHARTS

DOMAIN = "models.example.com"
OURS = f"{iris.NAME}.host"
KSERVES = {iris.NAME, f"{iris.NAME}-predictor"}
BY_HAND = "by-hand"


@pytest.fixture(scope="module", autouse=True)
def gateway_api(cluster):
    with foreign.crds(cluster, "gateway-api"):
        yield
        cluster.reset()


@pytest.fixture
def values(release, tmp_path):
    """Writes the values of both charts, and says how Helm gets them."""

    def write(*, write_routes: bool, **model: object) -> str:
        own = {"format": "sklearn", "storageUri": iris.URI, **model}
        whole = {
            "global": {"platformNamespace": release.namespace},
            "routing": {
                "mode": "gatewayApi",
                "domain": DOMAIN,
                "gatewayApi": {"writeRoutes": write_routes},
            },
            "models": {iris.NAME: own},
        }
        (tmp_path / "my.yaml").write_text(json.dumps(whole))
        return f"--values={tmp_path}/my.yaml"

    return write


def names(cluster, namespace):
    return {each["metadata"]["name"] for each in cluster.list("httproutes", namespace)}


def pods(cluster, namespace):
    return iris.served(cluster, namespace)[0]


def url_of_a_ready_model(cluster, namespace):
    """The URL that KServe publishes, once every route is accepted and the model is Ready."""

    def ready():
        accept_routes(cluster, namespace)
        found = cluster.get("inferenceservice", iris.NAME, namespace)
        return condition(found, "Ready") == "True" and found["status"].get("url")

    return cluster.wait("a Ready model", ready)


def notes_command(cluster, release, word):
    """The one command of the release's NOTES that has the word."""
    notes = cluster.helm("get", "notes", release.name, "-n", release.namespace)
    (command,) = re.findall(rf"^   kubectl .*{word}.*(?:\n     .*)*$", notes, re.MULTILINE)
    return command


def touch(cluster, namespace, value):
    """Have KServe look at the model once more, routes included, and wait until it has.

    It comes to routes after the Deployment, and last to the status, where it copies the number of
    the Deployment's change: by then it has been through all of it with the change.
    """
    where = ("-n", namespace, iris.NAME, "--overwrite")
    cluster.kubectl("annotate", "inferenceservice", *where, f"example.com/touched={value}")

    def seen():
        deployment = cluster.get("deployment", f"{iris.NAME}-predictor", namespace)
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        status = cluster.get("inferenceservice", iris.NAME, namespace)["status"]
        changed = deployment["metadata"]["generation"]
        return (annotations.get("example.com/touched"), status.get("observedGeneration")) == (value, changed)  # fmt: skip

    cluster.wait("KServe has seen it", seen)


def test_a_live_model_changes_the_writer_and_back(cluster, release, models, values):
    release.install(values(write_routes=False))
    team = Release(cluster, models, chart=CHARTS[MODELS], name="iris")
    team.install(values(write_routes=False))
    published = url_of_a_ready_model(cluster, models)
    assert published == f"http://{iris.NAME}-{models}.{DOMAIN}"
    assert names(cluster, models) == KSERVES
    before = pods(cluster, models)

    # Ours come, and KServe's stay until they are deleted; then they stay away.
    team.upgrade(values(write_routes=True))
    assert names(cluster, models) == KSERVES | {OURS}
    cluster.bash(notes_command(cluster, team, "delete httproutes"))
    assert names(cluster, models) == {OURS}
    touch(cluster, models, "once")
    assert names(cluster, models) == {OURS}
    assert url_of_a_ready_model(cluster, models) == published
    assert cluster.get("httproute", OURS, models)["spec"]["hostnames"] == [
        published.removeprefix("http://")
    ]
    # The label reaches the pods, so they are others.
    between = pods(cluster, models)
    assert not before & between
    assert re.search(
        rf"HTTPRoute +{OURS} +True", cluster.bash(notes_command(cluster, team, "get httproutes"))
    )

    # Back: nobody has to do anything.
    team.upgrade(values(write_routes=False))
    # It is Ready all the time.
    cluster.wait("KServe's routes alone", lambda: names(cluster, models) == KSERVES)
    assert url_of_a_ready_model(cluster, models) == published
    assert names(cluster, models) == KSERVES
    assert not between & pods(cluster, models)
    assert controller.forbidden(cluster, release.namespace) == []
    team.uninstall()


def test_a_model_applied_by_hand_keeps_the_route_of_kserve(cluster, release, models, values):
    release.install(values(write_routes=True))
    team = Release(cluster, models, chart=CHARTS[MODELS], name="iris")
    team.install(values(write_routes=True))
    # By then KServe has come to its routes, and made none.
    waiting.until_ready(cluster, f"inferenceservice/{iris.NAME}", models)
    cluster.apply(iris.MODEL.replace(iris.NAME, BY_HAND), namespace=models)
    wanted = {OURS, BY_HAND, f"{BY_HAND}-predictor"}
    cluster.wait("KServe's routes", lambda: names(cluster, models) == wanted)
    team.uninstall()
    cluster.wait("its own alone", lambda: names(cluster, models) == wanted - {OURS})


def test_a_canary_and_grpc_lead_to_services_that_are_there(cluster, release, models, values):
    """As the API server stores them, too: what it fills in is written out (law 14)."""
    release.install(values(write_routes=True), "--set=runtimes.triton.enabled=true")
    version = {"next": {"storageUri": iris.URI, "trafficPercent": 20}}
    file = values(write_routes=True, minReplicas=2, canary=version)
    dense = [
        "--set=runtimes.triton.enabled=true",
        "--set=models.dense.format=triton",
        "--set=models.dense.protocol=grpc-v2",
        "--set=models.dense.storageUri=gs://models/dense",
    ]
    team = Release(cluster, models, chart=CHARTS[MODELS], name="iris")
    team.install(file, *dense)
    rendered = {
        each["metadata"]["name"]: each["spec"]
        for kind in ("httproutes", "grpcroutes")
        for each in cluster.list(kind, models)
    }
    assert rendered.keys() == {OURS, "dense.host"}
    weights = [
        (to["name"], to["weight"])
        for spec in rendered.values()
        for rule in spec["rules"]
        for to in rule["backendRefs"]
    ]
    assert sorted(weights) == [
        ("dense-predictor", 100),
        (f"{iris.NAME}-next-predictor", 20),
        (f"{iris.NAME}-predictor", 80),
    ]
    for service, _ in weights:
        found = cluster.wait("a Service", lambda s=service: cluster.get("service", s, models))
        (port,) = (port for port in found["spec"]["ports"] if port["port"] == 80)
        if service == "dense-predictor":
            assert (port["name"], port.get("appProtocol")) == ("h2c", "kubernetes.io/h2c")
    team.uninstall()


# One step beyond what the chart lets through, in a rule's or a route's own words.
BEYOND = {
    "hostnames": lambda spec: spec["hostnames"].append("m.example.net"),
    "versions": lambda spec: spec["rules"][0]["backendRefs"].append(
        {"name": "one-more", "port": 80, "weight": 1}
    ),
    "duration": lambda spec: spec["rules"][0]["timeouts"].update(request="100000h"),
    "seconds": lambda spec: spec["rules"][0]["timeouts"].update(request="100000s"),
    "weight": lambda spec: spec["rules"][0]["backendRefs"][0].update(weight=-1),
    **{
        path: lambda spec, path=path: spec["rules"][-1]["matches"][0]["path"].update(value=path)
        for path in ("/a/../b", "/a/./b", "/a/..", "/a/.", "/..", "/a//b", f"/{'p' * 1024}")
    },
}


@pytest.fixture(scope="module")
def widest(cluster, tmp_path_factory):
    """The routes of a model that uses all that the chart allows."""
    path = "/.well-known/~a_b.c/..."
    values = {
        "routing": {
            "mode": "gatewayApi",
            "domain": DOMAIN,
            "additionalDomains": [f"d{number}.example.org" for number in range(15)],
            "pathTemplate": path + "/" + "p" * (1024 - len(f"{path}//v1/models/m:explain")),
            "gatewayApi": {"writeRoutes": True},
            "gateway": {"tls": {"enabled": True, "secretName": "s"}},
        },
        "models": {
            "m": {
                "format": "sklearn",
                "storageUri": iris.URI,
                "timeout": 359999999,
                "explainer": {"image": "example.com/explainer:1"},
                "canary": {f"v{number}": {"trafficPercent": 6} for number in range(15)},
            }
        },
    }
    file = tmp_path_factory.mktemp("widest") / "values.yaml"
    file.write_text(json.dumps(values))
    text = rendering.helm_template(CHARTS[MODELS], read([file]), namespace="default", more=())
    return rendering.of_kind(rendering.parse(text), "HTTPRoute")


def taken(cluster, route):
    """Has the API server look at a route, and say whether it takes it. Raises ToolFailed."""
    cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(route))


def test_an_api_server_takes_the_widest_routes(cluster, widest):
    assert {route["metadata"]["name"] for route in widest} == {"m.host", "m.path"}
    for route in widest:
        taken(cluster, route)


@pytest.mark.parametrize("beyond", BEYOND)
def test_an_api_server_takes_nothing_wider(cluster, widest, beyond):
    """So what the chart refuses is what would not be taken, and no more."""
    route = json.loads(json.dumps(widest[0]))
    route["spec"]["rules"].reverse()  # The one with the versions first.
    BEYOND[beyond](route["spec"])
    with pytest.raises(ToolFailed, match="is invalid"):
        taken(cluster, route)
