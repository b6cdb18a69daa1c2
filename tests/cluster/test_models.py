"""From `kubectl apply` of an InferenceService to one that is Ready, and what KServe makes of it."""

import json

import pytest

from generator.importer.entries import read_models
from generator.manifests.rendering import models as render
from generator.values.check import read
from tests import rendering
from tests.cluster.harness import iris

PREDICTOR = f"{iris.NAME}-predictor"
OWN = f"serving.kserve.io/inferenceservice={iris.NAME}"


@pytest.fixture(params=[iris.MODEL, iris.FORMER], ids=["modelFormat", "sklearn"])
def model(request, cluster, platform, models):
    """The model, Ready, in either spelling."""
    return iris.serve(cluster, models, request.param)


def test_a_model_becomes_ready(cluster, model):
    namespace = model["metadata"]["namespace"]
    assert model["status"]["clusterServingRuntimeName"] == "kserve-sklearnserver"
    assert model["status"]["address"] == {
        "url": f"http://{PREDICTOR}.{namespace}.svc.cluster.local"
    }

    def transition():
        """KServe judges by the pods that it has seen, which may be behind their Deployment."""
        status = cluster.get("inferenceservice", iris.NAME, namespace)["status"]["modelStatus"]
        return status["transitionStatus"] == "UpToDate"

    cluster.wait("the transition is over", transition)

    service = cluster.get("service", PREDICTOR, namespace)
    (port,) = service["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, 8080)

    deployment = cluster.get("deployment", PREDICTOR, namespace)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["args"][0] == f"--model_name={iris.NAME}"
    assert deployment["status"]["readyReplicas"] == 1

    autoscaler = cluster.get("horizontalpodautoscaler", PREDICTOR, namespace)
    assert autoscaler["spec"]["scaleTargetRef"]["name"] == PREDICTOR

    # No domain: nothing leads here from outside.
    assert cluster.list("ingresses", namespace) == []


def test_its_pod_fetches_it(cluster, model):
    """The pod, made by the ReplicaSet's controller, as the pod webhook changed it."""
    (pod,) = cluster.list("pods", model["metadata"]["namespace"], OWN)
    (initializer,) = pod["spec"]["initContainers"]
    assert initializer["name"] == "storage-initializer"
    assert initializer["image"] == "docker.io/kserve/storage-initializer:v0.20.0"
    assert initializer["args"] == [iris.URI, "/mnt/models"]
    (container,) = pod["spec"]["containers"]
    (volume,) = {
        mount["name"]
        for mount in initializer["volumeMounts"]
        if mount["mountPath"] == "/mnt/models"
    }
    assert {"name": volume, "mountPath": "/mnt/models", "readOnly": True} in container[
        "volumeMounts"
    ]


def test_what_kubectl_prints_of_it_becomes_an_entry_that_changes_nothing(cluster, model, tmp_path):
    """With all that servers and webhooks have written into it since."""
    namespace = model["metadata"]["namespace"]
    file = tmp_path / "models.yaml"
    file.write_text(cluster.kubectl("get", "inferenceservices", "-n", namespace, "-o", "yaml"))
    found = read_models(file)
    assert not found.left_out
    (comment,) = found.comments[iris.NAME]
    assert comment.startswith(f'Left out: metadata.namespace: "{namespace}"; ')
    file.write_text(str(found))
    (rendered,) = rendering.of_kind(rendering.parse(render(read([file]))), "InferenceService")
    again = iris.admitted(cluster, cluster.namespace("models"), json.dumps(_nowhere(rendered)))
    assert again["spec"] == model["spec"]
    last = "kubectl.kubernetes.io/last-applied-configuration"
    assert {**again["metadata"]["annotations"], last: ""} == {
        **model["metadata"]["annotations"],
        last: "",
    }


def _nowhere(rendered):
    """The object without a namespace, to be created in one where it is not yet."""
    metadata = {key: value for key, value in rendered["metadata"].items() if key != "namespace"}
    return rendered | {"metadata": metadata}


def test_it_goes_with_all_it_was_made_of(cluster, model):
    namespace = model["metadata"]["namespace"]
    model = ("inferenceservice", iris.NAME, "-n", namespace)
    cluster.kubectl("delete", *model, "--cascade=foreground")
    assert cluster.list("deployments,services,horizontalpodautoscalers,pods", namespace) == []
