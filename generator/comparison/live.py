"""A cluster against what would be applied to it: both sides as the API server answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from generator import CHART, MODELS, helm, kubectl
from generator.comparison.reading import objects
from generator.comparison.sides import Side, Text
from generator.errors import ToolFailed
from generator.importer.leftovers import WRITTEN
from generator.manifests.parsing import documents
from generator.manifests.protection import KEEP
from generator.release import Release
from generator.values.identity import Identity, called, of_object
from generator.yaml.data import JsonObject
from generator.yaml.fields import ABSENT, at, compare

HELM = "helm"
"""The field manager of Helm 4. Source: cmd/helm/helm.go of helm.sh/helm/v4."""

_KUBECTL = "kubectl"  # It applies the CRDs, which `helm upgrade` leaves alone.
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_HELMS_KEEP = "helm.sh/resource-policy"
_OWNER = "meta.helm.sh/"
_LABEL = "app.kubernetes.io/managed-by"
_CONFLICT = re.compile(r"conflicts? with|^conflict", re.MULTILINE)
_MANAGERS = re.compile(r'"([^"]+)"(?: with subresource "[^"]+")? using')

_Objects = dict[Identity, JsonObject]


@dataclass(frozen=True)
class Live:
    """Both sides of a live comparison; what was `unseen`, and what else to know (`notes`)."""

    old: Side
    new: Side
    unseen: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Said:
    """What there is to say so far."""

    unseen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_live(new: Side, release: Release, manager: str) -> Live:
    """The cluster of the current context, and what it would be once `new` is applied.

    The server answers with every default filled in and every webhook asked, so that what defaults
    and controllers own is the same on both sides. Raises GeneratorError when no cluster answers,
    and what reading `new` raises.
    """
    said = _Said()
    wide = kubectl.cluster_wide()
    wanted = _named(objects(new, release.namespace), wide, release.namespace)
    recorded = _recorded(release, wide, said)
    present, refused = kubectl.get(recorded | wanted)
    # Of a kind that the cluster does not know it has no objects.
    refused = {
        each: fact for each, fact in refused.items() if not kubectl.UNKNOWN_KIND.search(fact)
    }
    _leave_out(refused, said, "cannot be read")
    changing = {
        each: _owned(wanted[each], present[each], manager) for each in present if each in wanted
    }
    after = _applied(changing, said, manager)
    for each in after.keys() & recorded.keys():
        if manager == HELM and _is_merged(present[each]):
            _lose(each, recorded[each], wanted[each], said)
    gone = [each for each in present if each not in wanted and not _stays(present[each], said)]
    unseen = (wanted.keys() & refused.keys()) | (changing.keys() - after.keys())
    added = {each: wanted[each] for each in wanted.keys() - present.keys() - unseen}
    return Live(
        _side("the cluster", {each: present[each] for each in [*after, *gone]}),
        _side(new.name, after | added),
        tuple(said.unseen),
        tuple(said.notes),
    )


def _named(
    found: Mapping[Identity, JsonObject], wide: frozenset[tuple[str, str]], home: str
) -> _Objects:
    """Objects with the namespaces that they get; what is in none has none."""
    wide |= {
        (str(at(crd, "spec.group")), str(at(crd, "spec.names.kind")))
        for identity, crd in found.items()
        if identity[:2] == _CRD and at(crd, "spec.scope") == "Cluster"
    }
    named: _Objects = {}
    for (group, kind, namespace, name), data in found.items():
        if (group, kind) in wide:
            named[group, kind, "", name] = data
        else:
            metadata = data["metadata"] | {"namespace": namespace or home}
            named[group, kind, namespace or home, name] = data | {"metadata": metadata}
    return named


def _recorded(release: Release, wide: frozenset[tuple[str, str]], said: _Said) -> _Objects:
    """The objects of Helm's own record of both releases."""
    found: _Objects = {}
    missing = []
    for chart in (CHART, MODELS):
        name, home = release.called(chart), release.home(chart)
        try:
            text = helm.record(name, home)
        except ToolFailed as error:
            fact = " ".join(str(error).split())
            said.unseen.append(f"the record of release {name} in {home} cannot be read: {fact}")
            continue
        if text is None:
            missing.append(f"{name} in {home}")
            continue
        texts = tuple(Text(body, f"{chart}/{file}") for chart, file, body in documents(text))
        found |= _named(objects(Side(name, texts), home), wide, home)
    if len(missing) == 2:
        fact = f"Helm knows no release {' and no '.join(missing)}"
        said.notes.append(f"{fact}: what only the cluster has was not looked for")
    return found


