"""Why the models chart refuses some combinations: what KServe makes of them at this version.

When one of these fails, a refusal in the models chart's check/ may have to go.
"""

import copy
import re

import pytest
import yaml

from generator.manifests.rendering import models as render
from generator.values.check import read
from tests.cluster.harness import controller, foreign, iris
from tests.rendering import ROOT, of_kind, parse

DOMAIN = "models.example.com"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SERVER = {"name": "kserve-container", "image": "registry.example.com/part:1"}
SERVED = {"model": yaml.safe_load(iris.MODEL)["spec"]["predictor"]["model"]}
KIND = "scaledobjects.keda.sh"
PART = {"containers": [{**SERVER, "securityContext": RESTRICTED}]}


@pytest.fixture
def model(cluster, release, models):
    """Applies a model of some name whose spec is changed, in mode ingress under a domain."""
    release.install(f"--set=routing.domain={DOMAIN}")

    def apply(name, autoscaler="hpa", **changes):
        found = copy.deepcopy(yaml.safe_load(iris.MODEL))
        found["metadata"]["name"] = name
        found["metadata"]["annotations"] = {"serving.kserve.io/autoscalerClass": autoscaler}
        found["spec"] |= changes
        found["spec"]["predictor"] |= changes.get("predictor", {})
        cluster.apply(found, namespace=models)

    return apply


def leads_to(cluster, service, namespace):
    """The port of the pods behind a Service."""
    found = cluster.wait(f"Service {service}", lambda: cluster.get("service", service, namespace))
    return found["spec"]["ports"][0]["targetPort"]


def test_what_kserve_makes_of_them(cluster, model, models):
    served = SERVED["model"]

    # Requests for a version go past the agent that logs those for the model itself.
    stable = {"model": served, "minReplicas": 2, "logger": {"mode": "all", "url": "http://sink"}}
    version = {"trafficPercent": 10, "predictor": {"name": "next", "model": served}}
    model("split", predictor=stable, canary=[version])
    assert leads_to(cluster, "split-predictor", models) == 9081
    assert leads_to(cluster, "split-next-predictor", models) == 8080

    # Where nothing scales it, a version may have no pod, and its part of the requests.
    model(
        "empty", autoscaler="none", predictor={"model": served, "minReplicas": 0}, canary=[version]
    )
    found = cluster.wait(
        "the version", lambda: cluster.get("deployment", "empty-next-predictor", models)
    )
    assert found["spec"]["replicas"] == 0

    # The host of the transformer leads to the explainer, and to the predictor.
    model("both", predictor={"model": served}, transformer=PART, explainer=PART)
    ingress = cluster.wait("an Ingress", lambda: cluster.get("ingress", "both", models))
    to = [
        (
            rule["host"].split("-" + models)[0],
            rule["http"]["paths"][0]["backend"]["service"]["name"],
        )
        for rule in ingress["spec"]["rules"]
    ]
    assert ("both-transformer", "both-explainer") in to
    assert ("both-transformer", "both-predictor") in to
    assert "both-explainer" not in {host for host, _ in to}

    # Versions are compared as text.
    form = {"name": "sklearn", "version": "1.3"}
    model("version", predictor={"model": {**served, "modelFormat": form}})
    cluster.wait(
        "a model without a runtime",
        lambda: (cluster.get("inferenceservice", "version", models).get("status", {})
                 .get("modelStatus", {}).get("lastFailureInfo", {}).get("reason")
                 == "NoSupportingRuntime"),
    )  # fmt: skip


def test_the_workers_of_a_model_are_deleted(cluster, release, models):
    """By the controller that has just made them, as what is left of a canary."""
    release.install("--set=runtimes.huggingfaceMultinode.enabled=true")
    cluster.apply(LARGE, namespace=models)
    deleted = "Deleting orphaned predictor {}"
    for kind, name in (("deployment", "large-predictor-worker"), ("service", "large-head-1")):

        def said(kind=kind, name=name):
            lines = controller.log(cluster, release.namespace).splitlines()
            return [each for each in lines if deleted.format(kind) in each and f'"{name}"' in each]

        cluster.wait(f"{name} is deleted", said)


LARGE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "large", "annotations": {"serving.kserve.io/autoscalerClass": "none"}},
    "spec": {
        "predictor": {
            "model": {"modelFormat": {"name": "huggingface"}, "storageUri": "pvc://models/large"},
            "workerSpec": {"pipelineParallelSize": 2},
        }
    },
}


