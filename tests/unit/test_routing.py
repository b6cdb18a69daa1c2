"""What the routing modes promise: docs/models.md says it per mode, the charts do it or refuse it."""

import json
import tempfile
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

from generator import MODELS
from generator.errors import ValuesError
from generator.manifests.routes import render as routes
from generator.values.load import merge
from tests import rendering
from tests.rendering import FLAVOURS, ROOT, Object, of_kind, only

MODEL = {"format": "sklearn", "storageUri": "s3://m"}
PATH = "/serving/{{ .Namespace }}/{{ .Name }}"

# What asks for a feature, and where it is refused.
FEATURES = {
    "canary": ({"models": {"m": {"canary": {"v": {"trafficPercent": 10}}}}}, "models.m.canary"),
    "path template": ({"routing": {"pathTemplate": PATH}}, "routing.pathTemplate"),
    "timeout": ({"models": {"m": {"timeout": 7}}}, "models.m.timeout"),
    "additional domains": (
        {"routing": {"additionalDomains": ["c.d"]}},
        "routing.additionalDomains",
    ),
    "gateway TLS": (
        {"routing": {"gateway": {"tls": {"enabled": True, "secretName": "s"}}}},
        "routing.gateway.tls",
    ),
}


def named(cell: str) -> str:
    """What the tests call the first cell of a row."""
    names = [name for name in ("Knative", "writeRoutes") if name in cell]
    return names[0] if names else cell.strip("`")


