"""What Flux needs, in the folder `flux/` of a folder of manifests.

    flux/kustomization.yaml                          all of it: apply it once, by hand
    flux/gitrepository-kserve-lite.yaml
    flux/kustomization-kserve-lite.yaml              applies this folder itself
    flux/kustomization-kserve-lite-crds.yaml
    flux/kustomization-kserve-lite-platform.yaml     depends on the one before, as do the next two
    flux/kustomization-kserve-lite-runtimes.yaml
    flux/kustomization-kserve-lite-models-fraud.yaml

Facts: docs/spec/v1/kustomizations.md of kustomize-controller 1.9, docs/spec/v1/gitrepositories.md
of source-controller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from generator import CONTROLLER
from generator.errors import GeneratorError
from generator.gitops.names import name_of
from generator.gitops.readiness import workloads
from generator.gitops.repository import Repository
from generator.manifests.layout import listed
from generator.manifests.parsing import (
    CRDS_PHASE,
    MODELS_PHASE,
    PLATFORM_PHASE,
    RUNTIMES_PHASE,
    Manifest,
)
from generator.release import Release
from generator.yaml.data import JsonObject

FOLDER = "flux"
_NAMESPACE = "flux-system"


def files(
    manifests: Sequence[Manifest],
    release: Release,
    repository: Repository,
    namespaces: Sequence[str],
) -> dict[str, str]:
    """The files of `flux/`, by path in the folder of manifests; `namespaces` have models."""
    kustomizations = _kustomizations(manifests, release, repository, namespaces)
    return listed(FOLDER, [_source(release, repository), *kustomizations])


def check(repository: Repository) -> None:
    """Raise GeneratorError for a revision that Flux does not take."""
    if repository.revision == "HEAD":
        raise GeneratorError('--revision "HEAD" is no branch, as Flux wants one; name the branch')


def steps(folder: Path, release: Release) -> Iterator[str]:  # noqa: ARG001
    """The command that hands the folder over, once it is pushed."""
    yield f"kubectl apply -k {folder / FOLDER}"


def _source(release: Release, repository: Repository) -> JsonObject:
    kind, revision = repository.reference
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": name_of(release), "namespace": _NAMESPACE},
        "spec": {"interval": "1m", "url": repository.url, "ref": {kind: revision}},
    }


def _kustomizations(
    manifests: Sequence[Manifest],
    release: Release,
    repository: Repository,
    namespaces: Sequence[str],
) -> Iterator[JsonObject]:
    source = {"kind": "GitRepository", "name": name_of(release)}

    def made(path: str, *parts: str, after: tuple[str, ...] = (), **more: object) -> JsonObject:
        """The one that applies a path of the folder, and `after` which other."""
        depends = {"dependsOn": [{"name": name_of(release, *after)}]} if after else {}
        return {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name_of(release, *parts), "namespace": _NAMESPACE},
            "spec": {
                **depends,
                "interval": "10m",
                "retryInterval": "1m",
                "timeout": "10m",
                "path": f"./{repository.folder(path)}",
                "prune": True,
                "sourceRef": source,
                **more,
            },
        }

    # What it applies outlives it.
    yield made(FOLDER, deletionPolicy="Orphan")
    yield made(CRDS_PHASE, "crds", wait=True)
    controller = {"apiVersion": "apps/v1", "kind": "Deployment", "name": CONTROLLER}
    checked = [{**controller, "namespace": release.namespace}]
    yield made(PLATFORM_PHASE, "platform", after=("crds",), healthChecks=checked)
    last = "platform"
    if any(each.phase == RUNTIMES_PHASE for each in manifests):
        yield made(RUNTIMES_PHASE, "runtimes", after=("platform",))
        last = "runtimes"
    for namespace in namespaces:
        found = list(workloads(manifests, namespace))
        checks = {"healthChecks": found} if found else {}
        path = f"{MODELS_PHASE}/{namespace}"
        yield made(path, "models", namespace, after=(last,), **checks)
