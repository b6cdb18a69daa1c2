"""How models are reached through what others bring: the Gateway API, Istio, Knative.

Their CRDs are there, and nothing behind them: what a gateway or Knative would report of an object,
the tests report in its place.
"""

import json
import re

import pytest
import yaml

from generator import MODELS
from tests.cluster.harness import controller, foreign, iris, knative
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.status import REASON, accept_routes, condition
from tests.rendering import CHARTS, ROOT

DOMAIN = "models.example.com"
PUBLISHED = f"--set=routing.domain={DOMAIN}"
TLS = ("--set=routing.gateway.tls.enabled=true", "--set=routing.gateway.tls.secretName=tls")


@pytest.fixture(scope="module", autouse=True)
def others(cluster):
    """All that KServe looks for at its start, whatever the mode: it watches what it finds."""
    with foreign.crds(cluster, "gateway-api", "istio", "keda", "knative"):
        yield
        cluster.reset()


@pytest.fixture(autouse=True)
def nothing_is_forbidden(cluster, release):
    yield
    assert controller.forbidden(cluster, release.namespace) == []


def announced(cluster, release, namespace):
    """The URLs that NOTES.txt told people to call a model in `namespace` at."""
    notes = cluster.helm("get", "notes", release.name, "-n", release.namespace)
    return re.findall(r"curl (\S+)/v1/models/", notes.replace("default", namespace))


def model(cluster, namespace):
    return cluster.get("inferenceservice", iris.NAME, namespace)


@pytest.mark.parametrize(("scheme", "more"), [("http", ()), ("https", TLS)])
def test_gateway_api(cluster, release, models, scheme, more):
    release.install("--set=routing.mode=gatewayApi", PUBLISHED, *more)
    (gateway,) = cluster.list("gateways.gateway.networking.k8s.io", release.namespace)
    listeners = {
        listener["name"]: listener["hostname"] for listener in gateway["spec"]["listeners"]
    }
    assert (scheme, f"*.{DOMAIN}") in listeners.items()

    cluster.apply(iris.MODEL, namespace=models)
    host = f"{iris.NAME}-{models}.{DOMAIN}"
    cluster.wait("a route refused", lambda: accept_routes(cluster, models, "False"))

    def unrouted():
        """With the reason of the route, not because there is none yet."""
        said = model(cluster, models).get("status", {}).get("conditions", [])
        found = [each.get("reason") for each in said if each["type"] == "IngressReady"]
        return found == [REASON]

    cluster.wait("a model unrouted", unrouted)
    cluster.wait(
        "a model routed",
        lambda: (
            accept_routes(cluster, models) and condition(model(cluster, models), "Ready") == "True"
        ),
    )

    route = cluster.get("httproute", iris.NAME, models)
    assert route["spec"]["hostnames"] == [host]
    (parent,) = route["spec"]["parentRefs"]
    assert (parent["kind"], parent["namespace"], parent["name"]) == (
        "Gateway", release.namespace, gateway["metadata"]["name"],
    )  # fmt: skip
    (backend,) = route["spec"]["rules"][-1]["backendRefs"]
    assert cluster.get("service", backend["name"], models)

    found = model(cluster, models)["status"]
    assert found["url"] == f"{scheme}://{host}"
    assert announced(cluster, release, models) == [found["address"]["url"], found["url"]]
    assert cluster.list("ingresses", models) == []


