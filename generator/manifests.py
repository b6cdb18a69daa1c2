"""Rendered objects: what Helm makes of the chart and a set of values, one file an object.

There is one renderer, Helm. Its output is split as text; nothing is parsed and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import CHART, MODELS, stock, tools
from generator.errors import GeneratorError, ToolFailed
from generator.protection import KEEP
from generator.schema import catalog
from generator.tree import MARK
from generator.values import place
from generator.yamlio import dump, load_fast

_SOURCE = re.compile(r"# Source: ([^/\s]+)/\S*\n")
_KIND = re.compile(r"^kind: (\S+)$", re.MULTILINE)
_GROUP = re.compile(r"^apiVersion: (?:([^/\s]+)/)?\S+$", re.MULTILINE)
_METADATA = re.compile(r"^metadata:\n((?:  .*\n|\n)+)", re.MULTILINE)
_NAME = re.compile(r"^  name: (\S+)$", re.MULTILINE)
_NAMESPACE = re.compile(r"^  namespace: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Manifest:
    """An object as text (comments kept, no `---`), and what its text says it is."""

    text: str
    chart: str
    group: str
    kind: str
    name: str
    namespace: str | None

    @property
    def phase(self) -> str:
        """The folder it belongs to; phases are applied in order."""
        if self.chart == MODELS:
            return "30-models"
        if self.kind in ("CustomResourceDefinition", "Namespace"):
            return "00-crds"
        return "20-runtimes" if self.group == "serving.kserve.io" else "10-platform"


@dataclass(frozen=True)
class Release:
    """Where things are installed: the platform's release and namespace, the models' namespace."""

    name: str = CHART
    namespace: str = "kserve"
    models: str = "default"


DEFAULT = Release()
DECLARED = ("models", "graphs", "trainedModels")
"""The top-level values that the models chart makes objects of."""


def render(
    values: Sequence[Path], release: Release = DEFAULT, *, helm: str = "helm"
) -> list[Manifest]:
    """The objects of the platform and of the models that the values declare, CRDs first.

    Beside what Helm renders there is the Namespace of the platform. Raises ValuesError, ToolMissing
    without Helm, ToolFailed with what Helm said.
    """
    text = platform(values, release, helm=helm)
    manifests = [_namespace(release.namespace), *split(text)]
    if has_models(values):
        manifests += split(models(values, release, helm=helm))
    return manifests


def platform(values: Sequence[Path], release: Release = DEFAULT, *, helm: str = "helm") -> str:
    """What Helm prints for the platform, with the CRDs."""
    return helm_template(
        stock.folder(), values, release=release.name, namespace=release.namespace, helm=helm
    )


def models(values: Sequence[Path], release: Release = DEFAULT, *, helm: str = "helm") -> str:
    """What Helm prints for the models."""
    name, namespace = f"{release.name}-models", release.models
    folder = stock.folder(MODELS)
    known = () if _says(values, "global", "platformNamespace") else (release.namespace,)
    more = [it for place in known for it in ("--set", f"global.platformNamespace={place}")]
    return helm_template(folder, values, release=name, namespace=namespace, helm=helm, more=more)


def has_models(values: Sequence[Path]) -> bool:
    """Whether the values declare anything that the models chart renders."""
    return any(_says(values, key) for key in DECLARED)


def _says(files: Sequence[Path], *path: str) -> bool:
    """Whether one of the files has something at `path`."""
    for file in files:
        value = load_fast(file)
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value:
            return True
    return False


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
        if "ERROR: " not in str(error):
            raise
        raise place(values, str(error)) from None


def split(text: str) -> Iterator[Manifest]:
    """The objects in the output of `helm template`.

    `---` at the start of a line always ends a document: block scalars are indented.
    """
    chart = CHART
    for document in re.split(r"^---.*\n", text, flags=re.MULTILINE):
        # Helm says it once for all the objects of a file.
        if source := _SOURCE.match(document):
            chart = source[1]
        body = _SOURCE.sub("", document, count=1).strip("\n")
        if body:
            yield manifest(body + "\n", chart)


def manifest(text: str, chart: str = CHART) -> Manifest:
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
        chart=chart,
        group=group[1] or "",
        kind=kind[1],
        name=name[1].strip("\"'"),
        namespace=namespace[1].strip("\"'") if namespace else None,
    )


def _namespace(name: str) -> Manifest:
    """A Namespace, which Helm does not render: `--create-namespace` makes it. No tool prunes it."""
    metadata = {"name": name, "annotations": dict(KEEP)}
    return manifest(dump({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))


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
