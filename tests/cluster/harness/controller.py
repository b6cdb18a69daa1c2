"""The KServe controller of a release: its pods, its log, its Lease."""

from __future__ import annotations

from tests.cluster.harness.cluster import Cluster
from tests.rendering import Object

NAME = "kserve-controller-manager"

_PODS = "app.kubernetes.io/component=controller"
LEASE = "kserve-controller-manager-leader-lock"


def pods(cluster: Cluster, namespace: str) -> list[Object]:
    """Its pods that are not about to end, the newest last."""
    every = cluster.list("pods", namespace, _PODS)
    found = [pod for pod in every if "deletionTimestamp" not in pod["metadata"]]
    return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def are_away(cluster: Cluster, namespace: str) -> bool:
    """Whether none of its pods is left: one that is about to end still answers for its webhooks."""
    return not cluster.list("pods", namespace, _PODS)


def log(cluster: Cluster, namespace: str) -> str:
    """What its pods have logged: those of the revision that was rolled out last."""
    revision = pods(cluster, namespace)[-1]["metadata"]["labels"]["pod-template-hash"]
    one = f"{_PODS},pod-template-hash={revision}"
    return cluster.kubectl("logs", "-n", namespace, "-l", one, "--tail=-1")


def forbidden(cluster: Cluster, namespace: str) -> list[str]:
    """The lines of its log in which the API server forbids it something."""
    lines = log(cluster, namespace).splitlines()
    return [line for line in lines if "is forbidden: User" in line]


def free_lease(cluster: Cluster, namespace: str) -> None:
    """KServe does not give its Lease back when it ends; the next one would wait 15 s for nothing."""
    cluster.kubectl("delete", "lease", LEASE, "-n", namespace, "--ignore-not-found")
