"""The `manifests` command: render the objects of a release, one file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.cli.command import command
from generator.cli.delivery import write
from generator.cli.options import output_options, release_options, values_option

if TYPE_CHECKING:
    from generator.release import Release


@command()
@values_option("Values of the release.")
@output_options("Folder to put the objects into.")
@release_options
def manifests(*, values: tuple[str, ...], output: Path, release: Release, **how: Any) -> None:
    """Render the objects of a release, one file each.

    These are the objects that `helm install` would create, and the Namespaces: the platform's, and
    the models' unless that is `default`. They go into folders, which you apply in order.

    Files of an earlier run that are no longer rendered are removed; others stay. SHA256SUMS in the
    folder lists the files that the run wrote; commit it with them.
    """
    from generator.manifests import layout, rendering  # noqa: PLC0415
    from generator.output.writing import Tree  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    files = layout.files(rendering.render(read(values), release))
    write([Tree(files, release.owner)], output, values, **how)
