"""Flux: its kustomize-controller as a process, by the cluster's API, and what gives it a commit.

Flux's source-controller cannot be had here as a Go module. What it does is done by `Source`: it
packs a commit and says in the status of the GitRepository where that is. Everything else is Flux.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from codegen import upstream
from generator import tools
from tests.cluster.harness import website
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.gitserver import BRANCH, Repository
from tests.rendering import Object

NAMESPACE = "flux-system"
_SOURCES = "github.com/fluxcd/source-controller"
_CRDS = (
    (
        "kustomizations.kustomize.toolkit.fluxcd.io",
        "kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    ),
    ("gitrepositories.source.toolkit.fluxcd.io", "source.toolkit.fluxcd.io_gitrepositories.yaml"),
    # The controller watches these, too.
    ("ocirepositories.source.toolkit.fluxcd.io", "source.toolkit.fluxcd.io_ocirepositories.yaml"),
    ("buckets.source.toolkit.fluxcd.io", "source.toolkit.fluxcd.io_buckets.yaml"),
    (
        "externalartifacts.source.toolkit.fluxcd.io",
        "source.toolkit.fluxcd.io_externalartifacts.yaml",
    ),
)


def build() -> None:
    """Build what is missing. Raises ToolMissing or ToolFailed."""
    tools.build("kustomize-controller")
    # Their CRDs; where the tests run is no network.
    upstream.source(tools.TOOLS["kustomize-controller"])
    upstream.folder(_SOURCES)


def install(cluster: Cluster) -> None:
    """Flux's CRDs and its namespace."""
    folders = (upstream.source(tools.TOOLS["kustomize-controller"]), upstream.folder(_SOURCES))
    for crd, name in _CRDS:
        (file,) = (
            found for folder in folders if (found := folder / "config/crd/bases" / name).exists()
        )
        cluster.kubectl("apply", "--server-side", "-f", str(file))
        # A new CRD has no conditions for a moment, of which kubectl makes an error.
        first = "--for=jsonpath={.status.conditions[0].status}=True"
        cluster.kubectl("wait", f"crd/{crd}", first, "--timeout=1m")
        cluster.kubectl("wait", f"crd/{crd}", "--for=condition=Established", "--timeout=1m")
    cluster.kubectl("create", "namespace", NAMESPACE)


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
        time = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        artifact = {
            "path": file.name,
            "url": f"{self.url}/{file.name}",
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
        status = {"artifact": artifact, "conditions": [ready], "observedGeneration": 1}
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
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {
        **os.environ,
        **cluster.environment,
        "RUNTIME_NAMESPACE": NAMESPACE,
        "TMPDIR": str(temporary),
    }
    argv = [
        str(tools.find("kustomize-controller")),
        "--watch-all-namespaces",
        "--log-level=debug",
        "--enable-leader-election=false",
        "--events-addr=",
        "--metrics-addr=127.0.0.1:0",
        "--health-addr=127.0.0.1:0",
        "--requeue-dependency=2s",
        # As docs/gitops-flux.md has it; else a model that never serves takes ten minutes.
        "--feature-gates=CancelHealthCheckOnNewRevision=true",
    ]
    with (
        website.serving(artifacts) as url,
        (folder / "kustomize-controller.log").open("wb") as log,
        subprocess.Popen(argv, env=environment, cwd=folder, stdout=log, stderr=log) as running,
    ):
        try:
            yield Flux(cluster, repository, artifacts, url)
        finally:
            running.terminate()
