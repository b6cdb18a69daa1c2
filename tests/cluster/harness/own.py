"""A cluster of our own, in namespaces of its own.

check()                   that a cluster can be had here
build()                   its programs, where they are missing
inside(command)           run a command where a cluster can be
with running() as it: …   the cluster, for that command
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from codegen import upstream
from generator import tools
from generator.errors import GeneratorError, ToolMissing
from tests.cluster.harness import cgroup, debian, dns
from tests.cluster.harness.balancer import LoadBalancer
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.node import Node
from tests.cluster.harness.plane import ControlPlane

# What `running(services=True)` needs beside the others, and nftables.
SERVICES = ("kube-proxy", "coredns")
CLIENTS = ("kubectl", "helm", "helm3", "istioctl", "health")
# On a tmpfs that only the command sees.
FOLDER = Path("/dev/shm/own")

_PROGRAMS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"),
    *("standin", "manager", "certgen"),
)
# What the system must have, with the package that brings it.
SYSTEM = {
    **dict.fromkeys(("mount", "nsenter", "setpriv", "unshare"), "util-linux"),
    "ip": "iproute2",
    "openssl": "openssl",
}

_TMPFS = ("sh", "-c", 'mount -t tmpfs -o mode=755 tmpfs /dev/shm && exec "$@"', "sh")
# Whoever dies takes the next one along: this process, unshare, PID 1 of the namespace, all of it.
ENTER = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child", *_TMPFS),
)
# In there: a place for one more cluster, beside the others.
APART = ("unshare", "--net", "--mount", *_TMPFS)


def check() -> None:
    """Whether a cluster can be had here. Raises GeneratorError, or ToolMissing, with the remedy."""
    if sys.platform != "linux":
        raise GeneratorError("namespaces need Linux; the tests also take KUBECONFIG")
    if os.geteuid() != 0:
        raise GeneratorError("namespaces need root; use sudo (the tests also take KUBECONFIG)")
    for program, package in SYSTEM.items():
        if shutil.which(program) is None:
            raise ToolMissing(f"{program} is missing; install {package}")


def build(*, clients: Sequence[str] = CLIENTS, more: Sequence[str] = ()) -> None:
    """Build what is missing of the programs of a cluster. Raises ToolMissing or ToolFailed."""
    for name in (*_PROGRAMS, *clients, *more):
        tools.build(name)
    debian.CONTAINERD.build()
    upstream.folder(upstream.KSERVE)  # Images have files of it.


def inside(
    command: Sequence[str],
    stdout: IO[str] | None = None,
    *,
    descriptors: Sequence[int] = (),
    apart: bool = False,
) -> int:
    """Run a command in the namespaces; when this returns or is ended, they are gone.

    There must be all that `check` and `build` see to. The command inherits `descriptors`. Ctrl-C
    reaches it too, so that it can say what it was at; or, with `apart`, ends it at once.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with cgroup.apart() as variables, subprocess.Popen(
        [*ENTER, *command],
        env=os.environ | variables,
        stdout=stdout,
        pass_fds=descriptors,
        start_new_session=apart,
    ) as process:  # fmt: skip
        try:
            return process.wait()
        except KeyboardInterrupt:
            if apart:
                raise
            return process.wait(timeout=10)
        finally:
            process.kill()


@contextlib.contextmanager
def running(*, services: bool = False) -> Iterator[Cluster]:
    """The cluster, without KServe.

    With `services` pods reach Services by their addresses and names, and a Service of type
    LoadBalancer has an address.
    """
    control_plane = ControlPlane(FOLDER, services=services)
    control_plane.start()
    node = Node(control_plane)
    balancer = LoadBalancer(control_plane.api)
    environment = {
        f"HELM_{kind}_HOME": str(FOLDER / "helm") for kind in ("CACHE", "CONFIG", "DATA")
    }
    environment["KUBECONFIG"] = str(control_plane.kubeconfig)
    environment["KUBECACHEDIR"] = str(FOLDER / "kube")
    cluster = Cluster(environment, control_plane, node)
    try:
        node.start()
        if services:
            balancer.start()
            dns.install(cluster)
        yield cluster
    finally:
        if services:
            balancer.stop()
        node.stop()
        control_plane.stop()


def recent_logs() -> dict[str, str]:
    """The ends of the logs that the node and its containers wrote last, by their files' names."""
    logs = [log for log in (FOLDER / "logs").rglob("*.log") if "kube-" not in log.name]
    found = {}
    for log in sorted(logs, key=lambda log: log.stat().st_mtime)[-4:]:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        found[str(log.relative_to(FOLDER))] = "\n".join(lines[-15:])
    return found
