"""Names of the objects that a GitOps tool is given, and the namespaces that have models."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from generator.manifests.parsing import MODELS_PHASE, Manifest
from generator.release import Release

_LONGEST = 63  # Flux writes the name into a label, and a label's value has no more characters.


def name_of(release: Release, *parts: str) -> str:
    """`RELEASE-PART-…`, shortened to what a label takes; no two have the same."""
    name = "-".join((release.name, *parts))
    if len(name) <= _LONGEST:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST - 9].rstrip('-.')}-{mark}"


def namespaces_of(
    manifests: Sequence[Manifest], release: Release, teams: Sequence[str]
) -> list[str]:
    """The namespaces that have a folder of models: those with an object there, and every team's."""
    models = (each for each in manifests if each.phase == MODELS_PHASE)
    found = {each.namespace or release.home(each.chart) for each in models}
    return sorted(found.union(teams))
