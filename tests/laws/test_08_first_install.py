"""Law 8: no object of a release waits for a webhook of the same release; CRDs come first."""

import pytest

from generator.manifests.rendering import render
from tests import rendering
from tests.rendering import CASES, STOCK, Object, objects

PLURALS = {"ClusterServingRuntime": "clusterservingruntimes", "ServingRuntime": "servingruntimes"}


def matches(selector: dict, labels: dict[str, str]) -> bool:
    """Whether a Kubernetes label selector selects these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for expression in selector.get("matchExpressions", []):
        key, values = expression["key"], expression.get("values", [])
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[expression["operator"]]
        if not holds:
            return False
    return True


def waiting(them: list[Object]) -> list[str]:
    """Every object that a webhook among the objects would have to admit."""
    found = []
    for configuration in rendering.of_kind(
        them, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
    ):
        for webhook in configuration["webhooks"]:
            for rule in webhook["rules"]:
                for manifest in them:
                    group = manifest["apiVersion"].rpartition("/")[0]
                    plural = PLURALS.get(manifest["kind"], f"{manifest['kind'].lower()}s")
                    if group not in rule["apiGroups"] or plural not in rule["resources"]:
                        continue
                    if matches(webhook["objectSelector"], manifest["metadata"].get("labels", {})):
                        found.append(
                            f"{manifest['kind']} {manifest['metadata']['name']}: {webhook['name']}"
                        )
    return found


@pytest.mark.parametrize("case", CASES)
def test_no_object_waits_for_a_webhook_of_its_release(case):
    them = objects(case)
    assert rendering.of_kind(them, "ClusterServingRuntime")
    assert waiting(them) == []


def test_somebody_elses_runtime_is_still_validated():
    them = objects("default")
    runtime = rendering.only(them, "ClusterServingRuntime")
    del runtime["metadata"]["labels"]
    assert waiting(them) == [
        "ClusterServingRuntime kserve-sklearnserver: clusterservingruntime.kserve-webhook-server.validator"
    ]


@pytest.mark.parametrize("case", CASES)
def test_models_and_their_pods_meet_their_webhooks(case):
    them = objects(case)
    model = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m"},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"serving.kserve.io/inferenceservice": "m"}},
    }
    assert len(waiting([*them, model])) == 2
    assert len(waiting([*them, pod])) == 1
    assert waiting([*them, pod | {"metadata": {"name": "p", "labels": {"app": "x"}}}]) == []


def test_door_two_applies_in_phases():
    folders = {manifest.phase: set() for manifest in render()}
    for manifest in render():
        folders[manifest.phase].add(manifest.kind)
    assert folders["00-crds"] == {"CustomResourceDefinition", "Namespace"}
    assert folders["20-runtimes"] == {"ClusterServingRuntime", "ClusterStorageContainer"}
    assert "Deployment" in folders["10-platform"]


def test_the_chart_brings_every_crd_in_helms_own_folder():
    kinds = {
        rendering.parse(file.read_text())[0]["spec"]["names"]["kind"]
        for file in (STOCK / "crds").iterdir()
    }
    assert kinds == {
        "InferenceService", "InferenceGraph", "TrainedModel",
        "ServingRuntime", "ClusterServingRuntime", "ClusterStorageContainer",
    }  # fmt: skip


def test_a_default_install_needs_no_other_product():
    groups = {manifest["apiVersion"].rpartition("/")[0] for manifest in objects("default")}
    builtin = {
        "",
        "apps",
        "batch",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "admissionregistration.k8s.io",
    }
    assert groups - builtin == {"serving.kserve.io"}
