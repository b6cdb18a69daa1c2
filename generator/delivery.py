"""What the commands that write into a folder have in common: options, and telling what was done."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.errors import GeneratorError

if TYPE_CHECKING:
    from generator.output import Changes, Tree

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SHOWN = 10  # lines of changes; --dry-run prints them all


class _Folder(click.Path):
    """A folder to write to. An empty name is a variable that is not set, not this folder."""

    def convert(self, value: Any, *context: Any) -> Any:
        if not os.fspath(value):
            self.fail("is empty; name a folder", *context)
        if os.fspath(value) == "-":
            self.fail("is standard output, and takes no files; name a folder", *context)
        return super().convert(value, *context)


_FOLDER = _Folder(path_type=Path, file_okay=False)


def output_options(text: str) -> Callable[[_Command], _Command]:
    """-o and what may be said about writing there; a command takes the rest as `**how`."""

    def add(command: _Command) -> _Command:
        for option in (
            click.option(
                "--force",
                is_flag=True,
                help="Overwrite what was changed in the folder since, and take over another "
                "release's record.",
            ),
            click.option("--no-prune", is_flag=True, help="Keep what is no longer rendered."),
            click.option("--dry-run", is_flag=True, help="Print what would change; write nothing."),
            click.option(
                "--check", is_flag=True, help="Write nothing; fail if the folder differs."
            ),
            click.option("-o", "--output", type=_FOLDER, required=True, help=text),
        ):
            command = option(command)
        return command

    return add


def write(
    trees: Sequence[Tree],
    folder: Path,
    values: Sequence[str],
    *,
    check: bool,
    dry_run: bool,
    no_prune: bool,
    force: bool,
) -> None:
    """Write `trees` into `folder`, or tell what that would change. Raises GeneratorError."""
    from generator import output  # noqa: PLC0415

    if check and dry_run:
        raise click.UsageError("--check and --dry-run do not go together")
    wanted = output.Output(
        folder, trees, inputs=tuple(map(Path, values)), force=force, prune=not no_prune
    )
    changes = output.compare(wanted) if check or dry_run else output.write(wanted)
    for note in changes.notes:
        click.echo(f"{folder}: {note}", err=True)
    _tell(changes, folder, whole=dry_run)
    if check and changes:
        remedy = "mend that" if changes.refusals else "run the same command without --check"
        message = f"{folder} is not current; {remedy}"
        raise GeneratorError("\n".join([*changes.refusals, message]))
    if changes.refusals:
        raise GeneratorError("\n".join([*changes.refusals, "nothing would be written"]))


def _tell(changes: Changes, folder: Path, *, whole: bool) -> None:
    """Say what changes: to stdout all of it, as a dry run does, else a summary to stderr."""
    lines = [
        f"{sign} {folder / path}"
        for sign, paths in (("+", changes.added), ("~", changes.changed), ("-", changes.removed))
        for path in paths
    ]
    shown = lines if whole else lines[:_SHOWN]
    for line in shown:
        click.echo(line, err=not whole)
    if len(lines) > len(shown):
        click.echo(f"… and {len(lines) - len(shown)} more; --dry-run lists all", err=True)
    if changes.foreign:
        some = ", ".join(changes.foreign[:3]) + (", …" if len(changes.foreign) > 3 else "")
        click.echo(f"{folder} holds files that are not kserve-lite's, and stay: {some}", err=True)
    if changes.refusals:
        return
    counts = f"{len(changes.added)} new, {len(changes.changed)} changed"
    what = f"{counts}, {len(changes.removed)} removed" if lines else "a new record"
    click.echo(f"{folder}: {what if changes else 'current'}", err=True)
