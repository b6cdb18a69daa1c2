"""What callers of a model notice while something fails or changes, asked twenty times a second.

`make reliability` runs this and writes docs/reliability.md.
"""

import json
import re
import time
from functools import partial

import pytest
import yaml

from generator import MODELS
from tests.cluster.harness import controller, prediction, waiting, webhooks
from tests.cluster.harness.cluster import Release, installed
from tests.cluster.harness.load import Load
from tests.rendering import CHARTS, ROOT

NAME = "iris"
CONTAINER = "kserve-container"
PREDICTOR = f"{NAME}-predictor"
BODY = {"instances": [[0.0]]}
SETTLED = 3.0  # seconds of requests before a fault, and after all is as it will stay
# Without this a model's pods go on serving for as long as the chart's default says.
AT_ONCE = {"preStopSleepSeconds": 0}
# With it KServe's agent stands in front of the server, and goes on for half a minute by itself.
LOGGER = {"logger": {"url": "http://nobody.default"}}
# What fails when an endpoint is gone before those that ask it know.
GONE = {
    "connection refused",
    "connection lost",
    "no endpoint",
    "no route to host",
    "no answer in time",
    "bad gateway",  # So says the agent.
}


@pytest.fixture
def platform(cluster):
    """A platform of its own: a test may change it."""
    with installed(cluster) as release:
        yield release


class Model:
    """A release of one model."""

    def __init__(self, cluster, uri_of, file):
        self.cluster, self.uri_of, self.file = cluster, uri_of, file
        self.release = Release(
            cluster, cluster.namespace("load"), chart=CHARTS[MODELS], name="model"
        )
        self.namespace = self.release.namespace
        self.also = {}

    def serve(self, version, replicas, sleep):
        """Install it; returns when all its pods serve."""
        self._helm("install", version, replicas, sleep)
        # Its autoscaler raises their number after the first one is there.
        self.cluster.wait("all its pods serve", lambda: self.ready() == replicas, timeout=180)
        # Where requests go is written for itself, maybe later.
        leads = partial(prediction.endpoints, self.cluster, NAME, self.namespace)
        self.cluster.wait("its Service leads to all", lambda: len(leads()) == replicas)

    def change(self, version, replicas, sleep):
        """Upgrade it; returns when its Deployment has the change."""
        self._helm("upgrade", version, replicas, sleep)
        waiting.until_carried(
            self.cluster, NAME, self.namespace, waiting.SOURCE, self.uri_of(version)
        )

    def rolled_out(self):
        """Wait until its pods are all new, and the old ones gone."""
        waiting.until_rolled_out(self.cluster, NAME, self.namespace)
        self.cluster.wait("no pod is ending", lambda: not self._ending())

    def ready(self):
        """How many of its pods serve."""
        found = self.cluster.get("deployment", PREDICTOR, self.namespace)
        return found["status"].get("readyReplicas", 0) if found else 0

    def pods(self):
        return sorted(pod["metadata"]["name"] for pod in self.cluster.list("pods", self.namespace))

    def _ending(self):
        pods = self.cluster.list("pods", self.namespace)
        return [pod for pod in pods if "deletionTimestamp" in pod["metadata"]]

    def _helm(self, verb, version, replicas, sleep):
        model = {
            "format": "sklearn",
            "storageUri": self.uri_of(version),
            "minReplicas": replicas,
            "maxReplicas": replicas,
            **({} if sleep else AT_ONCE),
            **self.also,
        }
        self.file.write_text(json.dumps({"models": {NAME: model}}))
        self.release.helm(verb, "-f", str(self.file))


@pytest.fixture
def model(cluster, platform, uri_of, tmp_path):
    return Model(cluster, uri_of, tmp_path / "values.json")


@pytest.fixture
def asked(cluster, model, page):
    """`asked(title, replicas, sleep, fault)` serves the model and asks it during the fault."""

    def asked(title, replicas, sleep, fault):
        model.serve("first", replicas, sleep)
        with Load(cluster, NAME, model.namespace, BODY) as load:
            time.sleep(SETTLED)
            fault()
            time.sleep(SETTLED)
        page.row(title, replicas=replicas, sleep=sleep, load=load)
        assert load.requests[-1].failure == ""
        return load

    return asked


