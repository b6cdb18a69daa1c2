"""The `validate` command: check values, chart and objects, offline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from generator.cli import diagnostics
from generator.cli.command import command
from generator.cli.options import (
    check_standard_input,
    release_options,
    report_option,
    team_option,
    values_option,
)
from generator.errors import Problem

if TYPE_CHECKING:
    from generator.release import Release


@command()
@values_option("Values to check.")
@team_option
@release_options
@report_option("form")
@click.option("--strict", is_flag=True, help="Fail for objects that have no schema, too.")
def validate(
    *,
    values: tuple[str, ...],
    teams: Mapping[str, str],
    strict: bool,
    form: str,
    release: Release,
) -> None:
    """Check values, chart and objects, offline.

    Values are checked against their schema, and each mistake is named with its file, line and
    column; the platform's chart by `helm lint --strict`; the objects by kubeconform, strict,
    against schemas of every kind. An object of extraObjects whose kind has no schema here is named,
    and not checked.
    """
    import json  # noqa: PLC0415

    from generator import build  # noqa: PLC0415
    from generator.teams import read_teams  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    check_standard_input(*values, *teams.values())
    given = read(values)
    checked = build.validate(given, release, read_teams(teams, given, release), strict=strict)
    for line in checked.unchecked:
        diagnostics.warn("not checked", Problem.plain(line))
    click.echo(json.dumps(checked.as_json(), indent=2) if form == "json" else checked.line)
