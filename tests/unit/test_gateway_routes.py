"""The routes that the models chart writes for the Gateway API: routing.gatewayApi.writeRoutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from generator import MODELS
from generator.errors import ValuesError
from generator.importer.entries import read_models
from generator.manifests.routes import render as routes_of
from generator.values.check import read
from generator.values.load import Values, merge
from tests import rendering
from tests.rendering import Object, of_kind, only

MODEL = {"format": "sklearn", "storageUri": "s3://m"}
PART = {"image": "registry.example.com/part:1"}
GRPC = {"format": "triton", "protocol": "grpc-v2"}
MODE = "serving.kserve.io/deploymentMode"
STEPS = [{"url": "http://other.example.com"}, {"model": "m"}]
GRAPH = {
    "graphs": {"vote": {"timeout": 7, "nodes": {"root": {"type": "Ensemble", "steps": STEPS}}}}
}
VISIBILITY = "networking.kserve.io/visibility"
PATH = "/serving/{{ .Namespace }}/{{ .Name }}"


def written(*also: dict, **model: object) -> dict:
    """Values of one published model whose routes are the chart's, merged with others."""
    values = {
        "routing": {"mode": "gatewayApi", "domain": "a.b", "gatewayApi": {"writeRoutes": True}},
        "runtimes": {"triton": {"enabled": True}},
        "models": {"m": MODEL | model},
    }
    for more in also:
        values = merge(values, more)
    return values


def rendered(values: dict, folder: Path) -> list[Object]:
    return rendering.parse(rendering.both_charts(values, folder))


def routes(them: list[Object]) -> dict[str, Object]:
    """The spec of each route of a model, by kind and name; the redirect to HTTPS has no dot."""
    found = of_kind(them, "HTTPRoute") + of_kind(them, "GRPCRoute")
    return {
        f"{each['kind']} {each['metadata']['name']}": each["spec"]
        for each in found
        if "." in each["metadata"]["name"]
    }


def weights(rule: Object) -> dict[str, int]:
    return {to["name"]: to["weight"] for to in rule["backendRefs"]}


