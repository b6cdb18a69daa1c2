"""The command line: one group, a module per command.

The product goes to stdout or into -o, the log to stderr; the exit code is 0, 1, 2 (usage, and
trouble of what compares), or 128 and a signal's number.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from generator import CHART, __version__
from generator.cli import diagnostics
from generator.cli.build import build
from generator.cli.chart import chart
from generator.cli.command import CODES, write_exit_codes
from generator.cli.diff import diff
from generator.cli.doctor import doctor
from generator.cli.explain import explain
from generator.cli.fleet import fleet
from generator.cli.graph import graph
from generator.cli.images import images
from generator.cli.manifests import manifests
from generator.cli.migrate import migrate
from generator.cli.model import model
from generator.cli.routes import routes
from generator.cli.validate import validate
from generator.errors import GeneratorError, Problem, own_mistake
from generator.signals import end_in_order

_MODULE = "python -m generator"


def main() -> None:
    """Run the command line; report errors without a traceback."""
    with _ending():
        end_in_order()
        _open_streams()
        diagnostics.begin(sys.argv[1:])
        try:
            _run()
        finally:
            diagnostics.end()


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """End as other programs do when Ctrl-C is pressed, and when nobody reads what is printed."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        for stream in (sys.stdout, sys.stderr):
            _let_go(stream)
        sys.exit(128 + signal.SIGPIPE)


def _let_go(stream: TextIO) -> None:
    """Have Python not try once more, on its way out, to write what cannot be written."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_streams() -> None:
    """Open the streams that are closed: what is printed there would be lost without a word.

    Standard output becomes one that refuses to be written to; errors have nowhere to go.
    """
    for number, name, mode in ((1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, mode)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _run() -> None:
    # A run ends in a moment, and collects next to nothing by going through all that was read.
    gc.set_threshold(50_000)
    try:
        cli.main(prog_name=_program(), standalone_mode=False)
    except OSError as error:
        _let_go(sys.stdout)
        where = error.filename or "standard output"
        diagnostics.fail([Problem.output(where, str(error.strerror))])
        sys.exit(_status(error))
    except GeneratorError as error:
        diagnostics.fail(error.problems)
        sys.exit(_status(error))
    except click.exceptions.Abort:
        sys.exit(128 + signal.SIGINT)
    except click.ClickException as error:
        problems, text = _usage(error)
        diagnostics.fail(problems, shown=text)
        sys.exit(error.exit_code)
    except Exception as error:
        diagnostics.fail([Problem.plain(own_mistake(error))])
        sys.exit(_status(error))


def _status(error: Exception) -> int:
    """The exit code for an error: 1, unless the command has said that this means something else."""
    return int(getattr(error, "status", 1))


def _usage(error: click.ClickException) -> tuple[list[Problem], str]:
    """What is wrong with the words of the command line, as data and as text."""
    shown = io.StringIO()
    error.show(shown)
    facts, text = [error.format_message()], shown.getvalue().rstrip("\n")
    if "unexpected extra argument" in error.message and _takes_values(error):
        # A shell makes many words of -f values/*.yaml.
        facts.append("Each file of values takes a -f of its own.")
        text += f"\n{facts[-1]}"
    return [Problem.plain(fact) for fact in facts], text


def _takes_values(error: click.ClickException) -> bool:
    context = getattr(error, "ctx", None)
    return context is not None and any(each.name == "values" for each in context.command.params)


def _program() -> str:
    """The name that the user called: the command that pip installs, or the module."""
    return CHART if Path(sys.argv[0]).name == CHART else _MODULE


class _Program(click.Group):
    """The commands, with a help that calls the program what its user does."""

    # Of what nobody reads click would make exit code 1, without a word.
    def make_context(self, *words: Any, **more: Any) -> click.Context:
        with _ending():
            return super().make_context(*words, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _ending():
            return super().invoke(ctx)

    def get_help(self, ctx: click.Context) -> str:
        return super().get_help(ctx).replace(_MODULE, ctx.command_path)

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        write_exit_codes(CODES, formatter)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kserve-lite")
def cli() -> None:
    """Helm charts and GitOps manifests for KServe, from one values file.

    \b
    For a cluster of your own:
      python -m generator validate  -f my.yaml
      python -m generator manifests -f my.yaml -o gitops/
      python -m generator chart     -f my.yaml -o dist/

    Every value is documented in the chart, in kserve-lite/VALUES.md.
    """


for _command in (
    build,
    chart,
    diff,
    doctor,
    explain,
    fleet,
    graph,
    images,
    manifests,
    migrate,
    model,
    routes,
    validate,
):
    cli.add_command(_command)
