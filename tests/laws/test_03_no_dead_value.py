"""Law 3: every value has an effect, and every value that is read exists."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from generator import CHART, MODELS
from generator.chart.rendering import render, schema_of
from generator.explanation import effects
from generator.values.schema import defaults, find
from tests import rendering
from tests.effects import as_text, measure
from tests.flips import BRANCHES, DIGITS, LEAVES, READERS, SCHEMA
from tests.rendering import CHARTS

EVERY = [*LEAVES, *BRANCHES]


def is_misread(text: str) -> bool:
    """Whether DIGITS arrive as a number."""
    return any(value == int(DIGITS) for _, value in rendering.walk(rendering.parse(text)))


def measured(part: int) -> dict[str, tuple[effects.Effects, list[str]]]:
    """What a quarter of the leaves and branches change, and the renderings that show it."""
    some = EVERY[part::4]
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda leaf: measure(leaf, Path(folder)), some))
    return {leaf.name: each for leaf, each in zip(some, found, strict=True)}


@pytest.mark.parametrize("part", range(4))
def test_every_value_has_an_effect(part):
    found = measured(part)
    assert len(found) > 80
    optional = {leaf.name for leaf in BRANCHES}
    assert [
        name for name, (changes, _) in found.items() if not changes and name not in optional
    ] == []
    stale = {
        name for name, (changes, _) in found.items() if changes != effects.measured().get(name, {})
    }
    assert stale == set(), "what `explain` says is not current: make golden"
    # Law 11: what was a text arrives as a text.
    texts = {name: "\n".join(texts) for name, (_, texts) in found.items()}
    with_digits = {name: text for name, text in texts.items() if DIGITS in text}
    assert len(with_digits) > 10
    assert [name for name, text in with_digits.items() if is_misread(text)] == []


def test_explain_knows_the_values_that_there_are(request):
    if request.config.getoption("--update-golden"):
        found = {
            name: changes for part in range(4) for name, (changes, _) in measured(part).items()
        }
        shown = {leaf.name: found[leaf.name] for leaf in EVERY if found[leaf.name]}
        effects.FILE.write_text(as_text(shown))
        effects.measured.cache_clear()
    known = list(effects.measured())
    assert known == [leaf.name for leaf in EVERY if leaf in LEAVES or leaf.name in known]


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
