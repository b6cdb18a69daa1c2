"""Mistakes in values: mistakes.yaml has them, with what the generator and Helm say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator import CHART, MODELS
from generator.errors import Problem, ToolFailed, ValuesError
from generator.values.check import read
from generator.values.load import Values, merge
from tests import rendering
from tests.rendering import CHARTS, helm_template

ROWS = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text())
# What only the models chart reads.
OF_MODELS = ("models.", "graphs.", "trainedModels.", "routing.virtualService.", "models: ")


def listed(says: str | list[str]) -> list[str]:
    return [says] if isinstance(says, str) else says


def chart_of(row: dict[str, Any]) -> str:
    return MODELS if listed(row["says"])[0].startswith(OF_MODELS) else CHART


def problems(row: dict[str, Any], file: Path) -> list[Problem]:
    """What the generator says: from the values themselves, else from the chart's templates."""
    file.write_text(row["values"] + "\n")
    with pytest.raises(ValuesError) as caught:
        read([file])
        helm_template(CHARTS[chart_of(row)], Values.parsed([file]), more=())
    return list(caught.value.problems)


@pytest.mark.parametrize("row", ROWS, ids=[row["values"] for row in ROWS])
def test_the_generator_says_where_what_and_how_to_mend_it(row, tmp_path):
    found = problems(row, tmp_path / "my.yaml")
    assert [f"{problem.path}: {problem.message}" for problem in found] == listed(row["says"])
    for problem in found:
        assert (problem.file, problem.line) == (str(tmp_path / "my.yaml"), 1)
        # A key of the path, or an entry of a list; or a key of another path that the message names.
        there = row["values"][problem.column - 1 :].lstrip('"')
        keys = re.findall(r"[^][.,;:\" ]+", f"{problem.path} {problem.message}")
        assert there.startswith(tuple(keys)) or problem.path.endswith("]")
        # A remedy after the fact, or an example in it.
        assert "; " in problem.message or " such as " in problem.message


def of_model(what: str) -> str:
    """The values of a model that says `what` beside what it has to."""
    return f"models: {{m: {{format: sklearn, storageUri: s3://a/b, {what}}}}}"


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ("controller: {replicas: WORD}", "02"),
        ("controller: {replicas: WORD}", '"02"'),
        ("controller: {replicas: WORD}", "0b11"),
        ("controller: {replicas: WORD}", "1."),
        (of_model("minReplicas: 1, maxReplicas: WORD"), "010"),
        (of_model("minReplicas: 1, maxReplicas: WORD"), '"010"'),
        (of_model("minReplicas: 1, maxReplicas: WORD"), "1_0"),
        (of_model("minReplicas: 1, maxReplicas: WORD"), '"10"'),
        (of_model("readinessProbe: {httpGet: {path: /, port: WORD}}"), '"08080"'),
        ("controller: {podDisruptionBudget: {enabled: WORD}}", "yes"),
        ("controller: {podDisruptionBudget: {enabled: WORD}}", "Off"),
    ],
)
def test_what_a_remedy_says_is_taken(values, word, tmp_path):
    """Where a number or a boolean is wanted, it is the first thing that the remedy names."""
    file = tmp_path / "my.yaml"
    file.write_text(values.replace("WORD", word))
    with pytest.raises(ValuesError) as caught:
        read([file])
    (problem,) = caught.value.problems
    (remedy,) = re.findall(r"; write (\w+)(?:,| \(| without quotes)", problem.message)
    file.write_text(values.replace("WORD", remedy))
    assert read([file])


@pytest.mark.parametrize("word", ["1_0", "010", "1e3", "yes", "1:30", "2020-01-01"])
def test_what_a_remedy_says_of_text_is_taken(word, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(of_model(f"formatVersion: {word}"))
    with pytest.raises(ValuesError) as caught:
        read([file])
    (problem,) = caught.value.problems
    (remedy,) = re.findall(r'write (?:.*, or )?("[^"]+")(?: if it is text)?$', problem.message)
    file.write_text(of_model(f"formatVersion: {remedy}"))
    assert read([file]).at("models", "m", "formatVersion") == word


def batches(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The rows in as few values as can be: Helm tells all that its schema refuses at once."""
    left = list(rows)
    while left:
        whole: dict[str, Any] = {}
        taken = []
        for row in left:
            values = yaml.safe_load(row["values"])
            if not taken or agree(whole, values):
                whole = merge(whole, values, keep_null=True)
                taken.append(row)
        left = [row for row in left if row not in taken]
        yield whole, taken


def agree(first: Any, second: Any) -> bool:
    """Whether both fit into one values file: neither says another thing of what the other says."""
    if not (isinstance(first, dict) and isinstance(second, dict) and first and second):
        return bool(first == second)
    return all(agree(first[key], second[key]) for key in first.keys() & second.keys())


def of_helm(program: str, chart: str, values: dict[str, Any], file: Path) -> str:
    file.write_text(yaml.safe_dump(values))
    argv = ("template", "x", str(CHARTS[chart]), "-f", str(file), "--kube-version=1.34.0")
    return rendering.helm(*argv, program=program)


@pytest.mark.parametrize("helm", ["helm", "helm3"])
@pytest.mark.parametrize("chart", CHARTS)
def test_helm_says_it_of_the_same_values(chart, helm, tmp_path):
    of_chart = [row for row in ROWS if chart_of(row) == chart]
    refused = [row for row in of_chart if row["helm"] not in ("nothing", "the same")]
    by_schema = [row for row in refused if listed(row["helm"])[0].startswith("at ")]
    assert len(by_schema) > 30
    # What templates say is only said when the schema has nothing to say.
    by_template = [row for row in refused if row not in by_schema]
    for values, rows in [*batches(by_schema), *batches(by_template)]:
        with pytest.raises(ToolFailed) as caught:
            of_helm(helm, chart, values, tmp_path / "my.yaml")
        for row in rows:
            for words in listed(row["helm"]):
                assert words in str(caught.value), row["values"]


@pytest.mark.parametrize("chart", CHARTS)
def test_what_helm_cannot_tell_is_marked_so(chart, tmp_path):
    """A row that says `nothing` although Helm says something would hide what Helm can do."""
    for values, rows in batches([row for row in ROWS if row["helm"] == "nothing"]):
        if rows := [row for row in rows if chart_of(row) == chart]:
            of_helm("helm", chart, values, tmp_path / "my.yaml")
