"""The CRDs of other projects, as they ship them. The programs behind them are not there.

with crds(cluster, "istio", "knative"): …   and those that were not there before go again
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator

from codegen import upstream
from tests.cluster.harness.cluster import Cluster

# By project: its Go module, and the files with what the charts, KServe or its users make of it.
PROJECTS = {
    "cert-manager": (
        "github.com/cert-manager/cert-manager",
        "deploy/crds/cert-manager.io_*.yaml",
    ),
    "external-secrets": (
        "github.com/external-secrets/external-secrets",
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
    "gateway-api": (
        "sigs.k8s.io/gateway-api",
        "config/crd/standard/*_gateway*.yaml",
        "config/crd/standard/*_httproutes.yaml",
        "config/crd/standard/*_grpcroutes.yaml",
        "config/crd/standard/*_referencegrants.yaml",
    ),
    "istio": ("istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml"),
    "keda": ("github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    "knative": ("knative.dev/serving", "config/core/300-resources/*.yaml"),
    "prometheus-operator": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/*_podmonitors.yaml",
        "example/prometheus-operator-crd/*_servicemonitors.yaml",
    ),
}


@contextlib.contextmanager
def crds(cluster: Cluster, *projects: str) -> Iterator[None]:
    """The CRDs of some projects, served. KServe looks for them once, when it starts."""
    there = cluster.crds()
    missing = {
        name: json.dumps(crd)
        for project in projects
        for crd in upstream.crds(*PROJECTS[project])
        if (name := crd["metadata"]["name"]) not in there
    }
    try:
        if missing:
            # The largest of them do not fit the annotation of a client-side apply.
            stream = "\n---\n".join(missing.values())
            cluster.kubectl("apply", "--server-side", "-f", "-", stdin=stream)
            served(cluster, missing)
        yield
    finally:
        cluster.delete_crds(missing)


def established(cluster: Cluster, *which: str) -> None:
    """Wait until the API server serves CRDs. kubectl fails on one that has no conditions yet."""
    wait = ("wait", *which, "--for=condition=Established")
    cluster.wait("the CRDs are established", lambda: cluster.kubectl(*wait))


def served(cluster: Cluster, names: Collection[str]) -> None:
    """Wait until CRDs are established, and among what the API server says that it has, which is
    where Helm, kubectl and KServe look: that comes a moment later.
    """
    established(cluster, *(f"crd/{name}" for name in names))
    kinds = ",".join(names)
    cluster.wait("the CRDs' kinds are known", lambda: (cluster.kubectl("get", kinds, "-A"),))
