"""The `build` command: render charts and objects, and validate them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli import diagnostics
from generator.cli.comparison import Comparison
from generator.cli.delivery import write
from generator.cli.options import output_options, release_options, values_option
from generator.errors import GeneratorError, Problem

if TYPE_CHECKING:
    from generator.release import Release


@click.command(cls=Comparison)
@values_option("Values of the release.")
@output_options("Folder to put both into.")
@release_options
def build(*, values: tuple[str, ...], output: Path, release: Release, **how: Any) -> None:
    """Render charts and objects, and validate them.

    It does what `chart`, `manifests` and `validate` do, in one go, and says what to do next. Charts
    and objects are both written, or nothing is; the objects go into manifests/ in the folder.
    Without Helm or kubeconform it does what it can, says what it left out, and fails.
    """
    from generator import build  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    given = read(values)
    built = build.build(given, output, release)
    for line in built.unchecked:
        diagnostics.warn("not checked", Problem.plain(line))
    write(built.trees, output, values, **how)
    telling = not (how["check"] or how["dry_run"] or how["form"] == "json")
    for line in built.report if telling else ():
        click.echo(line)
    if built.left_out:
        raise GeneratorError(built.left_out)
    for line in build.next_steps(given, output, release) if telling else ():
        click.echo(line)
