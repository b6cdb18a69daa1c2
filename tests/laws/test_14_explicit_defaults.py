"""Law 14: what an API server would fill in is written out, and what others own is not."""

import pytest

from generator import MODELS
from generator.manifests.ownership import OTHERS
from generator.yaml.fields import at
from tests import rendering
from tests.rendering import CASES, CHART_CASES, WITH_MODELS, Object, objects, values_of

WEBHOOK = ["admissionReviewVersions", "failurePolicy", "matchPolicy", "namespaceSelector",
           "objectSelector", "rules", "sideEffects", "timeoutSeconds"]  # fmt: skip
# Fields with a default in the API, for kinds that GitOps tools compare field by field.
DEFAULTED: dict[str, dict[tuple[str, ...], list[str]]] = {
    "MutatingWebhookConfiguration": {
        ("webhooks", "*"): [*WEBHOOK, "reinvocationPolicy"],
        ("webhooks", "*", "rules", "*"): ["scope"],
        ("webhooks", "*", "clientConfig", "service"): ["port"],
    },
    "ValidatingWebhookConfiguration": {
        ("webhooks", "*"): WEBHOOK,
        ("webhooks", "*", "rules", "*"): ["scope"],
        ("webhooks", "*", "clientConfig", "service"): ["port"],
    },
    "ClusterRoleBinding": {("roleRef",): ["apiGroup"]},
    "RoleBinding": {("roleRef",): ["apiGroup"]},
    "Service": {("spec",): ["type"], ("spec", "ports", "*"): ["protocol", "targetPort"]},
    "NetworkPolicy": {
        ("spec",): ["policyTypes"],
        ("spec", "ingress", "*", "ports", "*"): ["protocol"],
    },
    "HTTPRoute": {
        ("spec", "parentRefs", "*"): ["group", "kind"],
        ("spec", "rules", "*"): ["matches"],
        ("spec", "rules", "*", "matches", "*", "path"): ["type", "value"],
        ("spec", "rules", "*", "filters", "*", "requestRedirect"): ["statusCode"],
        ("spec", "rules", "*", "backendRefs", "*"): ["group", "kind", "weight"],
    },
    "GRPCRoute": {
        ("spec", "parentRefs", "*"): ["group", "kind"],
        ("spec", "rules", "*", "backendRefs", "*"): ["group", "kind", "weight"],
    },
    "Gateway": {
        ("spec", "listeners", "*", "allowedRoutes", "namespaces"): ["from"],
        ("spec", "listeners", "*", "tls"): ["mode"],
        ("spec", "listeners", "*", "tls", "certificateRefs", "*"): ["group", "kind"],
    },
    "Certificate": {("spec", "issuerRef"): ["group", "kind"]},
    "VirtualService": {
        ("spec", "http", "*", "route", "*"): ["weight"],
        ("spec", "http", "*", "route", "*", "destination"): ["port"],
    },
    "ExternalSecret": {
        ("spec",): ["refreshPolicy", "refreshInterval"],
        ("spec", "secretStoreRef"): ["kind"],
        ("spec", "target"): ["creationPolicy", "deletionPolicy"],
        ("spec", "dataFrom", "*", "extract"): [
            "conversionStrategy",
            "decodingStrategy",
            "metadataPolicy",
        ],
    },
}


def reach(value: object, path: tuple[str, ...]):
    """Every mapping at `path`, `*` standing for each item of a list."""
    if not path:
        yield value
    elif path[0] == "*":
        for item in value or []:  # type: ignore[union-attr]
            yield from reach(item, path[1:])
    elif path[0] in value:  # type: ignore[operator]
        yield from reach(value[path[0]], path[1:])  # type: ignore[index]


# Of a subject, by its kind: the API server fills in the group, kubectl the namespace.
SUBJECTS = {"Group": "apiGroup", "ServiceAccount": "namespace", "User": "apiGroup"}


def left_out(them: list[Object]) -> list[str]:
    """Fields that an API server would fill in."""
    return [
        f"{manifest['kind']} {manifest['metadata']['name']}: subjects.*.{SUBJECTS[subject['kind']]}"
        for manifest in them
        for subject in manifest.get("subjects", [])
        if SUBJECTS[subject["kind"]] not in subject
    ] + [
        f"{manifest['kind']} {manifest['metadata']['name']}: {'.'.join([*path, name])}"
        for manifest in them
        for path, names in DEFAULTED.get(manifest["kind"], {}).items()
        for mapping in reach(manifest, path)
        for name in names
        if name not in mapping
    ]


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_defaults_are_written_out(chart, case):
    assert left_out(objects(case, chart=chart)) == []


