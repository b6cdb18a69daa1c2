"""The `migrate` command: from upstream's charts, or its quick install, to values of kserve-lite."""

from __future__ import annotations

import sys

import click

from generator.cli import diagnostics
from generator.cli.command import command
from generator.cli.options import check_standard_input, complete_files
from generator.errors import Problem

_CHARTS = ("kserve-crd", "kserve-resources", "kserve-runtime-configs")
_VERSIONS = ("0.16", "0.17", "0.18", "0.19", "0.20")


@command(
    exit_codes={1: "What was given is wrong; with --strict also, that something was left out."}
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@click.option(
    "--chart",
    type=click.Choice(_CHARTS),
    help="The chart that values are for, where their keys do not tell.",
)
@click.option(
    "--from",
    "version",
    type=click.Choice(_VERSIONS),
    help="Version of upstream's charts; by default what the values say, or else 0.20.",
)
@click.option("--strict", is_flag=True, help="Fail if a setting was not carried.")
def migrate(
    *, files: tuple[str, ...], chart: str | None, version: str | None, strict: bool
) -> None:
    """Make values of kserve-lite from an install of upstream's KServe.

    \b
    FILE, or - for standard input, is any number of these:
      values of upstream's charts, or what `helm get values RELEASE -o yaml` prints
      objects of a cluster, as `kubectl get -o yaml` prints them: the ConfigMap
      inferenceservice-config, ClusterServingRuntimes, the controller's Deployment

    The values are printed, with a comment at whatever was not carried one to one; `validate` takes
    them. What could not be carried is named on standard error, with file and line.
    """
    from generator.migration.reading import read  # noqa: PLC0415
    from generator.migration.result import migrate as make  # noqa: PLC0415
    from generator.migration.rules import missing_versions  # noqa: PLC0415

    check_standard_input(*files)
    install = read(files, chart=chart, version=version or "")
    for note in install.notes:
        diagnostics.note(note)
    if install.state.version in missing_versions():
        said = "nobody could compare the charts of this version; read as those of 0.19"
        diagnostics.warn("not compared", Problem.plain(f"KServe {install.state.version}: {said}"))
    result = make(install.state)
    for problem in result.lost:
        diagnostics.warn("not carried", problem)
    click.echo(str(result), nl=False)
    if strict and result.lost:
        sys.exit(1)
