"""Which runtime KServe chooses for a model, and which image it runs of it."""

import json

import pytest

from generator.images.platform import platform_images
from generator.values.load import merge
from generator.values.schema import defaults, values_schema
from tests.cluster.harness.cluster import installed

DIGEST = "sha256:" + "ab" * 32
VALUES = {
    "global": {"imageRegistry": "registry.example.com/mirror"},
    "runtimes": {
        "vllm": {"enabled": True},
        "huggingface": {"enabled": True},
        "tensorflow": {"enabled": True, "image": {"digest": DIGEST}},
        "torchserve": {"enabled": True},
    },
}
GPU = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
MIG = {"resources": {"limits": {"nvidia.com/mig-1g.5gb": "1"}}}


@pytest.fixture(scope="module")
def platform(cluster, tmp_path_factory):
    values = tmp_path_factory.mktemp("values") / "values.json"
    values.write_text(json.dumps(VALUES))
    with installed(cluster, "-f", str(values)) as release:
        yield release


@pytest.fixture(scope="module")
def namespace(cluster, platform):
    # The image of vLLM runs as root, which the restricted standard forbids.
    name = cluster.namespace("models", enforce="baseline")
    yield name
    cluster.kubectl("delete", "inferenceservices", "--all", "-n", name)


def model(name, form, **more):
    served = {"modelFormat": {"name": form}, "storageUri": "pvc://models/m", **more}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name},
        "spec": {"predictor": {"model": served}},
    }


@pytest.mark.parametrize(
    ("name", "form", "more", "runtime", "image"),
    [
        ("vllm-cpu", "vLLM", {"protocolVersion": "v2"}, "kserve-vllmserver", "vllm/vllm-openai-cpu:v0.24.0"),
        ("vllm-gpu", "vLLM", {"protocolVersion": "grpc-v2", **GPU}, "kserve-vllmserver", "vllm/vllm-openai:v0.24.0"),
        ("hf-cpu", "huggingface", {}, "kserve-huggingfaceserver", "kserve/huggingfaceserver:v0.20.0"),
        ("hf-gpu", "huggingface", GPU, "kserve-huggingfaceserver", "kserve/huggingfaceserver:v0.20.0-gpu"),
        ("torch-mig", "pytorch", MIG, "kserve-torchserve", "pytorch/torchserve-kfs:0.9.0-gpu"),
        # A digest is run as it is.
        ("tf-gpu", "tensorflow", GPU, "kserve-tensorflow-serving", f"tensorflow/serving@{DIGEST}"),
    ],
)  # fmt: skip
def test_the_image_is_that_of_the_hardware(cluster, namespace, name, form, more, runtime, image):
    cluster.apply(model(name, form, **more), namespace=namespace)
    deployment = cluster.wait(
        "the Deployment", lambda: cluster.get("deployment", f"{name}-predictor", namespace)
    )
    run = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert run == f"registry.example.com/mirror/{image}"
    assert run in {
        image.reference for image in platform_images(merge(defaults(values_schema()), VALUES))
    }

    def chosen():
        """KServe writes the status last, after all that it makes of a model."""
        status = cluster.get("inferenceservice", name, namespace).get("status", {})
        return status.get("clusterServingRuntimeName")

    assert cluster.wait("the runtime in the status", chosen) == runtime


def test_the_case_of_a_format_counts(cluster, namespace):
    cluster.apply(model("lower", "vllm"), namespace=namespace)

    def failure():
        status = cluster.get("inferenceservice", "lower", namespace).get("status", {})
        return status.get("modelStatus", {}).get("lastFailureInfo")

    assert cluster.wait("KServe's answer", failure)["reason"] == "NoSupportingRuntime"
