"""The options that name a GitOps tool, and the repository that it reads."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click


def gitops_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--gitops and the repository; the command gets a `handover`, or None."""

    @functools.wraps(command)
    def with_handover(
        *, tool: str | None, url: str | None, revision: str | None, path: str | None, **others: Any
    ) -> Any:
        given = {"--repository": url, "--path": path}
        if tool is None:
            if named := [
                key for key, value in {**given, "--revision": revision}.items() if value is not None
            ]:
                raise click.UsageError(f"{named[0]} is for a GitOps tool; name one with --gitops")
            return command(handover=None, **others)
        if missing := [key for key, value in given.items() if value is None]:
            raise click.UsageError(f"--gitops {tool} reads from Git; give {' and '.join(missing)}")
        from generator.gitops.handover import Handover  # noqa: PLC0415
        from generator.gitops.repository import Repository  # noqa: PLC0415

        repository = Repository(url or "", "main" if revision is None else revision, path or "")
        return command(handover=Handover(tool, repository), **others)

    for option in (
        click.option(
            "--path",
            metavar="FOLDER",
            help="Where -o is in that repository, such as clusters/prod, or . for its top.",
        ),
        click.option(
            "--revision", metavar="NAME", help="Its branch, tag or commit.  [default: main]"
        ),
        click.option(
            "--repository",
            "url",
            metavar="URL",
            help="The repository of --gitops, without credentials.",
        ),
        click.option(
            "--gitops",
            "tool",
            type=click.Choice(["argocd", "flux"]),
            help="Add a folder argocd/ or flux/, by which that tool applies the others from Git.",
        ),
    ):
        option(with_handover)
    return with_handover
