"""Law 3: every value has an effect, and every value that is read exists."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from generator import CHART, MODELS
from generator.chart.rendering import render, schema_of
from generator.errors import ToolFailed, ValuesError
from generator.values.load import Values
from generator.values.schema import Leaf, defaults, find
from tests import rendering
from tests.flips import DIGITS, LEAVES, READERS, SCHEMA, flips, render_with, trials
from tests.rendering import CHARTS


def effect(leaf: Leaf, folder) -> str:
    """What a chart renders with another value of the leaf, where that makes a difference."""
    for chart, case, file in trials(leaf, flips, folder):
        try:
            after = without_comments(render_with(chart, Values.parsed([file])))
        except (ToolFailed, ValuesError):
            continue
        if after != without_comments(rendering.template(case, chart=chart)):
            return after
    return ""


def without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*\n", "", text)


def is_misread(text: str) -> bool:
    """Whether DIGITS arrive as a number."""
    return any(value == int(DIGITS) for _, value in rendering.walk(rendering.parse(text)))


@pytest.mark.parametrize("part", range(4))
def test_every_value_has_an_effect(part, tmp_path):
    some = LEAVES[part::4]
    with ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(lambda leaf: effect(leaf, tmp_path), some))
    effects = {leaf.name: text for leaf, text in zip(some, texts, strict=True)}
    assert len(effects) > 80
    assert [name for name, text in effects.items() if not text] == []
    # Law 11: what was a text arrives as a text.
    with_digits = {name: text for name, text in effects.items() if DIGITS in text}
    assert len(with_digits) > 10
    assert [name for name, text in with_digits.items() if is_misread(text)] == []


def test_every_value_that_is_read_exists():
    reads = {
        match[1].strip(".")
        for chart in CHARTS
        for path, text in render(chart=chart).items()
        if path.startswith("templates/")
        for match in re.finditer(r"\.Values((?:\.[A-Za-z0-9]+)+)", text)
    }
    assert len(reads) > 100
    missing = [read for read in reads if find(SCHEMA, tuple(read.split("."))) is None]
    assert missing == []


@pytest.mark.parametrize("chart", CHARTS)
def test_the_defaults_in_values_yaml_are_those_of_the_schema(chart):
    assert yaml.safe_load(render(chart=chart)["values.yaml"]) == defaults(schema_of(chart))


def test_every_value_has_a_chart_that_reads_it():
    assert {leaf.path for leaf in LEAVES} == READERS[CHART] | READERS[MODELS]