def table() -> tuple[list[str], list[tuple[str, str, str]]]:
    """The page's features, and its cells: (mode or Knative, feature, what the page says)."""
    text = (ROOT / "docs" / "models.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    start = next(number for number, row in enumerate(rows) if row[0] == "`routing.mode`")
    head = rows[start]
    body = takewhile(lambda row: len(row) == len(head), rows[start + 1 :])
    cells = [
        (named(row[0]), feature, said)
        for row in body
        for feature, said in zip(head[2:], row[2:], strict=True)
    ]
    return head[2:], cells


HEAD, CELLS = table()
DECIDED_HERE = [cell for cell in CELLS if cell[1] in FEATURES]


def published(mode: str, **model: object) -> dict:
    """Values of one model under a domain, in a mode, with writeRoutes or on Knative."""
    own = {"deploymentMode": "Knative"} if mode == "Knative" else {}
    how = {
        "Knative": {},
        "writeRoutes": {"mode": "gatewayApi", "gatewayApi": {"writeRoutes": True}},
    }
    routing = {"domain": "a.b"} | how.get(mode, {"mode": mode})
    return {**own, "routing": routing, "models": {"m": MODEL | model}}


def rendered(values: dict, folder: Path, namespace: str = "default") -> list[Object]:
    """The objects of both charts. Raises ValuesError when either refuses the values."""
    return rendering.parse(rendering.both_charts(values, folder, namespace=namespace))


@cache
def plain(mode: str) -> list[Object]:
    """The objects in a mode when nothing more is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        return rendered(published(mode), Path(folder))


def http(them: list[Object]) -> list[Object]:
    return [
        route
        for virtual_service in of_kind(them, "VirtualService")
        for route in virtual_service["spec"]["http"]
    ]


def rules(them: list[Object]) -> list[Object]:
    """The rules of the HTTPRoutes that the models chart wrote, the path's last."""
    return [rule for route in of_kind(them, "HTTPRoute") for rule in route["spec"]["rules"]]


def shown_by_httproutes(feature: str, them: list[Object]) -> bool:
    """Whether the models chart's own HTTPRoutes do what the feature says."""
    match feature:
        case "canary":
            return all(
                [to["weight"] for to in rule["backendRefs"]] == [90, 10] for rule in rules(them)
            )
        case "path template":
            (match,) = rules(them)[-1]["matches"]
            return match["path"] == {"type": "PathPrefix", "value": "/serving/default/m"}
        case "timeout":
            return {rule["timeouts"]["request"] for rule in rules(them)} == {"7s"}
        case "additional domains":
            hosts = only(them, "HTTPRoute")["spec"]["hostnames"]
            return hosts == ["m-default.a.b", "m-default.c.d"]
    return shown(feature, "gatewayApi", them)


def shown(feature: str, mode: str, them: list[Object]) -> bool:
    """Whether the objects do what the feature says, or tell KServe to, which does it then."""
    ingress = rendering.config(them)["ingress"]
    if mode == "writeRoutes":
        return shown_by_httproutes(feature, them)
    match feature, mode:
        case "canary", _:
            return all([to["weight"] for to in route["route"]] == [90, 10] for route in http(them))
        case "path template", "virtualService":
            (by_path, _) = http(them)
            (match,) = by_path["match"]
            return match["uri"] == {"prefix": "/serving/default/m/"} and "rewrite" in by_path
        case "path template", _:
            return ingress["pathTemplate"] == PATH
        case "timeout", "virtualService":
            return {route["timeout"] for route in http(them)} == {"7s"}
        case "timeout", _:
            model = only(them, "InferenceService")
            return model["spec"]["predictor"]["timeout"] == 7 and not ingress.get(
                "disableHTTPRouteTimeout"
            )
        case "additional domains", "virtualService":
            return only(them, "VirtualService")["spec"]["hosts"] == [
                "m-default.a.b",
                "m-default.c.d",
            ]
        case "additional domains", _:
            return ingress["additionalIngressDomains"] == ["c.d"]
        case "gateway TLS", "virtualService":
            servers = only(them, "Gateway")["spec"]["servers"]
            return "HTTPS" in {server["port"]["protocol"] for server in servers}
        case "gateway TLS", _:
            listeners = only(them, "Gateway")["spec"]["listeners"]
            return "HTTPS" in {listener["protocol"] for listener in listeners}
    raise AssertionError(f"nothing shows {feature} in {mode}")


def test_the_page_says_each_feature_of_each_mode():
    assert {mode for mode, *_ in CELLS} == {
        "ingress",
        "gatewayApi",
        "writeRoutes",
        "virtualService",
        "none",
        "Knative",
    }
    assert FEATURES.keys() <= set(HEAD)
    assert {said for *_, said in DECIDED_HERE} == {"yes", "refused"}


@pytest.mark.parametrize(("mode", "feature", "said"), DECIDED_HERE)
def test_a_mode_does_what_the_page_says_or_refuses_it(mode, feature, said, tmp_path):
    asked, path = FEATURES[feature]
    assert plain(mode)
    values = merge(published(mode), asked)
    if said == "yes":
        assert shown(feature, mode, rendered(values, tmp_path))
    else:
        with pytest.raises(ValuesError) as caught:
            rendered(values, tmp_path)
        (problem,) = caught.value.problems
        assert problem.path == path
        assert "; " in problem.message  # A remedy after the fact.
        assert problem.line == 1
        assert problem.column > 1


SPLIT = {"canary": [{"trafficPercent": 10, "predictor": {"name": "v", "sklearn": {}}}]}
REFUSED = [
    (published("gatewayApi", spec=SPLIT), "models.m.spec.canary", "set routing.mode=virtualService"),
    (published("ingress", spec={"predictor": {"canaryTrafficPercent": 10}}), "models.m.spec.predictor.canaryTrafficPercent", "is Knative's"),
    (published("virtualService", clusterLocal=True, canary={"v": {"trafficPercent": 10}}), "models.m.canary", "the model has none"),
    ({"routing": {"mode": "virtualService"}, "models": {"m": MODEL | {"canary": {"v": {"trafficPercent": 10}}}}}, "models.m.canary", "set routing.domain"),
    (merge(published("gatewayApi", timeout=7), {"routing": {"httpRouteTimeouts": False}}), "models.m.timeout", "set routing.httpRouteTimeouts=true"),
    (merge(published("gatewayApi"), {"routing": {"gateway": {"className": "gke-l7-rilb"}}}), "routing.gateway.className", "istio for instance"),
    (merge(published("gatewayApi"), {"deploymentMode": "Knative", "routing": {"pathTemplate": PATH}}), "routing.pathTemplate", "set routing.mode=virtualService"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "path", "said"), REFUSED)
def test_what_no_route_would_do_is_refused(values, path, said, tmp_path):
    problem = rendering.refusal(values, tmp_path)
    assert problem.path == path
    assert said in problem.message


@pytest.mark.parametrize(
    "values",
    [
        # No route that could cut a request short, or a class that is not made here.
        {"models": {"m": MODEL | {"timeout": 7}}},
        published("ingress", timeout=7, clusterLocal=True),
        published("ingress", timeout=7, deploymentMode="Knative"),
        published("Knative", spec={"predictor": {"canaryTrafficPercent": 10}}),
        merge(published("gatewayApi"), {"routing": {"gateway": {"create": False, "className": "gke-x"}}}),
    ],
)  # fmt: skip
def test_what_holds_is_accepted(values, tmp_path):
    assert of_kind(rendered(values, tmp_path), "InferenceService")


@pytest.mark.parametrize("where", ["key", "spec"])
def test_a_timeout_is_the_whole_models(where, tmp_path):
    """KServe and Knative give each component its own; a route leads to the first of them."""
    own = {"timeout": 7} if where == "key" else {"spec": {"predictor": {"timeout": 7}}}
    parts = {"explainer": {"image": "x"}, "transformer": {"image": "x"}}
    them = rendered(published("virtualService", **own, **parts), tmp_path)
    assert {route["name"]: route["timeout"] for route in http(them)} == {
        "explain": "7s",
        "predict": "7s",
    }
    if where == "key":
        spec = only(them, "InferenceService")["spec"]
        assert {part: component["timeout"] for part, component in spec.items()} == dict.fromkeys(
            spec, 7
        )


def test_a_host_outside_of_the_domain_has_no_others(tmp_path):
    more = {"additionalDomains": ["c.d"], "domainTemplate": "{{ .Name }}.elsewhere.org"}
    values = merge(published("virtualService"), {"routing": more})
    assert only(rendered(values, tmp_path), "VirtualService")["spec"]["hosts"] == [
        "m.elsewhere.org"
    ]


def test_a_graphs_timeout_is_its_routers(tmp_path):
    """KServe reads `timeout` on Knative only, and the router ends requests after 60 s by itself."""
    values = published("ingress") | {"graphs": {"g": GRAPH["g"] | {"timeout": 300}}}
    spec = only(rendered(values, tmp_path), "InferenceGraph")["spec"]
    assert spec["timeout"] == 300
    assert spec["routerTimeouts"] == {"serverWrite": 300, "serviceClient": 300}


def test_the_route_of_a_model_applied_by_hand_has_its_timeout(tmp_path):
    model = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m"},
        "spec": {"predictor": {"timeout": 7, "sklearn": {"storageUri": "s3://m"}}},
    }
    (tmp_path / "model.yaml").write_text(json.dumps(model))
    (text,) = [
        text
        for text in routes([tmp_path / "model.yaml"], rendering.given("istio-virtual-service"))
        if "kind: VirtualService" in text
    ]
    (route,) = rendering.parse(text)[0]["spec"]["http"]
    assert route["timeout"] == "7s"


