"""Clusters that a fleet has no more: folders of its output whose records say whose they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from generator.errors import OutputError
from generator.fleet.discovery import PLATFORM
from generator.output import inventory, record, writing
from generator.output.record import Record, name_inputs
from generator.output.writing import Output, Tree

_SUFFIXES = (".yaml", ".yml")


def removed(output: Path, folder: Path, clusters: Iterable[str]) -> tuple[list[str], list[str]]:
    """Folders of `output` that hold the manifests of no cluster: of this fleet's, and of others'.

    This fleet's come from files of `folder`, by the names that it gives them today.
    """
    gone: list[str] = []
    others: list[str] = []
    known = set(clusters)
    for name, found in _records(output):
        if name not in known:
            ours = found.inputs and set(found.inputs) & set(name_inputs(_files(folder, name)))
            (gone if ours else others).append(name)
    return gone, others


def prune(root: Path, *, force: bool, writes: bool) -> None:
    """Remove the files of a cluster, and its folder if nobody else has any in it.

    Without `writes` they stay. Raises OutputError where they cannot be removed.
    """
    found = record.parse((inventory.read(root, record.NAME) or b"").decode())
    wanted = Output(root, [Tree({}, found.owner)], force=force)
    changes = writing.write(wanted) if writes else writing.compare(wanted)
    if changes.refusals:
        raise OutputError(*changes.refusals)
    if writes:
        with contextlib.suppress(OSError):
            root.rmdir()


def _records(output: Path) -> Iterator[tuple[str, Record]]:
    """The folders of `output` that hold manifests, and their records."""
    if not output.is_dir():
        return
    for folder in sorted(output.iterdir()):
        if folder.is_symlink() or not folder.is_dir():
            continue
        with contextlib.suppress(OSError, ValueError, inventory.Obstacle):
            content = inventory.read(folder, record.NAME)
            if content is not None and (found := record.parse(content.decode())).command == _OWNER:
                yield folder.name, found


_OWNER = "manifests"


def _files(folder: Path, name: str) -> list[Path]:
    """The files that a cluster of this name has its values from."""
    stems = (folder / name, folder / name / PLATFORM)
    return [stem.with_name(stem.name + suffix) for stem in stems for suffix in _SUFFIXES]
