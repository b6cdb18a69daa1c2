"""An install that is cut off: the same command again ends in a working platform."""

import contextlib
import json
import os
import subprocess
import time

import pytest

from generator import tools
from generator.errors import ToolFailed
from tests.cluster.harness import controller, webhooks
from tests.cluster.harness.cluster import BOTH_HELMS

pytestmark = BOTH_HELMS

INSTALL = ("upgrade", "--install", "--create-namespace")


@contextlib.contextmanager
def installing(cluster, release):
    """`helm upgrade --install` under way: the Deployment and the Job are there, and more is to come.

    Without the Job the controller would have no certificate, and not start.
    """
    argv = [str(tools.find(release.program)), *release.command(*INSTALL)]
    environment = os.environ | cluster.environment
    with subprocess.Popen(argv, env=environment, stdout=-3, stderr=-3) as helm:
        deployment = ("deployment", controller.NAME, release.namespace)
        cluster.wait("the Deployment", lambda: cluster.get(*deployment))
        cluster.wait("the Job", lambda: cluster.list("jobs", release.namespace))
        yield helm


def test_etcd_and_the_controller_are_killed(cluster, release, models):
    if cluster.node is None:
        pytest.skip("nobody kills parts of a given cluster")
    with installing(cluster, release):
        cluster.control_plane.kill("etcd")
        time.sleep(1)
        cluster.control_plane.run("etcd")
        cluster.wait("etcd and the API server", cluster.control_plane.api.healthy)

        def killed():
            """Of this release: that of the test before may still be ending."""
            pods = controller.pods(cluster, release.namespace)
            return sum(cluster.node.kill("manager", pod["metadata"]["name"]) for pod in pods)

        cluster.wait("a controller to kill", killed)
    release.helm(*INSTALL)
    webhooks.wait(cluster, models)

    def restarts():
        """By container; the node reports them after the container is back."""
        (pod,) = controller.pods(cluster, release.namespace)
        counts = [status["restartCount"] for status in pod["status"]["containerStatuses"]]
        return counts if any(counts) else None

    assert cluster.wait("the node reports a restart", restarts) == [1]


def test_helm_is_killed(cluster, release, models):
    """Helm then believes that it still runs. Nothing is lost by an uninstall."""
    with installing(cluster, release) as helm:
        helm.kill()
    with pytest.raises(ToolFailed, match=r"another operation .* is in progress"):
        release.helm(*INSTALL)
    release.uninstall()
    release.helm(*INSTALL)
    webhooks.wait(cluster, models)
    assert json.loads(release.helm("status", "-o", "json"))["info"]["status"] == "deployed"