def test_a_split_may_be_said_in_the_spec(tmp_path):
    """As `generator model` carries it over from an InferenceService."""
    policy = {"routing": {"virtualService": {"trafficPolicy": {"connectionPool": {}}}}}
    by_key = published("virtualService", canary={"v": {"trafficPercent": 10}})
    ours, theirs = (
        rendered(merge(values, policy), tmp_path)
        for values in (by_key, published("virtualService", spec=SPLIT))
    )
    for kind in ("VirtualService", "DestinationRule"):
        assert of_kind(ours, kind) == of_kind(theirs, kind) != []
    (route,) = http(ours)
    assert {to["destination"]["host"]: to["weight"] for to in route["route"]} == {
        "m-predictor.default.svc.cluster.local": 90,
        "m-v-predictor.default.svc.cluster.local": 10,
    }


GRAPH = {"g": {"nodes": {"root": {"type": "Sequence", "steps": [{"model": "m"}]}}}}


@pytest.mark.parametrize(
    ("more", "admitted"),
    [
        ({}, {"istio-system"}),
        ({"models": {"m": {"transformer": {"image": "x"}}}}, {"istio-system", "fraud"}),
        ({"models": {"m": {"explainer": {"image": "x"}}}}, {"istio-system", "fraud"}),
        ({"models": {"m": {"spec": {"transformer": {"containers": []}}}}}, {"istio-system", "fraud"}),
        ({"graphs": GRAPH}, {"istio-system", "fraud"}),
    ],
)  # fmt: skip
def test_a_model_may_call_itself(more, admitted, tmp_path):
    allowed = {"routing": {"virtualService": {"allowNamespaces": ["istio-system"]}}}
    values = merge(merge(published("virtualService"), allowed), more)
    policy = only(rendered(values, tmp_path, namespace="fraud"), "AuthorizationPolicy", "m")
    (rule,) = policy["spec"]["rules"]
    found = [peer["source"]["namespaces"] for peer in rule["from"]]
    assert {name for names in found for name in names} == admitted
    assert len(found) == len(admitted)


