"""`python -m tests.cluster [pytest's arguments]`: the charts on a real API server.

Real: etcd, kube-apiserver (RBAC, the admission plugins of a kubeadm cluster, TLS everywhere),
kube-controller-manager, both Helms, kubectl, the KServe controller. The API server reaches the
webhooks through the chart's own Service; a pod of the controller or of the certificate Job runs as a
process with a network, a root file system, a user and a ServiceAccount token of its own.

Not real, because no image can be pulled and no container runtime is needed:
- The node (tests/cluster/node.py) is a small kubelet. It takes every pod, wherever a scheduler would
  put it; it does not enforce NetworkPolicies, resource limits and seccomp profiles; a changed Secret
  reaches a running pod within a second, where a kubelet takes up to a minute or two.
- The pods of models are not run. The node reports them Ready, and that is all they are.
- In place of kube-webhook-certgen's image runs tools/certgen: the same flags, the same API calls.

All of it lives in a network, PID and mount namespace of its own, with its files in memory: whatever
happens, nothing is left behind. That takes root, and from the system only `ip`, `openssl`, `chroot`
and util-linux (`unshare`, `nsenter`, `setpriv`).

With KUBECONFIG set the tests run on that cluster instead, as its administrator, and everything is as
real as it is there. It must have no KServe: the tests install it and remove it, CRDs and models
included. What kills parts of the cluster is skipped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from generator import tools
from generator.errors import GeneratorError
from tests.rendering import ROOT

_CLIENTS = ("kubectl", "helm", "helm3")
_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "manager", "certgen", *_CLIENTS)

# Whoever dies takes the next one along: this process, unshare, PID 1 of the namespace, all of it.
_ENTER = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"),
    *("sh", "-c", 'mount -t tmpfs -o mode=755 tmpfs /dev/shm && exec "$@"', "sh"),
)
_PYTEST = ("-o", "testpaths=tests/cluster")


def main(arguments: Sequence[str]) -> int:
    """Build what is missing, then run pytest where the cluster is."""
    given = bool(os.environ.get("KUBECONFIG"))
    try:
        for name in _CLIENTS if given else _PROGRAMS:
            tools.build(name)
    except GeneratorError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    os.chdir(ROOT)
    if given:
        return int(pytest.main([*_PYTEST, "--cluster=given", *arguments]))
    if os.geteuid() != 0:
        print("ERROR: namespaces need root; use sudo, or set KUBECONFIG", file=sys.stderr)
        return 1
    return _inside([sys.executable, "-m", "pytest", *_PYTEST, "--cluster=own", *arguments])


def _inside(command: Sequence[str]) -> int:
    """Run a command in the namespaces; when this returns or is ended, they are gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with subprocess.Popen([*_ENTER, *command]) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait(timeout=10)  # pytest was interrupted too; let it say so
        finally:
            process.kill()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
