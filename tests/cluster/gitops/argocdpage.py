"""What docs/gitops-argocd.md shows, and the marks of Argo CD that it speaks of."""

from __future__ import annotations

import re

from tests.cluster.harness.cluster import Cluster
from tests.rendering import ROOT, Object

_PAGE = (ROOT / "docs" / "gitops-argocd.md").read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL)


HANDOVER, SYNC = _blocks("console")
"""The commands that give Argo CD a folder, and that have an Application apply all that is its own."""

(SETS,) = _blocks("yaml")
"""The ApplicationSets for the repository at https://git.example.com/fleet.git."""


def mark(applied: Object) -> str | None:
    """The Application that an object is marked with, if it is."""
    annotations = applied["metadata"].get("annotations", {})
    found: str | None = annotations.get("argocd.argoproj.io/tracking-id")
    return found and found.partition(":")[0]


def marks(cluster: Cluster, namespace: str) -> set[str | None]:
    """What the models in a namespace are marked with."""
    return {mark(each) for each in cluster.list("inferenceservices", namespace)}