def test_memory_without_a_target_is_cpu(cluster, model, models):
    model("memory", predictor={**SERVED, "scaleMetric": "memory"})

    def metrics():
        found = cluster.get("horizontalpodautoscaler", "memory-predictor", models)
        return found["spec"]["metrics"] if found else []

    (metric,) = cluster.wait("an HPA", metrics)
    assert metric["resource"]["name"] == "cpu"
    assert metric["resource"]["target"]["averageUtilization"] == 80


@pytest.fixture
def keda(cluster):
    """What KEDA's API server knows of it. KServe looks for that when it starts."""
    with foreign.crds(cluster, "keda"):
        yield
        cluster.reset()


METRIC = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}
SCALED = {"autoScaling": {"metrics": [METRIC]}}
NOTHING = "is invalid: spec.triggers: Required value"


def by_the_page(folder):
    """The InferenceService of the example for KEDA in docs/models.md."""
    page = (ROOT / "docs/models.md").read_text("utf-8")
    (example,) = [text for text in re.findall(r"```yaml\n(.*?)```", page, re.S) if "keda" in text]
    file = folder / "values.yaml"
    file.write_text(example)
    found = of_kind(parse(render(read([file]))), "InferenceService")
    for each in found:
        del each["metadata"]["namespace"]
    return found


def test_what_keda_is_told(cluster, keda, model, models, tmp_path):
    """A ScaledObject of each Deployment, with the metrics of its component and nothing else."""
    served = SERVED["model"]
    by_keda = {"autoscaler": "keda"}
    model("told", **by_keda, predictor={**SERVED, **SCALED, "scaleTarget": 30})
    made = cluster.wait("a ScaledObject", lambda: cluster.get(KIND, "told-predictor", models))
    (trigger,) = made["spec"]["triggers"]
    assert (trigger["type"], trigger["metadata"]) == ("cpu", {"value": "70"})

    cluster.apply(*by_the_page(tmp_path), namespace=models)
    made = cluster.wait("a ScaledObject", lambda: cluster.get(KIND, "churn-predictor", models))
    (trigger,) = made["spec"]["triggers"]
    assert (trigger["type"], trigger["metadata"]["threshold"]) == ("prometheus", "50")
    assert (made["spec"]["minReplicaCount"], made["spec"]["maxReplicaCount"]) == (0, 10)

    version = {"trafficPercent": 10, "predictor": {"name": "next", "model": served}}
    wrong = {
        "untold": {"predictor": SERVED},
        "split": {"predictor": {**SERVED, **SCALED}, "canary": [version]},
        "before": {"predictor": {**SERVED, **SCALED}, "transformer": PART},
        "beside": {"predictor": {**SERVED, **SCALED}, "explainer": PART},
    }
    for name, changes in wrong.items():
        model(name, **by_keda, **changes)
    for name in wrong:

        def refused(name=name):
            found = cluster.list("events", models)
            said = [each["message"] for each in found if each["involvedObject"]["name"] == name]
            return any(NOTHING in each for each in said)

        cluster.wait(f"{name} is refused", refused)


HPA = "horizontalpodautoscaler"


def test_another_class_leaves_the_scaler_of_before(cluster, keda, model, models):
    made = ("changed-predictor", models)
    by_keda = {"autoscaler": "keda", "predictor": {**SERVED, **SCALED}}
    model("changed", predictor=SERVED)
    cluster.wait("an HPA", lambda: cluster.get(HPA, *made))
    model("changed", **by_keda)
    cluster.wait("a ScaledObject", lambda: cluster.get(KIND, *made))
    assert cluster.get(HPA, *made)
    cluster.kubectl("delete", HPA, made[0], "-n", models)
    model("changed", predictor=SERVED)
    cluster.wait("an HPA again", lambda: cluster.get(HPA, *made))
    assert cluster.get(KIND, *made)


def test_a_scaler_of_ones_own_by_the_name_of_kserves_is_deleted(cluster, model, models):
    own = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "own-predictor"},
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": "own-predictor",
            },
            "maxReplicas": 7,
        },
    }
    other = {**own, "metadata": {"name": "other"}}
    cluster.apply(own, other, namespace=models)
    model("own", autoscaler="external", predictor=SERVED)
    cluster.wait("it is gone", lambda: cluster.get(HPA, "own-predictor", models) is None)
    assert cluster.get(HPA, "other", models)
