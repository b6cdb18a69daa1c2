"""The entries of models that people have: read from a source, and added to a values file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generator.errors import Problem, ValuesError
from generator.importer import leftovers
from generator.importer.commented import dump_entry, indent
from generator.importer.editing import edit
from generator.importer.fitting import Entry
from generator.importer.folder import from_folder
from generator.importer.inferenceservice import from_manifest
from generator.importer.insertion import insert
from generator.importer.services import distinct, read_services
from generator.values.check import check
from generator.values.load import Values, content_of
from generator.values.sources import read_source
from generator.yaml.document import Document, decode, parse
from generator.yaml.path import Key

_KEY = "models"


@dataclass(frozen=True)
class Models:
    """Entries by name, comments on what each does not carry, the objects that are left out, and
    those that models need, which are applied by themselves.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    comments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left_out: Sequence[Problem] = ()
    needed: Sequence[Problem] = ()

    def __str__(self) -> str:
        """The entries as a values file; nothing if there are none."""
        blocks = (
            indent(dump_entry(name, entry, self.comments.get(name, ())), 2)
            for name, entry in self.entries.items()
        )
        return f"{_KEY}:\n{''.join(blocks)}" if self.entries else ""


def read_models(source: Path, name: str | None = None) -> Models:
    """The entries of a model folder, or of the InferenceServices in a manifest.

    Raises ValuesError for a source that has none at all, or more than one for a given `name`.
    """
    return _from_folder(source, name) if source.is_dir() else _from_manifest(source, name)


def _from_folder(folder: Path, name: str | None) -> Models:
    own, entry, comments = from_folder(folder)
    own = name or own
    if not own:
        raise ValuesError(
            [Problem.of(folder, "has none of a-z and 0-9 to make a name of; use --name")]
        )
    if problems := _refused({own: entry}, str(folder), {own: (1, 1)}):
        raise ValuesError(problems)
    return Models({own: entry}, {own: comments})


def _from_manifest(file: Path, name: str | None) -> Models:
    source = read_source(file)
    found = read_services(source)
    if name is not None and len(found.services) > 1:
        message = f"has {len(found.services)} InferenceServices, and --name is for one"
        raise ValuesError([Problem.of(source.name, message)])
    alone, doubles = distinct(found.services, lambda service: service.name)
    by_name = {name or service.name: service for service in alone}
    entries = {own: from_manifest(service.manifest) for own, service in by_name.items()}
    places = {own: service.object.position for own, service in by_name.items()}
    refused = _refused(entries, source.name, places)
    wrong = {(problem.line, problem.column) for problem in refused}
    taken = {own: service for own, service in by_name.items() if places[own] not in wrong}
    return Models(
        {own: entries[own] for own in taken},
        {own: leftovers.comments(service.manifest) for own, service in taken.items()},
        sorted([*found.problems, *doubles, *refused]),
        tuple(found.needed),
    )


def _refused(
    entries: Mapping[str, Entry], file: str, places: Mapping[str, tuple[int, int]]
) -> list[Problem]:
    """What the values API says against the entries, placed where each model is in its source."""
    values = {_KEY: dict(entries)}
    positions: dict[Key, tuple[int, int]] = {
        (_KEY, name): position for name, position in places.items()
    }
    return list(check(Values.made(values, Document(file, values, positions))))


def add(
    file: Path, models: Models, *, replace: bool = False, create: bool = False
) -> dict[str, str]:
    """Add entries to a values file, all or none; returns what happened to each, by name.

    That is a sign, as `insertion.insert` has it. Raises ValuesError, with the file as it was, if
    another entry of the name is there and not to be replaced, or the values are wrong, before or
    with the entries; OutputError if the file cannot be changed and stay what it is.
    """
    signs: dict[str, str] = {}

    def change(old: bytes) -> bytes:
        mark, text = _decode(old, file)
        _check(text, file, started=True)
        text, own = insert(
            text, str(file), _KEY, models.entries, comments=models.comments, replace=replace
        )
        signs.update(own)
        if "+" in own.values() or "~" in own.values():
            _check(text, file)
        return mark + text.encode("utf-8")

    edit(file, change, create=create)
    return signs


_MARK = b"\xef\xbb\xbf"


def _decode(data: bytes, file: Path) -> tuple[bytes, str]:
    """The byte order mark of a file, if it has one, and its text, line ends as they are."""
    mark = _MARK if data.startswith(_MARK) else b""
    return mark, decode(data.removeprefix(mark), str(file))


def _check(text: str, file: Path, *, started: bool = False) -> None:
    """Raise ValuesError if the values in a text are wrong.

    In a file that was only `started` there may be nothing below `models:` yet.
    """
    document = parse(text, str(file))
    values = content_of(document)
    if started and values.get(_KEY, {}) is None:
        values = {key: value for key, value in values.items() if key != _KEY}
    if problems := list(check(Values.made(values, document))):
        raise ValuesError(problems)
