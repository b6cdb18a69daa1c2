"""Rendered objects: what Helm makes of the chart and a set of values, one file an object.

There is one renderer, Helm. Its output is split as text; nothing is parsed and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import CHART, stock, tools
from generator.errors import GeneratorError, ToolFailed
from generator.schema import catalog
from generator.tree import MARK
from generator.values import place

_SOURCE = re.compile(r"# Source: (\S+)\n")
_KIND = re.compile(r"^kind: (\S+)$", re.MULTILINE)
_GROUP = re.compile(r"^apiVersion: (?:([^/\s]+)/)?\S+$", re.MULTILINE)
_METADATA = re.compile(r"^metadata:\n((?:  .*\n|\n)+)", re.MULTILINE)
_NAME = re.compile(r"^  name: (\S+)$", re.MULTILINE)
_NAMESPACE = re.compile(r"^  namespace: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Manifest:
    """An object as text (comments kept, no `---`), and what its text says it is."""

    text: str
    group: str
    kind: str
    name: str
    namespace: str | None

    @property
    def phase(self) -> str:
        """The folder it belongs to; phases are applied in order."""
        if self.kind in ("CustomResourceDefinition", "Namespace"):
            return "00-crds"
        if self.group != "serving.kserve.io":
            return "10-platform"
        if self.kind.endswith("ServingRuntime") or self.kind == "ClusterStorageContainer":
            return "20-runtimes"
        return "30-models"


def render(
    values: Sequence[Path],
    *,
    release: str = CHART,
    namespace: str = "kserve",
    helm: str = "helm",
) -> list[Manifest]:
    """The objects of a release in Helm's order, CRDs first, and its Namespace before all.

    Raises ToolMissing without Helm, ToolFailed with what Helm said.
    """
    text = helm_template(stock.folder(), values, release=release, namespace=namespace, helm=helm)
    return [_namespace(namespace), *split(text)]


def helm_template(
    folder: Path,
    values: Sequence[Path] = (),
    *,
    release: str = CHART,
    namespace: str = "kserve",
    helm: str = "helm",
    more: Sequence[str] = ("--include-crds",),
) -> str:
    """What `helm template` prints for the chart in `folder`.

    Raises ValuesError for values that do not go together, ToolFailed for whatever else Helm says.
    """
    argv = [str(tools.find(helm)), "template", release, str(folder), "--namespace", namespace]
    # Pinned, or it would be the version that this Helm happens to be built with.
    argv += ["--kube-version", catalog()["versions"]["tested"]]
    for file in values:
        argv += ["--values", str(file)]
    try:
        return tools.run([*argv, *more])
    except ToolFailed as error:
        # templates/validate.yaml says ERROR: PATH: fact; set …
        refusal = re.search(r"ERROR: (.+)", str(error))
        if refusal is None:
            raise
        raise place(values, refusal[1].removesuffix("\n")) from None


def split(text: str) -> Iterator[Manifest]:
    """The objects in the output of `helm template`.

    `---` at the start of a line always ends a document: block scalars are indented.
    """
    for document in re.split(r"^---.*\n", text, flags=re.MULTILINE):
        body = _SOURCE.sub("", document, count=1).strip("\n")
        if not body:
            continue
        yield manifest(body + "\n")


def manifest(text: str) -> Manifest:
    """What one object's text says it is. Raises GeneratorError if it does not say."""
    kind = _KIND.search(text)
    group = _GROUP.search(text)
    metadata = _METADATA.search(text)
    name = _NAME.search(metadata[1]) if metadata else None
    if not (kind and group and metadata and name):
        raise GeneratorError(f"Helm printed something that is not an object:\n{text[:400]}")
    namespace = _NAMESPACE.search(metadata[1])
    return Manifest(
        text=text,
        group=group[1] or "",
        kind=kind[1],
        name=name[1].strip("\"'"),
        namespace=namespace[1].strip("\"'") if namespace else None,
    )


def _namespace(name: str) -> Manifest:
    """The one object that Helm does not render: `--create-namespace` makes it."""
    return manifest(f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")


def files(manifests: Sequence[Manifest]) -> dict[str, str]:
    """A folder of manifests: `PHASE/KIND-NAME.yaml`, with the namespace where it is another than
    the release's, and the group where two would be the same.
    """
    home = next(it.name for it in manifests if it.kind == "Namespace")
    head = f"# {MARK} (`python -m generator manifests`); do not edit.\n"
    tree: dict[str, str] = {}
    for it in manifests:
        parts = [it.kind.lower(), it.name]
        if it.namespace not in (None, home):
            parts.insert(1, str(it.namespace))
        path = f"{it.phase}/{'-'.join(parts)}.yaml"
        if path in tree:
            path = f"{it.phase}/{'-'.join([*parts, it.group])}.yaml"
        if path in tree:
            raise GeneratorError(f"{it.kind} {it.name} is rendered twice")
        # A CRD says already that it is generated, in its own first line.
        tree[path] = it.text if MARK in it.text.partition("\n")[0] else head + it.text
    return tree