def test_a_graph_has_a_virtual_service_as_a_model_has(tmp_path):
    values = merge(
        published("virtualService"), {"graphs": GRAPH, "routing": {"pathTemplate": "/{{ .Name }}"}}
    )
    spec = only(rendered(values, tmp_path), "VirtualService", "g")["spec"]
    assert spec["hosts"] == ["g-default.a.b", "a.b"]
    for route in spec["http"]:
        (to,) = route["route"]
        assert to["destination"] == {
            "host": "g.default.svc.cluster.local", "port": {"number": 80},
        }  # fmt: skip


def test_a_graph_admits_whom_its_models_admit(tmp_path):
    """Else whoever may not call a model asks a graph to do so."""
    policies = {"allowNamespaces": ["apps"], "peerAuthentication": "STRICT"}
    values = published("virtualService") | {"graphs": GRAPH}
    them = rendered(merge(values, {"routing": {"virtualService": policies}}), tmp_path)
    selector = {"matchLabels": {"serving.kserve.io/inferencegraph": "g"}}
    policy = only(them, "AuthorizationPolicy", "g")["spec"]
    assert policy["selector"] == selector
    assert policy["rules"] == [{"from": [{"source": {"namespaces": ["apps"]}}]}]
    authentication = only(them, "PeerAuthentication", "g")["spec"]
    assert authentication == {"selector": selector, "mtls": {"mode": "STRICT"}}


@pytest.mark.parametrize("mode", ["ingress", "gatewayApi", "none"])
@pytest.mark.parametrize(
    "policy",
    [
        {"allowNamespaces": ["apps"]},
        {"allowPrincipals": ["cluster.local/ns/apps/sa/web"]},
        {"peerAuthentication": "STRICT"},
    ],
)
def test_a_policy_that_nobody_writes_is_refused(mode, policy, tmp_path):
    values = merge(published(mode), {"routing": {"virtualService": policy}})
    problem = rendering.refusal(values, tmp_path)
    assert problem.path == f"routing.virtualService.{next(iter(policy))}"
    assert "set routing.mode=virtualService" in problem.message


def test_a_namespace_of_digits_that_is_named_is_admitted_once(tmp_path):
    more = {"routing": {"virtualService": {"allowNamespaces": ["123"]}}}
    values = merge(published("virtualService", transformer={"image": "x"}), more)
    policy = only(rendered(values, tmp_path, namespace="123"), "AuthorizationPolicy")
    assert policy["metadata"]["namespace"] == "123"
    (rule,) = policy["spec"]["rules"]
    assert rule["from"] == [{"source": {"namespaces": ["123"]}}]


@pytest.mark.parametrize(
    ("routing", "named", "created"),
    [
        ({}, None, None),
        ({"domain": "a.b"}, "kserve-lite", "istio.io/ingress-controller"),
        ({"domain": "a.b", "ingressClass": {"controller": "x.y/z"}}, "kserve-lite", "x.y/z"),
        ({"domain": "a.b", "ingressClass": {"name": "nginx"}}, "nginx", None),
        ({"domain": "a.b", "ingressClass": {"create": False}}, None, None),
    ],
)
def test_the_class_of_the_ingresses_is_there_or_somebody_elses(routing, named, created, tmp_path):
    """A class of a name of its own collides with none that a cluster has."""
    them = rendered({"routing": routing}, tmp_path)
    assert rendering.config(them)["ingress"].get("ingressClassName") == named
    found = {
        ingress_class["metadata"]["name"]: ingress_class["spec"]["controller"]
        for ingress_class in of_kind(them, "IngressClass")
    }
    assert found == ({named: created} if created else {})


