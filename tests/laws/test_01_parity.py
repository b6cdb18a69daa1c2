"""Law 1: the same values give the same objects through every door, on Helm 4 and on Helm 3.

The one exception are the Namespaces: Helm makes them by --create-namespace, `manifests` renders them.
"""

import pytest

from generator import MODELS
from generator.chart import when
from generator.chart.rendering import render
from generator.errors import ToolFailed
from generator.manifests import layout
from generator.manifests import rendering as manifests
from generator.manifests.protection import KEEP
from generator.release import Release
from generator.values.check import read
from generator.values.load import Values
from tests import rendering
from tests.rendering import CASES, CHART_CASES, WITH_MODELS, Object


def differences(one: list[Object], other: list[Object]) -> list[str]:
    """How two sets of objects differ, a line each."""
    left, right = rendering.by_identity(one), rendering.by_identity(other)
    found = [f"only here: {it}" for it in sorted(left.keys() - right.keys())]
    found += [f"only there: {it}" for it in sorted(right.keys() - left.keys())]
    found += [f"differs: {it}" for it in left.keys() & right.keys() if left[it] != right[it]]
    return found


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_both_majors_of_helm_render_the_same(chart, case):
    four = rendering.template(case, chart=chart, crds=True)
    three = rendering.template(case, chart=chart, crds=True, helm="helm3")
    assert differences(rendering.parse(four), rendering.parse(three)) == []


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_the_specialised_chart_renders_what_the_stock_chart_does(chart, case, tmp_path):
    folder = rendering.write_chart(case, tmp_path, chart)
    for helm in ("helm", "helm3"):
        specialised = rendering.template(case, chart=chart, folder=folder, helm=helm)
        stock = rendering.objects(case, chart=chart)
        assert differences(stock, rendering.parse(specialised)) == []


@pytest.mark.parametrize("case", CASES)
def test_the_generator_renders_what_helm_does_and_a_namespace(case):
    rendered = rendering.through_door_two(case)
    ours = [it for manifest in rendered for it in rendering.parse(manifest.text)]
    helms = rendering.parse(rendering.template(case, crds=True))
    if case in WITH_MODELS:
        helms += rendering.objects(case, chart=MODELS)
    metadata = {"name": "kserve", "annotations": dict(KEEP)}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    assert differences(ours, [namespace, *helms]) == []
    # No object is lost by the names of the files.
    assert len(layout.files(rendered)) == len(ours)


@pytest.mark.parametrize(
    ("platform", "models", "expected"),
    [
        ("kserve", "default", ["kserve"]),
        ("kserve", "fraud", ["kserve", "fraud"]),
        ("ml", "ml", ["ml"]),
        ("123", "456", ["123", "456"]),
    ],
)
def test_the_namespaces_that_a_release_uses_are_rendered(platform, models, expected):
    release = Release(namespace=platform, models=models)
    values = rendering.given("sklearn-iris")
    rendered = [it for it in manifests.render(values, release) if it.kind == "Namespace"]
    assert [it.name for it in rendered] == expected
    assert [
        it["metadata"]["name"] for it in rendering.parse("---\n".join(m.text for m in rendered))
    ] == expected
    assert {it.phase for it in rendered} == {"00-crds"}
    # Without models, their namespace is none of this release's.
    alone = [it.name for it in manifests.render(release=release) if it.kind == "Namespace"]
    assert alone == [platform]


def test_a_namespace_that_the_values_declare_is_not_rendered_twice(tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(
        "extraObjects: {a: {apiVersion: v1, kind: Namespace, metadata: {name: kserve, labels: {a: b}}}}\n"
    )
    rendered = [it for it in manifests.render(read([values])) if it.kind == "Namespace"]
    assert ["labels" in it.text for it in rendered] == [True]


def test_the_models_chart_is_told_where_the_platform_is(tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(CASES["istio-models"].read_text())
    release = Release(namespace="ml-platform")
    routes = [
        it
        for it in manifests.render(Values.parsed([values]), release)
        if it.kind == "VirtualService"
    ]
    assert routes
    assert all("- ml-platform/kserve-ingress-gateway" in it.text for it in routes)


@pytest.mark.parametrize("case", ["default", "istio-gateway-api", "openshift"])
def test_what_chose_the_files_of_a_specialised_chart_is_fixed(case, tmp_path):
    folder = rendering.write_chart(case, tmp_path)
    chosen = "openshift" if case == "openshift" else "selfSigned"
    for argument, value in (
        ("webhook.certificate.mode=certManager", chosen),
        ("runtimes.xgboost.enabled=true", "false"),
    ):
        for helm in ("helm", "helm3"):
            with pytest.raises(ToolFailed, match=f"value must be '?{value}"):
                rendering.helm("template", "x", str(folder), "--set", argument, program=helm)


def test_a_specialised_chart_has_no_conditions_and_holds_only_what_it_uses():
    stock, special = render(), render({})
    assert "templates/webhook/certManager/certificate.yaml" in stock
    assert "templates/webhook/certManager/certificate.yaml" not in special
    assert "templates/runtimes/triton.yaml" not in special
    assert not any(when.split(text, path)[0] for path, text in special.items())
    assert "runtimes.triton.enabled" in stock["templates/runtimes/triton.yaml"]
    assert "repository: nvidia/tritonserver" in stock["values.yaml"]
    assert "nvidia/tritonserver" not in "".join(special.values())
