"""Law 14: what an API server would fill in is written out, and what others own is not."""

import pytest

from generator import MODELS
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
    "ClusterRoleBinding": {("roleRef",): ["apiGroup"], ("subjects", "*"): ["namespace"]},
    "RoleBinding": {("roleRef",): ["apiGroup"], ("subjects", "*"): ["namespace"]},
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


def left_out(them: list[Object]) -> list[str]:
    """Fields that an API server would fill in."""
    return [
        f"{it['kind']} {it['metadata']['name']}: {'.'.join([*path, name])}"
        for it in them
        for path, names in DEFAULTED.get(it["kind"], {}).items()
        for place in reach(it, path)
        for name in names
        if name not in place
    ]


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_defaults_are_written_out(chart, case):
    assert left_out(objects(case, chart=chart)) == []


def test_every_kind_of_the_table_is_rendered_somewhere():
    kinds = {it["kind"] for chart, case in CHART_CASES for it in objects(case, chart=chart)}
    assert DEFAULTED.keys() <= kinds


@pytest.mark.parametrize("case", CASES)
def test_what_others_own_is_not_written(case):
    them = objects(case)
    existing = values_of(case).get("webhook", {}).get("certificate", {}).get("mode") == "existing"
    for it in rendering.of_kind(
        them, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
    ):
        for webhook in it["webhooks"]:
            assert ("caBundle" in webhook["clientConfig"]) == existing
    # An empty Secret, or the rules of an aggregated role, would be taken over by their controllers.
    assert not rendering.of_kind(them, "Secret")
    assert not any("aggregationRule" in it for it in them)
    for it in them:
        assert it["metadata"].get("annotations") != {}
        assert "status" not in it
        assert "creationTimestamp" not in it["metadata"]


@pytest.mark.parametrize("case", CASES)
def test_every_reference_resolves(case):
    """Selectors select pods of the release; roles, accounts and Secrets that are named are there."""
    them = objects(case)
    pods = [
        it["spec"]["template"]["metadata"]["labels"]
        for it in rendering.of_kind(them, "Deployment", "Job")
    ]
    for it in rendering.of_kind(them, "Service"):
        assert any(it["spec"]["selector"].items() <= labels.items() for labels in pods)
    for it in rendering.of_kind(them, "NetworkPolicy", "PodDisruptionBudget"):
        selector = it["spec"].get("podSelector") or it["spec"]["selector"]
        assert any(selector["matchLabels"].items() <= labels.items() for labels in pods)
    for it in rendering.of_kind(them, "Deployment"):
        assert it["spec"]["selector"]["matchLabels"].items() <= pods[0].items() | pods[-1].items()
    for it in rendering.of_kind(them, "ServiceMonitor"):
        services = [s["metadata"]["labels"] for s in rendering.of_kind(them, "Service")]
        wanted = it["spec"]["selector"]["matchLabels"].items()
        assert len([labels for labels in services if wanted <= labels.items()]) == 1
    accounts = {it["metadata"]["name"] for it in rendering.of_kind(them, "ServiceAccount")}
    accounts |= {values_of(case).get("controller", {}).get("serviceAccount", {}).get("name", "")}
    for it in rendering.of_kind(them, "RoleBinding", "ClusterRoleBinding"):
        role = rendering.only(them, it["roleRef"]["kind"], it["roleRef"]["name"])
        assert role
        assert {subject["name"] for subject in it["subjects"]} <= accounts


@pytest.mark.parametrize("case", WITH_MODELS)
def test_an_upgrade_of_the_chart_restarts_no_model(case):
    """KServe copies labels and annotations of these kinds to their pods."""
    for it in objects(case, chart=MODELS):
        metadata = it["metadata"]
        assert "helm.sh/chart" not in metadata["labels"]
        assert not any(
            "version" in key for key in (*metadata["labels"], *metadata.get("annotations", {}))
        )


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_labels_and_annotations_are_text_and_versions_stay_out_of_pods(chart, case):
    for it in objects(case, chart=chart):
        for path, value in rendering.walk(it):
            if path[-2:-1] in [("labels",), ("annotations",), ("matchLabels",)]:
                assert isinstance(value, str), path
        template = it.get("spec", {}).get("template", {}).get("metadata", {})
        assert (
            not {"helm.sh/chart", "app.kubernetes.io/version"} & template.get("labels", {}).keys()
        )
