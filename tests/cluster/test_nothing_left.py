"""Whoever is killed, nothing of a cluster of our own is left: no process, mount, network or group."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rendering import ROOT

INSIDE = "import sys; from tests.cluster.harness import own; own.inside(sys.argv[1:])"
# What a cluster is made of: a bridge, files on a tmpfs, processes under processes, control groups.
CLUSTER = """
for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ -e $root/cgroup.procs ] || continue
    mkdir -p $root/$KSERVE_LITE_CGROUP/left
    echo $$ > $root/$KSERVE_LITE_CGROUP/left/cgroup.procs || echo "not in $root" >&2
done
ip link add left0 type bridge
touch /dev/shm/left
sleep 4711 &
echo made
exec sleep 4712
"""


def sleepers():
    found = set()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.add(file.read_bytes().replace(b"\0", b" ").strip())
        except OSError:
            continue  # It ended meanwhile.
    return found & {b"sleep 4711", b"sleep 4712"}


def groups():
    root = Path("/sys/fs/cgroup")
    found = (*root.glob("kserve-lite-*"), *root.glob("*/kserve-lite-*"))
    return {str(group) for group in found if (group / "left").exists()}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left(cluster, how):
    if cluster.node is None:
        pytest.skip("nothing of ours is there")
    before = groups()
    command = [sys.executable, "-c", INSIDE, "sh", "-e", "-c", CLUSTER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"made\n"
        cluster.wait("both run", lambda: len(sleepers()) == 2)
        assert groups() - before
        process.send_signal(how)
    cluster.wait("none runs", lambda: not sleepers())
    cluster.wait("no control group is left", lambda: groups() <= before)
    assert not Path("/dev/shm/left").exists()
    assert "left0" not in Path("/proc/net/dev").read_text("utf-8")
