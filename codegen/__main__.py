"""`python -m codegen crds|schemas`: writes what is derived from upstream, or checks it."""

from __future__ import annotations

import click

from codegen import crds, jsonschemas
from generator.errors import GeneratorError
from generator.output.mirror import compare, write


@click.command()
@click.argument("what", type=click.Choice(["crds", "schemas"]))
@click.option("--check", is_flag=True, help="Write nothing; fail if the committed files differ.")
def main(what: str, *, check: bool) -> None:
    """Derive the compact CRDs or the slim JSON schemas from upstream's packages."""
    source = {"crds": crds, "schemas": jsonschemas}[what]
    try:
        files = source.files()
        changes = compare(files, source.FOLDER) if check else write(files, source.FOLDER)
    except GeneratorError as error:
        raise click.ClickException(str(error)) from None
    different = [*changes.added, *changes.changed, *changes.removed]
    for path in different:
        click.echo(f"{source.FOLDER / path} {'differs' if check else 'changed'}", err=True)
    if check and changes:
        raise click.ClickException(f"not current; run `make {what}`")
    click.echo(f"{len(files)} files in {source.FOLDER}, {len(different)} changed", err=True)


if __name__ == "__main__":
    main()
