"""The model that everybody begins with, as an InferenceService."""

from __future__ import annotations

import json

from tests.cluster.harness import waiting
from tests.cluster.harness.cluster import Cluster
from tests.rendering import Object

NAME = "sklearn-iris"
URI = "gs://kfserving-examples/models/sklearn/1.0/model"

_HEAD = f"""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {NAME}
spec:
  predictor:
"""
MODEL = f"""{_HEAD}
    model:
      modelFormat:
        name: sklearn
      storageUri: {URI}
"""
# A tenth of the requests would be for a version of its own, which gets pods, a Service and a scaler.
SPLIT = f"""{MODEL}
    minReplicas: 2
  canary:
  - trafficPercent: 10
    predictor:
      name: next
      model:
        modelFormat:
          name: sklearn
        storageUri: {URI}
"""
# The spelling of KServe before 0.7, which most examples still have.
FORMER = f"""{_HEAD}
    sklearn:
      storageUri: {URI}
"""


def admitted(cluster: Cluster, namespace: str, model: str = MODEL) -> Object:
    """The model as the API server would store it, after the webhooks."""
    dry = ("--dry-run=server", "-o", "json")
    found: Object = json.loads(
        cluster.kubectl("apply", "-n", namespace, *dry, "-f", "-", stdin=model)
    )
    return found


def serve(cluster: Cluster, namespace: str, model: str = MODEL) -> Object:
    """Apply the model, wait until it is Ready; what the API server has of it then."""
    cluster.apply(model, namespace=namespace)
    waiting.until_ready(cluster, f"inferenceservice/{NAME}", namespace)
    found = cluster.get("inferenceservice", NAME, namespace)
    assert found is not None
    return found


def served(cluster: Cluster, namespace: str) -> tuple[set[str], dict[str, int]]:
    """The pods that serve it, and how often their Deployment was changed; rolled out first."""
    cluster.kubectl("rollout", "status", "deployment", "-n", namespace, "--timeout=2m")
    pods = (pod["metadata"] for pod in cluster.list("pods", namespace))
    deployments = (deployment["metadata"] for deployment in cluster.list("deployments", namespace))
    return (
        {pod["uid"] for pod in pods if "deletionTimestamp" not in pod},
        {deployment["uid"]: deployment["generation"] for deployment in deployments},
    )
