"""The release names and namespaces that the charts are installed with."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from generator import CHART, MODELS
from generator.errors import GeneratorError
from generator.values.identity import LABEL, SUBDOMAIN


@dataclass(frozen=True)
class Release:
    """Where things are installed: the platform's release and namespace, the models' namespace.

    Raises GeneratorError for a name that Helm or Kubernetes would refuse.
    """

    name: str = CHART
    namespace: str = "kserve"
    models: str = "default"

    def __post_init__(self) -> None:
        # Helm takes 53 characters, and the models' release has seven more than this.
        _check_name("--release", self.name, SUBDOMAIN, 46, "letters, digits, hyphens and dots")
        check_namespace("--namespace", self.namespace)
        check_namespace("--models-namespace", self.models)

    @property
    def owner(self) -> str:
        """What the record of a folder with its objects says of it."""
        where = ["--namespace", self.namespace, "--models-namespace", self.models]
        return shlex.join(["manifests", "--release", self.name, *where])

    @property
    def models_name(self) -> str:
        """The name of the models' own release."""
        return f"{self.name}-models"

    def called(self, chart: str) -> str:
        """The name of a chart's release."""
        return self.models_name if chart == MODELS else self.name

    def home(self, chart: str) -> str:
        """The namespace of a chart's objects that name none."""
        return self.models if chart == MODELS else self.namespace


def check_namespace(option: str, name: str) -> None:
    """Raise GeneratorError where what an option says is no name for a namespace."""
    _check_name(option, name, LABEL, 63, "letters, digits and hyphens")


def _check_name(
    option: str, name: str, pattern: re.Pattern[str], longest: int, made_of: str
) -> None:
    if len(name) > longest:
        what = f"has {len(name)} characters, and {longest} are allowed"
    elif pattern.fullmatch(name):
        return
    else:
        what = f"is not a name: lower-case {made_of}, with a letter or digit at both ends"
    raise GeneratorError(f'{option} "{name}" {what}')


DEFAULT = Release()