def test_annotations_are_for_the_ingresses_and_not_for_the_pods():
    platform = rendering.objects("ingress-models")
    config = rendering.config(platform)["inferenceService"]
    assert config["serviceAnnotationDisallowedList"] == [
        "example.com/internal",
        "nginx.ingress.kubernetes.io/proxy-body-size",
        "nginx.ingress.kubernetes.io/proxy-read-timeout",
    ]
    them = rendering.by_identity(rendering.objects("ingress-models", chart=MODELS))
    found = {
        name: manifest["metadata"].get("annotations", {})
        for (_, kind, _, name), manifest in them.items()
        if kind == "InferenceService"
    }
    ours = {
        "nginx.ingress.kubernetes.io/proxy-body-size": "100m",
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "300",
    }
    assert found == {
        "plain": ours,
        "larger": ours | {"nginx.ingress.kubernetes.io/proxy-body-size": "1g"},
        "private": {},
        "serverless": {"serving.kserve.io/deploymentMode": "Knative"},
    }


def test_a_model_kept_inside_has_the_label_that_its_mode_knows():
    them = of_kind(rendering.objects("ingress-models", chart=MODELS), "InferenceService")
    labels = {manifest["metadata"]["name"]: manifest["metadata"]["labels"] for manifest in them}
    assert labels["private"]["networking.kserve.io/visibility"] == "cluster-local"
    assert labels["serverless"]["networking.knative.dev/visibility"] == "cluster-local"


@pytest.mark.parametrize(
    ("values", "scheme"),
    [
        ({}, "http"),
        ({"routing": {"urlScheme": "https"}}, "http"),  # Inside the cluster there is no TLS.
        ({"deploymentMode": "Knative"}, "http"),
        ({"deploymentMode": "Knative", "routing": {"urlScheme": "https"}}, "https"),
        ({"routing": {"domain": "a.b", "urlScheme": "https"}}, "https"),
    ],
)
def test_the_scheme_of_urls(values, scheme, tmp_path):
    assert rendering.config(rendered(values, tmp_path))["ingress"]["urlScheme"] == scheme


def test_no_flavour_asks_a_gateway_for_what_it_refuses():
    """GKE's classes take no regular expression, and KServe writes nothing else."""
    for flavour in FLAVOURS:
        for gateway in of_kind(rendering.objects(flavour), "Gateway"):
            assert not gateway["spec"].get("gatewayClassName", "").startswith("gke-"), flavour


def test_a_flavour_with_https_urls_has_somebody_who_ends_tls():
    """auto says https only where the gateway has TLS; what says https itself names who ends it."""
    enders = ("route.openshift.io/termination", "alb.ingress.kubernetes.io/certificate-arn")
    for flavour in FLAVOURS:
        routing = rendering.values_of(flavour).get("routing", {})
        if routing.get("urlScheme") == "https":
            assert set(enders) & routing["ingressAnnotations"].keys(), flavour


def test_ports_of_the_node_are_nobodys():
    """kubelet has 10250, 10255 and 10256, cert-manager's webhook is usually moved to 10260."""
    taken = {8080, 8081, 9443, 10250, 10255, 10256, 10257, 10259, 10260}
    (deployment,) = of_kind(rendering.objects("eks-overlay"), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True
    ports = {
        port["containerPort"] for container in pod["containers"] for port in container["ports"]
    }
    assert len(ports) == 3
    assert not ports & taken


def test_knative_models_are_not_scraped_where_nobody_listens():
    """Port 9088 is served by the queue proxy of kserve/qpext alone, which is not Knative's."""
    aggregator = rendering.config(rendering.objects("knative"))["metricsAggregator"]
    assert set(aggregator.values()) == {"false"}
