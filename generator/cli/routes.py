"""The `routes` command: print the routes of InferenceServices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.command import command
from generator.cli.options import (
    SOURCE,
    check_standard_input,
    release_options,
    values_option,
)

if TYPE_CHECKING:
    from generator.release import Release


@command()
@click.argument("files", nargs=-1, required=True, type=SOURCE)
@values_option("Values of the platform.")
@release_options
def routes(*, files: tuple[Path, ...], values: tuple[str, ...], release: Release) -> None:
    """Print the routes of InferenceServices.

    FILES are manifests of InferenceServices that are applied by hand; - is standard input. In
    routing.mode virtualService KServe writes no route for them; these are the ones that the models
    chart would write, and the Service of the model's name. With routing.gatewayApi.writeRoutes they
    are HTTPRoutes and GRPCRoutes, and each InferenceService wants the label
    networking.kserve.io/visibility: cluster-local, by which KServe writes none. An object that gets
    no route is an error; those of the others are printed all the same.
    """
    from generator.manifests.routes import render  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    check_standard_input(*files, *values)
    for text in render(files, read(values), release):
        click.echo(f"---\n{text}", nl=False)
