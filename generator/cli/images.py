"""The `images` command: every image that an installation uses, for people and for other tools."""

from __future__ import annotations

import click

from generator.cli import diagnostics
from generator.cli.command import command
from generator.cli.options import check_standard_input, complete_files, report_option, values_option

_FORMATS = ("list", "skopeo", "oc-mirror", "hauler", "lock", "values")


@command(exit_codes={1: "Values or a lock are wrong, or --check finds an image from elsewhere."})
@values_option("Values of the release.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="Print the images for another tool, instead of the report.",
)
@report_option("output")
@click.option(
    "--digests",
    metavar="FILE",
    shell_complete=complete_files,
    help="Pin the images by a lock of --format lock; - is standard input.",
)
@click.option("--check", is_flag=True, help="Fail if an image is not from global.imageRegistry.")
def images(
    *, values: tuple[str, ...], form: str | None, output: str, digests: str | None, check: bool
) -> None:
    """List every image that an installation uses.

    The list has the images that objects name, in arguments and inside JSON too, and those that
    KServe derives from them: the builds for GPUs, and the versions that models ask for. Each comes
    with the fields that name it, and the platforms that it is published for.

    \b
    --format is one of:
      list       what the cluster pulls, one image per line
      skopeo     a shell script that copies each to global.imageRegistry
      oc-mirror  an ImageSetConfiguration of oc-mirror v2
      hauler     an Images manifest of Hauler
      lock       the digest of each; the file says how to fill those that are not known
      values     with --digests: a values file that pins the images; give it to every command, and
                 to Helm, after your own
    """
    from generator.errors import Problem, ValuesError  # noqa: PLC0415
    from generator.images import inventory, lock, mirroring  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415
    from generator.yaml.writer import dump  # noqa: PLC0415

    _refuse(form=form, output=output, digests=digests, check=check)
    check_standard_input(*values, digests)
    given = read(values)
    added = {}
    if digests is not None:
        pinned = lock.pin(given, digests)
        given, added = pinned.values, pinned.added
        for note in pinned.notes:
            diagnostics.note(Problem.plain(note))
    for gap in inventory.gaps(given):
        diagnostics.warn("not listed", gap)
    if check:
        if problems := list(inventory.escapes(given)):
            raise ValuesError(problems)
    elif form == "values":
        click.echo(dump(added), nl=False)
    elif form == "lock":
        click.echo(lock.lock(given), nl=False)
    elif form is not None:
        click.echo(mirroring.FORMATS[form](given), nl=False)
    else:
        report = mirroring.as_json if output == "json" else mirroring.as_text
        click.echo(report(given), nl=False)


def _refuse(*, form: str | None, output: str, digests: str | None, check: bool) -> None:
    """Refuse options that say two things. Raises click.UsageError."""
    if form is not None and output == "json":
        raise click.UsageError("--output json is the report's; leave --format out")
    if check and (form is not None or output == "json"):
        raise click.UsageError("--check prints no list; leave --format and --output out")
    if form == "values" and digests is None:
        raise click.UsageError("--format values needs --digests FILE; --format lock makes one")
