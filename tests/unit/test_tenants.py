"""Tenants: what the platform's values make of a team, and what the models chart makes of them."""

import re

import pytest
import yaml

from generator import CHART, MODELS
from generator.errors import GeneratorError
from generator.manifests import layout, rendering
from generator.manifests.protection import KEEP
from generator.release import Release
from generator.teams import read_teams
from generator.values.check import read
from generator.values.load import Values
from tests import rendering as cases
from tests.peers import may_call
from tests.rendering import CHARTS, ROOT, by_identity, helm_template, of_kind, only, parse, refusal
from tests.unit.test_cli import run

MODEL = {"format": "sklearn", "storageUri": "s3://a/b"}
GATEWAY_API = {"mode": "gatewayApi", "domain": "example.com", "gatewayApi": {"writeRoutes": True}}
ISTIO = {"mode": "virtualService", "domain": "example.com"}
SHOP = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}


def made(values, chart=CHART, namespace="kserve"):
    """What a chart makes of some values, in a namespace."""
    given = Values.made(values)
    return parse(helm_template(CHARTS[chart], given, namespace=namespace, more=()))


def refused(values, folder, namespace="fraud"):
    """What the generator or either chart says of some values; the models are in `namespace`."""
    with pytest.raises(GeneratorError) as caught:
        cases.both_charts(values, folder, namespace=namespace)
    return str(caught.value)


def test_a_tenant_of_no_words_has_a_namespace_and_a_policy():
    them = [each for each in made({"tenants": {"fraud": {}}}) if _component(each) == "tenants"]
    assert [(each["kind"], each["metadata"]["name"]) for each in them] == [
        ("Namespace", "fraud"),
        ("NetworkPolicy", "kserve-lite-tenant"),
        ("ClusterRole", "kserve-lite-tenant"),
    ]
    metadata = them[0]["metadata"]
    assert metadata["annotations"] == KEEP
    assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    # Nothing is published, so nobody calls but the namespace itself.
    assert them[1]["spec"]["ingress"] == [{"from": [{"podSelector": {}}]}]


def test_without_tenants_nothing_is_theirs():
    assert not [each for each in made({}) if _component(each) == "tenants"]


def _component(manifest):
    return manifest["metadata"].get("labels", {}).get("app.kubernetes.io/component")


def test_annotations_of_ones_own_take_no_protection_away():
    own = dict.fromkeys(KEEP, "no") | {"example.com/a": "b"}
    them = made({"tenants": {"fraud": {"annotations": own}}})
    annotations = only(them, "Namespace")["metadata"]["annotations"]
    assert annotations == KEEP | {"example.com/a": "b"}


@pytest.mark.parametrize(
    ("routing", "pod"),
    [
        ({"domain": "example.com"}, ("istio-system", {"istio": "ingressgateway"})),
        (
            ISTIO | {"gateway": {"selector": {"istio": "models"}}},
            ("istio-system", {"istio": "models"}),
        ),
        (
            GATEWAY_API,
            ("kserve", {"gateway.networking.k8s.io/gateway-name": "kserve-ingress-gateway"}),
        ),
    ],
)
def test_the_gateway_and_the_namespace_itself_may_call_and_nobody_else(routing, pod):
    them = made({"tenants": {"fraud": {"networkPolicy": {"from": [SHOP]}}}, "routing": routing})
    policy = only(them, "NetworkPolicy", "kserve-lite-tenant")

    def admits(namespace, labels):
        return may_call(policy, labels, namespace, {"kubernetes.io/metadata.name": namespace})

    there, gateway = pod
    assert admits(there, gateway)
    assert admits("fraud", {"app": "isvc.iris-predictor"})
    assert admits("shop", {})
    # A pod that calls itself the gateway's is not one, elsewhere.
    assert not admits("ads", gateway)
    assert not admits(there, {"app": "another"})


