"""The `graph` command: an installation and the ways of its requests, as Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli.command import command
from generator.cli.options import release_options, report_option, values_option

if TYPE_CHECKING:
    from generator.release import Release


@command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@values_option("Values of platform and models.")
@report_option("form")
@release_options
def graph(*, names: tuple[str, ...], values: tuple[str, ...], form: str, release: Release) -> None:
    """Draw an installation and the ways of its requests.

    The output is a Mermaid flowchart. GitHub and GitLab draw it in a code block marked `mermaid`,
    and https://mermaid.live draws it in a browser. It has a box per component of the platform, and
    for each model what lies between a client and the files of the model. With NAME it has these
    models and graphs only. --output json prints the boxes and arrows for a program instead.
    """
    import json  # noqa: PLC0415

    from generator.diagram.drawing import draw  # noqa: PLC0415
    from generator.diagram.mermaid import lines  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    diagram = draw(read(values), release, names)
    if form == "json":
        click.echo(json.dumps(diagram.as_json(), indent=2))
        return
    for line in lines(diagram):
        click.echo(line)
