"""What the descriptions of values say of what is rendered, where no other test shows it (law 17)."""

import json
from collections.abc import Iterator

import pytest
import yaml

from generator import CHART, MODELS
from generator.catalog import catalog
from generator.chart.rendering import schema_of
from generator.values.check import read
from generator.values.schema import leaves, values_schema
from tests import rendering
from tests.rendering import CHARTS, FLAVOURS, Object, helm_template, of_kind, only, walk

MODEL = {"format": "sklearn", "storageUri": "s3://m"}
DOMAIN = {"mode": "virtualService", "domain": "a.b"}


def rendered(values: dict, folder, chart: str = MODELS) -> list[Object]:
    """The objects of a chart in namespace `fraud`."""
    file = folder / "values.yaml"
    file.write_text(json.dumps(values))
    return rendering.parse(helm_template(CHARTS[chart], read([file]), namespace="fraud", more=()))


def platform(values: dict, folder) -> list[Object]:
    return rendered(values, folder, CHART)


def says(them: list[Object], word: str) -> Iterator[tuple[str, tuple]]:
    """Where a word stands: kind and path; in a ConfigMap, inside the JSON of a key too."""
    for manifest in them:
        data = rendering.config([manifest]) if manifest["kind"] == "ConfigMap" else manifest
        yield from ((manifest["kind"], path) for path, value in walk(data) if value == word)


def test_the_pull_policy_reaches_what_its_prose_names_and_nothing_else(tmp_path):
    values = {"global": {"imagePullPolicy": "Always"}, "runtimes": {"triton": {"enabled": True}}}
    found = {
        (kind, path[0])
        for kind, path in says(platform(values, tmp_path), "Always")
        if path[-1] == "imagePullPolicy"
    }
    # A runtime's container, the Job's two, the storage container; the router's in KServe's config.
    assert found == {
        ("Deployment", "spec"), ("Job", "spec"), ("ClusterServingRuntime", "spec"),
        ("ClusterStorageContainer", "spec"), ("ConfigMap", "router"),
    }  # fmt: skip
    models = {**values, "models": {"m": {"image": "x", "transformer": {"image": "x"}}}}
    assert "imagePullPolicy" not in json.dumps(rendered(models, tmp_path))


def test_pull_secrets_reach_the_router_of_graphs(tmp_path):
    values = {"global": {"imagePullSecrets": ["mine"]}}
    assert rendering.config(platform(values, tmp_path))["router"]["imagePullSecrets"] == ["mine"]


@pytest.mark.parametrize("case", ["everything-on", "models-every-key", "istio-models"])
def test_labels_and_annotations_are_on_every_object_and_labels_on_every_pod(case, tmp_path):
    marks = {"labels": {"cost-center": "ml"}, "annotations": {"example.com/owner": "us"}}
    values = rendering.values_of(case)
    values = {**values, "global": {**values.get("global", {}), **marks}}
    them = platform(values, tmp_path) + rendered(values, tmp_path)
    assert len(them) > 10
    extra = values.get("extraObjects", {}).values()
    names = {manifest["metadata"]["name"] for manifest in extra}
    for manifest in them:
        if manifest["metadata"]["name"] in names:
            continue
        metadata = [manifest["metadata"]]
        assert metadata[0]["annotations"].items() >= marks["annotations"].items(), manifest
        if manifest["kind"] in ("Deployment", "Job"):
            metadata.append(manifest["spec"]["template"]["metadata"])
        for one in metadata:
            assert one["labels"].items() >= marks["labels"].items(), manifest


