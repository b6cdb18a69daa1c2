"""NOTES.txt: what `helm install` prints, the next command first."""

import json
import re
import textwrap

import pytest

from generator import MODELS
from generator.manifests.rendering import models
from generator.values.check import read
from tests import rendering
from tests.rendering import CASES, CHARTS, STOCK


def notes(*arguments: str) -> str:
    said = rendering.helm(
        "install", "kserve-lite", str(STOCK), "-n", "ml", "--dry-run=client", *arguments
    )  # fmt: skip
    return said.partition("\nNOTES:\n")[2]


@pytest.mark.parametrize("case", CASES)
def test_they_say_how_to_go_on(case):
    text = notes("-f", str(CASES[case]))
    assert "kubectl -n ml rollout status deployment/kserve-controller-manager" in text
    assert "kind: InferenceService" in text
    assert "helm show crds CHART | kubectl apply --server-side --force-conflicts -f -" in text
    assert not re.search(r"charts/|python -m|\.\./", text)  # What a packaged chart does not bring.
    assert "{{" not in text
    assert all(len(line) <= 120 for line in text.splitlines())
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("default", "curl http://sklearn-iris-predictor.default.svc.cluster.local/v1/models"),
        ("default", "To publish them, set routing.domain."),
        ("tenants-gateways", "kubectl apply -n ads -f -"),
        ("tenants-gateways", "curl https://sklearn-iris-ads.models.example.com/v1/models"),
        ("istio-gateway-api", "curl https://sklearn-iris-default.models.example.com/v1/models"),
        ("ingress-published", "curl https://sklearn-iris.default.models.example.com/v1/models"),
        ("istio-virtual-service", "KServe writes no route"),
        ("istio-virtual-service", "- ml/kserve-ingress-gateway"),
        ("gke", "stops when the cluster has no HTTPRoute CRD"),
        ("knative", "rejects every InferenceService"),
        ("knative", "curl http://sklearn-iris.default.svc.cluster.local/v1/models"),
        ("airgap", "The ConfigMap company-ca must be in namespace"),
        ("eks", "kubectl get ingressclass alb"),
        ("eks", "success-codes: 200-499"),
        ("eks-overlay", "webhook.hostNetwork takes the controller out"),
        ("openshift", "route.openshift.io/termination: edge"),
        ("ingress-published", "for the controller example.com/ingress"),
        ("existing-certificate", "webhook.failurePolicy is Ignore"),
    ],
)
def test_they_say_what_the_values_mean(case, said):
    assert said in notes("-f", str(CASES[case]))


def test_they_say_when_the_runtime_of_their_model_is_off():
    said = "that of this one, runtimes.sklearn, is off"
    assert said not in notes()
    assert said in notes("--set=runtimes.sklearn.enabled=false,runtimes.huggingface.enabled=true")


@pytest.mark.parametrize(
    ("selector", "sees"),
    [
        ({}, True),
        ({"matchLabels": {"models": "yes"}}, False),
        ({"matchLabels": {"kubernetes.io/metadata.name": "default"}}, True),
        ({"matchExpressions": [{"key": "models", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "models", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "models", "operator": "In", "values": ["yes"]}]}, False),
        ({"matchExpressions": [{"key": "models", "operator": "NotIn", "values": ["no"]}]}, True),
        (
            {
                "matchExpressions": [
                    {
                        "key": "kubernetes.io/metadata.name",
                        "operator": "NotIn",
                        "values": ["default", "kube-system"],
                    }
                ]
            },
            False,
        ),
    ],
    ids=str,
)
def test_they_warn_where_the_webhooks_do_not_see_their_model(selector, sees, tmp_path):
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"webhook": {"namespaceSelector": selector}}))
    warned = "WARNING: webhook.namespaceSelector" in notes("-f", str(file))
    assert warned is not sees


def test_a_url_that_only_the_model_knows_is_asked_for(tmp_path):
    routing = {
        "domain": "a.b",
        "domainTemplate": "{{ .Name }}.{{ .Labels.team }}.{{ .IngressDomain }}",
    }
    (tmp_path / "values.yaml").write_text(json.dumps({"routing": routing}))
    text = notes("-f", str(tmp_path / "values.yaml"))
    assert "jsonpath='{.status.url}'" in text
    assert ".a.b/" not in text


