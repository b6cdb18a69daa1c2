"""A cluster on which requests go the whole way: DNS, kube-proxy, a load balancer, Istio."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.gateways import matrix
from tests.cluster.harness import flowers, istio, own
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.dumper import Dumper, dumping
from tests.cluster.harness.flowers import Trained


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The cluster, without KServe."""
    if pytestconfig.getoption("--cluster", None) != "own":
        pytest.skip("run `make cluster SUITE=gateways`, as root and without KUBECONFIG")
    with own.running(services=True) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def trained(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """A model that pods can fetch."""
    with flowers.served(tmp_path_factory.mktemp("bucket")) as trained:
        yield trained


@pytest.fixture(scope="session")
def shifted(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """Another model, which never says the same."""
    with flowers.served(tmp_path_factory.mktemp("shifted"), shift=1) as shifted:
        yield shifted


@pytest.fixture(scope="session")
def dumper(cluster: Cluster) -> Iterator[Dumper]:
    """Where models log their requests."""
    with dumping() as dumper:
        yield dumper


@pytest.fixture(scope="session")
def mesh(cluster: Cluster) -> Iterator[None]:
    """Istio, with its ingress gateway, and the CRDs of the Gateway API."""
    with istio.running(cluster):
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the matrix."""
    if found := list(matrix.lines()):
        terminalreporter.section("routing mode by case")
        for line in found:
            terminalreporter.write_line(line)
