"""`python -m distribution`: makes the files of a release; `make release` runs the checks first."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from distribution.artifacts import build
from distribution.versions import checked_version
from generator.errors import GeneratorError

_ROOT = Path(__file__).parents[1]


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="Folder for the release; it must not exist, or be empty.",
)
def main(*, output: Path) -> None:
    """Package the charts, the wheel and the source of the commit that is checked out.

    Refused if the working tree differs from the commit, or if the version is not the same
    everywhere. The same commit gives the same bytes.
    """
    try:
        version = checked_version(_ROOT)
        names = build(_ROOT, output)
    except (GeneratorError, OSError) as error:
        click.echo(f"ERROR: {error}", err=True)
        sys.exit(1)
    for name in names:
        click.echo(f"{output / name}")
    click.echo(f"kserve-lite {version} is built; docs/release.md says how to sign it.", err=True)


if __name__ == "__main__":
    main(prog_name="python -m distribution")