@pytest.mark.parametrize(("host", "surge", "unavailable"), [(False, 1, 0), (True, 0, 1)])
def test_a_pod_of_the_controller_goes_when_another_is_there_unless_it_has_the_nodes_ports(
    host, surge, unavailable, tmp_path
):
    them = platform({"webhook": {"hostNetwork": host}}, tmp_path)
    deployment = only(them, "Deployment")["spec"]
    assert deployment["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }
    assert deployment["template"]["spec"].get("hostNetwork", False) == host


def test_a_spread_without_a_selector_is_of_the_controllers_pods(tmp_path):
    own = {"matchLabels": {"a": "b"}}
    plain = {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
    spread = [plain, {**plain, "topologyKey": "host", "labelSelector": own}]
    values = {"controller": {"topologySpreadConstraints": spread}}
    deployment = only(platform(values, tmp_path), "Deployment")["spec"]
    first, second = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert first["labelSelector"] == deployment["selector"]
    assert second["labelSelector"] == own


def test_the_production_flavour_is_what_it_says():
    them = rendering.objects("ha")
    deployment = only(them, "Deployment")["spec"]
    assert deployment["replicas"] == 2
    (spread,) = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert spread["matchLabelKeys"] == ["pod-template-hash"]
    budget = only(them, "PodDisruptionBudget")["spec"]
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert (budget["selector"], budget["maxUnavailable"]) == (deployment["selector"], 1)
    assert only(them, "ServiceMonitor")
    # A class of one's own may have no more than this; kube-system's begin at twice as much.
    assert only(them, "PriorityClass")["value"] == 1_000_000_000
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    for webhook in (
        hook for configuration in of_kind(them, *kinds) for hook in configuration["webhooks"]
    ):
        expressions = webhook["namespaceSelector"]["matchExpressions"]
        assert {"kube-system"} in [set(expression.get("values", ())) for expression in expressions]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_flavour_holds_the_few_values_that_matter_there(flavour):
    default = {leaf.name: leaf.schema.get("default") for leaf in leaves(values_schema())}
    given = {".".join(map(str, path)): value for path, value in walk(rendering.values_of(flavour))}
    said = {name for name in given if name in default}
    differ = {name for name in said if given[name] != default[name]}
    assert (given == {"": {}}) == (flavour == "default")
    # What is said although it is the default is what the flavour is about, such as a class.
    assert len(said - differ) <= 1
    assert len(said) <= 16 or flavour == "everything-on"


@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_is_in_the_table_and_the_values_file_has_the_defaults(chart):
    table = (CHARTS[chart] / "VALUES.md").read_text()
    printed = yaml.safe_load((CHARTS[chart] / "values.yaml").read_text())
    known = {".".join(map(str, path)) for path, _ in walk(printed)}
    for leaf in leaves(schema_of(chart)):
        if "x-foreign" not in leaf.schema:
            # An image or a runtime has one row for all of it; NAME stands for an entry's.
            words = ["NAME" if word == "*" else word for word in leaf.path]
            rows = {".".join(words[:end]) for end in range(1, len(words) + 1)}
            assert any(f"\n| `{row}` |" in table for row in rows), leaf.name
            # A platform's values all have a default; the keys of a model or a tenant have none.
            assert (leaf.name in known) == ("default" in leaf.schema), leaf.name
            assert ("default" in leaf.schema) == ("*" not in leaf.path), leaf.name


def test_a_laptop_has_small_requests_and_a_log_for_people():
    def requests(case: str) -> Iterator[tuple[float, str]]:
        them = rendering.objects(case)
        manager = only(them, "Deployment")["spec"]["template"]["spec"]["containers"][0]
        server = only(them, "ClusterServingRuntime")["spec"]["containers"][0]
        for resources in (manager["resources"], server["resources"]):
            cpu, memory = resources["requests"]["cpu"], resources["requests"]["memory"]
            yield float(cpu.removesuffix("m")) / (1000 if cpu.endswith("m") else 1), memory

    for (cpu, memory), (less_cpu, less_memory) in zip(
        requests("default"), requests("kind"), strict=True
    ):
        assert less_cpu < cpu
        assert less_memory.endswith("Mi") and memory != less_memory
    pod = only(rendering.objects("kind"), "Deployment")["spec"]["template"]["spec"]
    assert "--zap-encoder=console" in pod["containers"][0]["args"]


def test_with_cert_manager_an_issuer_that_is_there_makes_the_certificate_and_no_job():
    them = rendering.objects("cert-manager")
    certificate = only(them, "Certificate")["spec"]
    assert certificate["issuerRef"] == {
        "group": "cert-manager.io", "kind": "ClusterIssuer", "name": "internal-ca",
    }  # fmt: skip
    pod = only(them, "Deployment")["spec"]["template"]["spec"]
    (secret,) = (volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume)
    assert certificate["secretName"] == secret
    assert of_kind(them, "Job", "Issuer") == []
    for configuration in of_kind(
        them, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
    ):
        annotations = configuration["metadata"]["annotations"]
        assert annotations["cert-manager.io/inject-ca-from"].startswith("kserve/")


def test_on_openshift_the_service_ca_makes_the_certificate_and_no_job():
    them = rendering.objects("openshift")
    service = only(them, "Service", "kserve-webhook-server-service")["metadata"]["annotations"]
    pod = only(them, "Deployment")["spec"]["template"]["spec"]
    (secret,) = (volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume)
    assert service["service.beta.openshift.io/serving-cert-secret-name"] == secret
    assert of_kind(them, "Job", "Issuer", "Certificate") == []
    for configuration in of_kind(
        them, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
    ):
        annotations = configuration["metadata"]["annotations"]
        assert annotations["service.beta.openshift.io/inject-cabundle"] == "true"


def test_a_security_context_is_merged_over_the_restricted_one(tmp_path):
    values = {
        "controller": {"podSecurityContext": {"fsGroup": 7}, "securityContext": {"runAsUser": 7}}
    }
    pod = only(platform(values, tmp_path), "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"].items() >= {"fsGroup": 7, "runAsNonRoot": True}.items()
    (container,) = pod["containers"]
    assert container["securityContext"]["runAsUser"] == 7
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_network_policies_open_the_webhooks_and_the_metrics_and_nothing_of_the_job(tmp_path):
    them = of_kind(platform({"webhook": {"port": 1234}}, tmp_path), "NetworkPolicy")
    controller, job = sorted(them, key=lambda policy: "ingress" not in policy["spec"])
    opened = [(rule["ports"], rule.get("from")) for rule in controller["spec"]["ingress"]]
    ports = [[{"port": port, "protocol": "TCP"}] for port in (1234, 8080)]
    assert opened == [(ports[0], None), (ports[1], None)]
    # A policy for Ingress without a rule lets nobody in.
    assert job["spec"]["policyTypes"] == controller["spec"]["policyTypes"] == ["Ingress"]
    closed = platform({"observability": {"metrics": {"enabled": False}}}, tmp_path)
    (rule,) = max(of_kind(closed, "NetworkPolicy"), key=lambda policy: "ingress" in policy["spec"])["spec"]["ingress"]  # fmt: skip
    assert rule["ports"][0]["port"] == 9443


def test_the_cas_own_certificate_lasts_ten_years(tmp_path):
    values = {"webhook": {"certificate": {"mode": "certManager"}}}
    them = of_kind(platform(values, tmp_path), "Certificate")
    (authority,) = (certificate for certificate in them if certificate["spec"].get("isCA"))
    assert authority["spec"]["duration"] in ("87600h", "87600h0m0s")


@pytest.mark.parametrize("redirect", [True, False])
def test_http_is_redirected_or_serves_models_as_https_does(redirect, tmp_path):
    tls = {"enabled": True, "secretName": "s", "redirect": redirect}
    gateway = platform({"routing": {**DOMAIN, "gateway": {"tls": tls}}}, tmp_path)
    http, https = only(gateway, "Gateway")["spec"]["servers"]
    assert http.get("tls") == ({"httpsRedirect": True} if redirect else None)
    assert http["hosts"] == https["hosts"]
    assert https["tls"] == {"mode": "SIMPLE", "credentialName": "s"}
    routing = {"mode": "gatewayApi", "domain": "a.b", "gateway": {"tls": tls}}
    them = platform({"routing": routing}, tmp_path)
    http, https = only(them, "Gateway")["spec"]["listeners"]
    # Without `from: All`, no model's route attaches to HTTP.
    assert (http["allowedRoutes"] == https["allowedRoutes"]) == (not redirect)
    (reference,) = https["tls"]["certificateRefs"]
    assert (reference["name"], "namespace" in reference) == ("s", False)
    sent = [
        rule["filters"] for route in of_kind(them, "HTTPRoute") for rule in route["spec"]["rules"]
    ]
    assert [filters[0]["requestRedirect"]["scheme"] for filters in sent] == ["https"] * redirect


def test_every_service_of_a_model_has_the_traffic_policy_and_every_pod_the_mutual_tls(tmp_path):
    policy = {
        "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}},
        "peerAuthentication": "STRICT",
    }
    model = {**MODEL, "minReplicas": 2, "explainer": {"image": "x"}}
    canary = {**MODEL, "minReplicas": 2, "canary": {"v": {"trafficPercent": 10}}}
    models = {"a": model, "b": {**MODEL, "transformer": {"image": "x"}}, "c": canary}
    them = rendered({"routing": {**DOMAIN, "virtualService": policy}, "models": models}, tmp_path)
    assert {rule["metadata"]["name"] for rule in of_kind(them, "DestinationRule")} == {
        "a-predictor", "a-explainer", "b-predictor", "b-transformer", "c-predictor", "c-v-predictor",
    }  # fmt: skip
    for rule in of_kind(them, "DestinationRule"):
        assert rule["spec"]["trafficPolicy"] == policy["trafficPolicy"]
    wants = {
        authentication["metadata"]["name"]: authentication["spec"]
        for authentication in of_kind(them, "PeerAuthentication")
    }
    assert wants == {
        name: {
            "mtls": {"mode": "STRICT"},
            "selector": {"matchLabels": {"serving.kserve.io/inferenceservice": name}},
        }
        for name in models
    }


@pytest.mark.parametrize("times", [0, 2])
def test_what_is_sent_again(times, tmp_path):
    routing = {**DOMAIN, "virtualService": {"retries": times}}
    them = rendered({"routing": routing, "models": {"m": MODEL}}, tmp_path)
    (route,) = only(them, "VirtualService")["spec"]["http"]
    assert route["timeout"] == "60s"
    assert route["retries"].pop("attempts") == times
    # The last is of a gRPC server; after the others nothing has reached a server.
    unseen = {"connect-failure", "refused-stream", "unavailable"}
    assert set(route["retries"].get("retryOn", "").split(",")) == (unseen if times else {""})


def test_callers_are_let_in_by_namespace_or_by_principal(tmp_path):
    principal = "cluster.local/ns/apps/sa/shop"
    allowed = {"allowNamespaces": ["istio-system"], "allowPrincipals": [principal]}
    values = {"routing": {**DOMAIN, "virtualService": allowed}, "models": {"m": MODEL}}
    spec = only(rendered(values, tmp_path), "AuthorizationPolicy")["spec"]
    assert spec["action"] == "ALLOW"
    assert spec["selector"]["matchLabels"] == {"serving.kserve.io/inferenceservice": "m"}
    (rule,) = spec["rules"]
    assert [peer["source"] for peer in rule["from"]] == [
        {"namespaces": ["istio-system"]},
        {"principals": [principal]},
    ]


QUERIED = {"predictor": {"autoScaling": {"metrics": [{"type": "External"}]}}}


def test_what_a_model_says_of_its_pods_is_what_kserve_is_told(tmp_path):
    values = {
        "own": {"image": "x", "port": 9090},
        "grpc": {"image": "x", "protocol": "grpc-v2"},
        "gpu": {**MODEL, "gpus": 2},
        "scaled": {**MODEL, "autoscaling": {"class": "keda"}, "minReplicas": 0, "spec": QUERIED},
        "tag": {**MODEL, "runtimeVersion": "v1"},
    }
    them = rendered({"models": values}, tmp_path)
    models = {service["metadata"]["name"]: service for service in of_kind(them, "InferenceService")}
    spec = {name: service["spec"]["predictor"] for name, service in models.items()}
    assert spec["own"]["containers"][0]["ports"] == [
        {"containerPort": 9090, "name": "http1", "protocol": "TCP"}
    ]
    assert spec["grpc"]["containers"][0]["ports"] == [
        {"containerPort": 9000, "name": "h2c", "protocol": "TCP"}
    ]
    assert spec["gpu"]["model"]["resources"]["limits"] == {"nvidia.com/gpu": "2"}
    assert spec["scaled"]["minReplicas"] == 0
    annotations = models["scaled"]["metadata"]["annotations"]
    assert annotations["serving.kserve.io/autoscalerClass"] == "keda"
    assert spec["tag"]["model"]["runtimeVersion"] == "v1"


def test_an_external_secret_makes_the_secret_that_the_model_names(tmp_path):
    credentials = {"secretName": "bucket", "externalSecret": {"store": "vault", "key": "ml/b"}}
    them = rendered({"models": {"m": {**MODEL, "credentials": credentials}}}, tmp_path)
    secret = only(them, "ExternalSecret")["spec"]
    assert secret["target"]["name"] == "bucket"
    assert secret["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
    assert secret["dataFrom"][0]["extract"]["key"] == "ml/b"
    annotations = only(them, "InferenceService")["metadata"]["annotations"]
    assert annotations["serving.kserve.io/storageSecretName"] == "bucket"


def test_what_stands_under_spec_wins(tmp_path):
    own = {"predictor": {"minReplicas": 7}}
    graph = {"nodes": {"root": {"type": "Sequence", "steps": [{"model": "m"}]}}}
    values = {
        "models": {"m": {**MODEL, "minReplicas": 1, "maxReplicas": 9, "spec": own}},
        "graphs": {"g": {**graph, "minReplicas": 1, "spec": {"minReplicas": 7}}},
    }
    them = rendered(values, tmp_path)
    predictor = only(them, "InferenceService")["spec"]["predictor"]
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (7, 9)
    assert only(them, "InferenceGraph")["spec"]["minReplicas"] == 7


def test_the_examples_are_what_they_say():
    """Each is one kind of model; that all are served is shown by tests/cluster/test_examples.py."""

    def predictor(example: str, name: str | None = None) -> Object:
        them = rendering.objects(example, chart=MODELS)
        return only(them, "InferenceService", name)["spec"]["predictor"]

    formats = {
        supported.name for runtime in catalog().runtimes.values() for supported in runtime.formats
    }
    shown = {
        model["format"]
        for case, file in rendering.CASES.items()
        if file.parent.name == "models"
        for model in rendering.values_of(case)["models"].values()
        if "format" in model
    }
    assert len(shown & formats) > 2 / 3 * len(formats)
    assert predictor("tensorflow-flowers")["minReplicas"] == 1
    assert predictor("tensorflow-flowers")["maxReplicas"] == 3
    assert predictor("paddle-resnet")["model"]["storageUri"].startswith("oci://")
    assert predictor("onnx-style")["model"]["protocolVersion"] == "grpc-v2"
    assert predictor("mlflow-wine")["model"]["protocolVersion"] == "v2"
    llm = predictor("huggingface-llm")
    assert llm["model"]["storageUri"].startswith("hf://")
    assert "nvidia.com/gpu" in llm["model"]["resources"]["limits"]
    assert llm["timeout"] > 60
    pipeline = only(rendering.objects("pipeline", chart=MODELS), "InferenceService")["spec"]
    assert set(pipeline) == {"predictor", "transformer", "explainer"}
    assert pipeline["predictor"]["logger"]["mode"] == "all"
    (node,) = only(rendering.objects("ensemble", chart=MODELS), "InferenceGraph")["spec"]["nodes"].values()  # fmt: skip
    assert (node["routerType"], len(node["steps"])) == ("Ensemble", 2)
    several = rendering.objects("several-in-one", chart=MODELS)
    loaded = {model["spec"]["inferenceService"] for model in of_kind(several, "TrainedModel")}
    assert loaded == {only(several, "InferenceService")["metadata"]["name"]}
