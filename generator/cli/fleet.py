"""The `fleet` command: render many clusters, each into a folder of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli import diagnostics
from generator.cli.comparison import Comparison
from generator.cli.gitops import gitops_options
from generator.cli.options import (
    check_standard_input,
    output_options,
    release_options,
    values_option,
)
from generator.errors import GeneratorError, Problem
from generator.progress import log, pass_by

if TYPE_CHECKING:
    from generator.cli.summary import Summary
    from generator.fleet.discovery import Cluster
    from generator.fleet.work import Fleet
    from generator.gitops.handover import Handover
    from generator.release import Release

_SHOWN = 30  # lines of changes; --dry-run prints them all


@click.command(
    cls=Comparison,
    exit_codes={
        0: "Success; with --check: every folder is current.",
        1: "A cluster failed, and the others are done; or nothing could be done. With --check: a "
        "folder differs.",
        2: "Wrong usage; with --check: what would be 1 without it.",
    },
)
@click.argument(
    "folder",
    metavar="CLUSTERS",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@values_option("Values that all clusters share; what a cluster says itself wins.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many batches of clusters to render at once.  [default: one per processor]",
)
@click.option(
    "--prune-clusters",
    "prune",
    is_flag=True,
    help="Remove the folders of clusters that are no longer in CLUSTERS.",
)
@gitops_options
@output_options("Folder to put a folder for each cluster into.")
@release_options
def fleet(
    *,
    folder: Path,
    values: tuple[str, ...],
    jobs: int | None,
    prune: bool,
    handover: Handover | None,
    output: Path,
    release: Release,
    **how: Any,
) -> None:
    """Render many clusters, each into a folder of its own.

    \b
    In CLUSTERS, a cluster is a file of values or a folder:
      clusters/prod.yaml              goes into OUTPUT/prod
      clusters/lab/platform.yaml      goes into OUTPUT/lab, and so do its teams:
      clusters/lab/teams/fraud.yaml   the models of namespace fraud

    Each folder is what `manifests` makes of the same files. Clusters that are as the last run left
    them are passed over. One that is wrong keeps its folder, the others are done, and the exit code
    is 1.
    """
    from generator.comparison.difference import Differences  # noqa: PLC0415
    from generator.fleet.discovery import find  # noqa: PLC0415
    from generator.fleet.work import Fleet  # noqa: PLC0415
    from generator.values.load import Values  # noqa: PLC0415

    check_standard_input(*values)
    if how["check"] and how["dry_run"]:
        raise click.UsageError("--check and --dry-run do not go together")
    if prune and (folder.is_absolute() or not folder.parts):
        what = f"records name it by a path from here, and {folder} is none; name a folder below"
        raise click.UsageError(f"--prune-clusters finds what came from CLUSTERS: {what}")
    _check_apart(folder, output)
    found = find(folder)
    _check_apart(folder, output, [cluster.name for cluster in found.clusters])
    for path in found.ignored:
        diagnostics.note(Problem.output(path, "is no file of values (.yaml, .yml), and left out"))
    wanted = Fleet(
        Values.parsed(values),
        tuple(map(Path, values)),
        release,
        output,
        writes=not (how["check"] or how["dry_run"]),
        reads=how["check"] or how["force"],
        force=how["force"],
        prune=not how["no_prune"],
        jobs=jobs or 0,
        handover=handover,
        describe=Differences(release.namespace).of,
    )
    summary = _run(wanted, folder, found.clusters, prune=prune, checks=how["check"])
    _report(summary, wanted, form=how["form"], whole=how["dry_run"])
    if how["check"] and summary:
        remedy = "mend that" if summary.problems else "run the same command without --check"
        problem = Problem.plain(f"{output} is not current; {remedy}")
        diagnostics.fail([*summary.problems, problem])
        sys.exit(1)


def _check_apart(folder: Path, output: Path, clusters: Sequence[str] = ()) -> None:
    """Raise UsageError where the output, or a cluster's folder there, is in that of clusters."""
    given = Path(os.path.realpath(folder))  # `Path.resolve` raises RuntimeError at a loop of links.
    for path in (output, *(output / name for name in clusters)):
        written = Path(os.path.realpath(path))
        if given in (written, *written.parents):
            raise click.UsageError(
                f"-o {path} is in {folder}, whose clusters are read; name another"
            )


def _run(
    wanted: Fleet, folder: Path, clusters: Sequence[Cluster], *, prune: bool, checks: bool
) -> Summary:
    """Do the work, or find out what there is to do; the folder is locked meanwhile."""
    from generator.cli.summary import Summary  # noqa: PLC0415
    from generator.fleet.removed import settle  # noqa: PLC0415
    from generator.fleet.run import run  # noqa: PLC0415
    from generator.output import destination, record  # noqa: PLC0415

    destination.check(wanted.output)
    if (wanted.output / record.NAME).exists():
        fact = "holds the objects of one cluster, and not a folder of each; name another folder"
        raise GeneratorError(Problem.output(wanted.output, fact))
    summary, names = Summary(checks), [cluster.name for cluster in clusters]
    with destination.locked([wanted.output] if wanted.writes else []):
        for done, outcome in enumerate(run(wanted, clusters), 1):
            summary.add(outcome)
            pass_by(f"{done} of {len(clusters)} clusters")
        pass_by("")
        if wanted.writes:
            settle(wanted.output, names)
        _tell_removed(summary, wanted, folder, names, prune=prune)
    return summary


def _tell_removed(
    summary: Summary, wanted: Fleet, folder: Path, names: Sequence[str], *, prune: bool
) -> None:
    """Remove the folders of clusters that are gone, or tell of them."""
    from generator.fleet import removed  # noqa: PLC0415

    gone, others = removed.removed(wanted.output, folder, names)
    for name in gone:
        root = wanted.output / name
        if not prune:
            message = f"its cluster is no longer in {folder}; --prune-clusters removes it"
            diagnostics.note(Problem.output(root, message))
            continue
        try:
            owner, writes = wanted.release.owner, wanted.writes
            summary.remove(name, removed.prune(root, owner, force=wanted.force, writes=writes))
        except GeneratorError as error:
            summary.fail(name, error.problems)
    for name in others:
        message = f"holds the manifests of another run, not of a cluster of {folder}, and stays"
        diagnostics.note(Problem.output(wanted.output / name, message))


def _report(summary: Summary, wanted: Fleet, *, form: str, whole: bool) -> None:
    """Say what was done. Raises GeneratorError with all that is wrong."""
    from generator.comparison import grouping  # noqa: PLC0415

    for name, note in summary.notes:
        diagnostics.note(Problem.output(wanted.output / name, note))
    if form == "json":
        import json  # noqa: PLC0415

        head = {"folder": str(wanted.output), "written": wanted.writes}
        click.echo(json.dumps(head | summary.as_json(), indent=2))
    else:
        lines = list(summary.lines())
        shown = lines if whole else lines[:_SHOWN]
        for line in shown:
            click.echo(line) if whole else log(line)
        if len(lines) > len(shown):
            log(f"… and {len(lines) - len(shown)} more lines; --dry-run prints all")
    if summary or summary.current:
        diagnostics.note(Problem.output(wanted.output, summary.line))
    if summary.failed:
        whose = "whose folders stay" if len(summary.failed) > 1 else "whose folder stays"
        names = grouping.called(sorted(summary.failed))
        raise GeneratorError(*summary.problems, f"failed: {names}, {whose} as before")
