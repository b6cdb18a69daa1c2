"""What the API server knows of the platform's webhooks."""

from __future__ import annotations

from generator.errors import ToolFailed
from tests.cluster.harness import iris
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.status import condition
from tests.rendering import Object

NAME = "inferenceservice.serving.kserve.io"
KINDS = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")
SECRET = "kserve-webhook-server-self-signed"


def configurations(cluster: Cluster) -> list[Object]:
    """Both webhook configurations."""
    return [found for kind in KINDS if (found := cluster.get(kind, NAME))]


def bundles(cluster: Cluster) -> set[str]:
    """The caBundles of all webhooks; empty for one that has none."""
    return {
        webhook["clientConfig"].get("caBundle", "")
        for configuration in configurations(cluster)
        for webhook in configuration["webhooks"]
    }


def authority(cluster: Cluster, namespace: str) -> str:
    """The CA that the certificate Job keeps beside the certificate."""
    secret = cluster.get("secret", SECRET, namespace)
    return str(secret["data"]["ca.crt"]) if secret else ""


def wait(cluster: Cluster, namespace: str) -> None:
    """Wait until they take a model."""
    cluster.wait("the webhooks answer", lambda: iris.admitted(cluster, namespace))


def refusal(cluster: Cluster, namespace: str) -> str:
    """Wait until they do not take a model; why not."""

    def why() -> str:
        try:
            iris.admitted(cluster, namespace)
        except ToolFailed as error:
            return str(error)
        return ""

    return cluster.wait("the webhooks do not answer", why)


def certified(cluster: Cluster, namespace: str) -> None:
    """Wait until no Job for their certificate is left to run; Helm waits for none."""

    def over() -> bool:
        jobs = cluster.list("jobs", namespace)
        return all(condition(job, "Complete") == "True" for job in jobs)

    cluster.wait("the Job is complete", over)
