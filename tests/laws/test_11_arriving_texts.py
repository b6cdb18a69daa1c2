"""Law 11, of texts: what a user writes into a value arrives as written, or is refused in its line.

A text is tried in every value that holds one. Most are written into few values files together, each
with a number of its own, and rendered at once; whatever does not arrive that way is tried alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from generator.errors import GeneratorError, ValuesError
from generator.values.check import read
from generator.values.schema import Leaf, ValuePath
from generator.yaml.path import dotted
from tests import rendering
from tests.flips import (
    LEAVES,
    VALUES,
    WHOLE,
    at,
    candidates,
    changed,
    places,
    render_with,
    trials,
    writings,
)

HELMS = ("helm", "helm3")
# What a user may write into a text.
TEXTS = {
    "line": "- a: \"b\" # 'c' {{ .Name }} \\ ",
    "lines": "- a: \"b\" # 'c'\n  {{ .Name }} \\\n\nd",
}


@dataclass(frozen=True, eq=False)
class Writing:
    """A text that no other value has, and which of the ways to write it into a leaf."""

    leaf: Leaf
    way: int
    text: str

    def value(self, before: object) -> object:
        """What the leaf becomes, where it has a value before."""
        return writings(self.leaf, before, self.text)[self.way]


def every(text: str) -> list[Writing]:
    ways = [(leaf, way) for leaf in LEAVES for way in range(len(writings(leaf, None, text)))]
    return [
        Writing(leaf, way, text.replace("'c'", f"'c{number}'"))
        for number, (leaf, way) in enumerate(ways)
    ]


def likeliest(leaf: Leaf) -> tuple[str, str, ValuePath] | None:
    """The chart, the case and the path in which a leaf shows most likely."""
    for chart, case in candidates(leaf):
        for path in places(WHOLE[case], leaf.path):
            return chart, case, path
    return None


def intact_together(written: list[Writing], folder: Path) -> set[Writing]:
    """Those that arrive, on both Helms, when many are written into the values of one case."""
    groups: dict[tuple[str, str, int], dict[ValuePath, Writing]] = defaultdict(dict)
    for each in written:
        if (first := likeliest(each.leaf)) is not None:
            chart, case, path = first
            groups[chart, case, each.way][path] = each
    found: set[Writing] = set()
    for (chart, case, way), group in groups.items():
        found |= intact(chart, case, group, folder / f"{chart}-{case}-{way}.yaml")
    return found


def intact(chart: str, case: str, group: dict[ValuePath, Writing], file: Path) -> set[Writing]:
    """Those of a group that arrive with one another, less those that are refused."""
    if not group:
        return set()
    values = VALUES[case]
    for path, each in group.items():
        values = changed(values, path, each.value(at(WHOLE[case], path)))
    file.write_text(json.dumps(values, indent=1))
    try:
        texts = arrived(chart, file)
    except GeneratorError as error:
        wrong = [each.path for each in error.problems] if isinstance(error, ValuesError) else []
        less = {path: each for path, each in group.items() if not named(path, wrong)}
        if len(less) < len(group):
            return intact(chart, case, less, file)
        if len(group) == 1:
            return set()
        # One of them is in another's way.
        both = list(group.items())
        halves = (both[: len(both) // 2], both[len(both) // 2 :])
        return set().union(*(intact(chart, case, dict(half), file) for half in halves))
    return {each for each in group.values() if all(each.text in found for found in texts)}


def named(path: ValuePath, wrong: list[str]) -> bool:
    """Whether one of the paths that are wrong is this one or below."""
    start = dotted(path)
    return any(each == start or each.startswith((f"{start}.", f"{start}[")) for each in wrong)


def arrived(chart: str, file: Path) -> list[set[str]]:
    """The texts in what each Helm renders."""
    values = read([file])
    return [texts_in(rendering.parse(render_with(chart, values, helm=helm))) for helm in HELMS]


def fate(writing: Writing, folder: Path) -> str:
    """What becomes of a text alone, in the first case that shows it.

    That is "intact", "refused", or what went wrong.
    """

    def other(_: Leaf, value: object) -> list[object]:
        return [writing.value(value)]

    seen = "lost"
    folder.mkdir()
    for trial in trials(writing.leaf, other, folder):
        try:
            texts = arrived(trial.chart, trial.file)
        except GeneratorError as error:
            seen = str(error)
            if not isinstance(error, ValuesError) or "please report it" in seen:
                return seen
            lines = trial.file.read_text().splitlines()
            if any(json.dumps(writing.text) in lines[each.line - 1] for each in error.problems):
                return "refused"
            # Not for what is in the text: a case with an image has its own command.
            continue
        if any(writing.text in found for found in texts):
            return "intact" if all(writing.text in found for found in texts) else "lost on one Helm"
    return seen


def texts_in(value: object) -> set[str]:
    """Every text in some objects, keys and what is JSON in a text included."""
    found: set[str] = set()
    for path, inner in rendering.walk(value):
        found.update(map(str, path[-1:]))
        if isinstance(inner, str):
            found.add(inner)
            with suppress(ValueError):
                found |= texts_in(json.loads(inner)) if inner.startswith(("{", "[")) else set()
    return found


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_arrives_as_written_or_is_refused_in_its_line(text: str, tmp_path: Path) -> None:
    written = every(text)
    together = intact_together(written, tmp_path)
    alone = [each for each in written if each not in together]
    with ThreadPoolExecutor(2) as pool:
        fates = list(
            pool.map(lambda each: fate(each, tmp_path / f"{each.leaf.name}-{each.way}"), alone)
        )
    assert len(together) > 50
    assert len(together) + fates.count("intact") > 60
    assert fates.count("refused") > 200
    assert [
        f"{each.leaf.name}: {seen}"
        for each, seen in zip(alone, fates, strict=True)
        if seen not in ("intact", "refused")
    ] == []
