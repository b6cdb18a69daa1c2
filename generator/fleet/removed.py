"""Clusters that a fleet has no more: folders of its output whose records say whose they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from generator.errors import Problem
from generator.fleet.discovery import PLATFORM, YAML
from generator.output import destination, inventory, journal, record, writing
from generator.output.record import Record, name_inputs
from generator.output.writing import Output, Tree


def settle(output: Path, clusters: Iterable[str]) -> None:
    """Undo what a run was killed at in folders of no cluster; the clusters' own, writing settles.

    Raises OutputError where that cannot be done.
    """
    for folder in _others(output, clusters):
        if journal.is_pending(folder):
            with destination.locked([folder]):
                journal.settle(folder)


def removed(output: Path, folder: Path, clusters: Iterable[str]) -> tuple[list[str], list[str]]:
    """Folders of `output` that hold the manifests of no cluster: of this fleet's, and of others'.

    This fleet's come from files of `folder`, by the names that it gives them today. A name without
    a folder, which a record has of an absolute path, too, is no sign of that.
    """
    gone: list[str] = []
    others: list[str] = []
    for name, found in _records(_others(output, clusters)):
        own = {each for each in name_inputs(_files(folder, name)) if "/" in each}
        (gone if own & set(found.inputs) else others).append(name)
    return gone, others


def prune(root: Path, owner: str, *, force: bool, writes: bool) -> tuple[Problem, ...]:
    """Remove the files of a cluster, and its folder if nobody else has any in it.

    Without `writes` they stay, and what such a run would be refused for comes back. Raises
    OutputError where they cannot be removed, such as where the record says another owner and it is
    not to be forced.
    """
    wanted = Output(root, [Tree({}, owner)], force=force)
    changes = writing.write(wanted) if writes else writing.compare(wanted)
    if writes:
        with contextlib.suppress(OSError):
            root.rmdir()
    return changes.refusals


def _records(folders: Iterable[Path]) -> Iterator[tuple[str, Record]]:
    """The names of those folders that hold manifests, and their records."""
    for folder in folders:
        with contextlib.suppress(OSError, ValueError, inventory.Obstacle):
            content = inventory.read(folder, record.NAME)
            if content is not None and (found := record.parse(content.decode())).command == _OWNER:
                yield folder.name, found


def _others(output: Path, clusters: Iterable[str]) -> list[Path]:
    """The folders of `output` that are no cluster's."""
    known = set(clusters)
    paths = sorted(output.iterdir()) if output.is_dir() else []
    others = (each for each in paths if each.name not in known)
    return [each for each in others if each.is_dir() and not each.is_symlink()]


_OWNER = "manifests"


def _files(folder: Path, name: str) -> list[Path]:
    """The files that a cluster of this name has its values from."""
    stems = (folder / name, folder / name / PLATFORM)
    return [stem.with_name(stem.name + suffix) for stem in stems for suffix in YAML]
