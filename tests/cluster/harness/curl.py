"""Requests from a pod of the cluster."""

from __future__ import annotations

import json
import secrets

from tests.cluster.harness.cluster import Cluster


def post(cluster: Cluster, url: str, body: object, namespace: str = "default") -> str:
    """POST some JSON with curl, in a pod that is gone afterwards; what curl prints."""
    name = f"curl-{secrets.token_hex(3)}"
    argv = ["--silent", "--show-error", "--max-time", "30", url]
    argv += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
    where = (name, "-n", namespace)
    cluster.kubectl("run", *where, "--image=curlimages/curl", "--restart=Never", "--", *argv)
    try:
        cluster.wait(
            f"curl {url}",
            lambda: cluster.get("pod", name, namespace)["status"]["phase"] in _OVER,
        )
        return cluster.kubectl("logs", *where)
    finally:
        cluster.kubectl("delete", "pod", *where)


_OVER = ("Succeeded", "Failed")
