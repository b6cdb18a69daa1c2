"""What a run changes in the objects of clusters; an equal change of many is looked at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from generator.comparison.change import between
from generator.comparison.report import Entry, entries
from generator.comparison.sides import Side, Text
from generator.errors import ValuesError
from generator.manifests.layout import KUSTOMIZATION
from generator.output import inventory
from generator.output.record import digest
from generator.output.writing import Changes

_OBJECTS = ".yaml"


class Differences:
    """Compares files of objects, and keeps what it found, by what is in both."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._known: dict[tuple[str, str], tuple[Entry, ...]] = {}

    def of(self, root: Path, files: Mapping[str, str], changes: Changes) -> tuple[Entry, ...]:
        """What `changes` do to the objects in a folder; `files` are those that come."""
        paths = (*changes.added, *changes.changed, *changes.removed)
        objects = (path for path in paths if path.endswith(_OBJECTS))
        return tuple(
            entry
            for path in objects
            if Path(path).name != KUSTOMIZATION
            for entry in self._between(path, _text(root, path), files.get(path, ""))
        )

    def _between(self, path: str, old: str, new: str) -> tuple[Entry, ...]:
        key = digest(old.encode()), digest(new.encode())
        if key not in self._known:
            self._known[key] = self._compared(path, old, new)
        return self._known[key]

    def _compared(self, path: str, old: str, new: str) -> tuple[Entry, ...]:
        before, after = (Side(path, (Text(text, path),) if text else ()) for text in (old, new))
        try:
            return tuple(entries(between(before, after, self._home)))
        except ValuesError:
            # Somebody has changed it to what is no object any more.
            return (Entry("~", path, note="it could not be read before"),)


def _text(root: Path, path: str) -> str:
    """What a file is before the run; nothing if it is not there or cannot be read."""
    try:
        return (inventory.read(root, path) or b"").decode("utf-8", "replace")
    except inventory.Obstacle:
        return ""
