"""`python -m tests.cluster [pytest's arguments]`: the charts on a real API server.

Real: etcd, kube-apiserver (RBAC, the admission plugins of a kubeadm cluster, TLS everywhere),
kube-controller-manager, kube-scheduler, the kubelet with containerd and runc, both Helms, kubectl, the KServe
controller. Every pod runs, in a sandbox of its own.

Not real, because nothing can be pulled:
- Images are made here (tests/cluster/harness/image.py): links to files of this machine. Those of KServe's own
  programs have what is compiled from its Go module. Those of its model servers for scikit-learn, XGBoost, LightGBM
  or all three have upstream's own servers, with the packages of one image, that of all three, but this machine's
  Python and C library (tests/cluster/harness/modelserver.py). So has MLServer's, for these formats and MLflow, with
  the build of XGBoost that knows no graphics processor (tools/mlserver).
- All others have tools/standin, which answers probes and nothing else. It also runs in place of a model server whose
  model is not at a storageUri of http://10.244.0.1:…, where the tests have theirs.
- In place of kube-webhook-certgen's image runs tools/certgen: the same flags, the same API calls.
- The node says that it has a thousand CPUs, 10 TiB and a hundred GPUs, so that what pods ask for always fits. It
  looks for changed Secrets every five seconds, where a kubelet takes up to a minute or two. Nothing enforces
  NetworkPolicies. A volume that is claimed is a folder.
- There is no kube-proxy and no DNS: the API server and its proxy go to a Service's endpoints. Where
  tests/cluster/gateways are named, there are both, Istio and Envoy Gateway (docs/cluster.md).

Three of these run side by side, and share the files of tests. All of it lives in namespaces of
its own, of network, processes and mounts, with its files in memory and its control groups in one that a
process of its own takes away: whatever happens, nothing is left behind. That takes root, and from the
system only `ip`, `openssl` and util-linux (`mount`, `unshare`, `nsenter`, `setpriv`).

With KUBECONFIG set the tests run on that cluster instead, as its administrator, and everything is as
real as it is there. It must have no KServe: the tests install it and remove it, CRDs and models
included. What kills parts of the cluster is skipped.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Sequence

import pytest

from codegen import upstream
from generator import tools
from generator.errors import GeneratorError, ToolMissing
from tests import upstreamcharts
from tests.cluster.harness import (
    argocd,
    debian,
    envoy,
    envoygateway,
    flux,
    foreign,
    istio,
    mlserver,
    modelserver,
    own,
    waiting,
)
from tests.rendering import ROOT

_GATEWAYS = "tests/cluster/gateways"
_GITOPS = "tests/cluster/gitops"
# Suites that run when their folder or a file in it is named.
_APART = (_GATEWAYS, _GITOPS, "tests/cluster/reliability")
_PYTEST = ("-o", "testpaths=tests/cluster")
_CLIENTS_OF_GITOPS = ("kubectl", "helm", "health")
# All that runs there is Go; with more memory its garbage collection takes a fifth less of the time.
_ENVIRONMENT = ("env", "GOGC=400")


def main(arguments: Sequence[str]) -> int:
    """Build what is missing, then run pytest where the cluster is."""
    os.chdir(ROOT)
    try:
        if os.environ.get("KUBECONFIG"):
            for name in own.CLIENTS:
                tools.build(name)
            return int(pytest.main([*_PYTEST, "--cluster=given", *_ignored(arguments), *arguments]))
        own.check()
        for module in (waiting.ARGO_CD, *(project[0] for project in foreign.PROJECTS.values())):
            upstream.folder(module)  # Where the tests run is no network.
        for version in upstreamcharts.SUMS:
            upstreamcharts.module(version)
        argv = [*_ENVIRONMENT, sys.executable, "-m", "pytest", *_PYTEST, "--cluster=own"]
        argv += _ignored(arguments)
        if f"--ignore={_GITOPS}" not in argv:
            _build_gitops(arguments)
            return own.inside([*argv, *_side_by_side(), *arguments])
        builds = (modelserver.build, mlserver.build, debian.REGISTRY.build, debian.SKOPEO.build)
        for build in builds:
            with contextlib.suppress(ToolMissing):  # Its tests say so, and are skipped.
                build()
        if f"--ignore={_GATEWAYS}" in argv:
            own.build()
            return own.inside([*argv, *_side_by_side(), *arguments])
        debian.NFT.build()
        envoy.build()
        more = (*own.SERVICES, *istio.PROGRAMS, "agent", "router")
        if "--implementation=istio" not in arguments:
            more += (envoygateway.PROGRAM,)
        own.build(more=more)
        return own.inside([*argv, "--dist=no", *arguments])
    except GeneratorError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1


def _ignored(arguments: Sequence[str]) -> list[str]:
    """The options that leave out the suites which are not among the arguments."""
    return [
        f"--ignore={suite}"
        for suite in _APART
        if not any(argument.startswith(suite) for argument in arguments)
    ]


def _build_gitops(arguments: Sequence[str]) -> None:
    """Build Argo CD and Flux, or the one that `-k` or a file names: each takes minutes."""
    tools_of_suite = {"argocd": argocd.build, "flux": flux.build}
    named = {name for name in tools_of_suite if any(name in each for each in arguments)}
    for name in named or tools_of_suite:
        tools_of_suite[name]()
    own.build(clients=_CLIENTS_OF_GITOPS)
    with contextlib.suppress(ToolMissing):  # Its tests say so, and are skipped.
        modelserver.build()


def _side_by_side() -> list[str]:
    """Three clusters, which share the files of tests; `--dist=no` has one for all.

    Each waits half of the time, and takes four gigabytes of memory.
    """
    each = shlex.join([*own.APART, sys.executable])
    return ["--dist=loadfile", "--no-loadscope-reorder", f"--tx=3*popen//python={each}"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
