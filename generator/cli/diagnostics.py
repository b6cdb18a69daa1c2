"""What a run says beside its product: on standard error, as lines or as one JSON document."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import click

from generator import progress
from generator.errors import Problem

FORMS = ("text", "json")
OPTION = "--problems"


@dataclass
class _Report:
    """What was said so far, if the form is JSON; a process has one run, and one report."""

    json: bool = False
    quiet: bool = False
    entries: list[dict[str, str | int | None]] = field(default_factory=list)

    def add(self, severity: str, problems: Iterable[Problem], text: str) -> None:
        """Take what was said as data for a program, or print it as the text that says the same."""
        if self.json:
            self.entries += ({"severity": severity, **each.as_json()} for each in problems)
        else:
            click.echo(text, err=True)


_REPORT = _Report()


def begin(words: Sequence[str]) -> None:
    """Begin a run's report, in the form that the words of the command line ask for.

    They are looked at before click reads them: it stops at the first wrong one, and what it says of
    that is to have the form already.
    """
    if f"{OPTION}=json" in words or (OPTION, "json") in pairwise(words):
        _REPORT.json = True
        progress.silence()


def be_quiet() -> None:
    """Leave out progress and notes from here on."""
    _REPORT.quiet = True
    progress.silence()


def note(problem: Problem, *, shown: str = "") -> None:
    """Say what is good to know; `shown` is the line for people, if it is not the problem's."""
    if not _REPORT.quiet:
        _REPORT.add("note", [problem], shown or str(problem))


def warn(undone: str, problem: Problem) -> None:
    """Say what was left undone, such as "not checked", although the run goes on."""
    labelled = replace(problem, message=f"{undone}: {problem.message}")
    _REPORT.add("warning", [labelled], f"{undone}: {problem}")


def fail(problems: Sequence[Problem], *, shown: str = "") -> None:
    """Say why the run fails; `shown` is the text for people, if it is not the problems'."""
    _REPORT.add("error", problems, shown or "\n".join(map(str, problems)))


def end() -> None:
    """Print the document, if the form is JSON: a list, empty if there was nothing to say."""
    if _REPORT.json:
        import json  # noqa: PLC0415

        # What cannot be said does not change how the run ends.
        with contextlib.suppress(OSError):
            click.echo(json.dumps(_REPORT.entries, indent=2), err=True)
