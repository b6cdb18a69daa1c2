"""The image of MLServer, without a registry: PyPI has its programs, and tools/mlserver pins them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.cluster.harness.packages import Packages

FORMATS = ("lightgbm", "mlflow", "sklearn", "xgboost")
"""The formats of models for which it has what the image has."""

# What they import as late as with a model.
_LIBRARIES = ("mlflow.sklearn", "sklearn.linear_model", "sklearn.svm")
_PACKAGES = Packages(
    "mlserver",
    ("mlserver.cli", *(f"mlserver_{form}" for form in FORMATS), *_LIBRARIES),
    without=frozenset({"mlflow", "xgboost"}),  # Smaller packages have their modules.
)


def environment() -> Path:
    """Where the virtual environment is, or will be."""
    return _PACKAGES.folder


def python() -> Path:
    """The Python of the virtual environment."""
    return _PACKAGES.python


def build() -> None:
    """Get what is not there yet: where pods run is no network. Raises ToolMissing or ToolFailed."""
    _PACKAGES.build()


def content() -> Mapping[str, Path]:
    """What the image has in which places."""
    return _PACKAGES.content()
