"""The exit codes of commands that compare: a pipeline can tell their answer from trouble."""

from __future__ import annotations

from typing import Any

import click


class Comparison(click.Command):
    """A command that compares, always or with --check: it exits with 1 where something differs.

    Trouble, such as a wrong value or a missing program, then has an exit code of its own, 2.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that ends it has the exit code of trouble."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if ctx.params.get("check", True):
                error.status = 2  # type: ignore[attr-defined]
            raise
