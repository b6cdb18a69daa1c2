"""Options that several commands have: values, release, and output."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator import CHART

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Command = TypeVar("_Command", bound=Callable[..., Any])
SOURCE = click.Path(path_type=Path, exists=True, allow_dash=True)


def check_standard_input(*names: object) -> None:
    """Raise UsageError where more than one of the sources that a user named is standard input."""
    if [str(name) for name in names].count("-") > 1:
        raise click.UsageError("standard input can be read once; name - once")


def complete_files(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Leave the name that a user has begun to the shell, which knows the files."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415

    return [CompletionItem(begun, type="file")]


def values_option(text: str) -> Callable[[_Command], _Command]:
    """-f, which may be repeated; `text` says what the values are for."""
    return click.option(
        "-f",
        "--values",
        multiple=True,
        metavar="FILE",
        shell_complete=complete_files,
        help=f"{text} A file, a pipe, or - for standard input; may be repeated.",
    )


def report_option(name: str, *forms: str) -> Callable[[_Command], _Command]:
    """--output, the form of a report; the command gets it as `name`."""
    return click.option(
        "--output",
        name,
        type=click.Choice(["text", "json", *forms]),
        default="text",
        show_default=True,
        help="Form of the report.",
    )


def release_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--release and the namespaces; the command gets them as `release`, a Release."""

    @functools.wraps(command)
    def with_release(*, name: str, namespace: str, models: str, **others: Any) -> Any:
        from generator.release import Release  # noqa: PLC0415

        return command(release=Release(name, namespace, models), **others)

    for option in (
        click.option(
            "--release",
            "name",
            metavar="NAME",
            default=CHART,
            show_default=True,
            help="Name of the platform's release; the models' release is NAME-models.",
        ),
        click.option(
            "--models-namespace",
            "models",
            metavar="NAME",
            default="default",
            show_default=True,
            help="Namespace of the models.",
        ),
        click.option(
            "-n",
            "--namespace",
            metavar="NAME",
            default="kserve",
            show_default=True,
            help="Namespace of the platform.",
        ),
    ):
        option(with_release)
    return with_release


def team_option(command: _Command) -> _Command:
    """--team, which may be repeated; the command gets files by namespace as `teams`."""
    return click.option(
        "--team",
        "teams",
        multiple=True,
        metavar="NAMESPACE=FILE",
        callback=_by_namespace,
        help="Models of a team, in a namespace of its own: FILE holds models, graphs and "
        "trainedModels only, - is standard input; may be repeated.",
    )(command)


def _by_namespace(
    context: click.Context, option: click.Parameter, given: Sequence[str]
) -> Mapping[str, str]:
    """The files by namespace. Raises BadParameter."""
    files: dict[str, str] = {}
    for word in given:
        namespace, sign, file = word.partition("=")
        if not (namespace and sign and file):
            raise click.BadParameter(f"{word!r} is not NAMESPACE=FILE", context, option)
        if namespace in files:
            message = f"{namespace} is named twice; put what it has into one file"
            raise click.BadParameter(message, context, option)
        files[namespace] = file
    return files


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
                help="Overwrite files that were changed since the last run, and take over another "
                "release's record.",
            ),
            click.option(
                "--no-prune", is_flag=True, help="Keep files that are no longer rendered."
            ),
            click.option(
                "--format",
                "form",
                type=click.Choice(["text", "json"]),
                default="text",
                show_default=True,
                help="Form of what changes: text, mostly on standard error, or all of it as JSON "
                "on standard output.",
            ),
            click.option("--dry-run", is_flag=True, help="Print what would change; write nothing."),
            click.option(
                "--check", is_flag=True, help="Write nothing; fail if the folder differs."
            ),
            click.option("-o", "--output", type=_FOLDER, required=True, help=text),
        ):
            command = option(command)
        return command

    return add
