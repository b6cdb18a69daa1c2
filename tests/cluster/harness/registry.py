"""A registry of images on loopback, and small images to fill it with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
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
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": "127.0.0.1:0"},
    }
    file = folder / "config.yml"
    file.write_text(json.dumps(config), encoding="utf-8")
    environment = os.environ | debian.REGISTRY.environment()
    with (folder / "log").open("wb") as log, subprocess.Popen(
        ["docker-registry", "serve", str(file)], env=environment, stdout=log, stderr=log
    ) as running:  # fmt: skip
        try:
            yield Registry(_listening(folder / "log"))
        finally:
            running.terminate()


def _listening(log: Path) -> str:
    """Where a registry listens, as soon as its log says so."""
    for _ in range(100):
        said = log.read_text(encoding="utf-8")
        if found := re.search(r"listening on (127\.0\.0\.1:[0-9]+)", said):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"no registry listens: {said}")


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
