"""The `diff` command: what a change does to the objects, and what is risky about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import release_options, values_option

if TYPE_CHECKING:
    from generator.release import Release


class _Command(click.Command):
    """The command with the names of all risks in its help, and an exit code for trouble."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            error.status = 2  # type: ignore[attr-defined]
            raise

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        from generator.comparison.risks import RISKS  # noqa: PLC0415

        with formatter.section("Risks"):
            formatter.write_dl([(name, meaning) for name, (meaning, _) in RISKS.items()])


@click.command(cls=_Command)
@click.argument("old")
@click.argument("new")
@values_option("Values that charts are rendered with.")
@click.option(
    "--output",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Form of the report.",
)
@release_options
def diff(*, old: str, new: str, values: tuple[str, ...], form: str, release: Release) -> None:
    """Tell what differs between OLD and NEW, risks first.

    \b
    Each of them is one of:
      my.yaml             a values file, or - for standard input
      gitops/             a folder of manifests, in files of YAML or JSON
      charts/kserve-lite  a chart, or a folder with both; packaged ones end in .tgz

    The exit code is 0 when no object differs, 1 when one does, 2 in trouble.
    """
    from generator.comparison import report  # noqa: PLC0415
    from generator.comparison.change import between  # noqa: PLC0415
    from generator.comparison.risks import risks  # noqa: PLC0415
    from generator.comparison.sides import charts_in, read_sides  # noqa: PLC0415

    if [old, new, *values].count("-") > 1:
        raise click.UsageError("standard input can be read once; name - once")
    if values and not (charts_in(old) or charts_in(new)):
        raise click.UsageError("-f is for charts, and neither OLD nor NEW is one")
    change = between(*read_sides(old, new, values, release), release.namespace)
    entries = report.entries(change)
    found = risks(change)
    if form == "json":
        click.echo(report.as_json(found, entries))
    elif form == "markdown":
        click.echo(report.as_markdown(found, entries), nl=False)
    else:
        for line in report.as_text(found, entries):
            click.secho(line, fg=_COLOURS.get(line.lstrip()[:1]))
    sys.exit(1 if entries else 0)


_COLOURS = {"!": "yellow", "+": "green", "-": "red"}
