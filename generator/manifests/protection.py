"""What keeps an object when a tool prunes: CRDs and Namespaces, which take every model along."""

from __future__ import annotations

from collections.abc import Mapping

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