def quick_probe():
    """The readiness probe that docs/models.md shows."""
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml\n((?:(?!^```).)*readinessProbe:.*?)^```", page, re.M | re.S)
    return yaml.safe_load(block)["models"][NAME]["readinessProbe"]


def versions(load):
    """The answers in the order in which they came first."""
    return list(dict.fromkeys(one.predictions[0] for one in load.requests if not one.failure))


ONE_OR_TWO = pytest.mark.parametrize("replicas", [1, 2])
SLEEPS = pytest.mark.parametrize("sleep", [False, True], ids=["at-once", "sleep"])


@pytest.fixture
def kill(cluster, model):
    """`kill(replicas)` ends one of the model servers; returns when it is back."""

    def kill(replicas):
        assert cluster.node.kill(CONTAINER, model.pods()[0]) == 1
        cluster.wait("it is noticed", lambda: model.ready() < replicas)
        cluster.wait("it is back", lambda: model.ready() == replicas)

    return kill


@ONE_OR_TWO
def test_a_model_server_is_killed(asked, kill, replicas):
    title = "A model server is killed, as for want of memory"
    load = asked(title, replicas, False, lambda: kill(replicas))
    assert load.failures.keys() <= GONE
    if replicas == 2:
        assert "no endpoint" not in load.failures


def test_a_model_server_with_a_quick_probe_is_killed(cluster, model, asked, kill):
    model.also = {"readinessProbe": quick_probe()}
    load = asked("A model server that is probed every second is killed", 1, False, lambda: kill(1))
    assert load.failures.keys() <= GONE
    (pod,) = cluster.list("pods", model.namespace)
    (container,) = pod["spec"]["containers"]
    assert container["readinessProbe"].items() >= quick_probe().items()


@pytest.fixture
def delete(cluster, model):
    """`delete()` deletes one of the model's pods; returns when its successor is all there is."""

    def delete():
        cluster.kubectl("delete", "pod", model.pods()[0], "-n", model.namespace)
        model.rolled_out()

    return delete


@ONE_OR_TWO
@SLEEPS
def test_a_pod_is_deleted(asked, delete, replicas, sleep):
    load = asked("A pod is deleted, as by a drain", replicas, sleep, delete)
    assert load.failures.keys() <= GONE
    if replicas == 2 and sleep:
        assert load.failures == {}
    # With a sleep, its successor may serve before it ends.
    if replicas == 1 and not sleep:
        assert load.failures != {}


@SLEEPS
def test_a_pod_with_a_quick_probe_is_deleted(model, asked, delete, sleep):
    model.also = {"readinessProbe": quick_probe()}
    load = asked("A pod that is probed every second is deleted", 1, sleep, delete)
    assert load.failures.keys() <= GONE


@ONE_OR_TWO
@SLEEPS
def test_a_new_version_is_rolled_out(model, asked, replicas, sleep):
    def fault():
        model.change("second", replicas, sleep)
        model.rolled_out()

    load = asked("A new version of the model is rolled out", replicas, sleep, fault)
    assert load.requests[0].predictions == [1]
    assert load.requests[-1].predictions == [2]
    assert load.failures.keys() <= GONE
    if sleep:
        assert load.failures == {}


@SLEEPS
def test_a_new_version_behind_a_logger_is_rolled_out(model, asked, sleep):
    def fault():
        model.change("second", 2, sleep)
        model.rolled_out()

    model.also = LOGGER
    load = asked("A new version of a model with a logger is rolled out", 2, sleep, fault)
    assert load.requests[-1].predictions == [2]
    assert load.failures.keys() <= GONE
    if sleep:
        assert load.failures == {}


def test_a_broken_version_is_rolled_out(cluster, model, asked):
    def fault():
        model.change("third", 1, True)
        cluster.wait("its pod fails", lambda: len(model.pods()) == 2)
        time.sleep(5)
        model.change("first", 1, True)
        model.rolled_out()

    load = asked("A version that cannot be loaded is rolled out, and taken back", 1, True, fault)
    assert (load.failures, versions(load)) == ({}, [1])


def test_the_controller_is_killed(cluster, platform, asked):
    def fault():
        assert cluster.node.kill("manager") == 1
        where = (f"deployment/{controller.NAME}", "-n", platform.namespace)
        cluster.kubectl("rollout", "status", *where, "--timeout=2m")

    assert asked("The controller is killed", 1, True, fault).failures == {}


def test_the_webhooks_certificate_is_lost(cluster, platform, asked):
    def fault():
        cluster.kubectl("delete", "secret", webhooks.SECRET, "-n", platform.namespace)

    assert (
        asked("The Secret of the webhooks' certificate is deleted", 1, True, fault).failures == {}
    )


def test_the_platform_is_upgraded_and_rolled_back(cluster, platform, model, asked):
    def fault():
        before = model.pods()
        platform.upgrade("--set", "controller.replicas=2")
        platform.rollback(1)
        assert model.pods() == before

    load = asked("The platform is upgraded and rolled back, the runtime as it was", 1, True, fault)
    assert load.failures == {}


def test_the_runtime_changes(cluster, platform, model, asked):
    def fault():
        before = model.pods()
        platform.upgrade("--set", "runtimes.sklearn.env.LOG_LEVEL=debug")
        cluster.wait("the model restarts", lambda: model.pods() != before)
        model.rolled_out()
        between = model.pods()
        platform.rollback(1)
        cluster.wait("the model restarts again", lambda: model.pods() != between)
        model.rolled_out()

    load = asked("The platform is upgraded and rolled back, the runtime changed", 1, True, fault)
    assert load.failures == {}


def test_the_platform_is_uninstalled(platform, asked):
    def fault():
        platform.uninstall()
        platform.install()

    load = asked("The platform is uninstalled and installed again", 1, True, fault)
    assert load.failures == {}
