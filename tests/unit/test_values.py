import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator import CHART, MODELS, helm
from generator.errors import ValuesError
from generator.values.check import read
from generator.values.load import Values, merge
from generator.values.schema import KEYWORDS, find, values_schema
from generator.yaml.document import Document
from tests import rendering


def test_merging_is_deep_and_lists_are_replaced():
    base = {"a": {"x": 1, "y": 2}, "l": [1, 2], "n": 1}
    assert merge(base, {"a": {"y": 3}, "l": [], "z": 0}) == {
        "a": {"x": 1, "y": 3}, "l": [], "n": 1, "z": 0,
    }  # fmt: skip
    assert base == {"a": {"x": 1, "y": 2}, "l": [1, 2], "n": 1}


def test_a_null_removes_a_default():
    assert merge({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}) == {"a": {"y": 2}}


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.sampled_from(["", "x", "y"]))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abc"), inner), st.lists(inner, max_size=2)
    ),
    max_leaves=6,
)
VALUES = st.dictionaries(st.sampled_from("abc"), TREES)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A chart that prints its values, and the defaults that it has."""
    return rendering.printing_chart(tmp_path_factory.mktemp("mirror"))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(defaults=VALUES, first=VALUES, second=VALUES)
def test_we_merge_as_helm_does(mirror, defaults, first, second):
    def without_null(node):
        return (
            {k: without_null(v) for k, v in node.items() if v is not None}
            if isinstance(node, dict)
            else node
        )

    # A chart's defaults have no nulls: ours have none, and Helm's rules for them vary.
    defaults = without_null(defaults)
    files = []
    for name, values in (("values.yaml", defaults), ("1.yaml", first), ("2.yaml", second)):
        (mirror / name).write_text(json.dumps(values))
        files.append(str(mirror / name))
    said = rendering.parse(
        rendering.helm("template", "x", str(mirror), "-f", files[1], "-f", files[2])
    )
    theirs = json.loads(said[0]["values"])
    theirs.pop("global", None)
    ours = merge(defaults, merge(merge({}, first, keep_null=True), second, keep_null=True))
    # What is null in the end is absent to a template either way.
    assert without_null(ours) == without_null(theirs)


def test_a_null_in_one_file_holds_until_another_says_something(tmp_path):
    (tmp_path / "1.yaml").write_text("controller: {replicas: null}\n")
    (tmp_path / "2.yaml").write_text("controller: {replicas: 2}\n")
    assert read([tmp_path / "1.yaml", tmp_path / "2.yaml"]).merged == {
        "controller": {"replicas": 2}
    }
    with pytest.raises(ValuesError, match="null is not a value here"):
        read([tmp_path / "2.yaml", tmp_path / "1.yaml"])


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a: \xff\n", "is not UTF-8 text"), (None, "cannot be read: No such file")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, said):
    file = tmp_path / "my.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValuesError, match=f"my.yaml:1:1: {said}"):
        read([file])


def test_a_limit_may_be_taken_away(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("controller: {resources: {limits: {cpu: null}}}\n")
    text = rendering.helm_template(rendering.STOCK, read([file]), more=())
    manager = rendering.only(rendering.parse(text), "Deployment")["spec"]["template"]["spec"][
        "containers"
    ][0]
    assert manager["resources"]["limits"] == {"memory": "512Mi"}


def test_a_problem_is_told_once(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("extraObjects: {a: {kind: ConfigMap}}\n")
    with pytest.raises(ValuesError) as caught:
        read([file])
    assert [problem.message for problem in caught.value.problems] == [
        "apiVersion is missing; add it", "metadata is missing; add it",
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["models", "runtimes", "extraObjects", "routing"])
def test_a_key_with_nothing_below_it_is_told_in_those_words(tmp_path, key):
    file = tmp_path / "my.yaml"
    file.write_text(f"{key}:\n  # sklearn: {{enabled: true}}\n")
    with pytest.raises(
        ValuesError, match="has nothing below it, which YAML reads as null"
    ) as caught:
        read([file])
    assert str(caught.value).startswith(f"{file}:1:1: {key}: ")


def test_a_value_of_the_wrong_kind_is_told_once(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("controller: {tolerations: {}, affinity: []}\n")
    with pytest.raises(ValuesError) as caught:
        read([file])
    assert [problem.path for problem in caught.value.problems] == [
        "controller.tolerations", "controller.affinity",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [("on", "reads it as a boolean"), ("Iris", "did you mean iris"), ("x" * 49, "48 are allowed")],
)
def test_the_name_of_a_model_is_checked(tmp_path, name, said):
    file = tmp_path / "my.yaml"
    file.write_text(f'models:\n  "{name}": {{format: sklearn, storageUri: "s3://a/b"}}\n')
    with pytest.raises(ValuesError, match=said) as caught:
        read([file])
    assert str(caught.value).startswith(f"{file}:2:3: models.{name}: the name ")


def nodes(node, path=()):
    yield path, node
    for key, child in node.get("properties", {}).items():
        yield from nodes(child, (*path, key))
    if "x-entries" in node:
        yield from nodes(node["additionalProperties"], (*path, "*"))


def test_the_schema_has_no_word_that_nothing_reads():
    """A comma in prose that is not quoted makes two keys of it."""
    known = {*KEYWORDS, "default", "description", "properties"}
    found = [
        (path, key)
        for path, node in nodes(values_schema())
        for key in node
        if key not in known and not key.startswith("x-")
    ]
    assert found == []


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_values_that_were_made_are_what_helm_gets_and_are_blamed_by_their_document(program, mirror):
    data = {"models": {"m": {"annotations": {"note": "\U0001f600 é"}}}}
    document = Document("services.yaml", data, {("models", "m"): (7, 3)})
    values = Values.made(data, document)
    (mirror / "values.yaml").write_text("{}\n")
    text = helm.template(mirror, values, release="x", namespace="y", helm=program)
    theirs = json.loads(rendering.parse(text)[0]["values"])
    assert theirs["models"] == data["models"]
    problem = values.problem(("models", "m", "annotations"), "is wrong; mend it")
    assert str(problem) == "services.yaml:7:3: models.m.annotations: is wrong; mend it"
    assert str(Values.made(data).problem(("models",), "no")) == "values:1:1: models: no"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("inference:\n  batcher:\n    maxBatchSize: 64\n", 2, "inference.batcher: batcher is not a value any more: KServe reads none of its keys; set models.NAME.batcher"),
        ("inference:\n  logger:\n    resources: {}\n", 3, "set inference.agent.resources"),
        ("storage:\n  ociModels:\n    mode: fetch\n", 3, "storage.ociModels.mode: fetch is not a value any more: KServe v0.20.0 runs it as modelcar; set modelcar"),
        ("models:\n  m:\n    format: sklearn\n    batcher:\n      timeout: 9\n", 5, "models.m.batcher.timeout: timeout is not a value any more"),
    ],
)  # fmt: skip
def test_what_was_a_value_once_is_refused_with_the_reason(tmp_path, text, line, said):
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError) as caught:
        read([file])
    (problem,) = caught.value.problems
    assert said in str(problem)
    assert problem.line == line
    # Helm refuses it too, by the chart that would read it.
    chart = MODELS if text.startswith("models") else CHART
    with pytest.raises(ValuesError, match="Helm refuses it"):
        rendering.helm_template(rendering.CHARTS[chart], Values.parsed([file]), more=())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "models: {m: {format: sklearn, storageUri: s3://a/b, namespace: x}}",
            "models.m.namespace: unknown key; it is that of the release; "
            "name it by --models-namespace, or by --team for the models of a team",
        ),
        ("graphs: {g: {namespace: x}}", "graphs.g.namespace: unknown key; it is that of the rel"),
        ("trainedModels: {t: {namespace: x}}", "t.namespace: unknown key; it is that of the rel"),
        # What another branch has is no help in an entry, and what the entry has further down is.
        ("models: {m: {xdomainx: z, defaultUrl: z}}", "m.defaultUrl: unknown key; models.m has "),
        ("models: {m: {maxLatency: 3}}", "unknown key; did you mean models.m.batcher.maxLatency?"),
        ("tenants: {a: {domain: x.org}}", "unknown key; did you mean tenants.a.gateway.domain?"),
        ("controller: {imageRegistry: x}", "unknown key; did you mean global.imageRegistry?"),
        # A letter is not left out of a name: what stays is another word.
        ('models: {"ünï": {}}', "that begins with a letter, such as my-name\n"),
        ('models: {"my ünï": {}}', "that begins with a letter, such as my-name\n"),
    ],
)
def test_a_suggestion_leads_to_what_is_meant(text, said, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError) as caught:
        read([file])
    assert said in f"{caught.value}\n"


def test_a_default_that_is_wrong_is_in_no_file():
    assert str(Values().problem(("routing", "domain"), "no")) == "routing.domain: no"


def test_the_remedy_for_what_was_a_value_once_is_one():
    reasons = [
        (path, text)
        for path, text in rendering.walk(values_schema())
        if {"x-removed", "x-elsewhere"} & set(path) and isinstance(text, str)
    ]
    assert len(reasons) > 3
    for path, text in reasons:
        assert "; " in text, path
        for named in re.findall(r"[a-z]\w*(?:\.\w+)+", text.replace("v0.20.0", "")):
            assert find(values_schema(), tuple(named.replace("NAME", "*").split("."))), named
