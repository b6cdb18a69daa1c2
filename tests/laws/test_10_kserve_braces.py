"""Law 10: KServe's own {{ }} reach the cluster as they are."""

import re

import pytest

from generator.catalog import catalog
from generator.chart.rendering import render
from tests import rendering
from tests.rendering import CASES, config, objects

BRACES = re.compile(r"\{\{[^}]*\}\}")


def braces(value: object) -> list[str]:
    return sorted(
        match
        for _, text in rendering.walk(value)
        if isinstance(text, str)
        for match in BRACES.findall(text)
    )


def test_every_runtime_has_the_placeholders_of_the_catalog():
    rendered = rendering.of_kind(objects("all-runtimes"), "ClusterServingRuntime")
    by_name = {manifest["metadata"]["name"]: manifest["spec"] for manifest in rendered}
    assert len(by_name) == len(catalog().runtimes)
    for runtime in catalog().runtimes.values():
        assert braces(by_name[runtime.name]) == braces(runtime.spec)
    assert "--model_name={{.Name}}" in by_name["kserve-sklearnserver"]["containers"][0]["args"]
    assert braces(by_name["kserve-mlserver"]) == ["{{.Labels.modelClass}}"]


def test_a_custom_runtime_keeps_its_placeholders():
    runtime = rendering.only(objects("everything-on"), "ClusterServingRuntime", "text-classifier")
    assert braces(runtime) == ["{{.Name}}"]


@pytest.mark.parametrize("case", CASES)
def test_the_domain_template_is_a_template_still(case):
    template = config(objects(case))["ingress"]["domainTemplate"]
    assert "{{ .Name }}" in template
    assert "{{ .IngressDomain }}" in template


def test_a_users_braces_are_not_rendered():
    service = rendering.only(objects("awkward-scalars"), "Service", "kserve-webhook-server-service")
    assert service["metadata"]["annotations"]["braces"] == "{{ .NotATemplate }}"


def test_our_own_delimiters_do_not_reach_the_chart():
    for path, text in render().items():
        assert not re.search(r"<@|@>|\{@|@\}|<#|#>", text), path
