"""What Helm says, turned into what helps whoever wrote the values."""

import shutil

import pytest

from generator import helm
from generator.errors import GeneratorError, ToolFailed, ToolMissing, ValuesError
from generator.values.check import read
from generator.values.load import Values
from tests.rendering import STOCK

BOTH = pytest.mark.parametrize("program", ["helm", "helm3"])


@pytest.fixture
def values(tmp_path):
    """A function that reads text as values, unchecked."""

    def make(text: str, name: str = "my values, mine.yaml") -> Values:
        file = tmp_path / name
        file.write_text(text)
        return Values.parsed([file])

    return make


@pytest.fixture
def chart(tmp_path):
    """A function that adds a template to the chart."""

    def make(template: str):
        folder = tmp_path / "kserve-lite"
        shutil.copytree(STOCK, folder)
        (folder / "templates" / "broken.yaml").write_text(template)
        return folder

    return make


def said(folder, values: Values, program: str, kind: type[GeneratorError] = GeneratorError) -> str:
    with pytest.raises(kind) as caught:
        helm.template(folder, values, release="x", namespace="y", helm=program)
    assert "/dev/fd" not in str(caught.value)
    assert "--debug" not in str(caught.value)
    return str(caught.value)


@BOTH
def test_what_the_schema_refuses_is_placed_in_the_file(program, values):
    text = "controller:\n  replica: 2\nrouting: {mode: tunnel}\n"
    lines = said(STOCK, values(text), program, ValuesError).splitlines()
    assert [line.partition("yaml:")[2].partition(": Helm refuses it: ")[0] for line in lines] == [
        "1:1: controller",
        "3:11: routing.mode",
    ]


@BOTH
def test_a_source_has_its_own_name_in_what_helm_says_of_it(program, values):
    # No text is known that we take and Helm does not.
    given = values("a: 1\n")
    broken = [type(source)(source.name, b"a: [\n") for source in given.sources]
    message = said(STOCK, Values(tuple(broken), given.documents, given.merged), program, ToolFailed)
    assert "my values, mine.yaml" in message


@BOTH
def test_what_the_templates_refuse_is_placed_in_the_file(program, values):
    text = "controller:\n  podDisruptionBudget: {enabled: true}\n"
    message = said(STOCK, values(text), program, ValuesError)
    assert "yaml:2:3: controller.podDisruptionBudget: needs a second pod" in message


@BOTH
def test_a_template_that_fails_is_named_with_the_value_that_it_reads(program, values, chart):
    folder = chart("{{ .Values.controller.replicas.many }}\n")
    message = said(folder, values("controller:\n  replicas: 2\n"), program)
    assert (
        "yaml:2:3: controller.replicas: kserve-lite: templates/broken.yaml gives nothing usable"
        in message
    )


@BOTH
def test_a_template_that_renders_no_yaml_is_named(program, values, chart):
    folder = chart("a: {{ .Values.controller.replicas }}\n b: c\n")
    message = said(folder, values("controller: {replicas: 2}\n"), program)
    assert message.startswith(
        "kserve-lite: templates/broken.yaml gives nothing usable with these values: "
    )
    assert "mapping values are not allowed" in message
    assert message.endswith("please report it: it should be refused")


@BOTH
def test_findings_of_lint_are_told(program, values, chart):
    folder = chart("a: {{ .Values.controller.replicas }}\n b: c\n")
    with pytest.raises(
        GeneratorError, match=r"templates/broken\.yaml.*mapping values are not allowed"
    ):
        helm.lint(folder, values("controller: {replicas: 2}\n"), helm=program)


def test_without_helm_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    helm.tools.find.cache_clear()
    try:
        with pytest.raises(ToolMissing, match="is missing; run"):
            helm.lint(STOCK)
    finally:
        helm.tools.find.cache_clear()


def test_values_that_are_right_render(values):
    given = read([source.name for source in values("controller: {replicas: 2}\n").sources])
    assert "replicas: 2" in helm.template(
        STOCK,
        given,
        release="x",
        namespace="y",
        more=("--show-only", "templates/controller/deployment.yaml"),
    )
