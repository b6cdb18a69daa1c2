"""What keeps an object from being pruned, in the words of each tool at its pinned version.

Needs Go, and the network the first time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from codegen import upstream
from generator import process, tools
from generator.manifests.protection import KEEP

ARGO_CD = "argocd.argoproj.io/sync-options"
FLUX = "kustomize.toolkit.fluxcd.io/prune"
HELM = "helm.sh/resource-policy"


def page(module: str, path: str) -> str:
    return (upstream.folder(module) / path).read_text("utf-8")


def section(text: str, title: str) -> str:
    """The part of a Markdown page under a title, up to the next one of that depth or higher."""
    (depth, body) = re.findall(rf"^(#+) {re.escape(title)}$\n(.*)", text, re.M | re.S)[0]
    return re.split(rf"^#{{1,{len(depth)}}} ", body, flags=re.MULTILINE)[0]


def annotation(text: str) -> set[tuple[str, str]]:
    """The annotations in the examples of a page."""
    return set(re.findall(r"^\s*([a-z0-9.-]+/[a-z-]+): (\S+)$", text, re.MULTILINE))


def test_argo_cd_neither_prunes_nor_deletes() -> None:
    text = page("github.com/argoproj/argo-cd/v3", "docs/user-guide/sync-options.md")
    prune = annotation(section(text, "No Prune Resources"))
    delete = annotation(section(text, "No Resource Deletion"))
    assert prune == {(ARGO_CD, "Prune=false")}
    assert delete == {(ARGO_CD, "Delete=false")}
    assert "can be concatenated with a `,`" in text
    assert KEEP[ARGO_CD].split(",") == ["Prune=false", "Delete=false"]


def test_helms_protection_is_half_of_argo_cds() -> None:
    """Why Helm's annotation alone is not enough: it does not stand for Prune=false."""
    text = page("github.com/argoproj/argo-cd/v3", "docs/user-guide/helm.md")
    (row,) = [line for line in text.splitlines() if f"`{HELM}: keep`" in line]
    assert f"`{ARGO_CD}: Delete=false`" in row
    assert "Prune=false" not in row


def test_flux_does_not_prune() -> None:
    text = page("github.com/fluxcd/kustomize-controller", "docs/spec/v1/kustomizations.md")
    said = section(text, "Prune")
    assert (FLUX, KEEP[FLUX]) in annotation(said)
    assert "when a Kustomization object is deleted" in said.replace("\n", " ")


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_helm_keeps(program: str) -> None:
    pins = Path(__file__).parents[2] / "tools" / program
    (module,) = re.findall(r"helm\.sh/helm/v\d", (pins / "go.mod").read_text("utf-8"))[:1]
    listed = process.run([str(tools.go()), "mod", "download", "-json", module], cwd=pins)
    source = Path(json.loads(listed)["Dir"], "pkg/kube/resource_policy.go").read_text("utf-8")
    constants = dict(re.findall(r'^const (\w+) = "(\S+)"', source, re.MULTILINE))
    assert constants == {"ResourcePolicyAnno": HELM, "KeepPolicy": KEEP[HELM]}
