"""The commands that apply a folder of manifests by hand, phase by phase, with the waits between."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from generator import CONTROLLER
from generator.manifests.parsing import (
    CRDS_PHASE,
    MODELS_PHASE,
    PLATFORM_PHASE,
    RUNTIMES_PHASE,
    Manifest,
)
from generator.release import DEFAULT, Release

# A new CRD has `conditions: null` for a moment. kubectl ends with an error when it waits for a
# condition of that, but goes on waiting for a field of the first.
_ESTABLISHED = (
    "--for=jsonpath={.status.conditions[0].status}=True",
    "--for=condition=Established",
)


def steps(manifests: Sequence[Manifest], folder: Path, release: Release = DEFAULT) -> Iterator[str]:
    """A line of shell for each command, in order; nothing for a phase without objects.

    Kubernetes knows a new kind only once its CRD is established, and asks the controller's webhook
    about each model.
    """
    crds = sorted(each.name for each in manifests if each.kind == "CustomResourceDefinition")
    controller = f"deployment/{CONTROLLER}"
    waits = {
        CRDS_PHASE: [["wait", "crd", each, "--timeout=1m", *crds] for each in _ESTABLISHED],
        PLATFORM_PHASE: [
            ["-n", release.namespace, "rollout", "status", controller, "--timeout=10m"]
        ],
    }
    phases = {each.phase for each in manifests}
    for phase in (CRDS_PHASE, PLATFORM_PHASE, RUNTIMES_PHASE, MODELS_PHASE):
        if phase in phases:
            apply = ["apply", "-k", str(folder / phase)]
            yield from (shlex.join(["kubectl", *each]) for each in (apply, *waits.get(phase, ())))