def test_every_kind_of_the_table_is_rendered_somewhere():
    kinds = {
        manifest["kind"] for chart, case in CHART_CASES for manifest in objects(case, chart=chart)
    }
    assert DEFAULTED.keys() <= kinds


@pytest.mark.parametrize("case", CASES)
def test_what_others_own_is_not_written(case):
    them = objects(case)
    existing = values_of(case).get("webhook", {}).get("certificate", {}).get("mode") == "existing"
    for kind, (items, field) in OTHERS.items():
        for manifest in rendering.of_kind(them, kind):
            assert manifest[items]
            assert all(bool(at(item, field)) == existing for item in manifest[items])
    # An empty Secret, or the rules of an aggregated role, would be taken over by their controllers.
    assert not rendering.of_kind(them, "Secret")
    assert not any("aggregationRule" in manifest for manifest in them)
    for manifest in them:
        assert manifest["metadata"].get("annotations") != {}
        assert "status" not in manifest
        assert "creationTimestamp" not in manifest["metadata"]


@pytest.mark.parametrize("case", CASES)
def test_every_reference_resolves(case):
    """Selectors select pods of the release; roles, accounts and Secrets that are named are there."""
    them = objects(case)
    pods = [
        manifest["spec"]["template"]["metadata"]["labels"]
        for manifest in rendering.of_kind(them, "Deployment", "Job")
    ]
    for service in rendering.of_kind(them, "Service"):
        assert any(service["spec"]["selector"].items() <= labels.items() for labels in pods)
    tenants = values_of(case).get("tenants", {})
    for manifest in rendering.of_kind(them, "NetworkPolicy", "PodDisruptionBudget"):
        if manifest["metadata"]["namespace"] in tenants:
            continue  # Their pods are KServe's to make.
        selector = manifest["spec"].get("podSelector") or manifest["spec"]["selector"]
        assert any(selector["matchLabels"].items() <= labels.items() for labels in pods)
    for deployment in rendering.of_kind(them, "Deployment"):
        assert (
            deployment["spec"]["selector"]["matchLabels"].items()
            <= pods[0].items() | pods[-1].items()
        )
    for service_monitor in rendering.of_kind(them, "ServiceMonitor"):
        services = [s["metadata"]["labels"] for s in rendering.of_kind(them, "Service")]
        wanted = service_monitor["spec"]["selector"]["matchLabels"].items()
        assert len([labels for labels in services if wanted <= labels.items()]) == 1
    accounts = {
        service_account["metadata"]["name"]
        for service_account in rendering.of_kind(them, "ServiceAccount")
    }
    accounts |= {values_of(case).get("controller", {}).get("serviceAccount", {}).get("name", "")}
    named = {tenant["role"] for tenant in tenants.values() if "role" in tenant}
    for binding in rendering.of_kind(them, "RoleBinding", "ClusterRoleBinding"):
        if binding["roleRef"]["name"] not in named:
            assert rendering.only(them, binding["roleRef"]["kind"], binding["roleRef"]["name"])
        if binding["metadata"].get("namespace") not in tenants:
            assert {subject["name"] for subject in binding["subjects"]} <= accounts


@pytest.mark.parametrize("case", WITH_MODELS)
def test_an_upgrade_of_the_chart_restarts_no_model(case):
    """KServe copies labels and annotations of these kinds to their pods."""
    for manifest in objects(case, chart=MODELS):
        metadata = manifest["metadata"]
        assert "helm.sh/chart" not in metadata["labels"]
        assert not any(
            "version" in key for key in (*metadata["labels"], *metadata.get("annotations", {}))
        )


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_labels_and_annotations_are_text_and_versions_stay_out_of_pods(chart, case):
    for manifest in objects(case, chart=chart):
        for path, value in rendering.walk(manifest):
            if path[-2:-1] in [("labels",), ("annotations",), ("matchLabels",)]:
                assert isinstance(value, str), path
        template = manifest.get("spec", {}).get("template", {}).get("metadata", {})
        assert (
            not {"helm.sh/chart", "app.kubernetes.io/version"} & template.get("labels", {}).keys()
        )
