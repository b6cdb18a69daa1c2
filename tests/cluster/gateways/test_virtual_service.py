"""routing.mode virtualService: through Istio's ingress gateway."""

import pytest

from tests.cluster.harness import foreign, istio


@pytest.fixture(scope="session")
def mesh(cluster):
    with foreign.crds(cluster, "gateway-api"):
        istio.install(cluster)
        yield


def test_x(cluster, mesh):
    print(istio.address(cluster))
    print(cluster.kubectl("get", "pods,svc,gatewayclass,ingressclass", "-A"))
    assert 0
