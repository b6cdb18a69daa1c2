"""A cluster on which requests go the whole way: DNS, kube-proxy, a load balancer, Istio."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.harness import flowers, own
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.flowers import Trained


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The cluster, without KServe."""
    if pytestconfig.getoption("--cluster", None) != "own":
        pytest.skip("run `make cluster SUITE=gateways`, as root and without KUBECONFIG")
    with own.running(services=True) as it:
        yield it


@pytest.fixture(scope="session")
def trained(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """A model that pods can fetch."""
    with flowers.served(tmp_path_factory.mktemp("bucket")) as it:
        yield it
