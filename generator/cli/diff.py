"""The `diff` command: what a change does to the objects, and what is risky about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from generator.cli import diagnostics
from generator.cli.comparison import Comparison
from generator.cli.options import (
    check_standard_input,
    complete_files,
    release_options,
    report_option,
    values_option,
)
from generator.errors import Problem

if TYPE_CHECKING:
    from generator.comparison.sides import Side
    from generator.release import Release


def _risks() -> dict[str, str]:
    from generator.comparison.risks import RISKS  # noqa: PLC0415

    return {name: meaning for name, (meaning, _) in RISKS.items()}


@click.command(
    cls=Comparison,
    glossary=("Risks", _risks),
    exit_codes={
        0: "No object differs.",
        1: "An object differs.",
        2: "Trouble: what was given is wrong, something failed, or wrong usage.",
    },
)
@click.argument("sides", nargs=-1, metavar="OLD NEW", shell_complete=complete_files)
@values_option("Values that charts are rendered with.")
@click.option(
    "--live",
    is_flag=True,
    help="Compare the cluster of the current context with NEW, or with our charts and -f.",
)
@click.option(
    "--field-manager",
    "manager",
    metavar="NAME",
    help="Who would apply NEW to the cluster.  [default: helm]",
)
@report_option("form", "markdown")
@release_options
def diff(
    *,
    sides: tuple[str, ...],
    values: tuple[str, ...],
    live: bool,
    manager: str | None,
    form: str,
    release: Release,
) -> None:
    """Tell what differs between OLD and NEW, risks first.

    \b
    Each of them is one of:
      my.yaml             a values file, or - for standard input
      gitops/             a folder of manifests, in files of YAML or JSON
      charts/kserve-lite  a chart, or a folder with both; packaged ones end in .tgz

    Both may be folders that `fleet` wrote; equal changes of several clusters are told once.

    With --live, OLD is the cluster, and NEW may be left out. kubectl asks the API server what an
    apply would change; nothing is written.
    """
    _check_usage(sides, values, live=live, manager=manager)
    if not live and _are_fleets(sides[0], sides[1]):
        _compare_fleets(sides[0], sides[1], form, release)
    if live:
        (old, new), unseen = _live(sides, values, manager, release)
    else:
        (old, new), unseen = _read(sides[0], sides[1], values, release), ()
    from generator.comparison import report  # noqa: PLC0415
    from generator.comparison.change import between  # noqa: PLC0415
    from generator.comparison.risks import risks  # noqa: PLC0415

    change = between(old, new, release.namespace)
    entries = report.entries(change)
    found = risks(change)
    if form == "json":
        click.echo(report.as_json(found, entries, unseen))
    elif form == "markdown":
        click.echo(report.as_markdown(found, entries, unseen), nl=False)
    else:
        for line in report.as_text(found, entries, unseen):
            click.secho(line, fg=_COLOURS.get(line.lstrip()[:1]))
    sys.exit(2 if unseen else 1 if entries else 0)


def _check_usage(
    sides: tuple[str, ...], values: tuple[str, ...], *, live: bool, manager: str | None
) -> None:
    """Raise UsageError for what does not go together."""
    from generator.comparison.sides import charts_in  # noqa: PLC0415

    check_standard_input(*sides, *values)
    if live and len(sides) > 1:
        raise click.UsageError("--live compares the cluster with one NEW; leave OLD out")
    if not live and len(sides) != 2:
        raise click.UsageError("name two: OLD and NEW; or say --live")
    if manager and not live:
        raise click.UsageError("--field-manager is for --live")
    if values and sides and not any(map(charts_in, sides)):
        what = "NEW is not one" if live else "neither OLD nor NEW is one"
        raise click.UsageError(f"-f is for charts, and {what}")


def _read(old: str, new: str, values: tuple[str, ...], release: Release) -> tuple[Side, Side]:
    """Both sides; what compares them is imported while Helm renders them."""
    from generator.comparison.sides import read_sides  # noqa: PLC0415

    def meanwhile() -> None:
        from generator.comparison import report, risks  # noqa: F401, PLC0415

    return read_sides(old, new, values, release, meanwhile=meanwhile)


def _are_fleets(old: str, new: str) -> bool:
    """Whether both sides are folders of clusters. Raises UsageError where one of them is."""
    from generator.comparison.sides import clusters_in  # noqa: PLC0415

    fleets = [side for side in (old, new) if clusters_in(side)]
    if len(fleets) == 1:
        example = f"{fleets[0].rstrip('/')}/{clusters_in(fleets[0])[0]}"
        what = f"{fleets[0]} is a folder of clusters, and the other side is not"
        raise click.UsageError(f"{what}; name one of them, such as {example}")
    return bool(fleets)


def _compare_fleets(old: str, new: str, form: str, release: Release) -> None:
    """Report on two folders of clusters, and end the program."""
    from generator.comparison import grouping  # noqa: PLC0415

    found = grouping.compared(old, new, release)
    if form == "json":
        click.echo(grouping.report_json(found))
    elif form == "markdown":
        click.echo(grouping.report_markdown(found), nl=False)
    else:
        for line in grouping.report_text(found):
            click.secho(line, fg=_COLOURS.get(line.lstrip()[:1]))
    sys.exit(1 if found else 0)


def _live(
    sides: tuple[str, ...], values: tuple[str, ...], manager: str | None, release: Release
) -> tuple[tuple[Side, Side], tuple[str, ...]]:
    """The cluster and what it would be, and what of them could not be seen."""
    from generator.comparison.live import HELM, read_live  # noqa: PLC0415
    from generator.comparison.sides import applied_side  # noqa: PLC0415

    new = applied_side(sides[0] if sides else None, values, release)
    live = read_live(new, release, manager or HELM)
    for line in live.notes:
        diagnostics.note(Problem.plain(line), shown=f"note: {line}")
    for line in live.unseen:
        diagnostics.warn("not seen", Problem.plain(line))
    return (live.old, live.new), live.unseen


_COLOURS = {"!": "yellow", "+": "green", "-": "red"}
