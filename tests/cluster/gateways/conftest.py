"""A cluster on which requests go the whole way: DNS, kube-proxy, a load balancer, gateways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.cluster.gateways import matrix
from tests.cluster.gateways.published import Platform, published
from tests.cluster.harness import envoygateway, flowers, foreign, istio, own
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.dumper import Dumper, dumping
from tests.cluster.harness.flowers import Trained
from tests.rendering import Object


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the cases of one implementation of the Gateway API, where one is asked for.

    With one alone the matrix is not whole.
    """
    if wanted := config.getoption("--implementation"):
        other = [
            item
            for item in items
            if (envoygateway.CLASS in item.name) != (wanted == envoygateway.CLASS)
            or item.path.name == "test_whole.py"
        ]
        config.hook.pytest_deselected(items=other)
        items[:] = [item for item in items if item not in other]


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
def gateway_api(cluster: Cluster) -> Iterator[None]:
    """The CRDs of the Gateway API."""
    with foreign.crds(cluster, "gateway-api"):
        yield


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> Callable[[Object], None]:
    """Installs what serves the routes of some `routing` values, unless it is there."""

    def install(routing: Object) -> None:
        other = routing.get("gateway", {}).get("className") == envoygateway.CLASS
        request.getfixturevalue("envoy_gateway" if other else "mesh")

    return install


@pytest.fixture(scope="session")
def mesh(cluster: Cluster, gateway_api: None) -> None:
    """Istio, with its ingress gateway."""
    istio.install(cluster)


@pytest.fixture(scope="session")
def envoy_gateway(cluster: Cluster, gateway_api: None) -> None:
    """Envoy Gateway, with its GatewayClass."""
    envoygateway.install(cluster)


@pytest.fixture(scope="module")
def publish(
    cluster: Cluster,
    implementation: Callable[[Object], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Object], AbstractContextManager[Platform]]:
    """The platform with some `routing` values, in a new namespace: `with publish(routing) as …`."""

    def publish(routing: Object) -> AbstractContextManager[Platform]:
        implementation(routing)
        folder = tmp_path_factory.mktemp("platform")
        return published(cluster, cluster.namespace("kserve"), routing, folder)

    return publish


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    """The case of the matrix that a test is named after."""
    return str(request.node.originalname.removeprefix("test_"))


@pytest.fixture
def cell(platform: Platform, case: str) -> Callable[..., None]:
    """Notes what came out of a cell of the matrix."""
    return matrix.cell(platform.column, case)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the matrix."""
    if found := list(matrix.lines()):
        terminalreporter.section("routing mode by case")
        for line in found:
            terminalreporter.write_line(line)
