"""Istio itself, installed by its own installer, with the Envoy that PyPI has."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from generator import process, tools
from tests.cluster.harness import foreign
from tests.cluster.harness.cluster import Cluster

PROGRAMS = ("istioctl", "pilot-discovery", "pilot-agent")
NAMESPACE = "istio-system"
GATEWAY = "istio-ingressgateway"
"""Its ingress gateway: a Deployment and a Service in NAMESPACE."""

# Envoy as its project builds it lacks the filters that exchange and report the peers' metadata, and
# the one that offers Istio's own ALPN names.
_WITHOUT_FILTERS = {
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_DISABLE_MX_ALPN": "true",
}


@contextlib.contextmanager
def running(cluster: Cluster) -> Iterator[None]:
    """Istio, with its ingress gateway, and the CRDs of the Gateway API until the block ends."""
    with foreign.crds(cluster, "gateway-api"):
        install(cluster)
        yield


def install(cluster: Cluster) -> None:
    """`istioctl install`: istiod and an ingress gateway; returns when both are ready."""
    operator = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "spec": {
            "profile": "default",
            "hub": "docker.io/istio",
            "tag": "built-here",
            "values": {
                "pilot": {"env": _WITHOUT_FILTERS},
                "telemetry": {"enabled": False},
                # Sidecars catch their pods' connections by nft, not by iptables.
                "global": {"nativeNftables": True},
                # Else no namespace that enforces Pod Security "restricted" takes the pods that
                # Istio makes of a Gateway of the Gateway API.
                "gateways": {"seccompProfile": {"type": "RuntimeDefault"}},
            },
        },
    }
    argv = [
        str(tools.find("istioctl")),
        "install",
        "--skip-confirmation",
        "-f",
        "-",
        "--readiness-timeout=90s",
    ]
    process.run(argv, environment=cluster.environment, stdin=json.dumps(operator), timeout=660)


def address(cluster: Cluster) -> str:
    """Where its ingress gateway is reached from outside."""

    def found() -> str:
        service = cluster.get("service", GATEWAY, NAMESPACE)
        given = service["status"]["loadBalancer"].get("ingress", []) if service else []
        return next((each["ip"] for each in given), "")

    return cluster.wait(f"{GATEWAY} has an address", found)
