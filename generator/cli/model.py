"""The `model` command: make `models:` entries from existing models."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli import diagnostics
from generator.cli.command import command
from generator.cli.options import SOURCE
from generator.errors import Problem, ValuesError

_PATH = click.Path(path_type=Path)
_DONE = {"+": "was added", "~": "was replaced", "=": "is there already, unchanged"}


@command()
@click.argument("source", type=SOURCE)
@click.option("--name", metavar="NAME", help="Name of the model, instead of the source's.")
@click.option("--apply-to", type=_PATH, metavar="FILE", help="Add the entries to a values file.")
@click.option(
    "--replace", is_flag=True, help="With --apply-to: overwrite entries of the same name."
)
@click.option(
    "--create", is_flag=True, help="With --apply-to: create the file if it does not exist."
)
def model(
    *, source: Path, name: str | None, apply_to: Path | None, replace: bool, create: bool
) -> None:
    """Make `models:` entries from existing models.

    SOURCE is a manifest of InferenceServices (what `kubectl get -o yaml` prints will do; - is
    standard input), or a model folder as tutorials have it: model.joblib beside a
    sklearnserver.yaml with modelFormat and modelUri. The entries are printed; with --apply-to they
    go into the values file, which keeps its comments, its order and every other byte.

    A key that has no place in an entry is left out, and a comment says so. A Secret or another
    object that models merely need is named, to be applied by itself. Any other object that cannot
    become an entry is an error: the others are printed, and with --apply-to nothing is written.
    """
    from generator.importer import entries  # noqa: PLC0415

    if apply_to is None and (replace or create):
        raise click.UsageError("--replace and --create go with --apply-to")
    if apply_to == Path("-"):
        raise click.UsageError("--apply-to takes a file; leave it out to print")
    found = entries.read_models(source, name)
    if apply_to is None:
        click.echo(str(found), nl=False)
    for each in found.needed:
        diagnostics.warn("not in the values", each)
    if found.left_out:
        kept = f"{apply_to} was left as it is, since not all entries can be added"
        raise ValuesError(found.left_out, *([kept] if apply_to else []))
    if apply_to is not None:
        signs = entries.add(apply_to, found, replace=replace, create=create)
        for added, sign in signs.items():
            same = " is there already, unchanged" if sign == "=" else ""
            done = Problem(str(apply_to), 0, 0, f"models.{added}", _DONE[sign])
            diagnostics.note(done, shown=f"{sign} {apply_to}: models.{added}{same}")
