"""`python -m codegen crds|pictures|schemas`: writes what is derived, or checks it."""

from __future__ import annotations

import click

from codegen import crds, jsonschemas, pictures
from generator.errors import GeneratorError
from generator.output.mirror import compare, write


@click.command()
@click.argument("what", type=click.Choice(["crds", "pictures", "schemas"]))
@click.option("--check", is_flag=True, help="Write nothing; fail if the committed files differ.")
def main(what: str, *, check: bool) -> None:
    """Derive compact CRDs or slim schemas from upstream, or the documents' pictures."""
    source = {"crds": crds, "pictures": pictures, "schemas": jsonschemas}[what]
    whole = what != "pictures"
    try:
        files = source.files()
        use = compare if check else write
        changes = use(files, source.FOLDER, whole=whole)
    except GeneratorError as error:
        raise click.ClickException(str(error)) from None
    different = [*changes.added, *changes.changed, *changes.removed]
    for path in different:
        click.echo(f"{source.FOLDER / path} {'differs' if check else 'changed'}", err=True)
    if check and changes:
        remedy = what if whole else "charts"
        raise click.ClickException(f"not current; run `make {remedy}`")
    click.echo(f"{len(files)} files in {source.FOLDER}, {len(different)} changed", err=True)


if __name__ == "__main__":
    main()
