"""Law 4: a typo fails, in Helm with its path, in the generator with file, line, column and a hint."""

import json

import pytest
import yaml

from generator import CHART
from generator.chart.rendering import schema_of
from generator.errors import ToolFailed, ValuesError
from generator.values.check import read
from generator.values.schema import leaves
from generator.yaml.data import JsonObject
from tests import rendering
from tests.rendering import CHARTS

SCHEMAS = {chart: schema_of(chart) for chart in CHARTS}


def branches(node: JsonObject, path: tuple[str, ...] = ()):
    """Every place where a key could be misspelt: the path of each closed mapping, and a right key."""
    own = [key for key, child in node["properties"].items() if "x-foreign" not in child]
    if own:
        yield path, own[0]
    for key in own:
        child = node["properties"][key]
        if "x-entries" in child:
            yield from branches(child["additionalProperties"], (*path, key, "some"))
        elif "properties" in child:
            yield from branches(child, (*path, key))


# Open to Helm's schema, for what a parent chart has there; tests/unit/test_dependency.py has it refused.
SHARED = ("global",)
BRANCHES = sorted({branch for schema in SCHEMAS.values() for branch in branches(schema)})


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_helm_refuses_a_typo_at_every_depth(chart, helm, tmp_path):
    # One file with a typo everywhere: Helm reports each by its path.
    values: dict = {}
    expected = []
    for path, right in branches(SCHEMAS[chart]):
        if path == SHARED:
            continue
        mapping = values
        for key in path:
            mapping = mapping.setdefault(key, {})
        mapping[f"{right}x"] = 1
        expected.append(("".join(f"/{key}" for key in path), f"{right}x"))
    file = tmp_path / "typos.yaml"
    file.write_text(json.dumps(values))
    with pytest.raises(ToolFailed) as caught:
        rendering.helm("template", "x", str(CHARTS[chart]), "-f", str(file), program=helm)
    lines = str(caught.value).splitlines()
    for where, wrong in expected:
        reports = [
            line for line in lines if f"at '{where}'" in line and f"'{wrong}' not allowed" in line
        ]
        assert reports, (where, wrong)


@pytest.mark.parametrize(("path", "right"), BRANCHES)
def test_the_generator_says_where_a_typo_is_and_what_was_meant(path, right, tmp_path):
    wrong = f"{right}x"
    values: dict = {wrong: 1}
    for key in reversed(path):
        values = {key: values}
    file = tmp_path / "my.yaml"
    file.write_text(f"# a comment\n{yaml.safe_dump(values)}")
    with pytest.raises(ValuesError) as caught:
        read([file])
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2 + len(path), 1 + 2 * len(path))
    assert problem.path == ".".join([*path, wrong])
    assert "did you mean " in problem.message
    near = problem.message.partition("did you mean ")[2].rstrip("?")
    assert near.rpartition(".")[0] == ".".join(path)


def own_leaves(schema: JsonObject):
    """The values of a chart that have a default in it."""
    return [leaf for leaf in leaves(schema) if "default" in leaf.schema]


def test_null_is_refused_for_every_value_with_a_default(tmp_path):
    for leaf in own_leaves(SCHEMAS[CHART]):
        values: object = None
        for key in reversed(leaf.path):
            values = {key: values}
        file = tmp_path / "null.yaml"
        file.write_text(json.dumps(values))
        with pytest.raises(ValuesError, match="null"):
            read([file])


@pytest.mark.parametrize("chart", CHARTS)
def test_helm_refuses_null_cleanly(chart, tmp_path):
    file = tmp_path / "null.yaml"
    values: dict = {}
    names = [leaf.path for leaf in own_leaves(SCHEMAS[chart])]
    for path in names:
        mapping = values
        for key in path[:-1]:
            mapping = mapping.setdefault(key, {})
        mapping[path[-1]] = None
    file.write_text(json.dumps(values))
    for helm in ("helm", "helm3"):
        with pytest.raises(ToolFailed) as caught:
            rendering.helm("template", "x", str(CHARTS[chart]), "-f", str(file), program=helm)
        said = str(caught.value)
        assert "nil pointer" not in said
        for path in names:
            assert f"'{path[-1]}'" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "controller:\n  replicas: 2\n  replicas: 3\n",
            ":3:3: controller.replicas: the key is there already, in line 2",
        ),
        (
            "controller: {replicas: two}\n",
            ':1:14: controller.replicas: "two" is not a whole number',
        ),
        ("controller:\n  logging:\n    level: inof\n", "did you mean info?"),
        ("imageRegistry: x\n", "did you mean global.imageRegistry?"),
        ("controller:\n\treplicas: 2\n", ":2:1: not valid YAML"),
        ("observability: {metrics: {enabled: on}}\n", 'write true, or "on" if it is text'),
        ("- a\n", "values are a mapping"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        (
            "controller: {resources: {limit: {cpu: 1}}}\n",
            "controller.resources.limit: unknown key; did you mean limits?",
        ),
        (
            "controller: {tolerations: [{kee: x}]}\n",
            "controller.tolerations[0].kee: unknown key; did you mean key?",
        ),
        ("controller: {affinity: {nodeAfinity: {}}}\n", "did you mean nodeAffinity?"),
        ("controller: {extraEnv: {A: {valueForm: {}}}}\n", "did you mean valueFrom?"),
        ("controller: {extraVolumes: {a: {emptydir: {}}}}\n", "did you mean emptyDir?"),
        ("webhook: {namespaceSelector: {matchLabel: {}}}\n", "did you mean matchLabels?"),
        ("customRuntimes: {a: {spec: {container: []}}}\n", "did you mean containers?"),
        ("customRuntimes: {a: {spce: {}}}\n", "did you mean spec?"),
        ("routing: {gateway: {allowedRoutes: {namespace: {}}}}\n", "did you mean namespaces?"),
        ("networkPolicy: {webhookFrom: [{ipblock: {}}]}\n", "did you mean ipBlock?"),
        (
            "models: {My_Model: {format: sklearn}}\n",
            "digits and dashes that begins with a letter, such as my-name; did you mean my-model?",
        ),
        (
            "models: {" + "m" * 49 + ": {format: sklearn}}\n",
            "has 49 characters, and 48 are allowed; shorten it",
        ),
        ("models: {m: {env: {A: {valueForm: {}}}}}\n", "did you mean valueFrom?"),
        ("models: {m: {spec: {predictor: {modle: {}}}}}\n", "did you mean model?"),
        (
            "graphs: {g: {nodes: {root: {steps: [{modle: x}]}}}}\n",
            "graphs.g.nodes.root.steps[0].model?",
        ),
    ],
)
def test_what_the_generator_says_of_a_mistake(text, said, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError) as caught:
        read([file])
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_every_mistake_of_a_file_is_told_at_once(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("controler: {}\nplatform: vms\nrouting: {domian: x}\n")
    with pytest.raises(ValuesError) as caught:
        read([file])
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


def test_a_mistake_is_placed_in_the_file_that_makes_it(tmp_path):
    first, second = tmp_path / "base.yaml", tmp_path / "cluster.yaml"
    first.write_text("controller: {replicas: 2}\n")
    second.write_text("controller:\n  replica: 3\n")
    with pytest.raises(ValuesError) as caught:
        read([first, second])
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (str(second), 2)