def test_the_pods_of_knative_may_call():
    them = made({"tenants": {"fraud": {}}, "deploymentMode": "Knative"})
    policy = only(them, "NetworkPolicy", "kserve-lite-tenant")
    names = ("istio-system", "knative-serving", "fraud", "ads")
    places = {name: {"kubernetes.io/metadata.name": name} for name in names}
    able = [name for name, labels in places.items() if may_call(policy, {}, name, labels)]
    assert able == ["istio-system", "knative-serving", "fraud"]


CLASSES = {
    "class nginx": {"domain": "a.b", "ingressClass": {"name": "nginx"}},
    "the cluster's default class": {"domain": "a.b", "ingressClass": {"create": False}},
    "example.com/x": {"domain": "a.b", "ingressClass": {"controller": "example.com/x"}},
    "class eg": GATEWAY_API | {"gateway": {"className": "eg"}},
    "gateway edge/all": GATEWAY_API
    | {"gateway": {"create": False, "name": "all", "namespace": "edge"}},
    "gateway kserve/all": ISTIO | {"gateway": {"create": False, "name": "all"}},
}


@pytest.mark.parametrize("what", CLASSES)
def test_a_gateway_whose_pods_are_not_known_is_asked_for(what, tmp_path):
    values = {"tenants": {"fraud": {}}, "routing": CLASSES[what]}
    problem = refusal(values, tmp_path)
    assert problem.path == "networkPolicy.gatewayFrom"
    assert f"says nothing of where the pods of {what} are" in problem.message
    assert made(values | {"networkPolicy": {"gatewayFrom": [SHOP]}})
    assert made(values | {"tenants": {"fraud": {"networkPolicy": {"enabled": False}}}})
    assert made(values | {"tenants": {}})


@pytest.mark.parametrize("routing", [GATEWAY_API, ISTIO])
def test_the_pods_of_a_tenants_own_gateway_are_known_whoever_makes_the_shared_one(
    routing, tmp_path
):
    others = {"gateway": {"create": False, "name": "all", "namespace": "edge"}}
    values = {"tenants": {"fraud": {"gateway": {}}}, "routing": routing | others}
    assert made(values)
    values["tenants"]["sales"] = {}
    assert "the NetworkPolicy of tenants.sales" in refusal(values, tmp_path).message


