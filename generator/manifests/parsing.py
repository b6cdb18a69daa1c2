"""Helm's output, split into objects, each with the kind and name that its text states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generator import CHART, MODELS
from generator.errors import GeneratorError
from generator.yaml.document import parse

_SOURCE = re.compile(r"# Source: ([^/\s]+)/(\S*)\n")
_KIND = re.compile(r"^kind: (\S+)$", re.MULTILINE)
_GROUP = re.compile(r"^apiVersion: (?:([^/\s]+)/)?\S+$", re.MULTILINE)
_METADATA = re.compile(r"^metadata:\n((?:  .*\n|\n)+)", re.MULTILINE)
_NAME = re.compile(r"^  name: (\S.*?)[ ]*$", re.MULTILINE)
_NAMESPACE = re.compile(r"^  namespace: (\S.*?)[ ]*$", re.MULTILINE)
_EXTRA = "templates/extra/"

CRDS_PHASE = "00-crds"
PLATFORM_PHASE = "10-platform"
RUNTIMES_PHASE = "20-runtimes"
MODELS_PHASE = "30-models"


@dataclass(frozen=True)
class Manifest:
    """An object as text (comments kept, no `---`), and what its text says it is.

    `source` is the file of the chart that renders it, such as `templates/rbac/role.yaml`.
    """

    text: str
    chart: str
    group: str
    kind: str
    name: str
    namespace: str | None
    source: str = ""

    @property
    def is_extra(self) -> bool:
        """Whether it is one of the user's `extraObjects`."""
        return self.source.startswith(_EXTRA)

    @property
    def phase(self) -> str:
        """The folder it belongs to; phases are applied in order."""
        if self.chart == MODELS:
            return MODELS_PHASE
        if self.kind in ("CustomResourceDefinition", "Namespace"):
            return CRDS_PHASE
        return RUNTIMES_PHASE if self.group == "serving.kserve.io" else PLATFORM_PHASE


def split(text: str) -> Iterator[Manifest]:
    """The objects in the output of `helm template`.

    Raises GeneratorError for a document that does not say what it is.
    """
    return (manifest(body, chart, file) for chart, file, body in documents(text))


def documents(text: str) -> Iterator[tuple[str, str, str]]:
    """The documents in the output of `helm template`: the chart, the file of it, and the text.

    `---` at the start of a line always ends a document: block scalars are indented.
    """
    chart, file = CHART, ""
    for document in re.split(r"^---.*\n", text, flags=re.MULTILINE):
        # Helm says it once for all the objects of a file.
        if source := _SOURCE.match(document):
            chart, file = source[1], source[2]
        body = _SOURCE.sub("", document, count=1).strip("\n")
        if body:
            yield chart, file, body + "\n"


def manifest(text: str, chart: str = CHART, source: str = "") -> Manifest:
    """What one object's text says it is. Raises GeneratorError if it does not say."""
    if found := stated(text, chart, source):
        return found
    start = text.strip().partition("\n")[0][:80]
    where = f"{source or 'a template'} of {chart}"
    what = "is not an object with apiVersion, kind and metadata.name"
    raise GeneratorError(f'{where} renders something that {what}; it begins "{start}"')


def stated(text: str, chart: str = CHART, source: str = "") -> Manifest | None:
    """What one object's text says it is, if it says so as our templates write YAML."""
    kind = _KIND.search(text)
    group = _GROUP.search(text)
    metadata = _METADATA.search(text)
    name = _NAME.search(metadata[1]) if metadata else None
    if not (kind and group and metadata and name):
        return None
    namespace = _NAMESPACE.search(metadata[1])
    return Manifest(
        text=text,
        chart=chart,
        group=group[1] or "",
        kind=kind[1],
        name=_unquoted(name[1]),
        namespace=_unquoted(namespace[1]) if namespace else None,
        source=source,
    )


def _unquoted(scalar: str) -> str:
    return str(parse(scalar, "name").data) if scalar[0] in "\"'" else scalar
