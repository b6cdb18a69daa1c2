"""Changing many files as one: all of them, or none, whatever interrupts.

A run keeps a folder beside the record while it is at work:

    .kserve-lite-journal/
      new/0, new/1 …   what will be written
      old/0, old/1 …   what was there before, as hard links
      plan.json        what goes where; while it is there, the run is not done and can be undone
      done.json        the same, renamed: the run is done, and only the journal is left to remove

1. New files are staged and flushed, what is there is linked to, and the plan is written.
2. The records go away, so that nothing vouches for the folder while it changes.
3. Each file is renamed into place, over the one before; what is no longer wanted is removed.
4. The records come back, and plan.json becomes done.json: that is the moment it has happened.

An error or a signal undoes it at once; after a SIGKILL or a power cut the next run does.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from generator.errors import OutputError, Problem
from generator.output import inventory
from generator.output.disk import drop_empty, flush, imitate, keep
from generator.output.record import JOURNAL, NAME, digest, is_inside, is_record
from generator.signals import undisturbed

_PLAN, _DONE = "plan.json", "done.json"


@dataclass(frozen=True)
class Step:
    """A change of one file: the SHA-256 of what is there and of what comes; None for no file."""

    path: str
    old: str | None
    new: str | None


def run(root: Path, steps: Sequence[Step], contents: Mapping[str, bytes]) -> None:
    """Take the steps below `root`, all or none; `contents` has the bytes of each that writes.

    Records are steps like others, by their names. Raises OSError, with everything as it was.
    """
    ordered = sorted(steps, key=lambda step: (is_record(step.path), step.path))
    (root / JOURNAL).mkdir()
    try:
        _stage(root, ordered, contents)
        _commit(root, ordered)
    except BaseException:
        with undisturbed():
            settle(root)
        raise
    with undisturbed():
        settle(root)


def is_pending(root: Path) -> bool:
    """Whether a run is at work in `root`, or was killed there."""
    return os.path.lexists(root / JOURNAL)


def settle(root: Path) -> tuple[str, ...]:
    """Undo what a run left half done, or tidy up after one that was done; then drop its journal.

    Returns the paths that somebody changed since: they stay. Does nothing without a journal. Raises
    OutputError when it is not a journal, or the folder cannot be put back yet.
    """
    journal = root / JOURNAL
    if not is_pending(root):
        return ()
    _check(journal)
    kept: tuple[str, ...] = ()
    try:
        if (journal / _PLAN).exists():
            kept = _undo(root, *_load(journal / _PLAN))
            (journal / _PLAN).unlink()
        elif (journal / _DONE).exists():
            steps, _ = _load(journal / _DONE)
            for step in steps:
                if step.new is None:
                    drop_empty(root, step.path)
        shutil.rmtree(journal)
    except OSError as error:
        message = f"cannot be put back ({error.strerror}); mend that, and the next run does it"
        raise OutputError(Problem.output(root, message)) from None
    return kept


def _stage(root: Path, steps: Sequence[Step], contents: Mapping[str, bytes]) -> None:
    journal = root / JOURNAL
    for folder in ("new", "old"):
        (journal / folder).mkdir()
    for number, step in enumerate(steps):
        if step.new is not None:
            (journal / "new" / str(number)).write_bytes(contents[step.path])
        if step.old is not None:
            keep(root / step.path, journal / "old" / str(number), step.old)
            if step.new is not None:
                imitate(root / step.path, journal / "new" / str(number))
    flush([*(journal / "new").iterdir(), journal / "new", journal / "old"])
    plan = {"steps": [asdict(step) for step in steps], "folders": _missing(root, steps)}
    draft = journal / "draft"
    draft.write_text(json.dumps(plan), encoding="utf-8")
    flush([draft])
    draft.rename(journal / _PLAN)
    flush([journal, root])


def _missing(root: Path, steps: Sequence[Step]) -> list[str]:
    """The folders that have to be made, outer ones first."""
    parents = {parent for step in steps if step.new for parent in PurePosixPath(step.path).parents}
    return sorted(str(parent) for parent in parents if not (root / parent).exists())


def _commit(root: Path, steps: Sequence[Step]) -> None:
    journal = root / JOURNAL
    for step in steps:
        if is_record(step.path) and step.old is not None:
            (root / step.path).unlink()
    for number, step in enumerate(steps):
        target = root / step.path
        if step.new is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            (journal / "new" / str(number)).rename(target)
        elif not is_record(step.path):
            target.unlink()
    flush(sorted({(root / step.path).parent for step in steps}))
    (journal / _PLAN).rename(journal / _DONE)


def _undo(root: Path, steps: Sequence[Step], folders: Sequence[str]) -> tuple[str, ...]:
    """Put back what was there. This may be interrupted, too, and done again."""
    kept = []
    for number, step in enumerate(steps):
        target, old = root / step.path, root / JOURNAL / "old" / str(number)
        found = _found(root, step.path)
        if found == step.old:
            continue  # Not reached, perhaps since it may not be changed at all.
        if found not in (None, step.old, step.new):
            kept.append(step.path)
        elif step.old is None:
            target.unlink()
        elif old.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            old.replace(target)
    for folder in reversed(folders):
        with contextlib.suppress(OSError):  # Not there yet, or somebody put something into it.
            (root / folder).rmdir()
    return tuple(kept)


def _check(journal: Path) -> None:
    """Refuse a folder of that name that is not a journal: it would be removed."""
    known = re.compile(r"(?:new|old)(?:/\d+)?|plan\.json|done\.json|draft")
    strange = journal.is_symlink() or not journal.is_dir()
    if strange or not all(
        known.fullmatch(entry.relative_to(journal).as_posix()) for entry in journal.rglob("*")
    ):
        raise OutputError(
            Problem.output(journal, "is not a journal of kserve-lite's; move it away")
        )


def _load(file: Path) -> tuple[list[Step], list[str]]:
    """The steps and the folders of a plan."""
    try:
        plan = json.loads(file.read_bytes())
        steps = [Step(**entry) for entry in plan["steps"]]
        folders = [str(folder) for folder in plan["folders"]]
        paths = [step.path.removesuffix(NAME) or "record" for step in steps]
        inside = all(is_inside(path.rstrip("/")) for path in (*paths, *folders))
    except (ValueError, TypeError, LookupError, AttributeError):
        inside = False
    if not inside:
        raise OutputError(Problem.output(file, "is not a journal of kserve-lite's; move it away"))
    return steps, folders


def _found(root: Path, path: str) -> str | None:
    """The SHA-256 of a file; None for no file, and words for what is not to be touched."""
    try:
        content = inventory.read(root, path)
    except OutputError as error:
        return str(error)
    return None if content is None else digest(content)
