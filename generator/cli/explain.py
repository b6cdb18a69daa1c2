"""The `explain` command: what a value is and what it changes."""

from __future__ import annotations

import click

from generator.cli.command import command


@command()
@click.argument("path", default="")
@click.option(
    "--output",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
def explain(*, path: str, form: str) -> None:
    """Tell what a value is, and which objects and fields it changes.

    \b
    PATH is a value as it is written in the table of values:
      routing.domain
      models.NAME.format    NAME is any name
      routing               lists the values below it
    Without PATH, the top of the values is listed.

    What a value changes was measured with other values of each kind. It is all that a chart may
    render otherwise, not what it does for the values that you have.
    """
    from generator.explanation import answer  # noqa: PLC0415

    found = answer.explain(path)
    if form == "json":
        click.echo(found.as_json())
    else:
        for line in found.as_text():
            click.echo(line)
