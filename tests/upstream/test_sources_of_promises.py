"""What tests/promises.yaml cites of others' modules is there, in the versions that are pinned.

Needs Go, and the network the first time.
"""

from __future__ import annotations

import re

import pytest

from codegen import upstream
from tests.laws.test_17_promises import SOURCE, witnesses
from tests.rendering import ROOT

# What a source calls a module.
MODULES = {
    "Argo CD": "github.com/argoproj/argo-cd/v3",
    "cert-manager": "github.com/cert-manager/cert-manager",
    "Flux helm-controller": "github.com/fluxcd/helm-controller",
    "Flux kustomize-controller": "github.com/fluxcd/kustomize-controller",
    "Flux source-controller": "github.com/fluxcd/source-controller",
    "Gateway API": "sigs.k8s.io/gateway-api",
    "Istio API": "istio.io/api",
    "KEDA": "github.com/kedacore/keda/v2",
    "Knative Serving": "knative.dev/serving",
    "KServe": upstream.KSERVE,
    "Prometheus Operator": "github.com/prometheus-operator/prometheus-operator",
}
CITED = [match for name in witnesses() if (match := SOURCE.fullmatch(name))]
READ = [match for match in CITED if match["name"] in MODULES and match["version"].startswith("v")]
# Of these, only the version is compared: they are too large to be had for one word.
PINNED = {
    "Envoy Gateway": "github.com/envoyproxy/gateway",
    "Helm": "helm.sh/helm/v4",
    "Istio": "istio.io/istio",
    "Kubernetes": "k8s.io/kubernetes",
    "kubectl": "k8s.io/kubectl",
    "Kubernetes apiserver": "k8s.io/apiserver",
}


def test_there_is_something_to_look_up():
    assert len(READ) > 30


@pytest.mark.parametrize("source", READ, ids=lambda source: source["where"])
def test_what_is_cited_stands_there(source):
    module = MODULES[source["name"]]
    assert source["version"] == upstream.version(module)
    file = upstream.folder(module) / source["where"]
    assert file.is_file()
    assert source["words"], "no words to look for"
    assert source["words"] in file.read_text("utf-8")


@pytest.mark.parametrize("source", CITED, ids=lambda source: source["where"])
def test_a_page_has_the_day_it_was_read_and_a_file_the_version_that_is_pinned(source):
    is_page = source["where"].startswith("https://")
    assert is_page == (not source["version"].startswith("v"))
    if not is_page:
        pins = "".join(file.read_text("utf-8") for file in (ROOT / "tools").glob("*/go.mod"))
        module = re.escape((MODULES | PINNED)[source["name"]])
        assert source["version"] in re.findall(rf"{module}(?: =>\s\S+)? (v\S+)", pins)


def test_no_route_that_kserve_writes_splits_requests_between_versions():
    """Why a canary is refused wherever KServe writes the route; when this fails, it may go."""
    folder = (
        upstream.folder(upstream.KSERVE) / "pkg/controller/v1beta1/inferenceservice/reconcilers"
    )
    files = [file for file in (folder / "ingress").glob("*.go") if not file.stem.endswith("_test")]
    assert {"httproute_reconciler.go", "kube_ingress_reconciler.go"} < {file.name for file in files}
    assert [file.name for file in files if "canary" in file.read_text("utf-8").lower()] == []
