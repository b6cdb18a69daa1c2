"""The work on single clusters of a fleet: reading, checking, rendering together, and writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from generator.errors import GeneratorError, OutputError, Problem, ValuesError
from generator.fleet import batch, memory
from generator.fleet.discovery import Cluster
from generator.manifests import layout, rendering
from generator.manifests.parsing import Manifest
from generator.manifests.rendering import Installation
from generator.output import inventory, journal, record, writing
from generator.output.writing import Changes, Output, Tree
from generator.release import Release
from generator.teams import read_teams
from generator.values.check import refuse
from generator.values.load import Values
from generator.values.sources import Source, tried_sources


class Folders(Protocol):
    """What makes folders for a GitOps tool; its text is what sets it apart from others."""

    def within(self, name: str) -> Folders:
        """The same for a folder in this one."""

    def folder(
        self, manifests: Sequence[Manifest], release: Release, teams: Sequence[str]
    ) -> dict[str, str]:
        """The folder of manifests, by path, with what the tool needs."""


@dataclass(frozen=True)
class Fleet:
    """What to render, and where to: `base` are the values that all clusters share.

    Without `writes` nothing is written. With `reads` the content of what is passed over is looked
    at, and not only sizes and times. `force` and `prune` are those of `writing.Output`. `jobs` is
    how many batches are at work at once, 0 for one per processor. With `handover` each folder has
    what a GitOps tool needs, which finds it under the cluster's name. `describe` says what changes
    do to the objects in a folder; it gets the folder, and the files that come.
    """

    base: Values
    inputs: tuple[Path, ...]
    release: Release
    output: Path
    writes: bool = True
    reads: bool = False
    force: bool = False
    prune: bool = True
    jobs: int = 0
    handover: Folders | None = None
    describe: Callable[[Path, Mapping[str, str], Changes], tuple[Any, ...]] = lambda *_: ()


@dataclass(frozen=True)
class Outcome:
    """What became of a cluster: its changes, or the `problems` for which it stays as it is.

    It has both where nothing is written, and a run would be refused: the folder differs then.
    `entries` is what `describe` says of them, where the cluster had a folder before.
    """

    name: str
    changes: Changes = field(default_factory=Changes)
    entries: tuple[Any, ...] = ()
    is_new: bool = False
    problems: tuple[Problem, ...] = ()


class Stopped(Exception):
    """The run is ended: what is begun is brought to an end, and nothing new is begun."""


@dataclass(frozen=True)
class Read:
    """A cluster whose files were read; an error stands for one that cannot be."""

    cluster: Cluster
    sources: tuple[Source | ValuesError, ...]
    made_from: str


class Work:
    """What is done with a cluster, and what is known of all of them."""

    def __init__(self, fleet: Fleet, known: dict[str, memory.Memory]) -> None:
        self.fleet = fleet
        self.known = known
        self.stopped = Event()
        self._about = (
            f"{fleet.release.owner} {fleet.prune} {fleet.handover} "
            f"{record.name_inputs(fleet.inputs)}"
        )

    def go_on(self) -> None:
        """Raise Stopped where the run is ended."""
        if self.stopped.is_set():
            raise Stopped

    def read(self, cluster: Cluster) -> Read | Outcome:
        """The files of a cluster, or its outcome if there is nothing to be done."""
        if cluster.problems:
            return self._failed(cluster, cluster.problems)
        tried = tuple(tried_sources(cluster.files))
        sources = [each for each in tried if isinstance(each, Source)]
        made_from = memory.fingerprint(
            [*self.fleet.base.sources, *sources], list(cluster.teams), self._about
        )
        known, folder = self.known.get(cluster.name), self.fleet.output / cluster.name
        if len(sources) == len(tried) and memory.is_as_left(
            folder, known, made_from, read=self.fleet.reads
        ):
            return Outcome(cluster.name)
        return Read(cluster, tried, made_from)

    def render(self, renderer: batch.Renderer, found: Sequence[Read]) -> list[Outcome]:
        """Check, render and write some clusters."""
        outcomes: list[Outcome] = []
        wanted: list[tuple[Read, list[Installation]]] = []
        for each in found:
            try:
                wanted.append((each, self._checked(each)))
            except GeneratorError as error:
                outcomes.append(self._failed(each.cluster, error.problems))
        rendered = iter(renderer.render([one for _, own in wanted for one in own]))
        for each, own in wanted:
            self.go_on()
            parts = [next(rendered) for _ in own]
            try:
                objects = [_sound(one) for one in parts]
                outcomes.append(self._deliver(each, rendering.combined(own, objects)))
            except GeneratorError as error:
                outcomes.append(self._failed(each.cluster, error.problems))
            except OSError as error:
                where = error.filename or self.fleet.output / each.cluster.name
                problem = Problem.output(where, f"cannot be written: {error.strerror}")
                outcomes.append(self._failed(each.cluster, [problem]))
        return outcomes

    def _checked(self, found: Read) -> list[Installation]:
        """What is to be rendered of a cluster. Raises ValuesError with all that is wrong."""
        if problems := [
            one for each in found.sources if isinstance(each, ValuesError) for one in each.problems
        ]:
            raise ValuesError(problems)
        first, *others = (each for each in found.sources if isinstance(each, Source))
        values = self.fleet.base.under(Values.of([first]))
        refuse(values)
        files = {name: str(file) for name, file in found.cluster.teams.items()}
        teams = read_teams(files, values, self.fleet.release, others)
        return rendering.installations(values, self.fleet.release, teams)

    def _deliver(self, found: Read, objects: Sequence[Manifest]) -> Outcome:
        """Write a cluster's folder, or find out what that would change. Raises OutputError."""
        fleet, name = self.fleet, found.cluster.name
        root = fleet.output / name
        tree = Tree(self._files(found.cluster, objects), fleet.release.owner)
        inputs = (*fleet.inputs, *found.cluster.files)
        wanted = Output(root, [tree], inputs=inputs, force=fleet.force, prune=fleet.prune)
        is_new = _is_new(root)
        entries: tuple[Any, ...] = ()
        # Of a new folder there is nothing to tell; one to be put right is no state to compare with.
        if fleet.writes and (is_new or journal.is_pending(root)):
            changes = writing.write(wanted)
        else:
            changes = writing.compare(wanted)
            if not is_new:
                entries = fleet.describe(root, tree.files, changes)
            if changes and fleet.writes:
                changes = writing.write(wanted)
        if changes.refusals:
            self.known.pop(name, None)
        elif not changes or fleet.writes:
            self._remember(name, memory.left(root, found.made_from))
        return Outcome(name, changes, entries, is_new, changes.refusals)

    def _files(self, cluster: Cluster, objects: Sequence[Manifest]) -> dict[str, str]:
        """What is in a cluster's folder, by path."""
        release, handover = self.fleet.release, self.fleet.handover
        if handover is None:
            return layout.folder(objects, release)
        return handover.within(cluster.name).folder(objects, release, list(cluster.teams))

    def _remember(self, name: str, found: memory.Memory | None) -> None:
        if found is not None:
            self.known[name] = found

    def _failed(self, cluster: Cluster, problems: Sequence[Problem]) -> Outcome:
        self.known.pop(cluster.name, None)
        return Outcome(cluster.name, problems=tuple(problems))


def _is_new(root: Path) -> bool:
    """Whether there is no folder of a run yet. Raises OutputError where that cannot be seen."""
    try:
        return inventory.read(root, record.NAME) is None
    except inventory.Obstacle as error:
        raise OutputError(Problem.output(root / error.path, str(error))) from None


def _sound(rendered: batch.Rendered) -> Sequence[Manifest]:
    """What was rendered. Raises the error that stands for it otherwise."""
    if isinstance(rendered, GeneratorError):
        raise rendered
    return rendered
