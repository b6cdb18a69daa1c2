"""templates/validate.yaml: values that do not go together fail with a path, a fact and a remedy."""

import json

import pytest

from generator.errors import ValuesError
from generator.manifests import helm_template
from generator.values import Values
from tests.rendering import STOCK

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
    ({"routing": {"mode": "gatewayApi", "additionalDomains": ["a.b"]}}, "set routing.domain"),
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
    ({"extraObjects": {"x": {"kind": "ConfigMap"}}}, "extraObjects.x is not a Kubernetes object"),
    ({"extraObjects": {"x": {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "m"}}}}, "apply it afterwards"),
    ({"extraObjects": {"x": {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "ClusterServingRuntime", "metadata": {"name": "m"}}}}, "move it to customRuntimes"),
]  # fmt: skip


def render(values: dict, folder) -> str:
    file = folder / "values.yaml"
    file.write_text(json.dumps(values))
    return helm_template(STOCK, Values.parsed([file]), more=())


@pytest.mark.parametrize(("values", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_does_not_go_together_is_refused(values, said, tmp_path):
    with pytest.raises(ValuesError) as caught:
        render(values, tmp_path)
    (problem,) = caught.value.problems
    assert said in f"{problem.path} {problem.message}"
    assert "; " in problem.message  # A remedy after the fact.
    assert problem.path.split(".")[0] in values
    assert problem.column > 1


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
    assert "name: mine" in render(values, tmp_path)


def test_every_refusal_of_the_template_is_tried():
    text = "".join(
        (STOCK / "templates" / path).read_text()
        for path in ("validate.yaml", "runtimes/_check.tpl", "routing/_check.tpl")
    )
    refusals = text.count("fail (printf") + text.count('fail "') + text.count("\nERROR: ")
    assert refusals <= len(REFUSED) + 1
