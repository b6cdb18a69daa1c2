"""templates/validate.yaml: values that do not go together fail with a path, a fact and a remedy."""

import json
import re
from functools import cache

import pytest

from generator.errors import Problem, ValuesError
from generator.values.load import Values
from tests.rendering import STOCK, helm_template

RUNTIME = {
    "supportedModelFormats": [
        {"name": "sklearn", "version": "1", "autoSelect": True, "priority": 9}
    ],
    "protocolVersions": ["v1"],
    "containers": [{"name": "kserve-container", "image": "x"}],
}


def custom(**changes: object) -> dict:
    return {"customRuntimes": {"mine": {"spec": {**RUNTIME, **changes}}}}


def formats(*entries: tuple[str, str, int]) -> list[dict]:
    return [{"name": n, "version": v, "autoSelect": True, "priority": p} for n, v, p in entries]


REFUSED = [
    ({"controller": {"podDisruptionBudget": {"enabled": True}}}, "set controller.replicas=2"),
    ({"controller": {"extraEnv": {"POD_NAMESPACE": "x"}}}, "controller.extraEnv.POD_NAMESPACE"),
    ({"controller": {"extraVolumes": {"cert": {"emptyDir": {}}}}}, "choose another name"),
    ({"controller": {"extraVolumeMounts": {"/a": {"name": "b"}}}}, "add it to controller.extraVolumes"),
    ({"controller": {"extraVolumeMounts": {"/tmp/k8s-webhook-server/serving-certs": {"name": "cert"}}}}, "choose another path"),
    ({"webhook": {"certificate": {"mode": "existing"}}}, "set webhook.certificate.secretName"),
    ({"webhook": {"certificate": {"mode": "existing", "secretName": "x"}}}, "set webhook.certificate.caBundle"),
    ({"webhook": {"certificate": {"mode": "existing", "secretName": "x", "caBundle": "eA=="}}}, "base64-encoded PEM"),
    ({"webhook": {"certificate": {"mode": "openshift"}}}, "set platform=openshift"),
    ({"inference": {"rollout": {"maxSurge": "50%"}}}, "set both or neither"),
    ({"routing": {"domain": "a.b", "additionalDomains": ["c.d"]}}, "set routing.mode=gatewayApi or virtualService"),
    ({"routing": {"domain": "a.b", "pathTemplate": "/x"}}, "set routing.mode=virtualService"),
    ({"routing": {"mode": "gatewayApi", "domain": "a.b", "pathTemplate": "/x"}}, "send the rest of the domain to one model"),
    ({"routing": {"domain": "a.b", "gateway": {"tls": {"enabled": True}}}}, "there is no gateway in routing.mode ingress"),
    ({"routing": {"mode": "gatewayApi", "gateway": {"className": "gke-l7-rilb"}}}, "istio for instance"),
    ({"routing": {"mode": "gatewayApi", "gatewayApi": {"writeRoutes": True}, "gateway": {"className": "gke-l7-rilb"}}}, "set routing.httpRouteTimeouts=false"),
    ({"routing": {"gatewayApi": {"writeRoutes": True}}}, "routing.mode is ingress; set routing.mode=gatewayApi"),
    ({"routing": {"mode": "gatewayApi", "additionalDomains": ["a.b"]}}, "set routing.domain"),
    ({"routing": {"mode": "gatewayApi", "domain": "a.b", "additionalDomains": ["a.b"]}}, "a.b is in routing.domain already"),
    ({"routing": {"mode": "gatewayApi", "domain": "a.b", "additionalDomains": [f"d{n}.org" for n in range(16)]}}, "takes 15 beside"),
    ({"routing": {"domain": "a.b", "ingressAnnotations": {"kubernetes.io/ingress.class": "x"}}}, "set routing.ingressClass.create=false"),
    ({"routing": {"domain": "a.b", "ingressClass": {"name": "gce"}}}, "acts on the annotation kubernetes.io/ingress.class alone"),
    ({"routing": {"mode": "gatewayApi", "pathTemplate": "/x"}}, "set routing.domain"),
    ({"routing": {"mode": "gatewayApi", "gateway": {"tls": {"enabled": True}}}}, "set routing.domain"),
    ({"routing": {"mode": "gatewayApi", "domain": "a.b", "gateway": {"tls": {"enabled": True}}}}, "set routing.gateway.tls.secretName"),
    ({"routing": {"gateway": {"namespace": "x"}}}, "set routing.gateway.create=false"),
    ({"observability": {"serviceMonitor": {"enabled": True}, "metrics": {"enabled": False}}}, "set observability.metrics.enabled=true"),
    ({"platform": "openshift", "webhook": {"certificate": {"mode": "openshift"}}, "runtimes": {"torchserve": {"enabled": True}}}, "set runtimes.torchserve.enabled=false"),
    ({"runtimes": {"mlserver": {"enabled": True, "extraArgs": ["--workers=2"]}}}, "start them with mlserver, start and /mnt/models"),
    ({"customRuntimes": {"mine": {}}}, "customRuntimes.mine.spec is missing"),
    ({"customRuntimes": {"kserve-tritonserver": {"spec": RUNTIME}}}, "set runtimes.triton.enabled=true"),
    (custom(supportedModelFormats=formats(("sklearn", "1", 1))), "runtimes.sklearn has the format, version, priority and protocol sklearn/1/1/v1"),
    (custom(supportedModelFormats=formats(("SKLearn", "1", 1))), "choose another priority"),
    (custom(supportedModelFormats=formats(("a", "1", 1), ("a", "2", 2))), "a has the priorities 1 and 2"),
    (custom(containers=[{"name": "kserve-container", "image": "x", "env": [{"name": "PYTHONPATH", "value": "x"}]}]), "PYTHONPATH"),
    (custom(workerSpec={"containers": [{"name": "a"}, {"name": "b"}]}), "KServe allows one"),
    (custom(workerSpec={"pipelineParallelSize": 0, "containers": []}), "set it to 1 or more"),
    (custom(workerSpec={"containers": []}, containers=[{"name": "kserve-container", "image": "x", "env": [{"name": "TENSOR_PARALLEL_SIZE", "value": "2"}]}]), "set workerSpec's parallel sizes"),
    ({"webhook": {"certificate": {"mode": "certManager", "duration": "24h"}}}, "720h is not less than webhook.certificate.duration, 24h"),
    ({"webhook": {"certificate": {"mode": "certManager", "duration": "59m59s", "renewBefore": "10m"}}}, "set it to 1h or more"),
    ({"webhook": {"certificate": {"mode": "certManager", "renewBefore": "4m59s"}}}, "set it to 5m or more"),
    ({"webhook": {"port": 8080}}, "8080 is the port of observability.metrics.port too"),
    ({"controller": {"healthProbePort": 8080}}, "8080 is the port of controller.healthProbePort too"),
    ({"routing": {"mode": "gatewayApi", "domain": "a.b", "gateway": {"httpsPort": 80, "tls": {"enabled": True, "secretName": "x"}}}}, "80 is routing.gateway.httpPort too"),
    ({"observability": {"serviceMonitor": {"enabled": True, "interval": "1m", "scrapeTimeout": "61s"}}}, "61s is more than the interval, 1m"),
    ({"extraObjects": {"x": {"kind": "ConfigMap"}}}, "extraObjects.x is not a Kubernetes object"),
    ({"extraObjects": {"x": {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "m"}}}}, "apply it afterwards"),
    ({"extraObjects": {"x": {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "ClusterServingRuntime", "metadata": {"name": "m"}}}}, "move it to customRuntimes"),
    ({"tenants": {"kserve": {}}}, "is the platform's own namespace"),
    ({"tenants": {"a" * 64: {}}}, "63 are allowed"),
    ({"tenants": {"no": {}}}, "YAML reads the name as a boolean"),
    ({"tenants": {"default": {}}}, "set tenants.default.createNamespace=false"),
    ({"tenants": {"a": {"createNamespace": False, "podSecurity": "baseline"}}}, "is for a Namespace that the release makes"),
    ({"tenants": {"a": {"labels": {"pod-security.kubernetes.io/warn": "baseline"}}}}, "set tenants.a.podSecurity"),
    ({"tenants": {"a": {"role": "edit"}}}, "set tenants.a.groups"),
    ({"tenants": {"a": {}}, "routing": {"domain": "a.b", "ingressClass": {"name": "nginx"}}}, "says nothing of where the pods of class nginx are"),
    ({"tenants": {"a": {"resourceQuota": {"hard": [1]}}}}, "is a list, and no mapping; write one quantity per resource"),
    ({"tenants": {"a": {"resourceQuota": {"hard": {"pods": True}}}}}, "pods is true, and no quantity"),
    ({"tenants": {"a": {"limitRange": {"limits": 3}}}}, "is 3, and no list"),
    ({"tenants": {"a": {"limitRange": {"limits": [3]}}}}, "is 3, and no mapping; write type and amounts"),
    ({"tenants": {"ingress-gateway": {"gateway": {}}}, "routing": {"mode": "virtualService", "domain": "a.b"}}, "routing.gateway has the name kserve-ingress-gateway already"),
    ({"tenants": {"a": {"gateway": {}}}}, "there is no gateway in routing.mode ingress"),
    ({"tenants": {"a": {"gateway": {}}}, "routing": {"mode": "gatewayApi", "domain": "a.b"}}, "set routing.gatewayApi.writeRoutes=true"),
    ({"tenants": {"a": {"gateway": {}}}, "routing": {"mode": "virtualService"}}, "without routing.domain nothing is published"),
    ({"tenants": {"a": {"gateway": {"domain": "a.b"}}}, "routing": {"mode": "virtualService", "domain": "a.b"}}, "a.b is that of routing.domain already"),
    ({"tenants": {"a": {"gateway": {}}}, "routing": {"mode": "virtualService", "domain": "a.b", "gateway": {"tls": {"enabled": True, "secretName": "x"}}}}, "to the Secret with the certificate for *.a.a.b"),
    ({"tenants": {"a" * 51: {"gateway": {}}}, "routing": {"mode": "gatewayApi", "domain": "a.b", "gatewayApi": {"writeRoutes": True}}}, "rename the tenant"),
    ({"tenants": {"a": {"gateway": {"secretName": "x"}}}, "routing": {"mode": "virtualService", "domain": "a.b"}}, "is for TLS"),
    ({"tenants": {"a": {"gateway": {"selector": {"b": "c"}}}}, "routing": {"mode": "gatewayApi", "domain": "a.b", "gatewayApi": {"writeRoutes": True}}}, "is for routing.mode virtualService"),
]  # fmt: skip


