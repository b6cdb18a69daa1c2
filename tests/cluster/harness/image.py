"""Images: what stands for one is a file system made of this machine's files and folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generator import tools
from tests.cluster.harness import modelserver

Content = Mapping[str, Path]


@dataclass(frozen=True)
class Image:
    """`content` says what is at which path; containers see it, and cannot change it."""

    content: Callable[[], Content]
    entrypoint: tuple[str, ...]
    user: int
    environment: dict[str, str] = field(default_factory=dict)


def _static(program: str, path: str) -> Image:
    return Image(lambda: {path: tools.find(program)}, (path,), 65532)


def _python(*entrypoint: str) -> Image:
    environment = {"PATH": f"{modelserver.VENV}/bin:/usr/bin:/bin", "PYTHONPATH": "/sklearnserver"}
    return Image(modelserver.content, ("python", *entrypoint), 1000, environment)


# By the end of the repository, whichever registry it comes from.
_IMAGES = {
    "/kserve-controller": _static("manager", "/manager"),
    "/kube-webhook-certgen": _static("certgen", "/kube-webhook-certgen"),
    "/sklearnserver": _python("-m", "sklearnserver"),
    "/storage-initializer": _python("/storage-initializer/scripts/initializer-entrypoint"),
}


def image(name: str) -> Image | None:
    """What stands for an image, if anything does."""
    repository = re.sub(r"(:[^/@]*)?(@.*)?$", "", name)
    found = (program for end, program in _IMAGES.items() if f"/{repository}".endswith(end))
    return next(found, None)
