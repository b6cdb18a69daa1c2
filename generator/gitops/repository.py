"""Where a GitOps tool finds a folder of manifests: a Git repository, a revision, and a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from generator.errors import GeneratorError

_URL = re.compile(r"(?:https?|ssh)://(?:[^\s/@]+@)?[^\s/@]+/\S+")
_SHORT = re.compile(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[^/\s]\S*)")
_SECRET = re.compile(r"(?:https?|ssh)://[^/@]*:[^/@]*@|https?://[^/@]*@")
# What Git takes as the name of a branch or a tag (git check-ref-format), and a commit.
_REVISION = re.compile(
    r"(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)|[./]$))[^\s~^:?*\[\\./-][^\s~^:?*\[\\]*"
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Repository:
    """A place in a Git repository. `path` is the folder's, from the top of the repository.

    Raises GeneratorError, which names the option, for what is none.
    """

    url: str
    revision: str
    path: str

    def __post_init__(self) -> None:
        _check_url(self.url)
        if not _REVISION.fullmatch(self.revision):
            remedy = "name a branch, a tag as refs/tags/NAME, or a commit in full"
            raise GeneratorError(f'--revision "{self.revision}" is no revision; {remedy}')
        if problem := _wrong_with(self.path):
            remedy = "give it as clusters/prod, or . for the top of the repository"
            raise GeneratorError(f'--path "{self.path}" {problem}; {remedy}')

    @property
    def reference(self) -> tuple[str, str]:
        """What the revision is: `branch`, `commit` or `name` (a whole one), and the revision."""
        if _COMMIT.fullmatch(self.revision):
            return "commit", self.revision
        return "name" if self.revision.startswith("refs/") else "branch", self.revision

    def folder(self, path: str) -> str:
        """The path in the repository of a path in the folder of manifests."""
        return str(PurePosixPath(self.path) / path)


def _check_url(url: str) -> None:
    """Raise GeneratorError where a tool would not take an address, or would find a password."""
    if _SECRET.match(url):
        fact = "--repository has credentials in it, which would be in Git"
        raise GeneratorError(f"{fact}; leave them out, and put them into a Secret of the tool")
    if _URL.fullmatch(url):
        return
    short = _SHORT.fullmatch(url)
    remedy = "give one as https://host/path.git"
    if short and "://" not in url:
        remedy = f"write ssh://{short['user'] or ''}{short['host']}/{short['path']}"
    raise GeneratorError(f'--repository "{url}" is no address with http, https or ssh; {remedy}')


def _wrong_with(path: str) -> str:
    """Why a path cannot be one within a repository; empty if it can."""
    if not path.strip() or path != path.strip():
        return "is empty, or has blanks at an end"
    if path.startswith("/") or "\\" in path or re.match(r"[A-Za-z]:", path):
        return "is not relative to the top of the repository, with /"
    if ".." in PurePosixPath(path).parts:
        return "leads out of the repository"
    if re.search(r"[\x00-\x1f\x7f]", path):
        return "has a control character in it"
    return ""
