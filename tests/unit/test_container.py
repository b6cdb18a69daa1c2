"""The containers of the node that the cluster tests have: which of a pod's init containers hold it up."""

import subprocess
import time

import pytest

from tests.cluster.harness.container import Container

SPEC = {"name": "first", "image": "registry.example.com/first:1"}


def launch(*argv):
    """What starts a container, in a session of its own as a pod does."""
    return lambda _spec: subprocess.Popen(argv, start_new_session=True)


@pytest.fixture
def advanced():
    """A container, looked after until it is done, or for some seconds."""
    containers = []

    def run(spec, *argv, seconds=1):
        container = Container(SPEC | spec, restart="OnFailure")
        containers.append(container)
        end = time.monotonic() + seconds
        while not container.done and time.monotonic() < end:
            container.advance(launch(*argv), "127.0.0.1")
        return container

    yield run
    for container in containers:
        container.kill()


def test_an_init_container_is_done_when_it_ended_well(advanced):
    assert advanced({}, "true", seconds=30).done


@pytest.mark.parametrize("argv", [("false",), ("sleep", "60")])
def test_an_init_container_that_failed_or_runs_is_not_done(advanced, argv):
    assert not advanced({}, *argv).done


def test_a_sidecar_is_done_when_it_runs_and_never_ends(advanced):
    sidecar = advanced({"restartPolicy": "Always"}, "sleep", "60", seconds=30)
    assert sidecar.done and sidecar.running
    ended = advanced({"restartPolicy": "Always"}, "true")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        ended.advance(launch("true"), "127.0.0.1")
        assert ended.exit_code is None


def test_a_sidecar_that_did_not_start_yet_is_not_done(advanced):
    probe = {"tcpSocket": {"port": 1}, "failureThreshold": 60}
    assert not advanced({"restartPolicy": "Always", "startupProbe": probe}, "sleep", "60").done
