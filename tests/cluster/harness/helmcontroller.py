"""Flux's helm-controller as a process, what gives it charts, and its HelmReleases.

Flux's source-controller is not run. What it does is done by `HelmReleases.fetch`: it packs the chart
of a HelmChart, and says in the status of that where the chart is. Everything else is Flux.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import yaml

from tests.cluster.harness import flux, status, website
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.gitserver import Repository
from tests.rendering import Object

KIND = "helmreleases.helm.toolkit.fluxcd.io"
_CHARTS = "helmcharts.source.toolkit.fluxcd.io"
_CRDS = (
    "helm.toolkit.fluxcd.io_helmreleases.yaml",
    "source.toolkit.fluxcd.io_helmcharts.yaml",
    # The controller watches these, too.
    "source.toolkit.fluxcd.io_ocirepositories.yaml",
)


@dataclass(frozen=True)
class HelmReleases:
    """The HelmReleases of a cluster, by their namespaces and names, and where their charts are."""

    cluster: Cluster
    repository: Repository
    artifacts: Path
    url: str

    def fetch(self, namespace: str, name: str) -> str:
        """Give a HelmRelease its chart, as source-controller would; the chart's version.

        The artifact is another only if the version is: that is the strategy ChartVersion.
        """
        what = f"{namespace}-{name}"
        chart = self.cluster.wait(
            f"the HelmChart {what}", lambda: self.cluster.get(_CHARTS, what, flux.NAMESPACE)
        )
        folder = self.repository.clone / chart["spec"]["chart"]
        about = yaml.safe_load((folder / "Chart.yaml").read_text("utf-8"))
        version = str(about["version"])
        if chart.get("status", {}).get("artifact", {}).get("revision") != version:
            self.cluster.helm("package", str(folder), "--destination", str(self.artifacts))
            file = self.artifacts / f"{about['name']}-{version}.tgz"
            generation = chart["metadata"]["generation"]
            said = flux.stored(file, self.url, version, generation)
            status.report(self.cluster, chart, said)
        return version

    def get(self, namespace: str, name: str) -> Object:
        """A HelmRelease, or nothing in it if there is none."""
        return self.cluster.get(KIND, name, namespace) or {}

    def history(self, namespace: str, name: str) -> list[Object]:
        """What was installed for it, the newest first."""
        found: list[Object] = self.get(namespace, name).get("status", {}).get("history", [])
        return found

    def ready(self, namespace: str, name: str) -> Object:
        """Its condition Ready, or nothing in it if there is none."""
        found = self.get(namespace, name).get("status", {}).get("conditions", [])
        return next((each for each in found if each["type"] == "Ready"), {})

    def until_ready(
        self, namespace: str, name: str, release: int | None = None, timeout: float = 120
    ) -> None:
        """Wait until it is Ready as it is now, and, if that is given, at a number of a release."""

        def arrived() -> bool:
            found = self.get(namespace, name)
            state = found.get("status", {})
            numbers = [each["version"] for each in state.get("history", [])]
            return (
                state.get("observedGeneration") == found["metadata"]["generation"]
                and status.condition(found, "Ready") == "True"
                and (release is None or numbers[:1] == [release])
            )

        try:
            self.cluster.wait(f"{name} is Ready", arrived, timeout=timeout)
        except AssertionError as error:
            state = self.get(namespace, name).get("status", {})
            raise AssertionError(f"{error}\n{state}") from None

    def ask(self, namespace: str, name: str) -> str:
        """Have Flux look at it now; when that was."""
        now = datetime.now(timezone.utc).isoformat()
        asked = f"reconcile.fluxcd.io/requestedAt={now}"
        self.cluster.kubectl("annotate", KIND, name, "-n", namespace, asked, "--overwrite")
        return now

    def reconcile(self, namespace: str, name: str) -> None:
        """What `flux reconcile helmrelease` does: `ask`, and wait until Flux has looked."""
        now = self.ask(namespace, name)

        def handled() -> bool:
            state = self.get(namespace, name)["status"]
            return bool(state.get("lastHandledReconcileAt") == now)

        self.cluster.wait(f"{name} is reconciled", handled)


def install(cluster: Cluster) -> None:
    """What the helm-controller needs: CRDs, and Flux's namespace."""
    flux.put(cluster, "helm-controller", _CRDS)


@contextlib.contextmanager
def running(cluster: Cluster, repository: Repository, folder: Path) -> Iterator[HelmReleases]:
    """Flux's helm-controller until the block ends; its files and log are in a folder."""
    artifacts = folder / "artifacts"
    artifacts.mkdir()
    with (
        website.serving(artifacts) as url,
        flux.controller("helm-controller", cluster, folder, "--requeue-dependency=2s"),
    ):
        yield HelmReleases(cluster, repository, artifacts, url)
