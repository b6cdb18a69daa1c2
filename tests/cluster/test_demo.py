"""`make demo`: what it prints works in another terminal, and nothing of it is left."""

import os
import shlex
import subprocess

import pytest

from tests.cluster.harness import demonstration, remains

LAST = "helm list -A\n"


@pytest.fixture(autouse=True)
def machine(cluster):
    """What a cluster could leave something on."""
    if cluster.node is None:
        pytest.skip("nothing of ours is there")


@pytest.fixture
def nothing_left(cluster):
    """Fails if one of the processes still runs, or if there is more on the machine than before."""
    before = remains.traces()

    def check(processes):
        cluster.wait("no process is left", lambda: not remains.alive(processes))
        assert remains.added(before) == set()

    return check


def kubectl(terminal, script, verb, *more):
    """A command on the model's pod, after those that were printed."""
    command = shlex.join(["kubectl", verb, "deployment/sklearn-iris-predictor", *more])
    argv = ["bash", "-ec", f"{script}\n{command}"]
    return subprocess.run(argv, env=terminal, capture_output=True, check=False)


def test_the_printed_commands_work_and_ctrl_c_leaves_nothing(tmp_path, nothing_left):
    before = remains.traces()
    with demonstration.running(tmp_path) as demo:
        said = demo.until(demo.stdout, LAST)
        assert demonstration.ANSWER.match(said), said
        script = demonstration.commands(said)
        # A terminal of its own: nothing but PATH and a home is known there.
        terminal = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run(
            ["bash", "-exc", script], env=terminal, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert '{"predictions":[1]}' in done.stdout
        rows = [line.split() for line in done.stdout.splitlines()]
        assert ["sklearn-iris", "True"] in [[row[0], row[-2]] for row in rows if len(row) > 2]
        assert {"iris", "kserve-lite"} <= {row[0] for row in rows if row}
        assert kubectl(terminal, script, "logs").returncode == 0
        assert kubectl(terminal, script, "exec", "--", "true").returncode == 0
        processes = remains.processes(demo.process.pid)
        # What a check of nothing left has to find, else it says nothing.
        assert len(processes) > 10 and remains.traces() - before
        apart = [each for each in remains.cgroups(processes) if "/kserve-lite-" in each]
        assert apart, "no container is in a control group of its own"
        assert demo.interrupt() == 130
    nothing_left(processes)


def test_kill_leaves_nothing(cluster, tmp_path, nothing_left):
    with demonstration.running(tmp_path) as demo:
        demo.until(demo.stderr, "helm install kserve-lite")
        processes = remains.processes(demo.process.pid)
        assert len(processes) > 5
        demo.process.kill()
        demo.process.wait()
    nothing_left(processes)
