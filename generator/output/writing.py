"""Writing generated files into a folder of a user's, who may have files there, too (law 16).

A run goes by the record that the run before left there (record.py), never by what a file says:

1. It takes a lock on the folder, and undoes what a killed run left half done (journal.py).
2. It compares what it has rendered with the record and with what is there. A file that the record
   lists may be replaced or removed, if it is still what was written; any other stays. One that is
   in the way, that was changed, or that the values came from ends the run: nothing is written.
3. It changes the folder as one, the record with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generator import __version__
from generator.errors import OutputError, Problem
from generator.output import destination, inventory, journal, record
from generator.output.journal import Step
from generator.output.record import NAME, Record


@dataclass(frozen=True)
class Tree:
    """Files with a record of their own: texts by path, relative to `folder` in the output.

    `owner` is the command that makes them, and what it makes them for.
    """

    files: Mapping[str, str]
    owner: str
    folder: str = ""

    def path_in_output(self, path: str) -> str:
        """A path of this tree as one of the output."""
        return f"{self.folder}/{path}" if self.folder else path


@dataclass(frozen=True)
class Output:
    """What a run is to write, and where.

    `inputs` are the files that the values came from. With `force` what was changed since is given
    up, and the record of another release taken over; without `prune` nothing is removed.
    """

    root: Path
    trees: Sequence[Tree]
    inputs: Sequence[Path] = ()
    force: bool = False
    prune: bool = True


@dataclass(frozen=True)
class Changes:
    """What a run does to a folder: paths in it, sorted.

    `records` says whether any record differs, `refusals` what a run would be refused for, `notes`
    what else to tell. `foreign` are others' files, which stay; they are looked for when there was
    no record.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    records: bool = False
    foreign: tuple[str, ...] = ()
    refusals: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.records or self.refusals)


def compare(output: Output) -> Changes:
    """What `write` would do; nothing is written. Raises OutputError when that cannot be told."""
    destination.check(output.root)
    if journal.is_pending(output.root):
        message = "another run is at work there, or was interrupted; "
        remedy = "run the command that writes to it again"
        raise OutputError(Problem.output(output.root, message + remedy))
    return _plan(output).changes()


def write(output: Output) -> Changes:
    """Make the folder hold what was rendered, or leave it as it is and raise OutputError."""
    destination.check(output.root)
    notes: tuple[str, ...] = ()
    try:
        with destination.locked([output.root / tree.folder for tree in output.trees]):
            if journal.is_pending(output.root):
                kept = journal.settle(output.root)
                notes = ("a run that was interrupted has been put right first",)
                notes += tuple(f"{path} was changed since, and stays" for path in kept)
            plan = _plan(output)
            changes = plan.changes(notes)
            if changes.refusals:
                raise OutputError(*notes, *changes.refusals, "nothing was written")
            if changes:
                journal.run(output.root, plan.steps, plan.contents)
    except OSError as error:
        where = str(error.filename2 or error.filename or output.root)
        # Where a file is staged is nothing that anybody knows.
        where = where.partition(f"/{record.JOURNAL}")[0]
        message = f"cannot be written: {error.strerror}, and nothing was changed"
        raise OutputError(Problem.output(where, message)) from None
    return changes


@dataclass
class _Plan:
    """The steps of a run, and the reasons to refuse it."""

    output: Output
    steps: list[Step] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    refusals: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    recorded: bool = False

    def changes(self, notes: tuple[str, ...] = ()) -> Changes:
        """The changes that the plan makes, for the user."""
        ours = {tree.path_in_output(path) for tree in self.output.trees for path in tree.files}
        files = [step for step in self.steps if not record.is_record(step.path)]
        return Changes(
            added=_paths(step for step in files if step.old is None),
            changed=_paths(step for step in files if step.old and step.new),
            removed=_paths(step for step in files if step.new is None),
            records=len(files) < len(self.steps),
            foreign=() if self.recorded else inventory.foreign(self.output.root, ours),
            refusals=tuple(dict.fromkeys(self.refusals)),
            notes=(*notes, *self.notes),
        )

    def against(self, path: str, reason: str) -> None:
        """Refuse the plan because of `path`."""
        self.refusals.append(Problem.output(self.output.root / path, reason))


