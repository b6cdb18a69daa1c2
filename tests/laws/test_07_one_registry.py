"""Law 7: global.imageRegistry reaches every image, and the list of images is complete."""

import json
import re

import pytest

from generator.images import platform_images
from generator.schema import catalog, defaults, values_schema
from generator.values import merge
from tests.rendering import CASES, Object, objects, values_of, walk

REGISTRY = "registry.internal.example.com:5000/mirror"
# A repository path that ends in a tag or digest, with the registry in front of it.
IMAGE = re.compile(
    r"[a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)+(?::[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})?"
)
REPOSITORIES = {
    it["repository"]
    for it in [*catalog()["images"].values(), *(r["image"] for r in catalog()["runtimes"].values())]
}


def strings(them: list[Object]):
    """Every string of the objects; one that is JSON gives the strings inside."""
    for it in them:
        for _, value in walk(it):
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
    listed = {it.image for it in platform_images(merge(defaults(values_schema()), values_of(case)))}
    found = images(objects(case))
    # KServe joins the explainer's image and version itself.
    listed = {re.sub(r"(/art-explainer):.*", r"\1", image) for image in listed}
    assert found == listed


def test_pull_secrets_reach_every_pod():
    them = objects("airgap")
    for it in them:
        if it["kind"] in ("Deployment", "Job"):
            assert it["spec"]["template"]["spec"]["imagePullSecrets"] == [
                {"name": "registry-credentials"}
            ]
        if it["kind"] == "ClusterServingRuntime":
            assert it["spec"]["imagePullSecrets"] == [{"name": "registry-credentials"}]
        if it["kind"] == "ServiceAccount":
            assert it["imagePullSecrets"] == [{"name": "registry-credentials"}]
