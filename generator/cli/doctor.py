"""The `doctor` command: what is broken in a live cluster, and what mends it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from generator.cli import diagnostics
from generator.cli.comparison import Comparison
from generator.cli.options import release_options, report_option
from generator.errors import Problem

if TYPE_CHECKING:
    from generator.release import Release


def _findings() -> dict[str, str]:
    from generator.diagnosis.finding import FINDINGS  # noqa: PLC0415

    return {name: f"{bad}: {meaning}" for name, (bad, meaning) in FINDINGS.items()}


@click.command(
    cls=Comparison,
    glossary=("Findings", _findings),
    exit_codes={
        0: "Nothing is broken; there may be warnings.",
        1: "Something is broken.",
        2: "Trouble: no cluster answers, something could not be seen, or wrong usage.",
    },
)
@report_option("form")
@release_options
def doctor(*, form: str, release: Release) -> None:
    """Say what is broken in the cluster of the current context, and what mends it.

    kubectl reads the cluster; nothing is written. The platform, its certificate and webhooks,
    gateways and routes, models and graphs are looked at in all namespaces. To see whether webhooks
    answer, the API server is asked for the dry run of an InferenceService.
    """
    from generator.diagnosis import report  # noqa: PLC0415
    from generator.diagnosis.examination import examine  # noqa: PLC0415
    from generator.diagnosis.finding import BROKEN  # noqa: PLC0415
    from generator.diagnosis.snapshot import read_snapshot  # noqa: PLC0415

    seen = read_snapshot(release)
    found = examine(seen)
    for line in seen.unseen:
        diagnostics.warn("not seen", Problem.plain(line))
    if form == "json":
        click.echo(report.as_json(found, seen.unseen))
    else:
        for line in report.as_text(found, seen.unseen):
            click.secho(line, fg=_COLOURS.get(line.partition(":")[0]))
    broken = any(each.severity == BROKEN for each in found)
    sys.exit(1 if broken else 2 if seen.unseen else 0)


_COLOURS = {"broken": "red", "warning": "yellow"}
