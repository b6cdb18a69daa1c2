"""The `manifests` command: render the objects of a release, one file each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.comparison import Comparison
from generator.cli.delivery import write
from generator.cli.gitops import gitops_options
from generator.cli.options import (
    check_standard_input,
    output_options,
    release_options,
    team_option,
    values_option,
)

if TYPE_CHECKING:
    from generator.gitops.handover import Handover
    from generator.release import Release


@click.command(cls=Comparison)
@values_option("Values of the release.")
@team_option
@gitops_options
@output_options("Folder to put the objects into.")
@release_options
def manifests(
    *,
    values: tuple[str, ...],
    teams: Mapping[str, str],
    handover: Handover | None,
    output: Path,
    release: Release,
    **how: Any,
) -> None:
    """Render the objects of a release, one file each.

    These are the objects that `helm install` would create, and the Namespaces: the platform's, and
    those of models unless that is `default`. They go into folders for `kubectl apply -k` and GitOps
    tools, which are applied in order; the command says how, and how to wait in between.

    Files of an earlier run that are no longer rendered are removed; others stay. SHA256SUMS in the
    folder lists the files that the run wrote; commit it with them.
    """
    from generator.manifests import layout, rendering  # noqa: PLC0415
    from generator.manifests.steps import steps  # noqa: PLC0415
    from generator.output.writing import Tree  # noqa: PLC0415
    from generator.teams import read_teams  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    check_standard_input(*values, *teams.values())
    given = read(values)
    objects = rendering.render(given, release, read_teams(teams, given, release))
    inputs = (*values, *teams.values())
    if handover is None:
        tree = layout.folder(objects, release)
        lines = steps(objects, output, release)
    else:
        tree = handover.folder(objects, release, list(teams))
        lines = handover.steps(output, release)
    write([Tree(tree, release.owner)], output, inputs, **how)
    if not (how["check"] or how["dry_run"] or how["form"] == "json"):
        click.echo("next, with a cluster, one after another:")
        for line in lines:
            click.echo(f"  {line}")
