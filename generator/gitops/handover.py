"""A folder of manifests that a GitOps tool applies from Git, and what it takes to hand it over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator.gitops import argocd, flux
from generator.gitops.names import namespaces_of
from generator.gitops.repository import Repository
from generator.manifests import layout
from generator.manifests.parsing import Manifest
from generator.release import Release

_TOOLS = {"argocd": argocd, "flux": flux}


@dataclass(frozen=True)
class Handover:
    """To which tool, `argocd` or `flux`, and by which repository.

    Raises GeneratorError for a revision that the tool does not take.
    """

    tool: str
    repository: Repository

    def __post_init__(self) -> None:
        if self.tool == flux.FOLDER:
            flux.check(self.repository)

    def within(self, name: str) -> Handover:
        """The same for a folder in this one."""
        return replace(self, repository=replace(self.repository, path=self.repository.folder(name)))

    def folder(
        self, manifests: Sequence[Manifest], release: Release, teams: Sequence[str]
    ) -> dict[str, str]:
        """The folder of manifests, by path, with one more folder for the tool.

        Raises GeneratorError for an object that is rendered twice.
        """
        namespaces = namespaces_of(manifests, release, teams)
        tool = _TOOLS[self.tool]
        more: dict[str, str] = tool.files(manifests, release, self.repository, namespaces)
        return layout.folder(manifests, release, namespaces) | more

    def steps(self, folder: Path, release: Release) -> Iterator[str]:
        """What to do once the folder is written: a line of shell, or a sentence, each."""
        yield f"commit {folder} and push it, to be {self.repository.path} in {self.repository.url}"
        yield from _TOOLS[self.tool].steps(folder, release)