def _owned(data: JsonObject, present: JsonObject, manager: str) -> JsonObject:
    """An object with the marks of ownership that Helm itself adds to what it applies."""
    if manager != HELM:
        return data
    metadata = dict(data["metadata"])
    for key, wanted in (("annotations", _OWNER), ("labels", _LABEL)):
        marks = at(present, f"metadata.{key}") or {}
        own = {name: text for name, text in marks.items() if name.startswith(wanted)}
        if own:
            metadata[key] = own | (metadata.get(key) or {})
    return data | {"metadata": metadata}


def _applied(changing: _Objects, said: _Said, manager: str) -> _Objects:
    """The objects as they would be after an apply, fields of other managers taken over."""
    crds = {each: data for each, data in changing.items() if each[:2] == _CRD}
    others = {each: data for each, data in changing.items() if each not in crds}
    after, refused = kubectl.dry_run(crds, manager=_KUBECTL, force=True)
    found, conflicts = kubectl.dry_run(others, manager=manager)
    after |= found
    fought = {each: fact for each, fact in conflicts.items() if _CONFLICT.search(fact)}
    refused |= {each: fact for each, fact in conflicts.items() if each not in fought}
    found, more = kubectl.dry_run(
        {each: others[each] for each in fought}, manager=manager, force=True
    )
    after |= found
    _leave_out(refused | more, said, "is refused")
    for each, fact in fought.items():
        if strangers := sorted(set(_MANAGERS.findall(fact)) - {manager}):
            owners = " and ".join(strangers)
            said.notes.append(
                f"{_label(each)}: {owners} set fields too; apply it with --force-conflicts"
            )
    return after


def _is_merged(data: JsonObject) -> bool:
    """Whether Helm has merged an object itself, as Helm 3 does, and not let the server apply it."""
    managers = at(data, "metadata.managedFields") or []
    return {each.get("operation") for each in managers if each.get("manager") == HELM} == {"Update"}


def _lose(identity: Identity, recorded: JsonObject, wanted: JsonObject, said: _Said) -> None:
    """Say which fields Helm takes out of an object that it merges: an apply would leave them."""
    paths = [field.path for field in compare(recorded, wanted) if field.new is ABSENT]
    if paths:
        fact = f"Helm 3 merges this object, and will take away {', '.join(paths[:3])}"
        said.unseen.append(f"{_label(identity)}: {fact}")


def _leave_out(refused: Mapping[Identity, str], said: _Said, what: str) -> None:
    """Say of objects that the server has no answer about, and why; of a Secret not even that."""
    for each, fact in refused.items():
        why = "why is not shown: it is a Secret" if each[1] == "Secret" else fact
        said.unseen.append(f"{_label(each)} {what}: {why}")


def _stays(data: JsonObject, said: _Said) -> bool:
    """Whether Helm leaves an object in the cluster that a release has no longer."""
    annotations = at(data, "metadata.annotations") or {}
    if annotations.get(_HELMS_KEEP) != KEEP[_HELMS_KEEP]:
        return False
    if identity := of_object(data, ""):
        said.notes.append(f"{_label(identity)} is not rendered any more; Helm keeps it")
    return True


def _label(identity: Identity) -> str:
    _, kind, namespace, name = identity
    return called(kind, name, namespace)


def _side(name: str, found: Mapping[Identity, JsonObject]) -> Side:
    return Side(name, tuple(Text.of(_own(data), name) for data in found.values()))


def _own(data: JsonObject) -> JsonObject:
    """An object without what the server writes into each, and without its status."""
    metadata = {key: value for key, value in data["metadata"].items() if key not in WRITTEN}
    return {key: value for key, value in data.items() if key != "status"} | {"metadata": metadata}
