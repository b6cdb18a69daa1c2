"""The objects that values render, explained field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache as cached
from pathlib import Path
from tempfile import TemporaryDirectory

from generator.chart import cache
from generator.errors import GeneratorError
from generator.explanation import effects, trace
from generator.explanation.influence import (
    Field,
    Steps,
    first_steps,
    influence,
    steps,
)
from generator.explanation.kinds import is_kind, kind_of
from generator.explanation.labels import Thing, known_objects
from generator.explanation.listing import Explained, Listing, Setter, name_of, named
from generator.explanation.trace import Origin, Trace
from generator.manifests.parsing import Manifest
from generator.manifests.rendering import declaring, render
from generator.release import DEFAULT, Release
from generator.values.load import NOTHING, Values
from generator.values.messages import nearest
from generator.yaml.data import JsonObject
from generator.yaml.document import parse
from generator.yaml.embedded import opened
from generator.yaml.fields import leaves
from generator.yaml.kubernetes import KubernetesReader
from generator.yaml.path import Key, dotted

_HIDDEN = "(not shown: it is a Secret's)"


def explain(
    thing: str, field: str = "", *, values: Values = NOTHING, release: Release = DEFAULT
) -> list[Listing]:
    """Every object KIND/NAME that these (checked) values render; several differ in their namespace
    or API group.

    `field` keeps that field, or what is below it. Raises GeneratorError for an object or a field
    that is not rendered, with the nearest that is or the values that make it, and what `render`
    raises.
    """
    wanted = steps(field.removeprefix("."))
    if wanted is None:
        raise GeneratorError(f"{field}: is no field; write a.b, a.b[0] or a.b[name]")
    with TemporaryDirectory(prefix="kserve-lite-") as folder:
        manifests = render(values, release, charts=lambda name: trace.copy(name, Path(folder)))
    word, _, name = thing.partition("/")
    kinds = {each.kind for each in manifests} | {each.partition("/")[0] for each in known_objects()}
    kind, group = kind_of(word, kinds)
    named_so = [each for each in manifests if (each.kind, each.name) == (kind, name)]
    found = [each for each in named_so if group in ("", each.group)]
    if named_so and not found:
        groups = " and ".join(sorted({each.group or "the core group" for each in named_so}))
        raise GeneratorError(f"{kind}/{name}: is of {groups}, not of {group}; leave the group out")
    if not found:
        raise GeneratorError(_unknown_object(kind, name, manifests, is_kind(kind, kinds)))
    every = [_Rendered(each, values, release) for each in found]
    listings = [each.listing(wanted) for each in every]
    if not any(listing.fields for listing in listings):
        raise GeneratorError(every[0].unknown(field, wanted))
    return [listing for listing in listings if listing.fields]


class _Rendered:
    """An object with its fields, and what changes them."""

    def __init__(self, manifest: Manifest, values: Values, release: Release) -> None:
        self._manifest = manifest
        self._values = values
        document = parse(manifest.text, manifest.source, reader=KubernetesReader)
        self._data: JsonObject = document.data
        self._place_of = document.position
        self._trace = Trace(manifest)
        home = manifest.namespace or release.home(manifest.chart)
        identity = (manifest.group, manifest.kind, home, manifest.name)
        extra = declaring(values, identity, release) if manifest.is_extra else ()
        self._influence = influence(Thing(*identity[1:2], identity[3], home, values), extra)

    def listing(self, wanted: Steps) -> Listing:
        """The object with the fields that are wanted."""
        every = [*self._fields()]
        kept = tuple(self._explained(each) for each in every if each.is_below(wanted))
        version = str(self._data["apiVersion"])
        return Listing(self._manifest, version, self._setters(self._influence.presence), kept)

    def unknown(self, path: str, wanted: Steps) -> str:
        """The error for a field that is not there."""
        what = f"{name_of(self._manifest)}: {path}"
        sets = [key for key, effect in self._influence.measured if effect[: len(wanted)] == wanted]
        if sets:
            return f"{what} is not set with these values; {named(self._setters(sets))} sets it"
        known = {
            ".".join(f.steps[:n]): first_steps(f.path, n)
            for f in self._fields()
            for n in range(1, len(f.steps) + 1)
        }
        near = nearest(".".join(wanted), known)
        remedy = f"did you mean {known[near]}?" if near else "leave the field out to see all"
        return f"{what}: there is no such field; {remedy}"

    def _fields(self) -> Iterator[Field]:
        for path, key, value in leaves(opened(self._data)):
            origin = self._origin(key)
            yield Field(path, key, value, _statement(origin) if origin else "")

    def _origin(self, key: Key) -> Origin | None:
        return self._trace.origin(self._place_of(key)[0])

    def _explained(self, field: Field) -> Explained:
        setters = self._setters(self._influence.of(field, self._values))
        hidden = self._manifest.kind == "Secret" and field.key[0] in ("data", "stringData")
        value = _HIDDEN if hidden else field.value
        return Explained(field.path, value, self._origin(field.key), setters)

    def _setters(self, keys: Sequence[Key]) -> tuple[Setter, ...]:
        return tuple(Setter(dotted(key), self._values.said(key)) for key in keys)


def _unknown_object(kind: str, name: str, manifests: Sequence[Manifest], is_kind: bool) -> str:
    """The error for an object that is not rendered: the values that make it, or a near one.

    One of another kind is near only to what is no kind.
    """
    thing = f"{kind}/{name}"
    rendered = {effects.label(each.kind, each.name): each for each in manifests}
    own = effects.label(kind, name)
    if own in known_objects() and own not in rendered:
        makers = [
            leaf
            for leaf, things in effects.measured().items()
            if own in things and effects.is_whole(things[own])
        ]
        if makers:
            values = ", ".join(leaf.replace("*", effects.NAME) for leaf in makers)
            return f"{own}: is not rendered with these values; see {values}"
    fact = f"{thing}: these values render no such object"
    known = [f"{each.kind}/{each.name}" for each in manifests]
    of_kind = sorted(label for label in known if label.startswith(f"{kind}/"))
    if near := nearest(thing, of_kind if is_kind else known):
        return f"{fact}; did you mean {near}?"
    if of_kind:
        return f"{fact}; there is {', '.join(of_kind)}"
    return f"{fact}; the kinds are {', '.join(sorted({each.kind for each in manifests}))}"


@cached
def _text_of(file: str) -> str:
    chart, _, path = file.partition("/")
    return (cache.folder(chart) / path).read_text(encoding="utf-8")


def _statement(origin: Origin) -> str:
    return trace.statement(_text_of(origin.file), origin.line)
