"""A repository of manifests, in which platform and teams are rendered anew, and what it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cluster.harness import argocd, gitserver, modelserver, prediction
from tests.cluster.harness.argocd import ArgoCd
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.gitserver import Repository
from tests.rendering import Object
from tests.unit.test_cli import run

PATH = "clusters/prod"
PLATFORM = "kserve"
CONTROLLER = ("deployment", "kserve-controller-manager", PLATFORM)


@dataclass
class Fleet:
    """What is declared, and the repository that it is rendered into.

    `models` are those of the platform's values, which are in `default`; `teams` have theirs, and
    `graphs` of some of them.
    """

    cluster: Cluster
    repository: Repository
    tool: str
    folder: Path
    models: dict[str, Object] = field(default_factory=dict)
    teams: dict[str, dict[str, Object]] = field(default_factory=dict)
    graphs: dict[str, dict[str, Object]] = field(default_factory=dict)
    values: Object = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)

    @property
    def manifests(self) -> Path:
        """The folder of manifests in the clone."""
        return self.repository.clone / PATH

    def publish(self, why: str) -> str:
        """Render what is declared, commit and push it; the commit."""
        files = {"platform": {**self.values, "models": self.models}}
        for team, models in self.teams.items():
            files[team] = {"models": models, "graphs": self.graphs.get(team, {})}
        for name, values in files.items():
            (self.folder / f"{name}.yaml").write_text(json.dumps(values))
        teams = [f"--team={team}={self.folder / team}.yaml" for team in self.teams]
        where = ("--repository", self.repository.url, "--path", PATH)
        done = run(
            *("manifests", "-f", self.folder / "platform.yaml", *teams, "-o", self.manifests),
            *("--gitops", self.tool, *where),
        )
        assert done.returncode == 0, done.stderr
        self.commands = re.findall(r"^  (kubectl .*)$", done.stdout, re.MULTILINE)
        return self.repository.push(why)

    def uids(self, *namespaces: str) -> dict[tuple[str, str, str], str]:
        """The models in some namespaces, with their Services, Deployments and pods, by uid.

        What is being deleted is no longer counted: old pods take their time to end.
        """
        kinds = "inferenceservices,services,deployments,pods"
        found = [each for space in namespaces for each in self.cluster.list(kinds, space)]
        return {
            (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]): str(
                each["metadata"]["uid"]
            )
            for each in found
            if each["metadata"]["name"] != "kubernetes"
            and "deletionTimestamp" not in each["metadata"]
        }

    def answer(self, model: str, namespace: str) -> int:
        """What a model predicts."""
        (found,) = prediction.v1(self.cluster, model, namespace, [[0.0]])
        return int(found)

    def is_gone(self, kind: str, name: str, namespace: str = "default") -> bool:
        """Whether an object is not there."""
        return self.cluster.get(kind, name, namespace) is None


def until_only_that_is_gone(
    fleet: Fleet, before: dict[tuple[str, str, str], str], namespace: str, model: str
) -> None:
    """Wait until nothing of a model is left; everything else is what it was."""

    def is_of_it(key: tuple[str, str, str]) -> bool:
        _, home, name = key
        return home == namespace and name.startswith(model)

    fleet.cluster.wait(
        f"{model} and its pods are gone", lambda: not any(map(is_of_it, fleet.uids(namespace)))
    )
    spaces = {home for _, home, _ in before}
    left = {key: uid for key, uid in before.items() if not is_of_it(key)}
    assert fleet.uids(*spaces) == left


@pytest.fixture(scope="module")
def repository(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A Git repository on loopback, where only a cluster of our own looks for it."""
    if cluster.node is None:
        pytest.skip("run `make cluster SUITE=gitops`, as root and without KUBECONFIG")
    with gitserver.serving(tmp_path_factory.mktemp("git")) as found:
        yield found


@pytest.fixture(scope="session")
def model_servers(cluster: Cluster) -> None:
    """KServe's own server runs in pods, and fetches models from this machine; or it skips."""
    if not modelserver.environment().is_dir():
        pytest.skip("upstream's model servers need Python 3.10, 3.11 or 3.12")


@pytest.fixture(scope="module")
def served(uri_of: Callable[[str], str]) -> Callable[[str], Object]:
    """A model's values: `served("first")` predicts 1, "second" 2; "third" cannot be fetched."""
    return lambda name: {"format": "sklearn", "storageUri": uri_of(name)}


@pytest.fixture(scope="module")
def fleet(
    cluster: Cluster,
    repository: Repository,
    tool: str,
    served: Callable[[str], Object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    """Two models in `default`, two of a team `fraud` and one of a team `ads`; all of it is taken
    away afterwards.
    """
    cluster.empty()
    found = Fleet(cluster, repository, tool, tmp_path_factory.mktemp("values"))
    found.models = {"one": served("first"), "two": served("second")}
    found.teams = {
        "fraud": {"rules": served("first"), "scores": served("second")},
        "ads": {"clicks": served("first")},
    }
    yield found
    cluster.reset()
    for phase in ("20-runtimes", "10-platform", "00-crds"):
        cluster.kubectl("delete", "-k", str(found.manifests / phase), "--ignore-not-found")
    for namespace in ("argocd", "flux-system", *found.teams):
        cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def argo(
    cluster: Cluster, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArgoCd]:
    """A running Argo CD. It ends before the fleet is taken away, which it would apply again."""
    argocd.install(cluster)
    with argocd.running(cluster, tmp_path_factory.mktemp("argocd")) as running:
        yield running
