"""A registry of images on loopback, and small images to fill it with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.harness import debian, hub

_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Registry:
    """A running registry: `host` is 127.0.0.1 and its port."""

    host: str

    def digest(self, repository: str, version: str) -> str:
        """The digest that it has of a tag or a digest; empty if it has none. As a kubelet asks."""
        url = f"http://{self.host}/v2/{repository}/manifests/{version}"
        request = urllib.request.Request(url, method="HEAD", headers={"Accept": _INDEX})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError:
            return ""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Registry]:
    """A registry that keeps what it has in an empty folder, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host},
    }
    file = folder / "config.yml"
    file.write_text(json.dumps(config), encoding="utf-8")
    environment = os.environ | debian.REGISTRY.environment()
    with (folder / "log").open("wb") as log, subprocess.Popen(
        ["docker-registry", "serve", str(file)], env=environment, stdout=log, stderr=log
    ) as running:  # fmt: skip
        try:
            _wait(host)
            yield Registry(host)
        finally:
            running.terminate()


def _wait(host: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://{host}/v2/", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no registry at {host}")


def image(folder: Path, name: str, platforms: Sequence[str]) -> Path:
    """An OCI layout, in a new folder, of an image for some platforms."""
    layout = folder / hashlib.sha256(name.encode()).hexdigest()[:16]
    (layout / "blobs" / "sha256").mkdir(parents=True)
    manifests = []
    for platform in platforms:
        blobs = hub.parts(name, platform)
        for blob in blobs:
            _keep(layout, blob)
        manifests.append(hub.descriptor(hub.MANIFEST, blobs[0]) | {"platform": hub.on(platform)})
    index = json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}).encode()
    _keep(layout, index)
    top = {"schemaVersion": 2, "manifests": [hub.descriptor(_INDEX, index)]}
    (layout / "index.json").write_text(json.dumps(top), encoding="utf-8")
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return layout


def _keep(layout: Path, data: bytes) -> None:
    kind, _, digest = hub.digest(data).partition(":")
    (layout / "blobs" / kind / digest).write_bytes(data)
