import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.errors import ValuesError
from generator.schema import KEYWORDS, values_schema
from generator.values import merge, read
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
    lambda it: st.one_of(st.dictionaries(st.sampled_from("abc"), it), st.lists(it, max_size=2)),
    max_leaves=6,
)
VALUES = st.dictionaries(st.sampled_from("abc"), TREES)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A chart that prints its values, and the defaults that it has."""
    folder = tmp_path_factory.mktemp("mirror")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: mirror\nversion: 0.1.0\n")
    (folder / "templates" / "values.yaml").write_text("values: {{ toJson .Values | quote }}\n")
    return folder


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(defaults=VALUES, first=VALUES, second=VALUES)
def test_we_merge_as_helm_does(mirror, defaults, first, second):
    def without_null(it):
        return (
            {k: without_null(v) for k, v in it.items() if v is not None}
            if isinstance(it, dict)
            else it
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
    assert read([tmp_path / "1.yaml", tmp_path / "2.yaml"]) == {"controller": {"replicas": 2}}
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
    read([file])
    text = rendering.manifests.helm_template(rendering.STOCK, [file], more=())
    manager = rendering.only(rendering.parse(text), "Deployment")["spec"]["template"]["spec"][
        "containers"
    ][0]
    assert manager["resources"]["limits"] == {"memory": "512Mi"}


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
