"""Law 7: global.imageRegistry reaches every image, and the list of images is complete."""

import json
import re

import pytest

from generator import MODELS
from generator.catalog import catalog
from generator.images.platform import platform_images
from generator.values.load import Values, merge
from generator.values.schema import defaults, values_schema
from tests.rendering import (
    CASES,
    CHARTS,
    Object,
    helm_template,
    objects,
    of_kind,
    parse,
    values_of,
    walk,
)

REGISTRY = "registry.internal.example.com:5000/mirror"
# A repository path that ends in a tag or digest, with the registry in front of it.
IMAGE = re.compile(
    r"[a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)+(?::[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})?"
)
REPOSITORIES = {
    image.repository
    for image in [
        *catalog().images.values(),
        *(runtime.image for runtime in catalog().runtimes.values()),
    ]
}


def strings(them: list[Object]):
    """Every string of the objects; one that is JSON gives the strings inside."""
    for manifest in them:
        for _, value in walk(manifest):
            if not isinstance(value, str):
                continue
            try:
                inner = json.loads(value) if value.lstrip().startswith("{") else None
            except ValueError:
                inner = None
            if inner is None:
                yield value
            else:
                yield from (text for _, text in walk(inner) if isinstance(text, str))


def images(them: list[Object]) -> set[str]:
    """Every string of the objects that is an image of the catalog."""
    return {
        text
        for text in strings(them)
        if IMAGE.fullmatch(text)
        and any(f"/{repository}" in re.sub(r"[:@][^/]*$", "", text) for repository in REPOSITORIES)
    }


def test_every_image_comes_from_the_one_registry():
    them = objects("airgap")
    found = images(them)
    assert len(found) >= 8
    assert [image for image in found if not image.startswith(f"{REGISTRY}/")] == []
    text = json.dumps(them)
    for registry in ("docker.io", "ghcr.io", "nvcr.io", "quay.io"):
        assert registry not in text


def test_every_runtimes_image_comes_from_the_one_registry():
    found = images(objects("everything-on"))
    assert len(found) >= 20
    assert [image for image in found if not image.startswith("registry.example.com/mirror/")] == []


@pytest.mark.parametrize("case", CASES)
def test_the_list_of_images_is_what_the_objects_name(case):
    every = platform_images(merge(defaults(values_schema()), values_of(case)))
    assert len({image.reference for image in every}) == len(every)
    listed = {image.reference for image in every if not image.derived}
    found = images(objects(case))
    # KServe joins the explainer's image and version itself.
    listed = {re.sub(r"(/art-explainer):.*", r"\1", image) for image in listed}
    assert found == listed


def run_by_kserve(image: str, server: str, *, gpu: bool) -> str:
    """The image that KServe runs for a runtime's; tests/upstream compares the rule with its code."""
    name, _, tag = image.rpartition(":")
    if "@sha256:" in image:
        return image
    if gpu and server in ("tensorflow-serving", "torchserve", "huggingfaceserver"):
        return image if tag.endswith("-gpu") else f"{image}-gpu"
    if not gpu and server == "vllmserver":
        return image if name.endswith("-cpu") else f"{name}-cpu:{tag}"
    return image


@pytest.mark.parametrize(
    ("case", "count"), [("default", 0), ("airgap", 0), ("all-runtimes", 3), ("everything-on", 3)]
)
def test_the_list_of_images_has_what_kserve_runs_on_any_hardware(case, count):
    values = merge(defaults(values_schema()), values_of(case))
    runtimes = of_kind(objects(case), "ClusterServingRuntime")
    runtimes = [
        runtime
        for runtime in runtimes
        if runtime["metadata"]["name"] not in values["customRuntimes"]
    ]
    runs = {
        run_by_kserve(
            runtime["spec"]["containers"][0]["image"],
            runtime["metadata"]["annotations"]["serving.kserve.io/server-type"],
            gpu=gpu,
        )
        for runtime in runtimes
        for gpu in (True, False)
    }
    listed = {image.reference: image.derived for image in platform_images(values)}
    assert runs <= listed.keys()
    derived = {image for image, hardware in listed.items() if hardware}
    assert derived == runs - images(objects(case))
    assert len(derived) == count


def test_an_image_with_a_digest_is_all_that_kserve_runs():
    digest = "sha256:" + "ab" * 32
    changes = {"enabled": True, "image": {"digest": digest}}
    runtimes = dict.fromkeys(catalog().runtimes, changes)
    values = merge(defaults(values_schema()), {"runtimes": runtimes})
    assert [image.reference for image in platform_images(values) if image.derived] == []
    # Somebody who sets one is told.
    described = values_schema()["properties"]["runtimes"]["description"]
    assert "digest" in described
    for key, runtime in catalog().runtimes.items():
        assert (runtime.image.derived is not None) == bool(re.search(rf"\b{key}\b", described)), key


OWN_IMAGES = """
global: {imagePullSecrets: [registry-credentials, "123"]}
routing: {mode: virtualService, domain: example.com}
models:
  own:
    image: x
    transformer: {image: x}
    explainer: {image: x, minReplicas: 1}
  adversarial:
    format: sklearn
    storageUri: s3://m
    explainer: {art: {type: SquareAttack}}
  versions:
    format: sklearn
    storageUri: s3://m
    canary: {new: {trafficPercent: 10, storageUri: "s3://n"}}
  own-versions:
    image: x
    storageUri: s3://m
    canary: {new: {trafficPercent: 10, image: z}}
"""


def test_pull_secrets_reach_every_pod_with_an_image_of_ones_own(tmp_path):
    file = tmp_path / "values.yaml"
    file.write_text(OWN_IMAGES)
    them = parse(helm_template(CHARTS[MODELS], Values.parsed([file]), more=()))
    found = 0
    for service in of_kind(them, "InferenceService"):
        spec = service["spec"]
        canary = [version["predictor"] for version in spec.pop("canary", [])]
        for part in [*spec.values(), *canary]:
            # What a runtime serves has its runtime's.
            wanted = (
                None if "model" in part else [{"name": "registry-credentials"}, {"name": "123"}]
            )
            assert part.get("imagePullSecrets") == wanted, service["metadata"]["name"]
            found += wanted is not None
    assert found == 6


def test_pull_secrets_reach_every_pod():
    them = objects("airgap")
    for manifest in them:
        if manifest["kind"] in ("Deployment", "Job"):
            assert manifest["spec"]["template"]["spec"]["imagePullSecrets"] == [
                {"name": "registry-credentials"}
            ]
        if manifest["kind"] == "ClusterServingRuntime":
            assert manifest["spec"]["imagePullSecrets"] == [{"name": "registry-credentials"}]
        if manifest["kind"] == "ServiceAccount":
            assert manifest["imagePullSecrets"] == [{"name": "registry-credentials"}]
