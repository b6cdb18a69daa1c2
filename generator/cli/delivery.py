"""What commands do once they have rendered: write into the folder, and report what changed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import diagnostics
from generator.errors import GeneratorError, Problem
from generator.progress import log

if TYPE_CHECKING:
    from generator.output.writing import Changes, Tree
    from generator.yaml.data import JsonObject

_SHOWN = 10  # lines of changes; --dry-run prints them all


def write(
    trees: Sequence[Tree],
    folder: Path,
    values: Sequence[str],
    *,
    check: bool,
    dry_run: bool,
    no_prune: bool,
    force: bool,
    form: str,
) -> None:
    """Write `trees` into `folder`, or report what that would change. Raises GeneratorError.

    The report is for people, or a document in the form `json`. With `check` the program ends here,
    with 1, where something would change.
    """
    from generator.output import writing  # noqa: PLC0415

    if check and dry_run:
        raise click.UsageError("--check and --dry-run do not go together")
    wanted = writing.Output(
        folder, trees, inputs=tuple(map(Path, values)), force=force, prune=not no_prune
    )
    changes = writing.compare(wanted) if check or dry_run else writing.write(wanted)
    for note in changes.notes:
        diagnostics.note(Problem.output(folder, note))
    if form == "json":
        import json  # noqa: PLC0415

        written = not (check or dry_run)
        click.echo(json.dumps(_as_json(changes, folder, written=written), indent=2))
    else:
        _tell(changes, folder, whole=dry_run)
    if check and changes:
        remedy = "mend that" if changes.refusals else "run the same command without --check"
        error = GeneratorError(*changes.refusals, f"{folder} is not current; {remedy}")
        diagnostics.fail(error.problems)
        sys.exit(1)
    if changes.refusals:
        raise GeneratorError(*changes.refusals, "nothing would be written")


def _as_json(changes: Changes, folder: Path, *, written: bool) -> JsonObject:
    """The changes for a program; the paths are in the folder."""
    return {
        "folder": str(folder),
        "written": written,
        "current": not changes,
        "added": list(changes.added),
        "changed": list(changes.changed),
        "removed": list(changes.removed),
        "foreign": list(changes.foreign),
    }


def _tell(changes: Changes, folder: Path, *, whole: bool) -> None:
    """Say what changes: to stdout all of it, as a dry run does, else a summary to stderr."""
    lines = [
        f"{sign} {folder / path}"
        for sign, paths in (("+", changes.added), ("~", changes.changed), ("-", changes.removed))
        for path in paths
    ]
    shown = lines if whole else lines[:_SHOWN]
    for line in shown:
        click.echo(line) if whole else log(line)
    if len(lines) > len(shown):
        log(f"… and {len(lines) - len(shown)} more; --dry-run lists all")
    if changes.foreign:
        some = ", ".join(changes.foreign[:3]) + (", …" if len(changes.foreign) > 3 else "")
        message = f"holds files that are not kserve-lite's, and stay: {some}"
        diagnostics.note(Problem.output(folder, message), shown=f"{folder} {message}")
    if changes.refusals:
        return
    counts = f"{len(changes.added)} new, {len(changes.changed)} changed"
    what = f"{counts}, {len(changes.removed)} removed" if lines else "a new record"
    diagnostics.note(Problem.output(folder, what if changes else "current"))