REFUSED = {
    "the platform's": ({"kserve": {}}, "tenants.kserve: is the platform's own namespace"),
    "every cluster's": (
        {"default": {}},
        "tenants.default: every cluster has this Namespace already; "
        "set tenants.default.createNamespace=false",
    ),
    "not ours to label": (
        {"ads": {"createNamespace": False, "podSecurity": "baseline"}},
        "tenants.ads.podSecurity: is for a Namespace that the release makes",
    ),
    "a level by its label": (
        {"ads": {"labels": {"pod-security.kubernetes.io/warn": "baseline"}}},
        "tenants.ads.labels: pod-security.kubernetes.io/warn is the chart's",
    ),
    "a role for nobody": ({"ads": {"role": "edit"}}, "tenants.ads.role: there is nobody"),
    "a word of YAML": ({"no": {}}, "tenants"),
    "no name": ({"Ads": {}}, "tenants"),
    "a typo": (
        {"ads": {"resourceQuotas": {}}},
        "unknown key; did you mean tenants.ads.resourceQuota?",
    ),
    "a typo inside": (
        {"ads": {"resourceQuota": {"hrad": {}}}},
        "tenants.ads.resourceQuota.hrad: unknown key; did you mean hard?",
    ),
    "no resource": (
        {"ads": {"resourceQuota": {"hard": {"request.cpu": 1}}}},
        "write requests.cpu",
    ),
    "no scope": (
        {"ads": {"resourceQuota": {"scopes": ["BestEfort"]}}},
        "tenants.ads.resourceQuota.scopes[0]",
    ),
    "no type": (
        {"ads": {"limitRange": {"limits": [{"type": "Deployment"}]}}},
        "tenants.ads.limitRange.limits[0].type",
    ),
    "more than the most": (
        {
            "ads": {
                "limitRange": {
                    "limits": [
                        {"type": "Container", "default": {"cpu": 2}, "max": {"cpu": "1500m"}}
                    ]
                }
            }
        },
        "tenants.ads.limitRange.limits[0].default.cpu: 2 is more than max, 1500m; "
        "lower it, or raise max.cpu",
    ),
    "a default of a pod": (
        {"ads": {"limitRange": {"limits": [{"type": "Pod", "default": {"cpu": 2}}]}}},
        "tenants.ads.limitRange.limits[0].default: only a container has one",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_tenant_that_cannot_be_is_refused_with_its_path(what, tmp_path):
    tenants, message = REFUSED[what]
    said = refused({"tenants": tenants}, tmp_path, "elsewhere")
    assert message in said
    assert "values.yaml:1:" in said


def limits(*them):
    return {"limitRange": {"limits": list(them)}}


NO_QUANTITIES = {
    "null in a quota": (
        {"resourceQuota": {"hard": {"requests.cpu": None}}},
        "resourceQuota.hard: requests.cpu is null, and no quantity",
    ),
    "a boolean": (
        {"resourceQuota": {"hard": {"pods": True}}},
        "resourceQuota.hard: pods is true, and no quantity",
    ),
    "a list of quantities": (
        {"resourceQuota": {"hard": [1]}},
        "resourceQuota.hard: is a list, and no mapping",
    ),
    "null in a limit": (
        limits({"type": "Container", "max": {"cpu": None}}),
        "limitRange.limits.0.max: cpu is null, and no quantity",
    ),
    "a mapping in a limit": (
        limits({"type": "Pod"}, {"type": "Container", "max": {"cpu": {"a": 1}}}),
        "limitRange.limits.1.max: cpu is a mapping, and no quantity",
    ),
    "a number of quantities": (
        limits({"type": "Container", "default": 3}),
        "limitRange.limits.0.default: is 3, and no mapping",
    ),
    "a number of limits": (
        {"limitRange": {"limits": 3}},
        "limitRange.limits: is 3, and no list",
    ),
    "a mapping of limits": (
        {"limitRange": {"limits": {"a": 1}}},
        "limitRange.limits: is a mapping, and no list",
    ),
    "no limits": ({"limitRange": {"limits": None}}, "limitRange.limits: is null, and no list"),
    "a limit of a wrong type": (limits(3), "limitRange.limits.0: is 3, and no mapping"),
}


@pytest.mark.parametrize("what", NO_QUANTITIES)
def test_helm_itself_refuses_what_is_no_quantity(what):
    tenant, message = NO_QUANTITIES[what]
    with pytest.raises(GeneratorError) as caught:
        made({"tenants": {"fraud": tenant}})
    assert f"tenants.fraud.{message}" in str(caught.value)


@pytest.mark.parametrize("what", NO_QUANTITIES)
def test_the_generator_says_where_a_quantity_is_none(what, tmp_path):
    tenant, message = NO_QUANTITIES[what]
    said = refused({"tenants": {"fraud": tenant}}, tmp_path, "elsewhere")
    assert "values.yaml:1:" in said
    path = "limitRange" if what == "no limits" else message.partition(": ")[0]
    assert "tenants.fraud." + re.sub(r"[.]([0-9])", r"[\1]", path) in said


def test_labels_of_a_tenant_reach_all_that_its_models_are_made_of():
    values = {
        "tenants": {"fraud": {"labels": {"cost-center": "1"}, "podSecurity": "baseline"}},
        "models": {"m": MODEL | {"labels": {"a": "b"}}},
        "graphs": {"g": {"nodes": {"root": {"type": "Sequence", "steps": [{"model": "m"}]}}}},
    }
    them = made(values, MODELS, "fraud")
    assert {each["kind"] for each in them} == {"InferenceService", "InferenceGraph", "Service"}
    assert {each["metadata"]["labels"].get("cost-center") for each in them} == {"1"}
    elsewhere = made(values, MODELS, "ads")
    assert {each["metadata"]["labels"].get("cost-center") for each in elsewhere} == {None}


def test_a_model_cannot_take_a_label_of_its_tenant_back(tmp_path):
    values = {
        "tenants": {"fraud": {"labels": {"cost-center": "1"}}},
        "models": {"m": MODEL | {"labels": {"cost-center": "2"}}},
    }
    said = refused(values, tmp_path)
    assert "models.m.labels: cost-center is 1 for all of tenants.fraud; remove it" in said
    values["models"]["m"]["labels"] = {"cost-center": "1"}
    assert cases.both_charts(values, tmp_path, namespace="fraud")


@pytest.mark.parametrize(("platform", "mode"), [("Standard", "Knative"), ("Knative", "Standard")])
@pytest.mark.parametrize(
    "said", [lambda mode: {"deploymentMode": mode}, lambda mode: {"annotations": {MODE: mode}}]
)
def test_a_model_that_the_policy_would_cut_off_is_refused(platform, mode, said, tmp_path):
    values = {
        "tenants": {"fraud": {}},
        "deploymentMode": platform,
        "routing": {"domain": "example.com"},
        "models": {"m": MODEL | said(mode)},
    }
    text = refused(values, tmp_path)
    assert f"models.m: its deploymentMode is {mode}" in text
    assert f"the NetworkPolicy of tenants.fraud lets in the gateway of {platform} alone" in text
    assert made(values, MODELS, "ads")
    for more in (
        {"networkPolicy": {"gatewayFrom": [SHOP]}},
        {"tenants": {"fraud": {"networkPolicy": {"enabled": False}}}},
        {"models": {"m": MODEL}},
    ):
        assert made(values | more, MODELS, "fraud")
    # What is not published is called by the namespace itself, but for Knative, which stands between.
    values["models"]["m"]["clusterLocal"] = True
    if mode == "Standard":
        assert made(values, MODELS, "fraud")
    else:
        assert "models.m: its deploymentMode is Knative" in refused(values, tmp_path)


MODE = "serving.kserve.io/deploymentMode"


def test_a_graph_that_the_policy_would_cut_off_is_refused(tmp_path):
    graph = {"g": GRAPH["g"] | {"annotations": {MODE: "Knative"}}}
    tenant = {"fraud": {"podSecurity": "baseline"}}
    values = {"tenants": tenant, "models": {"m": MODEL}, "graphs": graph}
    assert "graphs.g: its deploymentMode is Knative" in refused(values, tmp_path)
    assert made(values | {"graphs": GRAPH}, MODELS, "fraud")


GRAPH = {"g": {"nodes": {"root": {"type": "Sequence", "steps": [{"model": "m"}]}}}}
CAR = {"m": MODEL | {"storageUri": "oci://example.com/a:1"}}


@pytest.mark.parametrize(
    ("declared", "path"),
    [({"graphs": GRAPH}, "graphs.g"), ({"models": CAR}, "models.m.storageUri")],
)
def test_what_restricted_would_refuse_is_said_before(declared, path, tmp_path):
    values = {"tenants": {"fraud": {}}, "models": {"m": MODEL}} | declared
    said = refused(values, tmp_path)
    assert f'{path}: Pod Security "restricted" refuses' in said
    assert "set tenants.fraud.podSecurity=baseline" in said
    # Another level, another namespace, another platform, or a Namespace that is not ours to know.
    for tenant, more in (
        ({"podSecurity": "baseline"}, {}),
        ({"createNamespace": False}, {}),
        ({}, {"platform": "openshift"}),
    ):
        assert made(values | more | {"tenants": {"fraud": tenant}}, MODELS, "fraud")
    assert made(values, MODELS, "ads")
    native = {"storage": {"ociModels": {"mode": "native"}}}
    assert "graphs" in declared or made(values | native, MODELS, "fraud")


def routes(tenants, routing, namespace):
    values = {"tenants": tenants, "routing": routing, "models": {"m": MODEL}}
    return made(values), made(values, MODELS, namespace)


def test_the_shared_gateway_takes_the_routes_of_tenants_alone():
    shared = [("ads", {}), ("fraud", {})]
    platform, _ = routes(dict(shared) | {"own": {"gateway": {}}}, GATEWAY_API, "ads")
    listeners = only(platform, "Gateway", "kserve-ingress-gateway")["spec"]["listeners"]
    (expression,) = listeners[0]["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert expression["values"] == ["ads", "fraud"]
    # None is left to share it; and without tenants it is for all.
    for tenants, allowed in (({"own": {"gateway": {}}}, "Same"), ({}, "All")):
        platform, _ = routes(tenants, GATEWAY_API, "own")
        listeners = only(platform, "Gateway", "kserve-ingress-gateway")["spec"]["listeners"]
        assert listeners[0]["allowedRoutes"] == {"namespaces": {"from": allowed}}
    # What somebody says is said.
    kinds = {"allowedRoutes": {"kinds": [{"kind": "HTTPRoute"}]}}
    everyone = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    platform, _ = routes({"ads": {}}, GATEWAY_API | {"gateway": kinds}, "ads")
    allowed = only(platform, "Gateway")["spec"]["listeners"][0]["allowedRoutes"]
    assert allowed["kinds"] == kinds["allowedRoutes"]["kinds"]
    assert allowed["namespaces"]["from"] == "Selector"
    platform, _ = routes({"ads": {}}, GATEWAY_API | {"gateway": everyone}, "other")
    allowed = only(platform, "Gateway")["spec"]["listeners"][0]["allowedRoutes"]
    assert allowed == everyone["allowedRoutes"]


def test_istios_shared_gateway_takes_the_hosts_of_tenants_alone():
    def hosts(tenants):
        platform, _ = routes(tenants, ISTIO, "ads")
        return only(platform, "Gateway", "kserve-ingress-gateway")["spec"]["servers"][0]["hosts"]

    both = {"ads": {}, "fraud": {}, "own": {"gateway": {}}}
    assert hosts(both) == ["ads/*.example.com", "fraud/*.example.com"]
    assert hosts({"ads": {"gateway": {}}}) == ["./*.example.com"]
    assert hosts({}) == ["*.example.com"]


def test_the_models_of_a_tenant_are_on_its_own_gateway():
    for tenant, domain in (
        ({"gateway": {}}, "own.example.com"),
        ({"gateway": {"domain": "a.b"}}, "a.b"),
    ):
        platform, models = routes({"own": tenant, "ads": {}}, GATEWAY_API, "own")
        gateway = only(platform, "Gateway", "kserve-own")
        (listener,) = gateway["spec"]["listeners"]
        assert gateway["metadata"]["namespace"] == "kserve"
        assert listener["hostname"] == f"*.{domain}"
        selector = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"][0]
        assert selector["values"] == ["own"]
        route = only(models, "HTTPRoute")["spec"]
        (parent,) = route["parentRefs"]
        assert (parent["namespace"], parent["name"]) == ("kserve", "kserve-own")
        assert route["hostnames"] == [f"m-own.{domain}"]

        istio = ISTIO | {"additionalDomains": ["example.net"]}
        platform, models = routes({"own": tenant, "ads": {}}, istio, "own")
        (server,) = only(platform, "Gateway", "kserve-own")["spec"]["servers"]
        assert server["hosts"] == [f"own/*.{domain}"]
        route = only(models, "VirtualService")["spec"]
        assert route["gateways"] == ["kserve/kserve-own"]
        assert route["hosts"] == [f"m-own.{domain}"]


def test_kserve_is_told_of_the_platforms_domain_alone():
    platform, _ = routes({"own": {"gateway": {"domain": "a.b"}}}, ISTIO, "own")
    ingress = cases.config(platform)["ingress"]
    assert ingress["ingressDomain"] == "example.com"
    assert "a.b" not in str(ingress)


def test_members_may_write_routes_where_the_models_chart_does():
    def groups(routing):
        platform, _ = routes({"ads": {}}, routing, "ads")
        rules = only(platform, "ClusterRole", "kserve-lite-tenant")["rules"]
        return {group for rule in rules if "create" in rule["verbs"] for group in rule["apiGroups"]}

    assert groups({}) == {"", "serving.kserve.io"}
    assert groups(GATEWAY_API) - groups({}) == {"gateway.networking.k8s.io"}
    assert groups(ISTIO) - groups({}) == {"networking.istio.io"}


def test_a_route_names_the_listener_of_its_own_gateway():
    tls = {"gateway": {"tls": {"enabled": True, "secretName": "all"}}}
    tenants = {"own": {"gateway": {"secretName": "own"}}}
    paths = {"pathTemplate": "/{{ .Name }}", "additionalDomains": ["example.net"]}
    platform, models = routes(tenants, GATEWAY_API | tls | paths, "own")
    gateway = only(platform, "Gateway", "kserve-own")["spec"]
    listeners = {each["name"]: each for each in gateway["listeners"]}
    for route in of_kind(models, "HTTPRoute"):
        (parent,) = route["spec"]["parentRefs"]
        hostname = listeners[parent["sectionName"]]["hostname"].removeprefix("*")
        assert all(host.endswith(hostname) for host in route["spec"]["hostnames"])
    secrets = {
        reference["name"]
        for each in gateway["listeners"]
        for reference in each.get("tls", {}).get("certificateRefs", [])
    }
    assert secrets == {"own"}


def test_the_gateway_of_a_tenant_is_not_the_platforms(tmp_path):
    values = {"tenants": {"ingress-gateway": {"gateway": {}}}, "routing": GATEWAY_API}
    problem = refusal(values, tmp_path)
    assert problem.path == "tenants.ingress-gateway.gateway"
    values["routing"] = GATEWAY_API | {"gateway": {"name": "shared"}}
    assert made(values)
    # A gateway of the same name in another namespace is another.
    elsewhere = {"create": False, "namespace": "edge"}
    values["routing"] = GATEWAY_API | {"gateway": elsewhere}
    assert made(values)


GATEWAYS = {
    "no mode": ({}, {"gateway": {}}, "there is no gateway in routing.mode ingress"),
    "KServe's routes": (
        {"mode": "gatewayApi", "domain": "a.b"},
        {"gateway": {}},
        "KServe attaches all its HTTPRoutes to one gateway; set routing.gatewayApi.writeRoutes=true",
    ),
    "no domain": (
        {"mode": "virtualService"},
        {"gateway": {}},
        "without routing.domain nothing is published",
    ),
    "a domain that is taken": (
        ISTIO,
        {"gateway": {"domain": "example.com"}},
        "gateway.domain: example.com is that of routing.domain already",
    ),
    "no certificate": (
        ISTIO | {"gateway": {"tls": {"enabled": True, "secretName": "a"}}},
        {"gateway": {}},
        "to the Secret with the certificate for *.fraud.example.com",
    ),
    "no TLS": (ISTIO, {"gateway": {"secretName": "a"}}, "gateway.secretName: is for TLS"),
    "the name of the platform's": (
        GATEWAY_API | {"gateway": {"name": "kserve-fraud"}},
        {"gateway": {}},
        "gateway: routing.gateway has the name kserve-fraud already; rename the tenant",
    ),
    "the name of the platform's in Istio": (
        ISTIO | {"gateway": {"name": "kserve-fraud"}},
        {"gateway": {}},
        "gateway: routing.gateway has the name kserve-fraud already; rename the tenant",
    ),
    "no Istio": (
        GATEWAY_API,
        {"gateway": {"selector": {"a": "b"}}},
        "gateway.selector: is for routing.mode virtualService",
    ),
}


@pytest.mark.parametrize("what", GATEWAYS)
def test_a_gateway_of_ones_own_that_cannot_be_is_refused(what, tmp_path):
    routing, tenant, message = GATEWAYS[what]
    said = refused({"tenants": {"fraud": tenant}, "routing": routing}, tmp_path)
    assert "tenants.fraud.gateway" in said
    assert message in said


@pytest.mark.parametrize("routing", [GATEWAY_API, ISTIO, {"mode": "gatewayApi", "domain": "a.b"}])
def test_a_published_model_of_no_tenant_is_refused(routing, tmp_path):
    values = {"tenants": {"ads": {}}, "routing": routing, "models": {"m": MODEL}}
    said = refused(values, tmp_path)
    assert (
        "models.m: the gateway takes routes of tenants alone, and namespace fraud is none" in said
    )
    inside = values | {"models": {"m": MODEL | {"clusterLocal": True}}}
    assert cases.both_charts(inside, tmp_path, namespace="fraud")


@pytest.mark.parametrize("routing", [GATEWAY_API, ISTIO])
def test_a_published_graph_of_no_tenant_is_refused(routing, tmp_path):
    models = {"m": MODEL | {"clusterLocal": True}}
    values = {"tenants": {"ads": {}}, "routing": routing, "models": models, "graphs": GRAPH}
    said = refused(values, tmp_path)
    assert "graphs.g: the gateway takes routes of tenants alone, and namespace fraud" in said
    inside = {"labels": {"networking.kserve.io/visibility": "cluster-local"}}
    assert made(values | {"graphs": {"g": GRAPH["g"] | inside}}, MODELS, "fraud")
    # KServe itself writes no route to a graph.
    by_kserve = values | {"routing": {"mode": "gatewayApi", "domain": "a.b"}}
    assert made(by_kserve, MODELS, "fraud")


def folder_of(folder, platform, teams, release):
    (folder / "platform.yaml").write_text(platform)
    values = read([folder / "platform.yaml"])
    for name in teams:
        (folder / f"{name}.yaml").write_text(
            f"models: {{m: {{format: sklearn, storageUri: s3://{name}}}}}"
        )
    files = {name: str(folder / f"{name}.yaml") for name in teams}
    return rendering.render(values, release, read_teams(files, values, release))


def test_a_namespace_is_written_once_whoever_names_it(tmp_path):
    platform = (
        "tenants: {fraud: {labels: {cost-center: a}}, ads: {}, there: {createNamespace: false}}"
    )
    found = folder_of(tmp_path, platform, ["fraud", "there", "more"], Release())
    tree = layout.folder(found)
    assert sorted(path for path in tree if "/namespace-" in path) == [
        f"00-crds/namespace-{name}.yaml" for name in ("ads", "fraud", "kserve", "more")
    ]
    labels = {
        (each.kind, each.namespace): "cost-center: a" in each.text
        for each in found
        if each.chart == MODELS
    }
    assert labels[("InferenceService", "fraud")]
    assert not labels[("InferenceService", "more")]
    assert "cost-center: a" in tree["00-crds/namespace-fraud.yaml"]


def test_an_address_is_a_tenants_own_on_a_gateway_of_its_own(tmp_path):
    template = (
        '{mode: virtualService, domain: a.b, domainTemplate: "{{ .Name }}.{{ .IngressDomain }}"}'
    )
    tenants = "{fraud: {gateway: {}}, ads: {gateway: {}}, search: {}}"
    platform = f"routing: {template}\ntenants: {tenants}"
    found = folder_of(tmp_path, platform, ["fraud", "ads", "search"], Release())
    hosts = {
        each.namespace: parse(each.text)[0]["spec"]["hosts"]
        for each in found
        if each.kind == "VirtualService"
    }
    assert hosts == {"fraud": ["m.fraud.a.b"], "ads": ["m.ads.a.b"], "search": ["m.a.b"]}
    with pytest.raises(GeneratorError, match=r"has the address of models\.m"):
        folder_of(tmp_path, f"routing: {template}", ["fraud", "ads"], Release())


def test_diff_tells_who_gets_a_role_and_what_is_taken_away(tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("tenants: {fraud: {groups: [a]}, gone: {}}\n")
    new.write_text("tenants: {fraud: {groups: [a, b]}}\n")
    said = run("diff", old, new).stdout
    assert "Group b gets ClusterRole kserve-lite-tenant" in said
    assert "Group a gets" not in said
    assert "Namespace gone is not there any more; it says that it is kept" in said


def test_both_helms_render_the_same():
    values = Values.made(cases.values_of("tenants"))
    for chart, namespace in ((CHART, "kserve"), (MODELS, "fraud")):
        texts = [
            helm_template(CHARTS[chart], values, namespace=namespace, helm=helm, more=())
            for helm in ("helm", "helm3")
        ]
        assert by_identity(parse(texts[0])) == by_identity(parse(texts[1]))


def test_the_page_shows_values_that_make_what_it_says():
    page = (ROOT / "docs" / "teams.md").read_text()
    blocks = re.findall(r"^```yaml\n(tenants:.*?)^```", page, re.MULTILINE | re.DOTALL)
    first, gateway = (yaml.safe_load(block) for block in blocks)
    them = [each for each in made(first) if _component(each) == "tenants"]
    kinds = {
        name: [
            each["kind"]
            for each in them
            if name in (each["metadata"]["name"], each["metadata"].get("namespace"))
        ]
        for name in ("fraud", "ads")
    }
    assert kinds == {
        "fraud": ["Namespace", "NetworkPolicy", "ResourceQuota", "RoleBinding"],
        "ads": ["Namespace", "NetworkPolicy"],
    }
    (subject,) = only(them, "RoleBinding")["subjects"]
    assert (subject["kind"], subject["name"]) == ("Group", "fraud-engineers")
    platform, models = routes(gateway["tenants"], GATEWAY_API, "fraud")
    assert only(platform, "Gateway", "kserve-fraud")["metadata"]["namespace"] == "kserve"
    assert only(models, "HTTPRoute")["spec"]["hostnames"] == ["m-fraud.fraud.example.com"]


def test_validate_looks_at_the_models_of_teams_too(tmp_path):
    platform, team = tmp_path / "platform.yaml", tmp_path / "fraud.yaml"
    platform.write_text("tenants: {fraud: {}}\n")
    team.write_text("models: {m: {format: sklearn, storageUri: 's3://a/b'}}\n")
    alone = run("validate", "-f", platform)
    both = run("validate", "-f", platform, "--team", f"fraud={team}")
    counts = [int(done.stdout.split()[0]) for done in (alone, both)]
    assert counts[1] == counts[0] + 2
    team.write_text("models:\n  m: {format: sklearn}\n")
    done = run("validate", "-f", platform, "--team", f"fraud={team}")
    assert done.returncode == 1
    assert "fraud.yaml:2:3: models.m: no storageUri says where the model is" in done.stderr


def test_the_picture_counts_what_tenants_have(tmp_path):
    (tmp_path / "two.yaml").write_text("tenants: {ads: {}, fraud: {}}\n")
    drawn = run("graph", "-f", tmp_path / "two.yaml").stdout
    assert 'the_tenants["tenants<br>2 Namespaces, 2 NetworkPolicies, ClusterRole"]' in drawn
