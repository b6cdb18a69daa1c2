"""What takes a while to go, until it is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.harness.cluster import Cluster

_MADE = "deployments,services,horizontalpodautoscalers,ingresses"


def crds(cluster: Cluster, names: Iterable[str]) -> None:
    """Delete CRDs, until they are gone.

    An API server under load lets the deletion of one or another lie for minutes, until it
    changes.
    """
    wanted = set(names)
    for attempt in range(120):
        if not (left := cluster.crds() & wanted):
            return
        if attempt % 20 == 0:
            if attempt:  # One may go meanwhile.
                change = ("annotate", "crd", *left, f"attempt={attempt}", "--overwrite")
                cluster.kubectl(*change, accept=(0, 1))
            cluster.kubectl("delete", "crd", *left, "--ignore-not-found", "--wait=false")
        time.sleep(0.5)
    raise AssertionError(f"these CRDs are not deleted: {left}")


def made_of_models(cluster: Cluster) -> None:
    """Wait until all that KServe made of models is gone, which were deleted.

    Once their CRDs are gone, Kubernetes no longer knows whose it was, and leaves what is left.
    """

    def gone() -> bool:
        owners = (each["metadata"].get("ownerReferences") for each in cluster.list(_MADE))
        return "serving.kserve.io/" not in json.dumps([*owners])

    cluster.wait("all that was made of models is gone", gone)
