"""What the parts of this cluster are, and are not."""

import pytest

from tests.cluster.harness import envoy


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("envoy.filters.http.router", True),
        ("envoy.filters.http.peer_metadata", False),
        ("envoy.filters.network.metadata_exchange", False),
        ("istio.stats", False),
        ("istio.alpn", False),
    ],
)
def test_envoy_has_its_own_filters_and_none_of_istio(name, there):
    assert (name.encode() in envoy.program().read_bytes()) == there


def test_a_load_balancer_gives_an_address(cluster):
    cluster.kubectl("create", "service", "loadbalancer", "balanced", "--tcp=80")
    try:
        path = "--for=jsonpath={.status.loadBalancer.ingress[0].ip}"
        cluster.kubectl("wait", "service/balanced", path, "--timeout=30s")
    finally:
        cluster.kubectl("delete", "service", "balanced")
