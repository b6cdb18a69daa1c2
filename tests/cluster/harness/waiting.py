"""Waiting for models as docs/waiting.md recommends, never on an InferenceService's condition.

`--for=condition=…` compares the counter of an InferenceService with that of its Deployment, which
KServe copies to `status.observedGeneration`, and hangs on healthy models.
"""

from __future__ import annotations

from tests.cluster.harness.cluster import Cluster

# The Go module with the rule by which Argo CD judges an InferenceService, and its place there.
ARGO_CD = "github.com/argoproj/argo-cd/v3"
RULE = "resource_customizations/serving.kserve.io/InferenceService/health.lua"

READY = """--for=jsonpath={.status.conditions[?(@.type=="Ready")].status}=True"""
# Where a Deployment says which model its pods fetch.
SOURCE = (
    r"{.spec.template.metadata.annotations.internal\.serving\.kserve\.io"
    r"/storage-initializer-sourceuri}"
)


def until_ready(cluster: Cluster, what: str, namespace: str, timeout: str = "10m") -> str:
    """Wait until a KIND/NAME of KServe's is Ready, for the first time or still; what kubectl says."""
    return cluster.kubectl("wait", what, "-n", namespace, READY, f"--timeout={timeout}")


def until_carried(
    cluster: Cluster, model: str, namespace: str, path: str, value: str, timeout: str = "1m"
) -> str:
    """Wait until a model's Deployment has the value at a JSONPath; what kubectl says."""
    where = (f"deployment/{model}-predictor", "-n", namespace)
    return cluster.kubectl("wait", *where, f"--for=jsonpath={path}={value}", f"--timeout={timeout}")


def until_rolled_out(cluster: Cluster, model: str, namespace: str, timeout: str = "10m") -> str:
    """Wait until all pods of a model are those of its Deployment, and ready; what kubectl says."""
    where = (f"deployment/{model}-predictor", "-n", namespace)
    return cluster.kubectl("rollout", "status", *where, f"--timeout={timeout}")
