"""The fixtures of the cluster tests. What is real and what is not: tests/cluster/__main__.py."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest

from tests.cluster.harness import constant, envoygateway, mlserver, modelserver, own
from tests.cluster.harness.cluster import Cluster, Release, installed


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cluster", choices=("own", "given"), help="set by `python -m tests.cluster`: use that"
    )
    parser.addoption(
        "--implementation",
        choices=("istio", envoygateway.CLASS),
        help="of the Gateway API: the cases of tests/cluster/gateways that are run, else both",
    )
    parser.addoption("--page", help="where tests/cluster/reliability writes its table")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest goes first, so that in the end nobody waits for it."""
    items.sort(key=lambda item: item.path.name != "test_upgrades.py")


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The cluster, without KServe."""
    which = pytestconfig.getoption("--cluster", None)
    if which is None:
        pytest.skip("run `python -m tests.cluster`")
    if which == "given":
        given = Cluster()
        if "serving.kserve.io" in given.kubectl("api-versions"):
            pytest.exit("the cluster of KUBECONFIG has KServe; these tests would remove it", 1)
        yield given
        given.leave()
        return
    with own.running() as running:
        yield running


@pytest.fixture(scope="module")
def program() -> str:
    """The Helm to install with. `pytestmark = BOTH_HELMS` has all of a module tested with both."""
    return "helm"


@pytest.fixture
def release(cluster: Cluster, program: str) -> Iterator[Release]:
    """A release that is not installed yet; removed afterwards."""
    yield Release(cluster, cluster.namespace("kserve"), program)
    cluster.reset()


@pytest.fixture(scope="module")
def platform(cluster: Cluster, program: str) -> Iterator[Release]:
    """The platform with its default values, one for all tests of a module."""
    with installed(cluster, program=program) as installation:
        yield installation


@pytest.fixture
def models(cluster: Cluster) -> str:
    """A new namespace for models."""
    return cluster.namespace("models")


@pytest.fixture(scope="session")
def model_servers(cluster: Cluster) -> None:
    """Upstream's model servers run in pods, and fetch models from this machine; or it skips."""
    if cluster.node is None:
        pytest.skip("the models are served from this machine")
    if not (modelserver.environment().is_dir() and mlserver.environment().is_dir()):
        pytest.skip("upstream's model servers need Python 3.10, 3.11 or 3.12")


@pytest.fixture(scope="module")
def uri_of(
    model_servers: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """The storageUri of a model: `uri_of("first")` answers 1, "second" 2; "third" is not there."""
    with constant.serving(tmp_path_factory.mktemp("bucket")) as found:
        yield found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what the node and its containers had to say lately."""
    report = yield
    if report.failed:
        report.sections += own.recent_logs().items()
    return report
