"""What every command has: the options of its reports, and its exit codes in its help."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import click

from generator.cli import diagnostics

CODES: dict[int | str, str] = {
    0: "Success.",
    1: "What was given is wrong, or something failed; the error says what, and what mends it.",
    2: "Wrong usage: an unknown option, or options that do not go together.",
    "128+N": "Ended by signal N: 130 by Ctrl-C, 141 by a closed pipe, 143 by SIGTERM.",
}
"""What each exit code means, where a command says nothing else."""


def _quieten(_context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        diagnostics.be_quiet()


class Command(click.Command):
    """A command with the options that all have; `exit_codes` are those that it says otherwise."""

    def __init__(
        self, *arguments: Any, exit_codes: dict[int | str, str] | None = None, **others: Any
    ) -> None:
        super().__init__(*arguments, **others)
        self.exit_codes = CODES | (exit_codes or {})
        self.params += (
            click.Option(
                [diagnostics.OPTION],
                type=click.Choice(diagnostics.FORMS),
                default=diagnostics.FORMS[0],
                show_default=True,
                expose_value=False,
                help="Form of errors, warnings and notes, on standard error.",
            ),
            click.Option(
                ["-q", "--quiet"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_quieten,
                help="Print no progress and no notes; errors and warnings are printed.",
            ),
        )

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes."""
        write_exit_codes(self.exit_codes, formatter)


def write_exit_codes(codes: Mapping[int | str, str], formatter: click.HelpFormatter) -> None:
    """Write the section of a help that says what each exit code means."""
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(code), meaning) for code, meaning in codes.items()])


command = functools.partial(click.command, cls=Command)
"""The decorator that makes a command; it takes what click.command does, and `exit_codes`."""
