"""What the parts of this cluster are, and are not."""

from dataclasses import replace

import pytest

from generator import tools
from tests.cluster.harness import envoy, envoygateway


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


@pytest.mark.parametrize("class_name", ["istio", envoygateway.CLASS])
def test_the_gateway_api_is_the_one_that_kserve_is_built_with(cluster, implementation, class_name):
    implementation({"gateway": {"className": class_name}})
    crd = cluster.get("crd", "httproutes.gateway.networking.k8s.io")
    built_with = replace(tools.TOOLS["manager"], module="sigs.k8s.io/gateway-api").pinned
    annotations = crd["metadata"]["annotations"]
    assert annotations["gateway.networking.k8s.io/bundle-version"] == built_with