def render(values: dict, folder) -> str:
    file = folder / "values.yaml"
    file.write_text(json.dumps(values))
    return helm_template(STOCK, Values.parsed([file]), more=())


@cache
def refused(text: str, folder) -> list[Problem]:
    with pytest.raises(ValuesError) as caught:
        render(json.loads(text), folder)
    return list(caught.value.problems)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("values")


@pytest.mark.parametrize(("values", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_does_not_go_together_is_refused(values, said, folder):
    problems = refused(json.dumps(values), folder)
    assert any(said in f"{problem.path} {problem.message}" for problem in problems)
    for problem in problems:
        assert "; " in problem.message  # A remedy after the fact.
        assert problem.column > 1


def test_all_that_does_not_go_together_is_told_at_once(folder):
    values = {
        "controller": {
            "podDisruptionBudget": {"enabled": True},
            "extraEnv": {"POD_NAMESPACE": "x"},
        },
        "webhook": {"certificate": {"mode": "existing"}, "port": 8080},
        "customRuntimes": {"one": {}, "two": {}},
        "extraObjects": {"x": {"kind": "ConfigMap"}},
    }
    paths = {problem.path for problem in refused(json.dumps(values), folder)}
    assert paths == {
        "controller.podDisruptionBudget",
        "controller.extraEnv.POD_NAMESPACE",
        "webhook.certificate.secretName",
        "webhook.certificate.caBundle",
        "webhook.port",
        "customRuntimes.one.spec",
        "customRuntimes.two.spec",
        "extraObjects.x",
    }


@pytest.mark.parametrize(
    "values",
    [
        custom(),
        custom(supportedModelFormats=formats(("sklearn", "1", 1)), disabled=True),
        custom(supportedModelFormats=formats(("sklearn", "2", 1))),
        custom(supportedModelFormats=formats(("sklearn", "1", 1)), protocolVersions=["grpc-v2"]),
        custom(supportedModelFormats=formats(("sklearn", "1", 1)), multiModel=True),
        {**custom(supportedModelFormats=formats(("sklearn", "1", 1))), "runtimes": {"sklearn": {"enabled": False}}},
        custom(supportedModelFormats=[{"name": "sklearn", "version": "1", "priority": 1}]),
        # The webhook compares runtimes by the protocols that both list.
        custom(supportedModelFormats=formats(("sklearn", "1", 1)), protocolVersions=[]),
        {**custom(), "platform": "openshift", "runtimes": {"vllm": {"enabled": True}}},
        {**custom(), "runtimes": {"mlserver": {"enabled": True, "extraArgs": ["mlserver", "start", "/mnt/models"]}}},
    ],
)  # fmt: skip
def test_what_kserve_would_accept_is_accepted(values, tmp_path):
    assert 'name: "mine"' in render(values, tmp_path)


def test_every_refusal_of_the_template_is_tried(folder):
    texts = [file.read_text() for file in (STOCK / "templates").rglob("_check.tpl")]
    assert len(texts) == 8
    lines = re.findall(r"(?m)^ *ERROR: (.+)$", "".join(texts))
    # An action is whatever a value makes of it.
    wanted = [re.split(r"\{\{.*?\}\}", line) for line in lines]
    assert len(wanted) > 30
    refusals = [
        f"{problem.path}{separator}{problem.message}"
        for values, _ in REFUSED
        for problem in refused(json.dumps(values), folder)
        for separator in (": ", " ")
    ]
    for parts in wanted:
        pattern = ".+".join(map(re.escape, parts))
        assert any(re.fullmatch(pattern, line) for line in refusals), parts
