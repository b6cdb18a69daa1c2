"""Upstream's packages, pinned by hash and read as data: nothing of them is imported or run.

| what                         | from                           | pinned in                     |
|------------------------------|--------------------------------|-------------------------------|
| field tables of KServe's API | the wheel of the KServe SDK    | SDK_SHA256, and KServe's below |
| definitions of Kubernetes    | the package kubernetes-validate | pyproject.toml               |
| everything else              | Go modules                     | tools/upstream/go.{mod,sum}   |
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import yaml

from generator import process, tools
from generator.cache import cache_folder
from generator.catalog import catalog
from generator.errors import ToolFailed, ToolMissing

KSERVE = "github.com/kserve/kserve"
KUBERNETES_VERSION = catalog().versions.tested
SDK_SHA256 = "6762eae3ae633f69178e08f531052722ea34013ab611050e0263679c7c9ca8c7"

_PINS = Path(__file__).parents[1] / "tools" / "upstream"


@functools.cache
def version(module: str) -> str:
    """The pinned version of a Go module, as `v1.2.3`. Raises KeyError if it is not pinned."""
    lines = (_PINS / "go.mod").read_text("utf-8")
    pins: dict[str, str] = dict(re.findall(r"^\t(\S+) (v\S+)", lines, re.MULTILINE))
    return pins[module]


@functools.cache
def folder(module: str) -> Path:
    """The folder of a pinned Go module, downloaded on first use and checked against go.sum.

    Raises KeyError if it is not pinned, ToolFailed if Go is missing or the download fails.
    """
    return _download(f"{module}@{version(module)}", _PINS)


@functools.cache
def source(tool: tools.Tool) -> Path:
    """The folder of the Go module that a tool is built from, downloaded on first use.

    Raises ToolFailed if Go is missing or the download fails.
    """
    return _download(f"{tool.module}@{tool.pinned}", tool.source)


def _download(module: str, pins: Path) -> Path:
    argv = [str(tools.go()), "mod", "download", "-json", module]
    return Path(json.loads(process.run(argv, cwd=pins))["Dir"])


@functools.cache
def sdk_classes() -> dict[str, ast.ClassDef]:
    """The model classes of the KServe SDK by name, parsed and not imported.

    Raises ToolFailed if the wheel cannot be downloaded or is not the pinned one.
    """
    with zipfile.ZipFile(_sdk_wheel()) as wheel:
        names = [name for name in wheel.namelist() if name.startswith("kserve/models/")]
        nodes = [node for name in names for node in ast.parse(wheel.read(name)).body]
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


@functools.cache
def kubernetes_definitions() -> dict[str, Any]:
    """Kubernetes' own definitions, closed: `{"io.k8s.api.core.v1.Container": schema}`.

    Raises ToolMissing if the package kubernetes-validate is not installed.
    """
    # find_spec locates the package without running it.
    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise ToolMissing("the package kubernetes-validate is missing; pip install .[dev]")
    schemas = Path(spec.origin).parent / "kubernetes-json-schema"
    text = (schemas / f"v{KUBERNETES_VERSION}-local-strict" / "_definitions.json").read_bytes()
    definitions: dict[str, Any] = json.loads(text)["$defs"]
    return definitions


def crds(module: str, *patterns: str) -> Iterator[dict[str, Any]]:
    """The CustomResourceDefinitions in the files of a Go module that match `patterns`.

    Raises like `folder`, and ToolFailed if a pattern matches nothing.
    """
    for pattern in patterns:
        files = sorted(folder(module).glob(pattern))
        if not files:
            raise ToolFailed(f"{module} {version(module)} has no {pattern}")
        for document in (item for file in files for item in _documents(file)):
            if document and document["kind"] == "CustomResourceDefinition":
                yield document


class _Loader(yaml.CSafeLoader):
    """Reads `=` as text, as Go does; for YAML 1.1 it is a type of its own."""

    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        **yaml.CSafeLoader.yaml_constructors,
        "tag:yaml.org,2002:value": yaml.CSafeLoader.construct_yaml_str,
    }


def _documents(file: Path) -> Iterator[Any]:
    return iter(yaml.load_all(file.read_bytes(), Loader=_Loader))


def _sdk_wheel() -> Path:
    number = version(KSERVE).removeprefix("v")
    wheel = cache_folder() / f"kserve-{number}-py3-none-any.whl"
    if not wheel.is_file():
        pip = (
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--only-binary=:all:",
            "--ignore-requires-python",
        )
        process.run([*pip, "--no-deps", "--dest", str(wheel.parent), f"kserve=={number}"])
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != SDK_SHA256:
        raise ToolFailed(f"{wheel}: its sha256 is {digest}, not the pinned {SDK_SHA256}")
    return wheel