def test_the_route_they_show_is_that_of_the_model_they_show():
    """What to apply by hand in mode virtualService, beside what the models chart would write."""
    text = notes("-f", str(CASES["istio-virtual-service"]))
    shown = [manifest for block in re.findall(r"<<'YAML'\n(.*?)^YAML$", text, re.M | re.S)
             for manifest in rendering.parse(textwrap.dedent(block))]  # fmt: skip
    model, route = shown
    assert (model["kind"], route["kind"]) == ("InferenceService", "VirtualService")
    assert (
        f"curl https://{route['spec']['hosts'][0]}/v1/models/{model['metadata']['name']}:" in text
    )
    both = [CASES["istio-virtual-service"], CASES["sklearn-iris"]]
    written = rendering.only(rendering.parse(models(read(both))), "VirtualService")
    (ours,), (theirs,) = written["spec"]["http"], route["spec"]["http"]
    assert theirs["route"][0]["destination"] == ours["route"][0]["destination"]
    assert theirs["timeout"] == ours["timeout"]
    assert route["spec"]["hosts"] == written["spec"]["hosts"]


@pytest.mark.parametrize(
    "template",
    [
        "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}",
        "{{.Namespace}}.{{.Name}}.{{.IngressDomain}}",
        "{{- .Name -}}.x-{{-  .Namespace}}.{{ .IngressDomain -}}",
        "{{ .Name }}.{{ .Name }}.elsewhere.org",
    ],
)
def test_both_charts_fill_a_domain_template_alike(template, tmp_path):
    """The platform's NOTES say the URL under which the models chart publishes the model."""
    routing = {"mode": "virtualService", "domain": "a.b", "domainTemplate": template}
    model = {"format": "sklearn", "storageUri": "s3://m"}
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"routing": routing, "models": {"sklearn-iris": model}}))
    written = rendering.only(rendering.parse(models(read([file]))), "VirtualService")
    (host,) = written["spec"]["hosts"]
    assert f"curl http://{host}/v1/models/sklearn-iris:predict" in notes("-f", str(file))


@pytest.mark.parametrize(
    "mode",
    [{"mode": "gatewayApi", "gatewayApi": {"writeRoutes": True}}, {"mode": "virtualService"}],
)
def test_the_first_model_is_where_its_route_is_taken_and_its_pods_are_asked(mode, tmp_path):
    file = tmp_path / "values.yaml"

    def said(**tenants):
        routing = mode | {"domain": "a.b"}
        file.write_text(json.dumps({"tenants": tenants, "routing": routing}))
        text = notes("-f", str(file))
        assert all(len(line) <= 120 for line in text.splitlines())
        assert "\n\n\n" not in text
        return text

    text = said(ads={"gateway": {}}, fraud={}, sales={})
    assert "kubectl apply -n fraud -f -" in text
    assert "Ask it, from a pod of namespace fraud:" in text
    assert "http://sklearn-iris-fraud.a.b/v1/models" in text
    assert not re.search(r"\bads\b", text)
    # Without a NetworkPolicy anybody may ask; without tenants the model is in no tenant's namespace.
    text = said(ads={"gateway": {}}, fraud={"networkPolicy": {"enabled": False}})
    assert "kubectl apply -n fraud -f -" in text
    assert "from a pod of the cluster:" in text
    text = said()
    assert "kubectl apply -n default -f -" in text
    assert "from a pod of the cluster:" in text
    # Where nobody shares the platform's gateway, nothing is said to be on it.
    text = said(ads={"gateway": {}})
    assert "kubectl apply -n ads -f -" in text
    assert "from a pod of namespace ads:" in text
    assert not re.search("from outside|VirtualService|kserve-ingress-gateway", text)


def test_a_model_of_a_guarded_tenant_is_asked_from_its_namespace(tmp_path):
    file = tmp_path / "values.yaml"

    def said(namespace, tenant):
        model = {"format": "sklearn", "storageUri": "s3://m"}
        file.write_text(json.dumps({"tenants": {"fraud": tenant}, "models": {"m": model}}))
        words = ("-n", namespace, "--dry-run=client", "-f", str(file))
        return rendering.helm("install", "a", str(CHARTS[MODELS]), *words)

    assert "from a pod of namespace fraud:" in said("fraud", {})
    assert "from a pod of the cluster:" in said("ads", {})
    assert "from a pod of the cluster:" in said("fraud", {"networkPolicy": {"enabled": False}})


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_the_crds_that_helm_shows_are_all_of_them(program):
    """What NOTES pipe to kubectl; Helm 3 puts nothing between the files."""
    shown = rendering.parse(rendering.helm("show", "crds", str(STOCK), program=program))
    files = sorted((STOCK / "crds").iterdir())
    assert shown == [rendering.parse(file.read_text())[0] for file in files]
    assert len(shown) == 6


@pytest.mark.parametrize(
    ("case", "said"), [("sklearn-iris", "1 model is declared"), ("ensemble", "models are declared")]
)
def test_the_models_notes_count(case, said):
    command = ("install", "iris", str(CHARTS[MODELS]), "-n", "ml", "--dry-run=client")
    text = rendering.helm(*command, "-f", str(CASES[case])).partition("\nNOTES:\n")[2]
    assert said in text
    assert not re.search(r"charts/|python -m", text)
