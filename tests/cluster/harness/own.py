"""A cluster of our own, in namespaces of its own.

inside(command)           build what is missing, then run a command where a cluster can be
with running() as it: …   the cluster, for that command
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from generator import tools
from generator.errors import GeneratorError
from tests.cluster.harness import dns
from tests.cluster.harness.balancer import LoadBalancer
from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.node import Node
from tests.cluster.harness.plane import ControlPlane

# What `running(services=True)` needs beside the others, and nftables.
SERVICES = ("kube-proxy", "coredns")
CLIENTS = ("kubectl", "helm", "helm3", "istioctl", "health")
# On a tmpfs that only the command sees.
FOLDER = Path("/dev/shm/own")

_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "manager", "certgen", *CLIENTS)

_TMPFS = ("sh", "-c", 'mount -t tmpfs -o mode=755 tmpfs /dev/shm && exec "$@"', "sh")
# Whoever dies takes the next one along: this process, unshare, PID 1 of the namespace, all of it.
ENTER = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child", *_TMPFS),
)
# In there: a place for one more cluster, beside the others.
APART = ("unshare", "--net", "--mount", *_TMPFS)


def inside(
    command: Sequence[str], stdout: IO[str] | None = None, *, more: Sequence[str] = ()
) -> int:
    """Run a command in the namespaces; when this returns or is ended, they are gone.

    It needs the programs of a cluster, and `more`.
    """
    if os.geteuid() != 0:
        raise GeneratorError("namespaces need root; use sudo, or set KUBECONFIG")
    for name in (*_PROGRAMS, *more):
        tools.build(name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with subprocess.Popen([*ENTER, *command], stdout=stdout) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait(timeout=10)  # pytest was interrupted too; let it say so
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
    node.start()
    balancer = LoadBalancer(control_plane.api)
    environment = {
        f"HELM_{kind}_HOME": str(FOLDER / "helm") for kind in ("CACHE", "CONFIG", "DATA")
    }
    environment["KUBECONFIG"] = str(control_plane.kubeconfig)
    environment["KUBECACHEDIR"] = str(FOLDER / "kube")
    cluster = Cluster(environment, control_plane, node)
    try:
        if services:
            balancer.start()
            dns.install(cluster)
        yield cluster
    finally:
        if services:
            balancer.stop()
        node.stop()
        control_plane.stop()
