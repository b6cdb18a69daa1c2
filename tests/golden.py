"""Comparing a rendered case with its golden: one file an object, a text diff of what differs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from generator import MODELS, manifests, mirror
from generator.output import Changes
from tests.rendering import CASES, ROOT, WITH_MODELS, template

FOLDER = ROOT / "tests" / "golden"
_LINES = 60


def rendered(case: str) -> dict[str, str]:
    """The objects of a case by file, without the CRDs: those are in charts/ as they are."""
    objects = [manifests.manifest(_NAMESPACE), *manifests.split(template(case))]
    if case in WITH_MODELS:
        objects += manifests.split(template(case, chart=MODELS))
    return manifests.files(objects)


_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: kserve
  annotations:
    argocd.argoproj.io/sync-options: Prune=false,Delete=false
    helm.sh/resource-policy: keep
    kustomize.toolkit.fluxcd.io/prune: disabled
"""


def differences(files: Mapping[str, str], folder: Path) -> str:
    """A unified diff from the golden folder to `files`; empty when they are the same.

    A file that is missing, empty or not rendered any more is a difference.
    """
    golden = {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    lines: list[str] = []
    for path in sorted(golden.keys() | files.keys()):
        if path in files and not files[path].strip():
            lines.append(f"{path}: nothing is rendered")
        if path not in golden:
            lines.append(f"{path}: no golden")
        elif path not in files:
            lines.append(f"{path}: a golden of nothing that is rendered")
        else:
            lines += difflib.unified_diff(
                golden[path].splitlines(),
                files[path].splitlines(),
                f"golden/{folder.name}/{path}",
                "rendered",
                lineterm="",
                n=3,
            )
    if not golden and not files:
        lines.append(f"{folder}: empty")
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"… and {len(lines) - _LINES} lines more"]
    if lines:
        lines.append("if this is what you meant: make golden")
    return "\n".join(lines)


def update(case: str) -> Changes:
    """Make the golden of a case what is rendered."""
    return mirror.write(rendered(case), FOLDER / case)


def orphans() -> list[str]:
    """Golden folders that no case has."""
    return sorted(it.name for it in FOLDER.iterdir() if it.name not in CASES)
