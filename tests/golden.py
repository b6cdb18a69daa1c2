"""Comparing what a case renders with its golden.

`default` and `everything-on` are stored whole, one file an object. Of every other case there is
what it renders beside `default`, one file an object, and `from-default.diff`: what it renders
otherwise, and what it does not render. So a change that all cases share is a change of two goldens.
The line that every file begins with is stored once.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

from generator import MODELS
from generator.manifests import layout, parsing
from generator.output import mirror
from generator.output.writing import Changes
from tests.hunks import hunks
from tests.rendering import CASES, ROOT, WITH_MODELS, template

FOLDER = ROOT / "tests" / "golden"
DEFAULT = "default"
WHOLE = (DEFAULT, "everything-on")
HEADER = "every-file"
"""The golden of the line that every file begins with."""
GOLDENS = (HEADER, *CASES)
DIFF = "from-default.diff"

_LINES = 60
_HASH = re.compile(r"-[0-9a-f]{8}(?=\.yaml$)")
_CONFIG = "10-platform/configmap-inferenceservice-config.yaml"
_CONTROLLER = "10-platform/deployment-kserve-controller-manager.yaml"
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


@cache
def rendered(case: str) -> Mapping[str, str]:
    """The objects of a case by file, without the CRDs: those are in charts/ as they are."""
    objects = [parsing.manifest(_NAMESPACE), *parsing.split(template(case))]
    if case in WITH_MODELS:
        objects += parsing.split(template(case, chart=MODELS))
    return layout.files(objects)


def content(golden: str) -> dict[str, str]:
    """What the folder of a golden is to hold now."""
    default = rendered(DEFAULT)
    if golden == HEADER:
        return {"header.yaml": _header(default)}
    files = stored(rendered(golden), _header(default))
    if golden in WHOLE:
        return files
    return difference(files, stored(default, _header(default)))


def _header(files: Mapping[str, str]) -> str:
    return next(iter(files.values())).partition("\n")[0] + "\n"


def stored(files: Mapping[str, str], header: str) -> dict[str, str]:
    """Files as they are stored: without the header, and without a hash in the file's name.

    An object that has the hash of its content in its name is the same object when that changes;
    what it is called is in the file.
    """
    tree: dict[str, str] = {}
    for path, text in files.items():
        name, suffix = _HASH.sub("", path), _HASH.search(path)
        assert not suffix or f"{suffix[0]}\n" in text, f"{path}: the object has another name"
        assert name not in tree, f"{path}: another object is stored as {name}"
        assert text.startswith(header), f"{path}: does not begin with the header of the others"
        tree[name] = text.removeprefix(header)
    return tree


def difference(files: Mapping[str, str], default: Mapping[str, str]) -> dict[str, str]:
    """What is stored of a case: what `default` has not, and how it differs in the rest."""
    parts = [f"Only in default: {path}\n" for path in sorted(default.keys() - files.keys())]
    parts = ["".join(parts)] if parts else []
    for path in sorted(default.keys() & files.keys()):
        if changed := hunks(_without_checksum(default, path), _without_checksum(files, path)):
            parts.append("\n".join([f"diff {path}", *changed]) + "\n")
    added = {path: text for path, text in files.items() if path not in default}
    return added | ({DIFF: "\n".join(parts)} if parts else {})


def _without_checksum(files: Mapping[str, str], path: str) -> str:
    """A file; the checksum of the config in the controller's pods is left out if it is right.

    It says nothing that the diff of the config does not say, and changes whenever that does.
    """
    if path != _CONTROLLER or _CONFIG not in files:
        return files[path]
    return files[path].replace(config_checksum(files[_CONFIG]), "<of inferenceservice-config>")


def config_checksum(config: str) -> str:
    """The SHA-256 of the config as the chart computes it: of one JSON object, as Go writes it."""
    data = yaml.load(config, Loader=yaml.CSafeLoader)["data"]
    values = {key: json.loads(value) for key, value in data.items()}
    text = json.dumps(values, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return hashlib.sha256(text.encode()).hexdigest()


def differences(files: Mapping[str, str], folder: Path) -> str:
    """A unified diff from the golden folder to `files`; empty when they are the same.

    A file that is missing, empty or not to be stored any more is a difference, and so is a folder
    with nothing in it.
    """
    golden = {
        file.relative_to(folder).as_posix(): file.read_bytes().decode()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    lines = [
        line
        for path in sorted(golden.keys() | files.keys())
        for line in _compare(f"{folder.name}/{path}", golden.get(path), files.get(path))
    ]
    if not files:
        lines.append(
            f"{folder.name}: empty; a case that renders what default renders tests nothing"
        )
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"… and {len(lines) - _LINES} lines more"]
    if lines:
        lines.append("if this is what you meant: make golden")
    return "\n".join(lines)


def _compare(path: str, golden: str | None, text: str | None) -> Iterator[str]:
    """The lines that say how a golden differs from what is to be stored."""
    if golden is not None and text is None:
        yield f"{path}: stored, but not rendered, or not otherwise than in default"
        return
    if text is not None and not text.strip():
        yield f"{path}: nothing is rendered"
    if golden is None:
        yield f"{path}: no golden"
    yield from difflib.unified_diff(
        (golden or "").split("\n"),
        (text or "").split("\n"),
        f"golden/{path}",
        "rendered",
        lineterm="",
    )


def update(golden: str) -> Changes:
    """Make a golden what is rendered."""
    return mirror.write(content(golden), FOLDER / golden)


def orphans() -> list[str]:
    """What is in the folder of the goldens, and is none."""
    return sorted(path.name for path in FOLDER.iterdir() if path.name not in GOLDENS)


def remove_orphans() -> list[str]:
    """Remove the goldens of cases that are gone."""
    names = orphans()
    for path in (FOLDER / name for name in names):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return names
