"""The images of upstream's model servers in Python and of its storage initializer, without a registry.

Their own code is in upstream's Go module. What it imports comes from PyPI: tools/modelserver, the
versions that upstream's image of the predictive server has, whose packages are those of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codegen import upstream
from tests.cluster.harness.packages import Packages

SERVERS = ("sklearnserver", "xgbserver", "lgbserver", "predictiveserver")

_PACKAGES = Packages(
    "modelserver",
    ("kserve", "kserve_storage", "lightgbm", "sklearn.ensemble", "sklearn.svm", "xgboost"),
)


def environment() -> Path:
    """Where the virtual environment is, or will be."""
    return _PACKAGES.folder


def python() -> Path:
    """The Python of the virtual environment."""
    return _PACKAGES.python


def build() -> None:
    """Get what is not there yet: where pods run is no network. Raises ToolMissing or ToolFailed."""
    upstream.folder(upstream.KSERVE)
    _PACKAGES.build()


def content() -> Mapping[str, Path]:
    """What the images have in which places."""
    source = upstream.folder(upstream.KSERVE) / "python"
    own = {f"/{name}": source / name for name in (*SERVERS, "storage-initializer")}
    return {**_PACKAGES.content(), **own}
