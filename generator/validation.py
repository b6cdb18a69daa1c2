"""Proof that values, chart and rendered objects are valid, without the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import tools
from generator.manifests import Manifest
from generator.schema import HERE, catalog


@dataclass(frozen=True)
class Report:
    """What kubeconform found: how many objects are valid, and a line for each that is not."""

    valid: int
    problems: tuple[str, ...]


def kubeconform(manifests: Sequence[Manifest]) -> Report:
    """Check objects against the schemas in generator/schemas: strict and offline.

    An object without a schema is a problem, not skipped. Raises ToolMissing, ToolFailed.
    """
    schemas = HERE / "schemas"
    argv = [
        str(tools.find("kubeconform")),
        "-strict",
        "-summary",
        "-output=json",
        f"-kubernetes-version={catalog()['versions']['tested']}",
        f"-schema-location={schemas}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
    ]
    text = "---\n".join(it.text for it in manifests)
    answer = json.loads(tools.run(argv, stdin=text, accept=(0, 1)))
    problems = [
        f"{it['kind']} {it['name']}: {_reason(it['msg'])}" for it in answer.get("resources") or []
    ]
    summary = answer["summary"]
    if summary["skipped"]:
        problems.append(f"{summary['skipped']} objects were skipped")
    if len(manifests) != sum(summary.values()):
        problems.append(f"{len(manifests)} objects were given, {sum(summary.values())} checked")
    return Report(valid=summary["valid"], problems=tuple(problems))


def _reason(message: str) -> str:
    if message.startswith("could not find schema"):
        return (
            "no schema for this kind, so it cannot be checked offline; "
            "check it with your own, or leave it to the cluster"
        )
    return " ".join(message.split())


def lint(folder: Path, values: Sequence[Path] = (), *, helm: str = "helm") -> None:
    """`helm lint --strict`. Raises ToolFailed with its findings."""
    argv = [str(tools.find(helm)), "lint", "--strict", "--quiet", str(folder)]
    for file in values:
        argv += ["--values", str(file)]
    tools.run(argv)
