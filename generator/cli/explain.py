"""The `explain` command: what a value changes, and which values and templates set a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli.command import command
from generator.cli.options import (
    check_standard_input,
    release_options,
    report_option,
    values_option,
)

if TYPE_CHECKING:
    from generator.release import Release


@command(exit_codes={1: "There is no such value, object or field, or values are wrong."})
@click.argument("path", default="", metavar="[PATH|KIND/NAME]")
@click.argument("field", default="")
@values_option("Values that KIND/NAME is rendered with.")
@report_option("form")
@release_options
def explain(*, path: str, field: str, values: tuple[str, ...], form: str, release: Release) -> None:
    """Tell what a value is and changes, or what sets the fields of an object.

    \b
    PATH is a value as it is written in the table of values:
      routing.domain
      models.NAME.format    NAME is any name
      routing               lists the values below it
    Without PATH, the top of the values is listed.

    What a value changes was measured with other values of each kind. It is all that a chart may
    render otherwise, not what it does for the values that you have.

    \b
    KIND/NAME is an object that the charts render with your values (-f):
      Deployment/kserve-controller-manager
      svc/kserve-webhook-server-service    KIND is short, as for kubectl
    FIELD is one of its fields, or a part with all that is in there:
      spec.template.spec.containers[0].image
      data.ingress          in a ConfigMap, also inside its JSON
    Each field comes with its value, the line of the template that prints it, and the values that
    change it, with file and line where yours say so.
    """
    from generator.explanation import answer  # noqa: PLC0415

    if "/" in path:
        _explain_object(path, field, values, form, release)
        return
    if field:
        raise click.UsageError("a field is of an object; write KIND/NAME before it")
    if values:
        raise click.UsageError("-f is for KIND/NAME; what a value changes does not depend on it")
    found = answer.explain(path)
    if form == "json":
        click.echo(found.as_json())
    else:
        for line in found.as_text():
            click.echo(line)


def _explain_object(
    thing: str, field: str, values: tuple[str, ...], form: str, release: Release
) -> None:
    from generator.explanation import listing, objects  # noqa: PLC0415
    from generator.values.check import read  # noqa: PLC0415

    check_standard_input(*values)
    found = objects.explain(thing, field, values=read(values), release=release)
    if form == "json":
        click.echo(listing.as_json(found))
        return
    for number, each in enumerate(found):
        for line in (*([""] if number else []), *each.as_text()):
            click.echo(line)