def test_gateway_api_has_timeouts_and_more_domains(cluster, release, models, tmp_path):
    """What docs/models.md says of declared models in this mode; `:explain` is a rule of its own."""
    part = {"image": "registry.example.com/part:1"}
    values = {
        "routing": {"mode": "gatewayApi", "domain": DOMAIN, "additionalDomains": ["example.org"]},
        "global": {"platformNamespace": release.namespace},
        "models": {
            iris.NAME: {
                "format": "sklearn",
                "storageUri": iris.URI,
                "timeout": 7,
                "transformer": part,
                "explainer": part,
            }
        },
    }
    (tmp_path / "my.yaml").write_text(json.dumps(values))
    release.install(f"--values={tmp_path}/my.yaml")
    iris_release = Release(cluster, models, chart=CHARTS[MODELS], name="iris")
    iris_release.install(f"--values={tmp_path}/my.yaml")
    route = cluster.wait("a route", lambda: cluster.get("httproute", iris.NAME, models))
    assert route["spec"]["hostnames"] == [
        f"{iris.NAME}-{models}.{DOMAIN}", f"{iris.NAME}-{models}.example.org",
    ]  # fmt: skip
    rules = route["spec"]["rules"]
    assert {rule["timeouts"]["request"] for rule in rules} == {"7s"}
    assert [rule["backendRefs"][0]["name"] for rule in rules] == [
        f"{iris.NAME}-explainer", f"{iris.NAME}-transformer",
    ]  # fmt: skip
    explain = re.compile(rules[0]["matches"][0]["path"]["value"])
    assert explain.fullmatch(f"/v1/models/{iris.NAME}:explain")
    assert not explain.fullmatch(f"/v1/models/{iris.NAME}:predict")
    iris_release.uninstall()


def test_why_gateway_api_refuses_canaries_and_paths(cluster, release, models):
    """KServe's routes at this version; when this fails, a refusal may have to go."""
    path = "--set=configOverrides.ingress.pathTemplate=/serving/{{ .Name }}"
    release.install("--set=routing.mode=gatewayApi", PUBLISHED, path)
    split = yaml.safe_load(iris.MODEL)
    stable = split["spec"]["predictor"]
    split["spec"]["canary"] = [{"trafficPercent": 30, "predictor": {**stable, "name": "next"}}]
    split["spec"]["predictor"] = {**stable, "minReplicas": 3, "maxReplicas": 4}
    cluster.apply(split, namespace=models)
    route = cluster.wait("a route", lambda: cluster.get("httproute", iris.NAME, models))
    rules = route["spec"]["rules"]
    # The versions have pods, taken from the model's, and no request.
    assert cluster.get("deployment", f"{iris.NAME}-next-predictor", models)["spec"]["replicas"] == 1
    scaler = cluster.get("hpa", f"{iris.NAME}-predictor", models)
    assert scaler["spec"]["minReplicas"] == 2
    to = {ref["name"] for rule in rules for ref in rule["backendRefs"]}
    assert to == {f"{iris.NAME}-predictor"}
    # The whole domain leads to this one model, and its path to nothing: no rule cuts it off.
    assert DOMAIN in route["spec"]["hostnames"]
    paths = [match["path"]["value"] for rule in rules for match in rule["matches"]]
    assert paths == ["^/.*$", f"/serving/{iris.NAME}/"]
    assert "URLRewrite" not in json.dumps(rules)


@pytest.mark.parametrize(("scheme", "more"), [("http", ()), ("https", TLS)])
def test_virtual_service(cluster, release, models, scheme, more):
    balance = "--set=routing.virtualService.trafficPolicy.loadBalancer.simple=LEAST_REQUEST"
    routing = ("--set=routing.mode=virtualService", PUBLISHED, balance, *more)
    release.install(*routing)
    (gateway,) = cluster.list("gateways.networking.istio.io", release.namespace)
    servers = {
        server["port"]["protocol"].lower(): server["hosts"] for server in gateway["spec"]["servers"]
    }
    assert servers[scheme] == [f"*.{DOMAIN}"]

    iris_release = Release(cluster, models, chart=CHARTS[MODELS], name="iris")
    where = f"--set=global.platformNamespace={release.namespace}"
    iris_release.install(*routing, where, f"--values={ROOT}/examples/models/sklearn-iris.yaml")
    cluster.wait("the model", lambda: condition(model(cluster, models), "Ready") == "True")

    host = f"{iris.NAME}-{models}.{DOMAIN}"
    route = cluster.get("virtualservice", iris.NAME, models)
    assert route["spec"]["hosts"] == [host]
    assert route["spec"]["gateways"] == [f"{release.namespace}/{gateway['metadata']['name']}"]
    (rule,) = cluster.list("destinationrules", models)
    (http,) = route["spec"]["http"]
    (to,) = http["route"]
    assert to["destination"]["host"] == rule["spec"]["host"]
    service = to["destination"]["host"].removesuffix(f".{models}.svc.cluster.local")
    assert cluster.get("service", service, models)

    found = model(cluster, models)["status"]
    assert found["url"] == f"{scheme}://{host}"
    assert announced(cluster, release, models) == [found["address"]["url"], found["url"]]
    assert [
        virtual_service["metadata"]["name"]
        for virtual_service in cluster.list("virtualservices", models)
    ] == [iris.NAME]
    assert cluster.list("ingresses", models) == cluster.list("httproutes", models) == []
    iris_release.uninstall()


