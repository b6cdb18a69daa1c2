"""kubeconform: whether rendered objects are valid, asked without the network."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from generator import process, tools
from generator.catalog import catalog
from generator.manifests.parsing import Manifest


@dataclass(frozen=True)
class Report:
    """What kubeconform found: how many objects are valid, and a line for each that is not.

    `unchecked` has a line for each of the user's own objects that is of a kind without a schema.
    """

    valid: int
    problems: tuple[str, ...]
    unchecked: tuple[str, ...] = ()


def check(manifests: Sequence[Manifest]) -> Report:
    """Check objects against the schemas in generator/data/schemas: strict and offline.

    An object of ours without a schema is a problem; one of `extraObjects` can be of any kind in the
    world, so that it is said to be unchecked. Raises ToolMissing, ToolFailed.
    """
    program = str(tools.find("kubeconform"))
    version = f"-kubernetes-version={catalog().versions.tested}"
    argv = [program, *tools.KUBECONFORM_OPTIONS, version]
    text = "---\n".join(manifest.text for manifest in manifests)
    said = process.run(argv, environment=process.brief(), stdin=text, accept=(0, 1))
    answer = json.loads(said)
    extra = {(manifest.kind, manifest.name) for manifest in manifests if manifest.is_extra}
    problems: list[str] = []
    unchecked: list[str] = []
    for found in answer.get("resources") or []:
        kind, name, message = found["kind"], found["name"], found["msg"]
        free = _is_unknown(message) and (kind, name) in extra
        (unchecked if free else problems).append(f"{kind} {name}: {_reason(message)}")
    summary = answer["summary"]
    if summary["skipped"]:
        problems.append(f"{summary['skipped']} objects were skipped")
    if len(manifests) != sum(summary.values()):
        problems.append(f"{len(manifests)} objects were given, {sum(summary.values())} checked")
    return Report(summary["valid"], tuple(problems), tuple(unchecked))


def _is_unknown(message: str) -> bool:
    return message.startswith("could not find schema")


def _reason(message: str) -> str:
    if _is_unknown(message):
        return (
            "no schema for this kind, so it cannot be checked offline; "
            "check it with your own, or leave it to the cluster"
        )
    # The name of our schema's file, on this machine, tells nobody anything.
    return re.sub(
        r"^problem validating schema.*? failed with '[^']*' - ", "", " ".join(message.split())
    )
