"""docs/airgap.md: from the list of images to a prediction, on a cluster that knows only the mirror.

Two registries run on loopback. One stands for the internet, and has small images under the names and
for the platforms of the list; the other is the mirror, empty. skopeo copies from one to the other as the
page says. The node gets every image from the mirror, and starts no pod without.
"""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from generator import MODELS
from tests.cluster.harness import debian, flowers, prediction, registry, waiting
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.flowers import FLOWERS
from tests.rendering import CHARTS, ROOT

PAGE = (ROOT / "docs" / "airgap.md").read_text("utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COPY, PIN, INSTALL = BLOCKS
UPSTREAM = ("docker.io", "ghcr.io", "nvcr.io")
MODEL = "flowers"


@pytest.fixture(scope="module")
def folder(model_servers, tmp_path_factory):
    """Where the reader of the page stands: beside the charts, with skopeo set up."""
    if not (debian.REGISTRY.is_there and debian.SKOPEO.is_there):
        pytest.skip("docker-registry and skopeo are Debian's, and there is no apt-get")
    folder = tmp_path_factory.mktemp("airgap")
    (folder / "charts").symlink_to(ROOT / "charts")
    return folder


def parts(image):
    """The registry, the repository, and the tag or the digest of an image."""
    registry, _, rest = image.partition("/")
    return registry, *re.fullmatch("([^@:]*)[@:]?(.*)", rest).groups()


@pytest.fixture(scope="module")
def internet(folder, tmp_path_factory):
    with registry.serving(tmp_path_factory.mktemp("internet")) as running:
        yield running


@pytest.fixture(scope="module")
def mirror(cluster, folder, tmp_path_factory):
    """The only registry that the node knows."""
    empty = tmp_path_factory.mktemp("mirror")
    with registry.serving(empty) as running, cluster.node.asking_only(running.host):
        yield running


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    with flowers.served(tmp_path_factory.mktemp("bucket")) as trained:
        yield trained


@pytest.fixture(scope="module")
def values(folder, mirror, trained):
    """The page's values, with the mirror and a model of this test."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    data = yaml.safe_load(block)
    data["global"] = {"imageRegistry": f"{mirror.host}/mirror"}
    data["models"] = {MODEL: {"format": "sklearn", "storageUri": trained.uri}}
    file = folder / "my.yaml"
    file.write_text(json.dumps(data))
    return file


@pytest.fixture(scope="module")
def shell(cluster, folder, internet, mirror):
    """Runs lines of the page: `shell(lines)`. skopeo finds upstream's registries here."""
    settings = folder / "home" / ".config" / "containers"
    settings.mkdir(parents=True)
    (settings / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    locations = [(name, f"{internet.host}/{name}") for name in UPSTREAM]
    locations += [(host, host) for host in (internet.host, mirror.host)]
    tables = (
        f'[[registry]]\nprefix = "{name}"\nlocation = "{location}"\ninsecure = true\n'
        for name, location in locations
    )
    (settings / "registries.conf").write_text("\n".join(tables))
    found = debian.SKOPEO.environment()
    path = f"{Path(sys.executable).parent}:$PATH:{found.get('PATH', '')}"
    exports = {**found, "HOME": folder / "home", "PATH": path, "PYTHONPATH": ROOT}
    exports["CONTAINERS_REGISTRIES_CONF"] = settings / "registries.conf"
    lines = [f'export {name}="{value}"\n' for name, value in exports.items()]

    def run(script):
        return cluster.bash("".join(lines) + script, folder)

    return run


@pytest.fixture(scope="module")
def copied(shell, values, internet, tmp_path_factory):
    """The images, by their sources, once the page has copied them."""
    listed = json.loads(shell("python -m generator images -f my.yaml --output json"))["images"]
    layouts = tmp_path_factory.mktemp("layouts")
    for image in listed:
        layout = registry.image(layouts, image["source"], image["platforms"])
        target = f"{internet.host}/{image['source']}"
        shell(f"skopeo copy --all --quiet oci:{layout} docker://{target}")
    shell(COPY)
    return listed


def digest_of(source, internet):
    """The digest that an image has upstream."""
    host, repository, tag = parts(source)
    return internet.digest(f"{host}/{repository}", tag)


def test_the_script_copies_every_image_for_all_platforms(copied, internet, mirror):
    assert len(copied) >= 7
    for image in copied:
        digest = digest_of(image["source"], internet)
        assert digest
        _, repository, tag = parts(image["image"])
        # The index, and not one platform's manifest, has the same digest.
        assert mirror.digest(repository, tag) == digest, image["image"]


@pytest.fixture(scope="module")
def locked(shell, copied, folder):
    shell(PIN)
    return folder / "digests.yaml"


def test_the_lock_gets_its_digests_from_the_registries(locked, folder, copied, internet):
    lock = yaml.safe_load((folder / "images.lock").read_text())
    assert lock.keys() == {image["source"] for image in copied}
    for source, digest in lock.items():
        assert digest == digest_of(source, internet)


@pytest.fixture(scope="module")
def platform(cluster, shell, locked):
    namespace = cluster.namespace("kserve")
    shell(INSTALL.replace("-n kserve ", f"-n {namespace} "))
    yield namespace
    cluster.reset()


def test_a_pod_whose_image_is_not_in_the_mirror_does_not_start(cluster, platform, models):
    container = {
        "name": "agent",
        "image": "docker.io/kserve/agent:v0.20.0",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lost"}}
    cluster.apply({**pod, "spec": {"containers": [container]}}, namespace=models)

    def reason():
        pod = cluster.get("pod", "lost", models)
        (state,) = pod.get("status", {}).get("containerStatuses") or [{}]
        reason = state.get("state", {}).get("waiting", {}).get("reason")
        return reason if reason != "ContainerCreating" else None

    assert cluster.wait("the pod waits", reason) in ("ErrImagePull", "ImagePullBackOff")


def test_a_model_is_served_from_images_of_the_mirror(
    cluster, platform, trained, values, mirror, models
):
    release = Release(cluster, models, chart=CHARTS[MODELS], name="models")
    release.install("-f", str(values))
    waiting.until_ready(cluster, f"inferenceservice/{MODEL}", models)
    pods = [*cluster.list("pods", platform), *cluster.list("pods", models)]
    images = {
        container["image"]
        for pod in pods
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    }
    assert len(images) >= 4
    assert [image for image in images if not image.startswith(f"{mirror.host}/mirror/")] == []
    assert [image for image in images if "@sha256:" not in image] == []
    assert prediction.v1(cluster, MODEL, models, FLOWERS) == trained.classes