def _paths(steps: Iterable[Step]) -> tuple[str, ...]:
    return tuple(sorted(step.path for step in steps))


def _plan(output: Output) -> _Plan:
    plan = _Plan(output)
    given = inventory.identities(output.inputs)
    for tree in output.trees:
        try:
            before = _read_record(output, tree)
        except inventory.Obstacle as error:
            plan.against(error.path, str(error))
        except (ValueError, OutputError) as error:
            plan.against(tree.path_in_output(NAME), str(error))
        else:
            plan.recorded = plan.recorded or before is not None
            _compare_tree(plan, tree, before)
    for step in plan.steps:
        if inventory.identity(output.root / step.path) in given:
            plan.against(step.path, "is one of the run's own values files; move it elsewhere")
    return plan


def _read_record(output: Output, tree: Tree) -> Record | None:
    """The record of a tree, if any. Raises, with a reason, if the run must not replace it."""
    content = inventory.read(output.root, tree.path_in_output(NAME))
    if content is None:
        return None
    before = record.parse(content.decode("utf-8", "replace"))
    if before.command != tree.owner.partition(" ")[0]:
        raise OutputError(f"belongs to `{before.owner}`; choose another folder than that command's")
    if before.owner != tree.owner and not output.force:
        what = f"belongs to `{before.owner}`, and this is `{tree.owner}`"
        raise OutputError(f"{what}; choose another folder, or take it over with --force")
    if before.is_newer() and not output.force:
        what = f"comes from kserve-lite {before.version}, which is newer than this {__version__}"
        raise OutputError(f"{what}; update kserve-lite, or go back with --force")
    return before


def _compare_tree(plan: _Plan, tree: Tree, before: Record | None) -> None:
    """Take a tree into the plan; `before` is the record of the run before."""
    output = plan.output
    listed = before.files if before else {}
    now = {path: record.digest(text.encode()) for path, text in tree.files.items()}
    kept = {}
    for path in sorted(listed.keys() | now.keys()):
        if path in now or output.prune:
            _compare_file(plan, tree, path, listed.get(path), now.get(path))
        elif (output.root / tree.path_in_output(path)).exists():
            kept[path] = listed[path]
    owned = Record(tree.owner, now | kept, record.name_inputs(output.inputs))
    if before and before.inputs != owned.inputs:
        names = (", ".join(inputs) or "the defaults" for inputs in (owned.inputs, before.inputs))
        plan.notes.append("the values are from {}; those of the run before, from {}".format(*names))
    # A folder that nothing of ours is in any more has no record either.
    _compare_record(plan, tree, owned.text().encode() if owned.files else None)


def _compare_file(
    plan: _Plan, tree: Tree, path: str, listed: str | None, wanted: str | None
) -> None:
    """Take one file into the plan: what the record lists, what is there, and what is wanted."""
    target = tree.path_in_output(path)
    try:
        if not record.is_inside(path):
            raise OutputError("is not a name for a file; rename the object")
        content = inventory.read(plan.output.root, target)
    except OutputError as error:
        plan.against(error.path if isinstance(error, inventory.Obstacle) else target, str(error))
        return
    found = record.digest(content) if content is not None else None
    if found == wanted:
        return
    if found is not None and listed is None:
        plan.against(
            target, "is in the way, and no record says that kserve-lite wrote it; move it away"
        )
    elif found not in (None, listed) and not plan.output.force:
        plan.against(target, "was changed since it was written; --force gives the change up")
    plan.steps.append(Step(target, found, wanted))
    if wanted is not None:
        plan.contents[target] = tree.files[path].encode()


def _compare_record(plan: _Plan, tree: Tree, content: bytes | None) -> None:
    path = tree.path_in_output(NAME)
    before = inventory.read(plan.output.root, path)
    if before != content:
        old, new = (None if each is None else record.digest(each) for each in (before, content))
        plan.steps.append(Step(path, old, new))
    if content is not None:
        plan.contents[path] = content