def test_a_model_has_one_route_on_its_hosts(tmp_path):
    more = {"routing": {"additionalDomains": ["c.d"], "gateway": {"create": False, "namespace": "g", "name": "shared"}}}  # fmt: skip
    them = rendered(written(more), tmp_path)
    ((name, spec),) = routes(them).items()
    assert name == "HTTPRoute m.host"
    assert spec["hostnames"] == ["m-default.a.b", "m-default.c.d"]
    (parent,) = spec["parentRefs"]
    assert (parent["namespace"], parent["name"]) == ("g", "shared")
    (rule,) = spec["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert weights(rule) == {"m-predictor": 100}
    assert rule["timeouts"] == {"request": "60s"}
    (headers,) = rule["filters"]
    assert {
        header["name"]: header["value"] for header in headers["requestHeaderModifier"]["set"]
    } == {
        "KServe-Isvc-Name": "m",
        "KServe-Isvc-Namespace": "default",
    }


def test_only_models_with_a_route_of_ours_are_kept_from_kserve(tmp_path):
    others = {
        "models": {
            "inside": MODEL | {"clusterLocal": True},
            "by-label": MODEL | {"labels": {VISIBILITY: "cluster-local"}},
            "serverless": MODEL | {"deploymentMode": "Knative"},
            "by-annotation": MODEL | {"annotations": {MODE: "Serverless"}},
        }
    }
    them = rendered(written(others), tmp_path)
    assert routes(them).keys() == {"HTTPRoute m.host"}
    assert "by-annotation" not in {each["metadata"]["name"] for each in of_kind(them, "Service")}
    labels = {each["metadata"]["name"]: each["metadata"]["labels"] for each in of_kind(them, "InferenceService")}  # fmt: skip
    local = {name: own.get(VISIBILITY) for name, own in labels.items()}
    inside = "cluster-local"
    assert local == {
        "m": inside,
        "inside": inside,
        "by-label": inside,
        "serverless": None,
        "by-annotation": None,
    }

    without = merge(written(others), {"routing": {"gatewayApi": {"writeRoutes": False}}})
    them = rendered(without, tmp_path)
    assert routes(them) == {}
    model = next(
        each for each in of_kind(them, "InferenceService") if each["metadata"]["name"] == "m"
    )
    assert VISIBILITY not in model["metadata"]["labels"]


@pytest.mark.parametrize("mode", ["gatewayApi", "virtualService"])
def test_a_model_that_says_by_label_that_it_stays_inside_is_not_published(mode, tmp_path):
    values = {
        "routing": {"mode": mode, "domain": "a.b", "gatewayApi": {"writeRoutes": mode == "gatewayApi"}},
        "models": {"m": MODEL | {"labels": {VISIBILITY: "cluster-local"}}},
    }  # fmt: skip
    them = rendered(values, tmp_path)
    assert routes(them) == {}
    assert of_kind(them, "VirtualService") == []


@pytest.mark.parametrize("own", [{}, GRPC])
def test_versions_have_their_part(own, tmp_path):
    version = {"next": {"storageUri": "s3://n", "trafficPercent": 20}}
    them = rendered(written(**own, canary=version, minReplicas=2), tmp_path)
    (spec,) = routes(them).values()
    (rule,) = spec["rules"]
    assert weights(rule) == {"m-predictor": 80, "m-next-predictor": 20}


def test_a_path_is_cut_off_on_the_bare_domain_alone(tmp_path):
    them = rendered(written({"routing": {"pathTemplate": PATH}}, explainer=PART), tmp_path)
    found = routes(them)
    assert {name: route["hostnames"] for name, route in found.items()} == {
        "HTTPRoute m.host": ["m-default.a.b"],
        "HTTPRoute m.path": ["a.b"],
    }
    assert "URLRewrite" not in json.dumps(found["HTTPRoute m.host"])
    (first, second, rest) = found["HTTPRoute m.path"]["rules"]
    for rule, path in ((first, "/v1/models/m:explain"), (second, "/v2/models/m/explain")):
        (match,) = rule["matches"]
        assert match["path"] == {"type": "Exact", "value": f"/serving/default/m{path}"}
        assert rule["filters"][0]["urlRewrite"]["path"]["replaceFullPath"] == path
        assert weights(rule) == {"m-explainer": 100}
    assert rest["matches"] == [{"path": {"type": "PathPrefix", "value": "/serving/default/m"}}]
    rewrite = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
    assert rest["filters"][0]["urlRewrite"]["path"] == rewrite
    assert weights(rest) == {"m-predictor": 100}
    listeners = {each["hostname"] for each in only(them, "Gateway")["spec"]["listeners"]}
    assert listeners == {"*.a.b", "a.b"}


def test_the_whole_domain_may_be_one_models(tmp_path):
    spec = routes(rendered(written({"routing": {"pathTemplate": "/"}}), tmp_path))[
        "HTTPRoute m.path"
    ]
    (rule,) = spec["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert "URLRewrite" not in json.dumps(rule)


def test_requests_go_to_the_transformer_and_explanations_to_the_explainer(tmp_path):
    them = rendered(written(transformer=PART, explainer=PART, timeout=7), tmp_path)
    rules = routes(them)["HTTPRoute m.host"]["rules"]
    assert [weights(rule) for rule in rules] == [
        {"m-explainer": 100}, {"m-explainer": 100}, {"m-transformer": 100},
    ]  # fmt: skip
    assert {rule["timeouts"]["request"] for rule in rules} == {"7s"}
    assert rules[0]["matches"][0]["path"] == {"type": "Exact", "value": "/v1/models/m:explain"}


def test_a_graph_has_routes_as_a_model_has(tmp_path):
    them = rendered(written(GRAPH, {"routing": {"pathTemplate": PATH}}), tmp_path)
    own, by_path = (routes(them)[f"HTTPRoute vote.{suffix}"] for suffix in ("host", "path"))
    assert (own["hostnames"], by_path["hostnames"]) == (["vote-default.a.b"], ["a.b"])
    for (rule,) in (own["rules"], by_path["rules"]):
        assert weights(rule) == {"vote": 100}
        assert rule["timeouts"] == {"request": "7s"}
    assert "filters" not in own["rules"][0]  # KServe's headers name a model.
    (rewrite,) = by_path["rules"][0]["filters"]
    assert rewrite["type"] == "URLRewrite"
    assert by_path["rules"][0]["matches"][0]["path"]["value"] == "/serving/default/vote"


def test_a_graph_with_the_label_stays_inside(tmp_path):
    inside = {"graphs": {"vote": {"labels": {VISIBILITY: "cluster-local"}}}}
    assert "HTTPRoute vote.host" not in routes(rendered(written(GRAPH, inside), tmp_path))


def test_grpc_has_a_route_of_its_own_kind(tmp_path):
    them = rendered(written({"routing": {"pathTemplate": PATH}}, **GRPC), tmp_path)
    ((name, spec),) = routes(them).items()
    assert (name, spec["hostnames"]) == ("GRPCRoute m.host", ["m-default.a.b"])
    (rule,) = spec["rules"]
    assert rule.keys() == {"filters", "backendRefs"}


def test_routes_attach_where_tls_ends_and_http_redirects(tmp_path):
    """Models in the platform's own namespace too, whose routes the HTTP listeners would take."""
    more = {"routing": {"additionalDomains": ["c.d", "e.f"], "pathTemplate": PATH, "gateway": {"tls": {"enabled": True, "secretName": "s"}}}}  # fmt: skip
    dense = {"models": {"dense": MODEL | GRPC}}
    them = rendered(written(more, dense), tmp_path)
    listeners = {each["name"]: each for each in only(them, "Gateway")["spec"]["listeners"]}
    expected = {
        "HTTPRoute m.host": {"*.a.b", "*.c.d", "*.e.f"},
        "HTTPRoute m.path": {"a.b"},
        "GRPCRoute dense.host": {"*.a.b", "*.c.d", "*.e.f"},
    }
    for name, spec in routes(them).items():
        sections = [listeners[parent["sectionName"]] for parent in spec["parentRefs"]]
        assert {section["protocol"] for section in sections} == {"HTTPS"}
        assert {section["hostname"] for section in sections} == expected.pop(name)
    assert expected == {}
    redirect = only(them, "HTTPRoute", "kserve-ingress-gateway-https-redirect")["spec"]
    redirected = [listeners[parent["sectionName"]] for parent in redirect["parentRefs"]]
    (rule,) = redirect["rules"]
    assert rule["filters"][0]["requestRedirect"]["scheme"] == "https"
    assert {section["protocol"] for section in redirected} == {"HTTP"}
    assert {section["hostname"] for section in redirected} == {"a.b", "*.a.b", "*.c.d", "*.e.f"}


@pytest.mark.parametrize(
    "gateway",
    [
        {},
        {"tls": {"enabled": True, "secretName": "s", "redirect": False}},
        # Its listeners are somebody else's.
        {"tls": {"enabled": True}, "create": False, "namespace": "g"},
    ],
)
def test_routes_attach_to_a_whole_gateway_that_serves_models_everywhere(gateway, tmp_path):
    them = rendered(written({"routing": {"gateway": gateway}}), tmp_path)
    (parent,) = routes(them)["HTTPRoute m.host"]["parentRefs"]
    assert parent.keys() == {"group", "kind", "name", "namespace"}


@pytest.mark.parametrize("part", ["transformer", "explainer"])
def test_one_host_has_routes_of_one_kind(part, tmp_path):
    """Of a GRPCRoute and an HTTPRoute on one host, a gateway takes the older alone."""
    (spec,) = routes(rendered(written(**GRPC, **{part: PART}), tmp_path)).items()
    assert spec[0] == "HTTPRoute m.host"


@pytest.mark.parametrize(
    ("seconds", "duration"),
    [
        (99999, "99999s"),
        (100000, "27h46m40s"),
        (359999999, "99999h59m59s"),
    ],
)
def test_a_long_timeout_is_in_hours(seconds, duration, tmp_path):
    """A Duration of the Gateway API has five digits per unit (GEP-2257)."""
    (spec,) = routes(rendered(written(timeout=seconds), tmp_path)).values()
    assert spec["rules"][0]["timeouts"] == {"request": duration}


@pytest.mark.parametrize("path", ["/.well-known/m", "/a/.../m", "/a..", "/a/~b_c-d.e/"])
def test_a_path_may_have_dots_in_its_words(path, tmp_path):
    found = routes(rendered(written({"routing": {"pathTemplate": path}}), tmp_path))
    (rule,) = found["HTTPRoute m.path"]["rules"]
    assert rule["matches"][0]["path"]["value"] == path.rstrip("/")


def test_fifteen_versions_and_domains_are_within_a_routes_bounds(tmp_path):
    domains = [f"d{number}.org" for number in range(15)]
    versions = {f"v{number}": {"trafficPercent": 1} for number in range(15)}
    more = {"routing": {"additionalDomains": domains}}
    (spec,) = routes(rendered(written(more, canary=versions), tmp_path)).values()
    assert len(spec["hostnames"]) == 16
    assert len(spec["rules"][0]["backendRefs"]) == 16


def test_routes_may_have_no_timeouts(tmp_path):
    values = written({"routing": {"httpRouteTimeouts": False}})
    (spec,) = routes(rendered(values, tmp_path)).values()
    assert "timeouts" not in spec["rules"][0]


def test_a_class_of_gke_has_routes_of_ours_without_timeouts(tmp_path):
    gke = {"routing": {"gateway": {"className": "gke-l7-rilb"}, "httpRouteTimeouts": False}}
    them = rendered(written(gke), tmp_path)
    assert only(them, "Gateway")["spec"]["gatewayClassName"] == "gke-l7-rilb"
    assert "RegularExpression" not in json.dumps(routes(them))


# By the rules of HTTPPathMatch in the Gateway API's own CRD.
NO_PATHS = ["/a/../b", "/a/./b", "/a/..", "/a/.", "/..", "/a//b", "//"]
LONG = ".".join(["d" * 61] * 4)


def split(*percents: int) -> list[dict]:
    """The `canary` of a spec."""
    return [
        {"trafficPercent": percent, "predictor": {"name": f"v{number}", "sklearn": {}}}
        for number, percent in enumerate(percents)
    ]


REFUSED = [
    (written({"routing": {"mode": "ingress"}}), "routing.gatewayApi.writeRoutes", "set routing.mode=gatewayApi"),
    (written({"routing": {"gateway": {"className": "gke-l7-rilb"}}}), "routing.httpRouteTimeouts", "set routing.httpRouteTimeouts=false"),
    (written(**GRPC, timeout=7), "models.m.timeout", "let the callers send their deadlines"),
    (written(clusterLocal=True, canary={"v": {"trafficPercent": 10}}), "models.m.canary", "the model has none"),
    (written({"routing": {"pathTemplate": "/{{ .Labels.x }}/{{ .Name }}"}}), "models.m", "which the model does not have"),
    (written({"routing": {"pathTemplate": "/{{ .Labels.x }}/{{ .Name }}"}}, labels={"x": ""}), "models.m", "which is no path"),
    (written({"routing": {"domainTemplate": "{{ .Labels.x }}.{{ .IngressDomain }}"}}), "models.m", "routing.domainTemplate asks for"),
    (written({"routing": {"pathTemplate": "/s"}, "models": {"x": MODEL}}), "models.x", "has the path /s of models.m"),
    (written(spec={"predictor": {"timeout": 7, "model": {"protocolVersion": "grpc-v2"}}}), "models.m.spec.predictor.timeout", "let the callers send their deadlines"),
    (written(timeout=360000000), "models.m.timeout", "99,999 hours are the most"),
    (written(GRAPH, {"graphs": {"vote": {"timeout": 360000000}}}), "graphs.vote.timeout", "99,999 hours are the most"),
    (written({"routing": {"gatewayApi": {"writeRoutes": False}}}, timeout=100000), "models.m.timeout", "set routing.gatewayApi.writeRoutes=true"),
    (written(spec={"canary": split(60, 41)}), "models.m.spec.canary", "add up to 101"),
    (written(canary={f"v{n}": {"trafficPercent": 1} for n in range(16)}), "models.m.canary", "16 versions"),
    (written(spec={"canary": split(*[1] * 16)}), "models.m.spec.canary", "16 versions"),
    (written({"routing": {"additionalDomains": [f"d{n}.org" for n in range(16)]}}), "routing.additionalDomains", "16 domains"),
    (written({"routing": {"additionalDomains": [LONG]}}), "models.m", f'"m-default.{LONG}" of it, which is no host'),
    *((written({"routing": {"pathTemplate": path}}), "models.m", f'"{path}" of it, which is no path') for path in NO_PATHS),
    (written({"routing": {"pathTemplate": f"/{'p' * 1010}"}}), "models.m", "takes 1024"),
    (written(GRAPH, {"routing": {"pathTemplate": "/s"}}), "graphs.vote", "has the path /s of models.m"),
    (written(GRAPH, {"routing": {"domainTemplate": "x.{{ .IngressDomain }}"}}), "graphs.vote", "has the host x.a.b of models.m"),
    (written(GRAPH, {"routing": {"domainTemplate": "{{ .Labels.x }}.{{ .IngressDomain }}"}}, labels={"x": "y"}), "graphs.vote", "which the graph does not have"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "path", "said"), REFUSED)
def test_what_no_route_would_do_is_refused(values, path, said, tmp_path):
    problem = rendering.refusal(values, tmp_path)
    assert problem.path == path
    assert said in problem.message
    assert "; " in problem.message  # A remedy after the fact.


def test_helm_alone_refuses_a_part_below_nothing(tmp_path):
    """The generator knows the type's bounds; a chart that renders has its route's weights."""
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(written(spec={"canary": split(-1)})))
    with pytest.raises(ValuesError, match=r"spec\.canary: v0 has -1 percent"):
        rendering.helm_template(rendering.CHARTS[MODELS], Values.parsed([file]))


def by_hand(folder: Path, **metadata: object) -> Path:
    """A manifest of an InferenceService that the values do not declare."""
    file = folder / "model.yaml"
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m", **metadata},
        "spec": {
            "predictor": {"minReplicas": 2, "sklearn": {"storageUri": "s3://m"}},
            "canary": [{"trafficPercent": 10, "predictor": {"name": "v", "sklearn": {}}}],
        },
    }
    file.write_text(json.dumps(service))
    return file


