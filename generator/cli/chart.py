"""The `chart` command: render the charts, stock or specialised."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli import diagnostics
from generator.cli.comparison import Comparison
from generator.cli.delivery import write
from generator.cli.options import output_options, values_option
from generator.errors import Problem, ToolMissing

if TYPE_CHECKING:
    from generator.yaml.data import JsonObject


@click.command(cls=Comparison)
@values_option("Values to bake in; without any, the stock chart is rendered.")
@output_options("Folder to put the charts into.")
def chart(*, values: tuple[str, ...], output: Path, **how: Any) -> None:
    """Render the charts, stock or specialised.

    With -f they are specialised: those values are the defaults, and what they do not use is left
    out. The words and switches among them that chose the charts' files cannot be changed any more,
    which the charts' README lists. Values that the chart's templates refuse are refused here too,
    which takes Helm. Files of an earlier run that are no longer rendered are removed; others stay.
    """
    from generator.chart.rendering import render_both  # noqa: PLC0415
    from generator.output.writing import Tree  # noqa: PLC0415

    files = render_both(_read(values) if values else None)
    write([Tree(files, "chart")], output, values, **how)


def _read(names: Sequence[str]) -> JsonObject:
    """The values to bake in; refused if the templates refuse them, and the chart with them."""
    # Imported here: the stock chart takes no values.
    from generator.manifests import rendering  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    values = read(names)
    try:
        rendering.render(values)
    except ToolMissing as error:
        message = f"whether the chart's templates take these values: {error}"
        diagnostics.warn("not checked", Problem.plain(message))
    return values.merged
