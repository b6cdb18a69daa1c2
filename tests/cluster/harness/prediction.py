"""Questions to a model inside the cluster, through the Service that has its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.cluster.harness.cluster import Cluster
from tests.rendering import Object

Rows = Sequence[Sequence[float]]


def v1(cluster: Cluster, model: str, namespace: str, rows: Rows) -> list[Any]:
    """The predictions for some rows by the v1 protocol."""
    answer = _post(cluster, model, namespace, f"v1/models/{model}:predict", {"instances": rows})
    found: list[Any] = answer["predictions"]
    return found


def v2(cluster: Cluster, model: str, namespace: str, rows: Rows) -> list[Any]:
    """The numbers of the one output for some rows by the open inference protocol, REST, flat."""
    shape = [len(rows), len(rows[0])]
    flat = [number for row in rows for number in row]
    tensor = {"name": "input-0", "shape": shape, "datatype": "FP32", "data": flat}
    return _infer(cluster, model, namespace, {"inputs": [tensor]})


def v2_by_column(
    cluster: Cluster, model: str, namespace: str, rows: Rows, names: Sequence[str]
) -> list[Any]:
    """The same from a model of data frames: each column is an input of its own."""
    columns = zip(names, zip(*rows, strict=True), strict=True)
    tensors = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": numbers}
        for name, numbers in columns
    ]
    body = {"parameters": {"content_type": "pd"}, "inputs": tensors}
    return _infer(cluster, model, namespace, body)


def _infer(cluster: Cluster, model: str, namespace: str, body: Object) -> list[Any]:
    answer = _post(cluster, model, namespace, f"v2/models/{model}/infer", body)
    (output,) = answer["outputs"]
    found: list[Any] = output["data"]
    return found


def endpoints(
    cluster: Cluster, service: str, namespace: str, *, ready: bool = True
) -> set[tuple[str, int]]:
    """Where a Service leads to: addresses of ready pods, or of all, each with the first port.

    Kubernetes writes them for itself: maybe after it has counted the pods as ready.
    """
    slices = cluster.list("endpointslices", namespace, f"kubernetes.io/service-name={service}")
    return {
        (address, each["ports"][0]["port"])
        for each in slices
        for endpoint in each["endpoints"] or []
        if endpoint["conditions"]["ready"] or not ready
        for address in endpoint["addresses"]
    }


def _post(cluster: Cluster, model: str, namespace: str, path: str, body: Object) -> Any:
    assert cluster.control_plane is not None, "kubectl cannot say that what it sends is JSON"
    cluster.wait(f"{model} has a pod", lambda: endpoints(cluster, model, namespace))
    url = f"/api/v1/namespaces/{namespace}/services/{model}:80/proxy/{path}"
    return cluster.control_plane.api.post(url, body)
