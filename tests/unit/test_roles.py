"""The roles for people: who has the cluster's own role "edit" can install the models chart."""

from __future__ import annotations

import pytest

from generator import MODELS
from tests import rendering
from tests.rendering import WITH_MODELS, Object, of_kind, only

# What others give: Kubernetes' own roles, the External Secrets Operator's, the administrators.
BY_OTHERS = {
    ("", "Service"),
    ("external-secrets.io", "ExternalSecret"),
    ("security.istio.io", "AuthorizationPolicy"),
    ("security.istio.io", "PeerAuthentication"),
}
EVERY_VERB = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
READING = {"get", "list", "watch"}


def covered(role: Object, verbs: set[str]) -> set[tuple[str, str]]:
    """The groups and resources that a role gives some verbs on."""
    return {
        (group, resource)
        for rule in role["rules"]
        if set(rule["verbs"]) == verbs
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def written(case: str) -> set[tuple[str, str]]:
    """The groups and resources of what the models chart writes, less what others give."""
    kinds = {
        (each["apiVersion"].rpartition("/")[0], each["kind"])
        for each in rendering.objects(case, chart=MODELS)
    }
    return {(group, f"{kind.lower()}s") for group, kind in kinds - BY_OTHERS}


@pytest.mark.parametrize("case", WITH_MODELS)
def test_the_roles_cover_what_the_models_chart_writes(case):
    roles = of_kind(rendering.objects(case), "ClusterRole")
    (edit, view) = (
        next(role for role in roles if role["metadata"]["name"] == f"kserve-lite-{name}")
        for name in ("edit", "view")
    )
    assert written(case) <= covered(edit, EVERY_VERB) == covered(view, READING)


@pytest.mark.parametrize("case", ["default", "istio-gateway-api", "ingress-models"])
def test_the_roles_cover_no_routes_that_kserve_writes(case):
    role = only(rendering.objects(case), "ClusterRole", "kserve-lite-edit")
    assert {group for group, _ in covered(role, EVERY_VERB)} == {"serving.kserve.io"}
