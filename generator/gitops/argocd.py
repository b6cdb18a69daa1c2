"""What Argo CD needs, in the folder `argocd/` of a folder of manifests.

    argocd/application-kserve-lite.yaml              applies this folder itself
    argocd/application-kserve-lite-platform.yaml
    argocd/application-kserve-lite-models-fraud.yaml
    argocd/argocd-cm.yaml                            health of KServe's kinds, to be merged
    argocd/platform/                                 the platform's phases, as waves

Applications have no health of their own in Argo CD, so that waves of Applications would not wait:
the platform is one, and its objects have the waves. A models' Application tries again until the
platform is there. Facts: docs/operator-manual/application.yaml, docs/user-guide/sync-options.md,
sync-waves.md and diffing.md of Argo CD 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from generator import DATA
from generator.gitops.names import name_of
from generator.gitops.repository import Repository
from generator.manifests.layout import KUSTOMIZATION, generated, kustomization, listed
from generator.manifests.ownership import left_to_others
from generator.manifests.parsing import (
    CRDS_PHASE,
    MODELS_PHASE,
    PLATFORM_PHASE,
    RUNTIMES_PHASE,
    Manifest,
)
from generator.release import Release
from generator.yaml.data import JsonObject
from generator.yaml.writer import dump

FOLDER = "argocd"
_PLATFORM = f"{FOLDER}/platform"
_COMPARE = "argocd.argoproj.io/compare-options"
_WAVE = "argocd.argoproj.io/sync-wave"
_WAVES = {CRDS_PHASE: 0, PLATFORM_PHASE: 10, RUNTIMES_PHASE: 20}
_HEALTH = "resource.customizations.health.serving.kserve.io_"


def files(
    manifests: Sequence[Manifest],
    release: Release,
    repository: Repository,
    namespaces: Sequence[str],
) -> dict[str, str]:
    """The files of `argocd/`, by path in the folder of manifests; `namespaces` have models."""
    tree = listed(FOLDER, _applications(manifests, release, repository, namespaces))
    tree[f"{FOLDER}/argocd-cm.yaml"] = generated(health())
    return tree | _waves({each.phase for each in manifests} - {MODELS_PHASE})


def steps(folder: Path, release: Release) -> Iterator[str]:
    """The commands that hand the folder over, once it is pushed, each a line."""
    # An apply by the server would take over what kubectl has applied before, and remove what is not
    # in this file: every other key.
    rules = folder / FOLDER / "argocd-cm.yaml"
    yield f"kubectl patch configmap argocd-cm -n argocd --type=merge --patch-file={rules}"
    yield f"kubectl apply -f {folder / FOLDER / f'application-{release.name}.yaml'}"


def _waves(phases: set[str]) -> dict[str, str]:
    """The platform's phases with a wave on each object.

    Only in its own annotations: kustomize's commonAnnotations would reach pod templates as well,
    and restart the controller. What is no longer in Git and stays nevertheless, a Namespace say, is
    not to make the Application OutOfSync for ever.
    """
    tree = {f"{_PLATFORM}/{KUSTOMIZATION}": kustomization(sorted(phases))}
    for phase in sorted(phases):
        kept = {_COMPARE: "IgnoreExtraneous"} if phase == CRDS_PHASE else {}
        transformer = {
            "apiVersion": "builtin",
            "kind": "AnnotationsTransformer",
            "metadata": {"name": "wave"},
            "annotations": {**kept, _WAVE: str(_WAVES[phase])},
            "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
        }
        tree[f"{_PLATFORM}/{phase}/{KUSTOMIZATION}"] = kustomization(
            [f"../../../{phase}"], transformers=[dump(transformer)]
        )
    return tree


def _applications(
    manifests: Sequence[Manifest],
    release: Release,
    repository: Repository,
    namespaces: Sequence[str],
) -> Iterator[JsonObject]:
    root = _application(name_of(release), repository, FOLDER, "argocd")
    # Without the finalizer of the others: what it applies outlives it.
    del root["metadata"]["finalizers"]
    # Argo CD ignores statuses. With this it would apply to each Application the status that it has
    # read, out of date, and compare without: the status of an Application is no subresource.
    root["spec"]["syncPolicy"]["syncOptions"].remove("RespectIgnoreDifferences=true")
    yield root
    platform = _application(name_of(release, "platform"), repository, _PLATFORM, release.namespace)
    if ignored := list(_ignored(manifests)):
        platform["spec"]["ignoreDifferences"] = ignored
    yield platform
    for namespace in namespaces:
        name = name_of(release, "models", namespace)
        models = _application(name, repository, f"{MODELS_PHASE}/{namespace}", namespace)
        # The last model goes like any other.
        models["spec"]["syncPolicy"]["automated"]["allowEmpty"] = True
        yield models


def _application(name: str, repository: Repository, path: str, namespace: str) -> JsonObject:
    """An Application that applies a path of the folder; `namespace` is that of objects without."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": "argocd",
            "annotations": {_COMPARE: "ServerSideDiff=true"},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "source": {
                "repoURL": repository.url,
                "targetRevision": repository.revision,
                "path": repository.folder(path),
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true"],
                # For ever, and with what Git has by then.
                "retry": {
                    "limit": -1,
                    "refresh": True,
                    "backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"},
                },
            },
        },
    }


def _ignored(manifests: Sequence[Manifest]) -> Iterator[JsonObject]:
    for each, items, field in left_to_others(manifests):
        yield {
            "group": each.group,
            "kind": each.kind,
            "name": each.name,
            "jqPathExpressions": [f".{items}[]?.{field}"],
        }


def health() -> JsonObject:
    """What `argocd-cm` has to have besides: a rule for the health of each kind of models."""
    rules = sorted((DATA / "health").glob("*.lua"))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"},
        "data": {_HEALTH + rule.stem: rule.read_text("utf-8") for rule in rules},
    }
