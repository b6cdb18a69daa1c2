"""Flux: its kustomize-controller as a process, by the cluster's API, and what gives it a commit.

Flux's source-controller is not run. What it does is done by `Flux.fetch`: it packs a commit, and
says in the status of the GitRepository where that is. Everything else is Flux.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from codegen import upstream
from generator import tools
from tests.cluster.harness import foreign, website
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.gitserver import BRANCH, Repository
from tests.rendering import Object

NAMESPACE = "flux-system"
_SOURCES = "github.com/fluxcd/source-controller"
_CRDS = (
    "kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    "source.toolkit.fluxcd.io_gitrepositories.yaml",
    # The controller watches these, too.
    "source.toolkit.fluxcd.io_ocirepositories.yaml",
    "source.toolkit.fluxcd.io_buckets.yaml",
    "source.toolkit.fluxcd.io_externalartifacts.yaml",
)


def build() -> None:
    """Build what is missing. Raises ToolMissing or ToolFailed."""
    for program in ("kustomize-controller", "helm-controller"):
        tools.build(program)
        # Their CRDs; where the tests run is no network.
        upstream.source(tools.TOOLS[program])
    upstream.folder(_SOURCES)


def install(cluster: Cluster) -> None:
    """What the kustomize-controller needs: CRDs, and Flux's namespace."""
    put(cluster, "kustomize-controller", _CRDS)


def put(cluster: Cluster, program: str, crds: Sequence[str]) -> None:
    """Flux's namespace, and CRDs by their files, which a controller or the sources have."""
    folders = (upstream.source(tools.TOOLS[program]), upstream.folder(_SOURCES))
    for name in crds:
        group, _, plural = name.removesuffix(".yaml").partition("_")
        (file,) = (
            found for folder in folders if (found := folder / "config/crd/bases" / name).exists()
        )
        cluster.kubectl("apply", "--server-side", "-f", str(file))
        foreign.established(cluster, f"crd/{plural}.{group}")
    # Another file's may still be on its way out.
    cluster.wait(NAMESPACE, lambda: cluster.kubectl("create", "namespace", NAMESPACE))


def stored(file: Path, url: str, revision: str, generation: int = 1) -> Object:
    """The status by which source-controller says that it has packed something into a file."""
    time = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    artifact = {
        "path": file.name,
        "url": f"{url}/{file.name}",
        "revision": revision,
        "digest": f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}",
        "size": file.stat().st_size,
        "lastUpdateTime": time,
    }
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Succeeded",
        "message": "stored",
        "lastTransitionTime": time,
    }
    return {"artifact": artifact, "conditions": [ready], "observedGeneration": generation}


@dataclass(frozen=True)
class Flux:
    """A running Flux, and the repository that its source is."""

    cluster: Cluster
    repository: Repository
    artifacts: Path
    url: str

    def fetch(self, name: str) -> str:
        """Give a GitRepository what its branch has now, as source-controller would; the revision."""
        commit = self.repository.git("rev-parse", "HEAD").strip()
        file = self.artifacts / f"{commit}.tar.gz"
        if not file.exists():
            self.repository.git("archive", "--format=tar.gz", f"--output={file}", commit)
        revision = f"{BRANCH}@sha1:{commit}"
        status = stored(file, self.url, revision)
        where = ("patch", "gitrepository", name, "-n", NAMESPACE, "--subresource=status")
        self.cluster.kubectl(*where, "--type=merge", "-p", json.dumps({"status": status}))
        return revision

    def kustomization(self, name: str) -> Object | None:
        """A Kustomization of Flux's, if it is there."""
        kind = "kustomizations.kustomize.toolkit.fluxcd.io"
        return self.cluster.get(kind, name, NAMESPACE)

    def until_applied(self, name: str, revision: str, timeout: float = 120) -> Object:
        """Wait until a Kustomization has applied a revision, and is Ready; what it is then."""

        def applied() -> Object | None:
            found = self.kustomization(name)
            status = (found or {}).get("status", {})
            done = status.get("lastAppliedRevision") == revision
            return found if done and ready(found) == "True" else None

        try:
            return self.cluster.wait(f"{name} is Ready at {revision}", applied, timeout=timeout)
        except AssertionError as error:
            status = (self.kustomization(name) or {}).get("status", {})
            raise AssertionError(f"{error}\n{status.get('conditions')}") from None

    def reconcile(self, name: str) -> None:
        """What `flux reconcile kustomization` does: have a Kustomization look now."""
        now = datetime.now(timezone.utc).isoformat()
        kind = "kustomizations.kustomize.toolkit.fluxcd.io"
        asked = f"reconcile.fluxcd.io/requestedAt={now}"
        self.cluster.kubectl("annotate", kind, name, "-n", NAMESPACE, asked, "--overwrite")
        self.cluster.wait(
            f"{name} is reconciled",
            lambda: (
                (self.kustomization(name) or {}).get("status", {}).get("lastHandledReconcileAt")
                == now
            ),
        )


def ready(kustomization: Object | None) -> str:
    """The condition Ready of a Kustomization; empty if there is none."""
    conditions = (kustomization or {}).get("status", {}).get("conditions", [])
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "")


@contextlib.contextmanager
def running(cluster: Cluster, repository: Repository, folder: Path) -> Iterator[Flux]:
    """Flux, which has been installed, until the block ends; its files and log are in a folder."""
    artifacts = folder / "artifacts"
    artifacts.mkdir()
    arguments = (
        "--requeue-dependency=2s",
        # As docs/gitops-flux.md has it; else a model that never serves takes ten minutes.
        "--feature-gates=CancelHealthCheckOnNewRevision=true",
    )
    with (
        website.serving(artifacts) as url,
        controller("kustomize-controller", cluster, folder, *arguments),
    ):
        yield Flux(cluster, repository, artifacts, url)


@contextlib.contextmanager
def controller(program: str, cluster: Cluster, folder: Path, *arguments: str) -> Iterator[None]:
    """A controller of Flux's as a process, until the block ends; its log is in a folder."""
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {
        **os.environ,
        **cluster.environment,
        "RUNTIME_NAMESPACE": NAMESPACE,
        "TMPDIR": str(temporary),
    }
    argv = [
        str(tools.find(program)),
        "--watch-all-namespaces",
        "--log-level=debug",
        "--enable-leader-election=false",
        "--events-addr=",
        "--metrics-addr=127.0.0.1:0",
        "--health-addr=127.0.0.1:0",
        *arguments,
    ]
    with (
        (folder / f"{program}.log").open("wb") as log,
        subprocess.Popen(argv, env=environment, cwd=folder, stdout=log, stderr=log) as running,
    ):
        try:
            yield
        finally:
            running.terminate()
