"""The routes that the models chart writes for the Gateway API: routing.gatewayApi.writeRoutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.errors import ValuesError
from generator.manifests.routes import render as routes_of
from generator.values.check import read
from generator.values.load import Values, merge
from tests import rendering
from tests.rendering import Object, of_kind, only

MODEL = {"format": "sklearn", "storageUri": "s3://m"}
PART = {"image": "registry.example.com/part:1"}
GRPC = {"format": "triton", "protocol": "grpc-v2"}
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
        }
    }
    them = rendered(written(others), tmp_path)
    assert routes(them).keys() == {"HTTPRoute m.host"}
    labels = {each["metadata"]["name"]: each["metadata"]["labels"] for each in of_kind(them, "InferenceService")}  # fmt: skip
    local = {name: own.get(VISIBILITY) for name, own in labels.items()}
    inside = "cluster-local"
    assert local == {"m": inside, "inside": inside, "by-label": inside, "serverless": None}

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


@pytest.mark.parametrize("part", ["transformer", "explainer"])
def test_one_host_has_routes_of_one_kind(part, tmp_path):
    """Of a GRPCRoute and an HTTPRoute on one host, a gateway takes the older alone."""
    (spec,) = routes(rendered(written(**GRPC, **{part: PART}), tmp_path)).items()
    assert spec[0] == "HTTPRoute m.host"


def test_routes_may_have_no_timeouts(tmp_path):
    values = written({"routing": {"httpRouteTimeouts": False}})
    (spec,) = routes(rendered(values, tmp_path)).values()
    assert "timeouts" not in spec["rules"][0]


def test_a_class_of_gke_has_routes_of_ours_without_timeouts(tmp_path):
    gke = {"routing": {"gateway": {"className": "gke-l7-rilb"}, "httpRouteTimeouts": False}}
    them = rendered(written(gke), tmp_path)
    assert only(them, "Gateway")["spec"]["gatewayClassName"] == "gke-l7-rilb"
    assert "RegularExpression" not in json.dumps(routes(them))


REFUSED = [
    (written({"routing": {"mode": "ingress"}}), "routing.gatewayApi.writeRoutes", "set routing.mode=gatewayApi"),
    (written({"routing": {"gateway": {"className": "gke-l7-rilb"}}}), "routing.httpRouteTimeouts", "set routing.httpRouteTimeouts=false"),
    (written(**GRPC, timeout=7), "models.m.timeout", "let the callers send their deadlines"),
    (written(clusterLocal=True, canary={"v": {"trafficPercent": 10}}), "models.m.canary", "the model has none"),
    (written({"routing": {"pathTemplate": "/{{ .Labels.x }}/{{ .Name }}"}}), "models.m", "which the model does not have"),
    (written({"routing": {"pathTemplate": "/{{ .Labels.x }}/{{ .Name }}"}}, labels={"x": ""}), "models.m", "which is no path"),
    (written({"routing": {"domainTemplate": "{{ .Labels.x }}.{{ .IngressDomain }}"}}), "models.m", "routing.domainTemplate asks for"),
    (written({"routing": {"pathTemplate": "/s"}, "models": {"x": MODEL}}), "models.x", "has the path /s of models.m"),
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
