"""Knative Serving in place: its CRDs are there, and nothing behind them.

with settings(cluster): …   what KServe reads of Knative's settings
serve(cluster, "iris", …)   what Knative would report of a model's predictor
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from codegen import upstream
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.status import conditions, report
from tests.rendering import Object

SERVICES = "services.serving.knative.dev"
_HOME = "knative-serving"


@contextlib.contextmanager
def settings(cluster: Cluster) -> Iterator[None]:
    """The ConfigMap of Knative that KServe reads, where it reads it."""
    if cluster.get("namespace", _HOME):
        pytest.skip("Knative itself is there")
    folder = upstream.folder("knative.dev/serving") / "config/core/configmaps"
    cluster.kubectl("create", "namespace", _HOME)
    try:
        cluster.kubectl("apply", "-f", str(folder / "autoscaler.yaml"))
        yield
    finally:
        cluster.kubectl("delete", "namespace", _HOME)


def serve(cluster: Cluster, model: str, namespace: str, domain: str) -> Object:
    """Wait for the Knative Service of a model's predictor, and report it ready; the Service."""
    name = f"{model}-predictor"
    service = cluster.wait(
        f"Knative Service {name}", lambda: cluster.get(SERVICES, name, namespace)
    )
    host, revision = f"{name}.{namespace}", f"{name}-00001"
    ready = {
        "url": f"http://{host}.{domain}",
        "address": {"url": f"http://{host}.svc.cluster.local"},
        "latestCreatedRevisionName": revision,
        "latestReadyRevisionName": revision,
        "traffic": [{"latestRevision": True, "percent": 100, "revisionName": revision}],
        "observedGeneration": service["metadata"]["generation"],
        "conditions": conditions(Ready="True", ConfigurationsReady="True", RoutesReady="True"),
    }
    report(cluster, {**service, "kind": SERVICES}, ready)
    return service
