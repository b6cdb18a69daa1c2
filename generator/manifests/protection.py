"""What keeps an object when a tool prunes: CRDs and Namespaces, which take every model along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEEP: Mapping[str, str] = {
    # Neither when Git no longer has it, nor when its Application is deleted
    # (argo-cd, docs/user-guide/sync-options.md).
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    # Helm keeps what is in crds/ anyway; not so what somebody moves into a template
    # (helm, pkg/kube/resource_policy.go).
    "helm.sh/resource-policy": "keep",
    # Neither when Git no longer has it, nor when its Kustomization is deleted
    # (kustomize-controller, docs/spec/v1/kustomizations.md).
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""The annotations of such an object, one for each tool; none of them heeds another's."""

# What counts only when the whole Application is deleted, not when an object leaves Git.
_OF_APPLICATIONS = "Delete=false"


def promises(annotations: Mapping[str, Any]) -> dict[str, set[str]]:
    """What of `KEEP` an object says, by annotation; Argo CD takes options in any order and company
    (gitops-engine, pkg/sync/resource/annotations.go).
    """
    return {key: _options(value) & _options(annotations.get(key)) for key, value in KEEP.items()}


def keepers(annotations: Mapping[str, Any]) -> set[str]:
    """The annotations by which an object is kept when it leaves Git, or the release."""
    said = promises(annotations)
    return {key for key in KEEP if said[key] - {_OF_APPLICATIONS}}


def _options(value: Any) -> set[str]:
    return {option.strip() for option in value.split(",")} if isinstance(value, str) else set()
