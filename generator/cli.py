"""The command line: parse, call, print.

The product goes to stdout or into -o, the log to stderr; the exit code is 0, 1, 2 (usage), or 128
and a signal's number.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator import CHART, MODELS, __version__
from generator.delivery import output_options, write
from generator.errors import GeneratorError, ToolMissing, ValuesError, own_mistake
from generator.signals import end_in_order

if TYPE_CHECKING:
    from generator.values import Values

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SOURCE = click.Path(path_type=Path, exists=True, allow_dash=True)
_PATH = click.Path(path_type=Path)


def main() -> None:
    """Run the command line; what is wrong is told without a traceback."""
    end_in_order()
    try:
        cli.main(prog_name="python -m generator", standalone_mode=False)
    except OSError as error:
        # Or Python tries once more to write what it could not, on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        where = error.filename or "standard output"
        click.echo(f"{where}: {error.strerror}", err=True)
        sys.exit(1)
    except GeneratorError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        click.echo(own_mistake(error), err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kserve-lite")
def cli() -> None:
    """Helm charts and GitOps manifests for KServe, from one values file.

    \b
    A cluster of your own:
      python -m generator validate  -f my.yaml
      python -m generator manifests -f my.yaml -o gitops/
      python -m generator chart     -f my.yaml -o dist/

    Every value is documented in charts/kserve-lite/VALUES.md.
    """


def _values_option(text: str) -> Callable[[_Command], _Command]:
    return click.option(
        "-f",
        "--values",
        multiple=True,
        metavar="FILE",
        help=f"{text} A file, a pipe, or - for standard input; may be repeated.",
    )


def _release_options(command: _Command) -> _Command:
    for option in (
        click.option(
            "--release", "name", default=CHART, show_default=True, help="Name of the release."
        ),
        click.option(
            "--models-namespace",
            "models",
            default="default",
            show_default=True,
            help="Namespace of the models.",
        ),
        click.option(
            "-n",
            "--namespace",
            default="kserve",
            show_default=True,
            help="Namespace of the platform.",
        ),
    ):
        command = option(command)
    return command


@cli.command()
@_values_option("Values to bake in; without any, the stock chart is rendered.")
@output_options("Folder to put the charts into.")
def chart(*, values: tuple[str, ...], output: Path, **how: bool) -> None:
    """Render the charts, stock or specialised.

    With -f they are specialised: those values are the defaults, and what they do not use is left
    out. Values that the chart's templates refuse are refused here too, which takes Helm. Files of
    an earlier run that are no longer rendered are removed; others stay.
    """
    from generator import chart as charts  # noqa: PLC0415
    from generator.output import Tree  # noqa: PLC0415
    from generator.values import read  # noqa: PLC0415

    given = read(values)
    if values:
        _check_rendering(given)
    files = {
        f"{name}/{path}": text
        for name in (CHART, MODELS)
        for path, text in charts.render(given.merged if values else None, name).items()
    }
    write([Tree(files, "chart")], output, values, **how)


@cli.command()
@_values_option("Values of the release.")
@output_options("Folder to put the objects into.")
@_release_options
def manifests(
    *,
    values: tuple[str, ...],
    output: Path,
    name: str,
    namespace: str,
    models: str,
    **how: bool,
) -> None:
    """Render the objects of a release, one file each.

    In folders to apply in order. They are what `helm install` would create, and the Namespaces:
    the platform's, and the models' unless that is `default`.
    Files of an earlier run that are no longer rendered are removed; others stay. SHA256SUMS in the
    folder is the record of what is whose; commit it along.
    """
    from generator import manifests as objects  # noqa: PLC0415
    from generator.output import Tree  # noqa: PLC0415
    from generator.release import Release  # noqa: PLC0415
    from generator.values import read  # noqa: PLC0415

    release = Release(name, namespace, models)
    files = objects.files(objects.render(read(values), release))
    write([Tree(files, release.owner)], output, values, **how)


@cli.command()
@_values_option("Values to check.")
@_release_options
@click.option("--strict", is_flag=True, help="Fail for objects that have no schema, too.")
def validate(*, values: tuple[str, ...], strict: bool, **release: str) -> None:
    """Check values, chart and objects, offline.

    The values against their schema, each mistake with its file, line and column; the platform's
    chart with `helm lint --strict`; the objects with kubeconform, strict, against schemas of every
    kind. An object of extraObjects whose kind has no schema here is named, and not checked.
    """
    from generator import build  # noqa: PLC0415
    from generator.release import Release  # noqa: PLC0415
    from generator.values import read  # noqa: PLC0415

    names = Release(**release)
    checked = build.validate(read(values), names, strict=strict)
    for line in checked.unchecked:
        click.echo(f"not checked: {line}", err=True)
    click.echo(checked.line)


@cli.command()
@_values_option("Values of the release.")
@output_options("Folder to put both into.")
@_release_options
def build(
    *,
    values: tuple[str, ...],
    output: Path,
    name: str,
    namespace: str,
    models: str,
    **how: bool,
) -> None:
    """Render, validate, and say what to do next.

    Charts and objects, in one go: both are written, or nothing is.

    Without Helm or kubeconform it does what it can, says what it left out, and fails.
    """
    from generator import build as builder  # noqa: PLC0415
    from generator.release import Release  # noqa: PLC0415
    from generator.values import read  # noqa: PLC0415

    release = Release(name, namespace, models)
    given = read(values)
    built = builder.build(given, output, release)
    write(built.trees, output, values, **how)
    if not (how["check"] or how["dry_run"]):
        for line in (*built.report, *builder.next_steps(given, output, release)):
            click.echo(line)
    if built.left_out:
        raise GeneratorError(built.left_out)


@cli.command()
@click.argument("source", type=_SOURCE)
@click.option("--name", help="Name of the model, in place of the source's.")
@click.option("--apply-to", type=_PATH, metavar="FILE", help="Add the entries to a values file.")
@click.option("--replace", is_flag=True, help="With --apply-to: overwrite entries of the name.")
@click.option("--create", is_flag=True, help="With --apply-to: make the file if it is not there.")
def model(
    *, source: Path, name: str | None, apply_to: Path | None, replace: bool, create: bool
) -> None:
    """Make `models:` entries from what there is.

    SOURCE is a manifest of InferenceServices (what `kubectl get -o yaml` prints will do; - is
    standard input), or a model folder as tutorials have it: model.joblib beside a
    sklearnserver.yaml with modelFormat and modelUri. The entries are printed; with --apply-to they
    go into the values file, which keeps its comments, its order and every other byte.

    A key that an entry has no place for is left out and said in a comment. An object that is left
    out is an error: the others are printed, and with --apply-to nothing is written.
    """
    from generator import models  # noqa: PLC0415

    if apply_to is None and (replace or create):
        raise click.UsageError("--replace and --create go with --apply-to")
    if apply_to == Path("-"):
        raise click.UsageError("--apply-to takes a file; leave it out to print")
    found = models.read_models(source, name)
    if apply_to is None:
        click.echo(str(found), nl=False)
    if found.left_out:
        error = str(ValuesError(found.left_out))
        kept = "" if apply_to is None else f"\n{apply_to} is as it was: not all can be added"
        raise GeneratorError(error + kept)
    if apply_to is not None:
        signs = models.add(apply_to, found, replace=replace, create=create)
        for added, sign in signs.items():
            same = " is there already, the same" if sign == "=" else ""
            click.echo(f"{sign} {apply_to}: models.{added}{same}", err=True)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=_SOURCE)
@_values_option("Values of the platform.")
@_release_options
def routes(*, files: tuple[Path, ...], values: tuple[str, ...], **release: str) -> None:
    """Print the Istio routes of InferenceServices.

    FILES are manifests of InferenceServices that are applied by hand; - is standard input. In
    routing.mode virtualService KServe writes no route for them; these are the ones that the models
    chart would write, and the Service of the model's name. An object that gets no route is an
    error; those of the others are printed all the same.
    """
    from generator import routes as objects  # noqa: PLC0415
    from generator.release import Release  # noqa: PLC0415
    from generator.values import read  # noqa: PLC0415

    if [*map(str, files), *values].count("-") > 1:
        raise click.UsageError("standard input can be read once; name - once")
    names = Release(**release)
    for text in objects.render(files, read(values), names):
        click.echo(f"---\n{text}", nl=False)


def _check_rendering(values: Values) -> None:
    """Refuse what the templates refuse: the chart would carry it, and never install."""
    from generator import manifests as objects  # noqa: PLC0415

    try:
        objects.render(values)
    except ToolMissing as error:
        click.echo(
            f"not checked: whether the chart's templates take these values: {error}", err=True
        )
