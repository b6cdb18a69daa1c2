"""Rendered objects: what Helm makes of the chart and a set of values, one file an object.

There is one renderer, Helm. Its output is split as text; nothing is parsed and written anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import CHART, MARK, MODELS, stock
from generator import helm as helm_program
from generator.errors import GeneratorError, Problem, ValuesError
from generator.identity import NO_NAME, Identity, is_name, of_object
from generator.protection import KEEP
from generator.release import DEFAULT, Release
from generator.values import NOTHING, Values
from generator.yamlio import dump, parse

_SOURCE = re.compile(r"# Source: ([^/\s]+)/(\S*)\n")
_KIND = re.compile(r"^kind: (\S+)$", re.MULTILINE)
_GROUP = re.compile(r"^apiVersion: (?:([^/\s]+)/)?\S+$", re.MULTILINE)
_METADATA = re.compile(r"^metadata:\n((?:  .*\n|\n)+)", re.MULTILINE)
_NAME = re.compile(r"^  name: (\S.*?)[ ]*$", re.MULTILINE)
_NAMESPACE = re.compile(r"^  namespace: (\S.*?)[ ]*$", re.MULTILINE)
_EXTRA = "templates/extra/"
_LONGEST = 200  # characters of a file's name; file systems take 255 bytes


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
            return "30-models"
        if self.kind in ("CustomResourceDefinition", "Namespace"):
            return "00-crds"
        return "20-runtimes" if self.group == "serving.kserve.io" else "10-platform"


DECLARED = ("models", "graphs", "trainedModels")
"""The top-level values that the models chart makes objects of."""


def render(
    values: Values = NOTHING, release: Release = DEFAULT, *, helm: str = "helm"
) -> list[Manifest]:
    """The objects of the platform and of the models that the values declare, CRDs first.

    Beside what Helm renders there are the Namespaces that `helm install --create-namespace` would
    make. Raises ValuesError, ToolMissing without Helm, ToolFailed with what Helm said.
    """
    rendered = list(split(platform(values, release, helm=helm)))
    namespaces = [release.namespace]
    if has_models(values):
        rendered += split(models(values, release, helm=helm))
        if release.models not in ("default", release.namespace):
            namespaces.append(release.models)
    check_identities(rendered, values, release)
    declared = {it.name for it in rendered if (it.group, it.kind) == ("", "Namespace")}
    return [*(_namespace(it) for it in namespaces if it not in declared), *rendered]


def platform(values: Values, release: Release = DEFAULT, *, helm: str = "helm") -> str:
    """What Helm prints for the platform, with the CRDs."""
    return helm_template(
        stock.folder(), values, release=release.name, namespace=release.namespace, helm=helm
    )


def models(values: Values, release: Release = DEFAULT, *, helm: str = "helm") -> str:
    """What Helm prints for the models."""
    known = () if values.at("global", "platformNamespace") else (release.namespace,)
    return helm_template(
        stock.folder(MODELS),
        values,
        release=release.models_name,
        namespace=release.models,
        helm=helm,
        more=[word for it in known for word in ("--set-string", f"global.platformNamespace={it}")],
    )


def has_models(values: Values) -> bool:
    """Whether the values declare anything that the models chart renders."""
    return any(values.at(key) for key in DECLARED)


def helm_template(
    folder: Path,
    values: Values = NOTHING,
    *,
    release: str = CHART,
    namespace: str = "kserve",
    helm: str = "helm",
    more: Sequence[str] = ("--include-crds",),
) -> str:
    """`helm.template`, with the names that things have unless somebody says otherwise."""
    return helm_program.template(
        folder, values, release=release, namespace=namespace, helm=helm, more=more
    )


def split(text: str) -> Iterator[Manifest]:
    """The objects in the output of `helm template`.

    `---` at the start of a line always ends a document: block scalars are indented.
    """
    chart, file = CHART, ""
    for document in re.split(r"^---.*\n", text, flags=re.MULTILINE):
        # Helm says it once for all the objects of a file.
        if source := _SOURCE.match(document):
            chart, file = source[1], source[2]
        body = _SOURCE.sub("", document, count=1).strip("\n")
        if body:
            yield manifest(body + "\n", chart, file)


def manifest(text: str, chart: str = CHART, source: str = "") -> Manifest:
    """What one object's text says it is. Raises GeneratorError if it does not say."""
    kind = _KIND.search(text)
    group = _GROUP.search(text)
    metadata = _METADATA.search(text)
    name = _NAME.search(metadata[1]) if metadata else None
    if not (kind and group and metadata and name):
        start = text.strip().partition("\n")[0][:80]
        where = f"{source or 'a template'} of {chart}"
        what = "is not an object with apiVersion, kind and metadata.name"
        raise GeneratorError(f'{where} renders something that {what}; it begins "{start}"')
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


def check_identities(manifests: Sequence[Manifest], values: Values, release: Release) -> None:
    """Refuse names that no object can have, and two objects of one identity, by their values.

    Raises ValuesError, or GeneratorError where no value of the user's is to blame.
    """
    seen: dict[Identity, Manifest] = {}
    problems: list[Problem] = []
    for it in manifests:
        if not is_name(it.group, it.name):
            problems.append(values.problem(values.naming(it.name), f'"{it.name}" {NO_NAME}'))
        identity = (it.group, it.kind, it.namespace or release.home(it.chart), it.name)
        other = seen.setdefault(identity, it)
        if other is it:
            continue
        extra, own = (it, other) if it.is_extra else (other, it)
        what = f"{it.kind} {it.name} is rendered twice, by {own.chart}/{own.source}"
        keys = _declaring(values, identity, release) if extra.is_extra else ()
        if not keys:
            raise GeneratorError(f"{what} and by {extra.chart}/{extra.source}; rename one of them")
        message = f"{what} and by this; use a value of the chart to change its object, or rename it"
        problems += [values.problem(("extraObjects", key), message) for key in keys]
    if problems:
        raise ValuesError(problems)


def _declaring(values: Values, identity: Identity, release: Release) -> list[str]:
    """The keys of `extraObjects` that are this object."""
    extra = (values.at("extraObjects") or {}).items()
    return [key for key, data in extra if of_object(data, release.namespace) == identity]


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
        path = next((path for path in _paths(it, home) if path not in tree), None)
        if path is None:
            raise GeneratorError(f"{it.kind} {it.name} is rendered twice")
        # A CRD says already that it is generated, in its own first line.
        tree[path] = it.text if MARK in it.text.partition("\n")[0] else head + it.text
    return tree


def _paths(it: Manifest, home: str) -> Iterator[str]:
    """Names for its file, the plainest first. No two objects share the last of them.

    They are names on every system: a role may be called system:Reader, and be as long as a file
    name may be altogether.
    """
    space = f"{it.namespace}-" if it.namespace not in (None, home) else ""
    plain = f"{it.kind}-{space}{it.name}"
    identity = "/".join((it.group, it.kind, it.namespace or "", it.name))
    mark = hashlib.sha256(identity.encode()).hexdigest()[:8]
    for name in (plain, f"{plain}-{it.group}".rstrip("-"), f"{plain}-{mark}"):
        safe = re.sub(r"[^a-z0-9.-]", "_", name.lower())
        short = safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 9]}-{mark}"
        yield f"{it.phase}/{short}.yaml"
