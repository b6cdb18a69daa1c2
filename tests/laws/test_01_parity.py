"""Law 1: the same values give the same objects through every door, on Helm 4 and on Helm 3.

The one exception are the Namespaces: Helm makes them by --create-namespace, `manifests` renders them.
"""

import pytest

from generator import MODELS
from generator.manifests import layout, rendering
from generator.manifests.protection import KEEP
from generator.release import Release
from generator.values.check import read
from generator.values.load import Values
from tests.rendering import (
    CASES,
    CHART_CASES,
    WITH_MODELS,
    Object,
    by_identity,
    given,
    objects,
    parse,
    template,
    through_door_two,
)


def differences(one: list[Object], other: list[Object]) -> list[str]:
    """How two sets of objects differ, a line each."""
    left, right = by_identity(one), by_identity(other)
    found = [f"only here: {key}" for key in sorted(left.keys() - right.keys())]
    found += [f"only there: {key}" for key in sorted(right.keys() - left.keys())]
    found += [f"differs: {key}" for key in left.keys() & right.keys() if left[key] != right[key]]
    return found


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_both_majors_of_helm_render_the_same(chart, case):
    four = template(case, chart=chart, crds=True)
    three = template(case, chart=chart, crds=True, helm="helm3")
    assert differences(parse(four), parse(three)) == []


@pytest.mark.parametrize("case", CASES)
def test_the_generator_renders_what_helm_does_and_a_namespace(case):
    rendered = through_door_two(case)
    ours = [one for manifest in rendered for one in parse(manifest.text)]
    helms = parse(template(case, crds=True))
    if case in WITH_MODELS:
        helms += objects(case, chart=MODELS)
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
    values = given("sklearn-iris")
    rendered = [
        manifest for manifest in rendering.render(values, release) if manifest.kind == "Namespace"
    ]
    assert [manifest.name for manifest in rendered] == expected
    assert [
        manifest["metadata"]["name"] for manifest in parse("---\n".join(m.text for m in rendered))
    ] == expected
    assert {manifest.phase for manifest in rendered} == {"00-crds"}
    # Without models, their namespace is none of this release's.
    alone = [
        manifest.name
        for manifest in rendering.render(release=release)
        if manifest.kind == "Namespace"
    ]
    assert alone == [platform]


def test_a_namespace_that_the_values_declare_is_not_rendered_twice(tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(
        "extraObjects: {a: {apiVersion: v1, kind: Namespace, metadata: {name: kserve, labels: {a: b}}}}\n"
    )
    rendered = [
        manifest for manifest in rendering.render(read([values])) if manifest.kind == "Namespace"
    ]
    assert ["labels" in manifest.text for manifest in rendered] == [True]


def test_the_models_chart_is_told_where_the_platform_is(tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(CASES["istio-models"].read_text())
    release = Release(namespace="ml-platform")
    routes = [
        manifest
        for manifest in rendering.render(Values.parsed([values]), release)
        if manifest.kind == "VirtualService"
    ]
    assert routes
    assert all('- "ml-platform/kserve-ingress-gateway"' in route.text for route in routes)
