"""NOTES.txt: what `helm install` prints, the next command first."""

import json

import pytest

from tests import rendering
from tests.rendering import CASES, STOCK


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
    assert "kubectl apply --server-side --force-conflicts -f charts/kserve-lite/crds" in text
    assert "{{" not in text
    assert all(len(line) <= 120 for line in text.splitlines())
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("default", "curl http://sklearn-iris-predictor.default.svc.cluster.local/v1/models"),
        ("default", "To publish them, set routing.domain."),
        ("istio-gateway-api", "curl https://sklearn-iris-default.models.example.com/v1/models"),
        ("ingress-published", "curl https://sklearn-iris.default.models.example.com/v1/models"),
        ("istio-virtual-service", "KServe writes no route"),
        ("istio-virtual-service", "on the gateway ml/kserve-ingress-gateway"),
        ("gke", "stops when the cluster has no HTTPRoute CRD"),
        ("knative", "rejects every InferenceService"),
        ("knative", "curl http://sklearn-iris.default.svc.cluster.local/v1/models"),
        ("airgap", "The ConfigMap company-ca must be in namespace"),
        ("eks", "webhook.hostNetwork takes the controller out"),
        ("existing-certificate", "webhook.failurePolicy is Ignore"),
    ],
)
def test_they_say_what_the_values_mean(case, said):
    assert said in notes("-f", str(CASES[case]))


def test_a_url_that_only_the_model_knows_is_asked_for(tmp_path):
    routing = {
        "domain": "a.b",
        "domainTemplate": "{{ .Name }}.{{ .Labels.team }}.{{ .IngressDomain }}",
    }
    (tmp_path / "values.yaml").write_text(json.dumps({"routing": routing}))
    text = notes("-f", str(tmp_path / "values.yaml"))
    assert "jsonpath='{.status.url}'" in text
    assert ".a.b/" not in text