def platform(folder: Path, **routing: object) -> Values:
    """The values of a platform whose routes the models chart writes."""
    file = folder / "values.yaml"
    own = {"mode": "gatewayApi", "domain": "a.b", "gatewayApi": {"writeRoutes": True}}
    file.write_text(json.dumps({"routing": own | routing}))
    return read([file])


def test_a_model_applied_by_hand_has_the_same_route(tmp_path):
    manifest = by_hand(tmp_path, labels={VISIBILITY: "cluster-local"})
    texts = list(routes_of([manifest], platform(tmp_path)))
    (spec,) = routes(rendering.parse("---\n".join(texts))).values()
    declared = written(canary={"v": {"trafficPercent": 10}}, minReplicas=2)
    assert routes(rendered(declared, tmp_path)) == {"HTTPRoute m.host": spec}


def test_an_entry_made_from_the_cluster_keeps_its_route(tmp_path):
    """KServe's label alone does not tell a model of the chart's routes from one that stays inside."""
    values = written({"models": {"inside": MODEL | {"clusterLocal": True}}}, annotations={"a": "b"})
    before = rendered(values, tmp_path)
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump_all(of_kind(before, "InferenceService")))
    entries = read_models(tmp_path / "cluster.yaml").entries
    entry = MODEL | {"preStopSleepSeconds": 5}
    assert entries == {"m": entry | {"annotations": {"a": "b"}}, "inside": entry | {"clusterLocal": True}}  # fmt: skip
    assert rendered(values | {"models": dict(entries)}, tmp_path) == before


def test_a_model_of_the_charts_has_its_route_by_the_command_too(tmp_path):
    before = rendered(written(), tmp_path)
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump_all(of_kind(before, "InferenceService")))
    texts = routes_of([tmp_path / "cluster.yaml"], platform(tmp_path))
    assert routes(rendering.parse("---\n".join(texts))) == routes(before) != {}


def test_a_model_applied_by_hand_that_kserve_routes_is_refused(tmp_path):
    manifest = by_hand(tmp_path)
    with pytest.raises(ValuesError) as caught:
        list(routes_of([manifest], platform(tmp_path)))
    (problem,) = caught.value.problems
    assert problem.file == str(manifest)
    assert f"add the label {VISIBILITY}: cluster-local" in problem.message


def test_kserves_own_routes_are_not_written_twice(tmp_path):
    values = platform(tmp_path, gatewayApi={"writeRoutes": False})
    with pytest.raises(ValuesError) as caught:
        list(routes_of([by_hand(tmp_path)], values))
    (problem,) = caught.value.problems
    assert "routing.gatewayApi.writeRoutes=true" in problem.message
