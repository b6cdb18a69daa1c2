"""The `migrate` command: from upstream's charts, or its quick install, to kserve-lite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import diagnostics
from generator.cli.command import command
from generator.cli.options import check_standard_input, complete_files, release_options
from generator.errors import Problem

if TYPE_CHECKING:
    from generator.migration.adoption import Adoption
    from generator.migration.reading import Install
    from generator.release import Release

_CHARTS = ("kserve-crd", "kserve-resources", "kserve-runtime-configs")
_VERSIONS = ("0.16", "0.17", "0.18", "0.19", "0.20")


@command(exit_codes={1: "What was given is wrong; with --strict also, that something is left out."})
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
    help="Version of upstream's KServe; by default what the files say, or else 0.20.",
)
@click.option("--strict", is_flag=True, help="Fail if a setting or a model is left out.")
@click.option(
    "--commands",
    "values",
    metavar="VALUES",
    shell_complete=complete_files,
    help="Print the commands that adopt the running install, with this values file.",
)
@click.option(
    "--helm",
    type=click.Choice(["3", "4"]),
    default="4",
    show_default=True,
    help="With --commands: the version of Helm that will run them.",
)
@release_options
def migrate(
    *,
    files: tuple[str, ...],
    chart: str | None,
    version: str | None,
    strict: bool,
    values: str | None,
    helm: str,
    release: Release,
) -> None:
    """Make values of kserve-lite from an install of upstream's KServe, and adopt it.

    \b
    FILE, or - for standard input, is any number of these:
      values of upstream's charts, or what `helm get values RELEASE -o yaml` prints
      objects of a cluster, as `kubectl get -o yaml` prints them: the ConfigMap
      inferenceservice-config, ClusterServingRuntimes, the controller's Deployment,
      the ClusterStorageContainer

    The values are printed, with a comment at whatever was not carried one to one; `validate` takes
    them. What could not be carried is named on standard error, with file and line.

    With --commands, FILE is the objects of the running install, its InferenceServices among them,
    and VALUES is what was made of it. The commands are printed, in their order, and not run.
    """
    from generator.migration.reading import read  # noqa: PLC0415
    from generator.migration.result import migrate as make  # noqa: PLC0415

    check_standard_input(*files)
    if values and (values == "-" or Path(values).is_fifo()):
        raise click.UsageError("--commands takes a file, which the commands will name")
    install = read(files, chart=chart, version=version or "")
    _say(install)
    if values is not None:
        adoption = _adoption(install, values, release, helm3=helm == "3")
        left_out = _print_commands(adoption)
    else:
        result = make(install.state)
        for problem in result.lost:
            diagnostics.warn("not carried", problem)
        click.echo(str(result), nl=False)
        left_out = bool(result.lost)
    if strict and left_out:
        sys.exit(1)


def _say(install: Install) -> None:
    """What is good to know of how the files were read."""
    from generator.migration.rules import nearest, versions  # noqa: PLC0415

    for note in install.notes:
        diagnostics.note(note)
    if (version := install.state.version) and version not in versions():
        said = f"its charts were not compared; their values are read as those of {nearest(version)}"
        diagnostics.warn("not compared", Problem.plain(f"KServe {version}: {said}"))


def _adoption(install: Install, values: str, release: Release, *, helm3: bool) -> Adoption:
    """What the commands are about. Raises GeneratorError for files or values that do not do."""
    from generator.comparison.restarts import runtime_fields  # noqa: PLC0415
    from generator.migration import adoption  # noqa: PLC0415
    from generator.migration.running import rendered_runtimes, version_before  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    adoption.check(install.objects)
    return adoption.Adoption(
        release=release,
        values=values,
        new=rendered_runtimes(read([values]), release),
        objects=install.objects,
        default_mode=str(install.state.value("kserve.controller.deploymentMode")),
        fields=runtime_fields,
        before=version_before(install),
        helm3=helm3,
    )


def _print_commands(adoption: Adoption) -> bool:
    """Print the commands; whether a model is left out of them."""
    from generator.migration.adoption import commands  # noqa: PLC0415

    for model in adoption.knative:
        what = f"InferenceService {model.namespace}/{model.name} runs on Knative"
        diagnostics.warn("not adoptable", Problem.plain(f"{what}; serve it in mode Standard first"))
    click.echo(commands(adoption), nl=False)
    return bool(adoption.knative)