@pytest.fixture
def knative_serving(cluster):
    with knative.settings(cluster):
        yield


@pytest.mark.parametrize("path", ["", "/serving/{{ .Name }}"])
def test_knative(cluster, knative_serving, release, models, path):
    template = f"--set=routing.pathTemplate={path}"
    release.install(f"--values={ROOT}/values/knative.yaml", PUBLISHED, template)
    cluster.apply(iris.MODEL, namespace=models)
    service = knative.serve(cluster, iris.NAME, models, DOMAIN)
    (container,) = service["spec"]["template"]["spec"]["containers"]
    assert container["args"][0] == f"--model_name={iris.NAME}"
    cluster.wait("the model", lambda: condition(model(cluster, models), "Ready") == "True")
    found = model(cluster, models)["status"]
    inside, outside = f"{iris.NAME}.{models}.svc.cluster.local", f"{iris.NAME}.{models}.{DOMAIN}"
    url = f"{DOMAIN}/serving/{iris.NAME}" if path else outside
    assert (found["address"]["url"], found["url"]) == (f"http://{inside}", f"http://{url}")
    assert announced(cluster, release, models) == [found["address"]["url"]]

    route = cluster.get("virtualservice", iris.NAME, models)
    assert route["spec"]["hosts"] == [inside, outside, *([DOMAIN] if path else [])]
    if path:
        by_path = route["spec"]["http"][-1]
        assert by_path["match"][0]["uri"] == {"prefix": f"/serving/{iris.NAME}/"}
        assert by_path["rewrite"] == {"uri": "/"}
    config = cluster.get("configmap", "inferenceservice-config", release.namespace)
    ingress = json.loads(config["data"]["ingress"])
    assert route["spec"]["gateways"] == [ingress["localGateway"], "mesh", ingress["ingressGateway"]]
    alias = cluster.get("service", iris.NAME, models)
    assert alias["spec"]["externalName"] == ingress["localGatewayService"]
    assert cluster.list("deployments", models) == cluster.list("ingresses", models) == []


def test_knative_keeps_a_model_inside_and_gives_it_its_time(
    cluster, knative_serving, release, models, tmp_path
):
    flavour = f"--values={ROOT}/values/knative.yaml"
    model = {"format": "sklearn", "storageUri": iris.URI, "clusterLocal": True, "timeout": 7}
    (tmp_path / "my.yaml").write_text(json.dumps({"models": {iris.NAME: model}}))
    release.install(flavour, PUBLISHED)
    iris_release = Release(cluster, models, chart=CHARTS[MODELS], name="iris")
    iris_release.install(flavour, PUBLISHED, f"--values={tmp_path}/my.yaml")
    service = cluster.wait(
        "a Knative Service",
        lambda: cluster.get(knative.SERVICES, f"{iris.NAME}-predictor", models),
    )
    # Knative's own label: KServe's says nothing to it.
    assert service["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"
    assert service["spec"]["template"]["spec"]["timeoutSeconds"] == 7
    iris_release.uninstall()
