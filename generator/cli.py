"""The command line: parse, call, print.

The product goes to stdout or into -o, the log to stderr; the exit code is 0, 1 or 2 (usage).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from generator import CHART, MODELS, __version__
from generator.errors import GeneratorError, ValuesError

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_SOURCE = click.Path(path_type=Path, exists=True, allow_dash=True)
_PATH = click.Path(path_type=Path)


def main() -> None:
    """Run the command line; what is wrong is told without a traceback."""
    try:
        cli.main(prog_name="python -m generator", standalone_mode=False)
    except GeneratorError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kserve-lite")
def cli() -> None:
    """Helm charts and GitOps manifests for KServe, from one values file.

    \b
    A cluster of your own:
      python -m generator validate  -f my.yaml
      python -m generator manifests -f my.yaml -o gitops/
      python -m generator chart     -f my.yaml -o dist/

    Every value is documented in charts/kserve-lite/README.md.
    """


def _values_option(text: str) -> Callable[[_Command], _Command]:
    return click.option(
        "-f", "--values", multiple=True, type=_FILE, metavar="FILE", help=f"{text} May be repeated."
    )


def _release_options(command: _Command) -> _Command:
    for option in (
        click.option("--release", "name", default=CHART, show_default=True, help="Its name."),
        click.option(
            "--models-namespace",
            "models",
            default="default",
            show_default=True,
            help="Where the models are.",
        ),
        click.option(
            "-n", "--namespace", default="kserve", show_default=True, help="Where the platform is."
        ),
    ):
        command = option(command)
    return command


@cli.command()
@_values_option("Values to bake in; without any, the stock chart is rendered.")
@click.option("-o", "--output", type=_FOLDER, required=True, help="Folder to put the charts into.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the folder differs.")
def chart(*, values: tuple[Path, ...], output: Path, check: bool) -> None:
    """Render the charts, stock or specialised.

    With -f they are specialised: those values are the defaults, and what they do not use is left
    out.
    """
    from generator import chart as charts  # noqa: PLC0415
    from generator.values import read  # noqa: PLC0415

    merged = read(values) if values else None
    files = {
        f"{name}/{path}": text
        for name in (CHART, MODELS)
        for path, text in charts.render(merged, name).items()
    }
    _write(files, output, check=check)


@cli.command()
@_values_option("Values of the release.")
@click.option("-o", "--output", type=_FOLDER, required=True, help="Folder to put the objects into.")
@_release_options
@click.option("--check", is_flag=True, help="Write nothing; fail if the folder differs.")
def manifests(*, values: tuple[Path, ...], output: Path, check: bool, **release: str) -> None:
    """Render the objects of a release, one file each.

    In folders to apply in order. They are what `helm install` would create, and the Namespace.
    Files of an earlier run that are no longer rendered are removed; files that were not generated
    are never touched.
    """
    from generator import manifests as objects  # noqa: PLC0415
    from generator.values import read  # noqa: PLC0415

    read(values)
    rendered = objects.render(values, objects.Release(**release))
    _write(objects.files(rendered), output, check=check)


@cli.command()
@_values_option("Values to check.")
@_release_options
def validate(*, values: tuple[Path, ...], **release: str) -> None:
    """Check values, chart and objects, offline.

    The values against their schema, each mistake with its file, line and column; the platform's
    chart with `helm lint --strict`; the objects with kubeconform, strict, against schemas of every
    kind.
    """
    from generator import build  # noqa: PLC0415
    from generator.manifests import Release  # noqa: PLC0415

    click.echo(build.validate(values, Release(**release)))


@cli.command()
@_values_option("Values of the release.")
@click.option("-o", "--output", type=_FOLDER, required=True, help="Folder to put both into.")
@_release_options
def build(*, values: tuple[Path, ...], output: Path, **release: str) -> None:
    """Render, validate, and say what to do next.

    Chart and objects, in one go.

    Without Helm or kubeconform it does what it can and says what it left out.
    """
    from generator import build as builder  # noqa: PLC0415
    from generator.manifests import Release  # noqa: PLC0415

    for line in builder.build(values, output, Release(**release)):
        click.echo(line)


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
    found = models.read_source(source, name)
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
def routes(*, files: tuple[Path, ...], values: tuple[Path, ...], **release: str) -> None:
    """Print the Istio routes of InferenceServices.

    FILES are manifests of InferenceServices that are applied by hand; - is standard input. In
    routing.mode virtualService KServe writes no route for them; these are the ones that the models
    chart would write, and the Service of the model's name. An object that gets no route is an
    error; those of the others are printed all the same.
    """
    from generator import routes as objects  # noqa: PLC0415
    from generator.manifests import Release  # noqa: PLC0415

    if [*files, *values].count(Path("-")) > 1:
        raise click.UsageError("standard input can be read once; name - once")
    for text in objects.render(files, values, Release(**release)):
        click.echo(f"---\n{text}", nl=False)


def _write(files: Mapping[str, str], output: Path, *, check: bool) -> None:
    from generator import tree  # noqa: PLC0415

    changes = tree.compare(files, output) if check else tree.write(files, output)
    for sign, paths in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
        for path in paths:
            click.echo(f"{sign} {output / path}", err=True)
    if check and changes:
        raise GeneratorError(f"{output} is not current; run the same command without --check")
    what = "is current" if not changes else f"holds {len(files)} files"
    click.echo(f"{output} {what}", err=True)
