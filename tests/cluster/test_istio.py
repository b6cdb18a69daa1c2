"""Istio's own opinion of every Istio object that the charts render: istioctl's, and in a live cluster."""

import json

import pytest

from generator import CHART, MODELS, process, tools
from generator.errors import ToolFailed
from tests.cluster.harness import foreign, waiting
from tests.cluster.harness.cluster import Release, installed
from tests.rendering import CASES, CHARTS, NAMESPACES, WITH_MODELS, Object, objects, of_kind

# What belongs to whoever runs Istio: the proxies that gateways select, a gateway that models share.
PROXY = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "istio-ingressgateway",
        "namespace": "istio-system",
        "labels": {"app": "istio-ingressgateway", "istio": "ingressgateway"},
    },
    "spec": {"containers": [{"name": "istio-proxy", "image": "istio/proxyv2"}]},
}
SERVER = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
SHARED = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "shared", "namespace": "gateways"},
    "spec": {"selector": {"istio": "ingressgateway"}, "servers": [SERVER]},
}
THEIRS = [PROXY, SHARED]


def rendered(case: str) -> list[Object]:
    """What both charts render, each in its namespace."""
    charts = [CHART, MODELS] if case in WITH_MODELS else [CHART]
    found = []
    for chart in charts:
        for manifest in objects(case, chart=chart):
            manifest["metadata"].setdefault("namespace", NAMESPACES[chart])
            found.append(manifest)
    return found


def of_istio(them: list[Object]) -> list[Object]:
    return [
        manifest
        for manifest in them
        if manifest["apiVersion"].partition("/")[0].endswith(".istio.io")
    ]


WITH_ISTIO = [case for case in CASES if of_istio(rendered(case))]


def istioctl(cluster, *arguments, stdin=None):
    argv = [str(tools.find("istioctl")), *arguments]
    return process.run(argv, environment=cluster.environment, stdin=stdin)


def analysed(cluster, *arguments):
    """The messages of `istioctl analyze`, warnings and errors; it exits with 0 whatever it finds."""
    found = json.loads(istioctl(cluster, "analyze", "--output=json", *arguments))
    return [
        f"{finding['origin']}: {finding['message']}"
        for finding in found
        if finding["level"] in ("Warning", "Error")
    ]


def test_there_is_something_to_look_at():
    assert {"istio-virtual-service", "istio-models", "models-by-host"} <= set(WITH_ISTIO)


@pytest.mark.parametrize("case", WITH_ISTIO)
def test_istioctl_finds_nothing_wrong(cluster, case, tmp_path):
    file = tmp_path / "rendered.yaml"
    file.write_text("\n---\n".join(map(json.dumps, rendered(case))))
    istioctl(cluster, "validate", "-f", str(file))
    file.write_text("\n---\n".join(map(json.dumps, [*rendered(case), *THEIRS])))
    assert analysed(cluster, "--use-kube=false", "--all-namespaces", str(file)) == []


def test_istioctl_finds_what_is_wrong(cluster, tmp_path):
    """The two tests above can fail."""
    (route, *_) = of_kind(rendered("istio-models"), "VirtualService")
    file = tmp_path / "rendered.yaml"
    file.write_text(json.dumps(route))
    said = "\n".join(analysed(cluster, "--use-kube=false", str(file)))
    assert "Referenced gateway not found" in said
    route["spec"]["http"][0]["route"][0]["weight"] = -1
    file.write_text(json.dumps(route))
    with pytest.raises(ToolFailed, match="weight"):
        istioctl(cluster, "validate", "-f", str(file))


@pytest.fixture
def namespaces_of_others(cluster):
    """Those that the case allows to call its models, one of them with Istio's gateway."""
    names = ("istio-system", "apps", "batch")
    if cluster.get("namespace", names[0]):
        pytest.skip("Istio itself is there")
    for name in names:
        cluster.kubectl("create", "namespace", name)
    cluster.wait("a proxy", lambda: cluster.apply(PROXY, namespace="istio-system"))
    yield
    cluster.kubectl("delete", "namespace", *names)


def test_istioctl_finds_nothing_wrong_in_the_cluster(cluster, namespaces_of_others):
    """With the Services that KServe made, where a render has none."""
    values = ("-f", str(CASES["istio-models"]))
    with foreign.crds(cluster, "istio"), installed(cluster, *values) as platform:
        namespace = cluster.namespace("models", enforce="baseline")
        cluster.kubectl("label", "namespace", namespace, "istio-injection=enabled")
        models = Release(cluster, namespace, chart=CHARTS[MODELS], name="models")
        models.install(*values, f"--set=global.platformNamespace={platform.namespace}")
        every = ("inferenceservices", "--all", "-n", namespace)
        cluster.kubectl("wait", *every, waiting.READY, "--timeout=2m")
        # KServe comes to a graph once it has come to its models, and may call it Ready without a pod.
        where = ("-n", namespace, "--timeout=2m")
        for graph in cluster.list("inferencegraphs", namespace):
            name = graph["metadata"]["name"]
            cluster.kubectl("wait", f"service/{name}", "--for=create", *where)
            cluster.kubectl("rollout", "status", f"deployment/{name}", *where)
        nobody_injects = "--suppress=IST0103=Pod *"
        assert analysed(cluster, "--namespace", namespace, nobody_injects) == []
        models.uninstall()
