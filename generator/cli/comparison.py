"""The exit codes of commands that compare: a pipeline can tell their answer from trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from generator.cli.command import Command

CHECKED: dict[int | str, str] = {
    0: "Success; with --check: the folder is current.",
    1: "What was given is wrong, or something failed; with --check: the folder differs.",
    2: "Wrong usage; with --check: what would be 1 without it.",
}
"""What the exit codes mean where --check makes a command one that compares."""


class Comparison(Command):
    """A command that compares, always or with --check: it exits with 1 where something differs.

    Trouble, such as a wrong value or a missing program, then has an exit code of its own, 2. The
    help ends with a `glossary`, if there is one: its heading, and what gives its words with their
    meanings.
    """

    def __init__(
        self,
        *arguments: Any,
        exit_codes: dict[int | str, str] | None = None,
        glossary: tuple[str, Callable[[], Mapping[str, str]]] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(*arguments, exit_codes=exit_codes or CHECKED, **others)
        self.glossary = glossary

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the glossary, and the exit codes."""
        if self.glossary:
            heading, words = self.glossary
            with formatter.section(heading):
                formatter.write_dl(list(words().items()))
        super().format_epilog(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that ends it has the exit code of trouble."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if ctx.params.get("check", True):
                error.status = 2  # type: ignore[attr-defined]
            raise
