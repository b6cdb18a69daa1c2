"""Law 11, of texts: what a user writes into a value arrives as written, or is refused in its line.

A text is tried in every value that holds one. Most are written into few values files together, each
with a number of its own, and rendered at once; whatever does not arrive that way is tried alone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from generator import CHART, MODELS
from generator.errors import GeneratorError, ValuesError
from generator.values.check import read
from generator.values.load import Values
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
    for chart, _, _, file in trials(writing.leaf, other, folder):
        try:
            texts = arrived(chart, file)
        except GeneratorError as error:
            seen = str(error)
            if not isinstance(error, ValuesError) or "please report it" in seen:
                return seen
            lines = file.read_text().splitlines()
            if any(json.dumps(writing.text) in lines[each.line - 1] for each in error.problems):
                return "refused"
            # Not for what is in the text: a case with an image has its own command.
            continue
        if any(writing.text in found for found in texts):
            return "intact" if all(writing.text in found for found in texts) else "lost on one Helm"
    return seen


def fates(written: list[Writing], folder: Path) -> dict[Writing, str]:
    """What becomes of each text alone."""
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda each: fate(each, folder / f"{each.leaf.name}-{each.way}"), written)
        return dict(zip(written, found, strict=True))


def other_fates(found: dict[Writing, str], *expected: str) -> list[str]:
    """The leaves whose texts met something else, and what."""
    return [f"{each.leaf.name}: {seen}" for each, seen in found.items() if seen not in expected]


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
    alone = fates([each for each in written if each not in together], tmp_path)
    counted = Counter(alone.values())
    assert len(together) > 50
    assert len(together) + counted["intact"] > 60
    assert counted["refused"] > 200
    assert other_fates(alone, "intact", "refused") == []


# Line ends of YAML 1.1 that YAML 1.2 does not have, and what is printable in neither.
UNREADABLE = ["\u0085", "\u2028", "\u2029", "\u0000", "\u001b", "\u007f", "\u009f", "\ufffe"]


def test_a_text_that_readers_take_apart_is_refused_everywhere(tmp_path: Path) -> None:
    """Of each leaf that holds text, by the generator."""
    written = [
        replace(each, text=each.text.replace("\u0085", UNREADABLE[number % len(UNREADABLE)]))
        for number, each in enumerate(every("a\u0085b 'c'"))
    ]
    found = fates(written, tmp_path)
    assert len(found) > 250
    assert other_fates(found, "refused") == []


@pytest.mark.parametrize("character", UNREADABLE)
@pytest.mark.parametrize(
    ("chart", "path"),
    [
        (CHART, ("configOverrides", "key", "inner")),
        (CHART, ("extraObjects", "x", "data", "text")),
        (CHART, ("controller", "extraEnv", "A")),
        (MODELS, ("models", "m", "args", 0)),
        (MODELS, ("models", "m", "annotations", "note")),
        (MODELS, ("models", "m", "spec", "predictor", "model", "args", 0)),
    ],
)
@pytest.mark.parametrize("helm", HELMS)
def test_helm_alone_refuses_it_by_its_path(
    helm: str, chart: str, path: tuple[str | int, ...], character: str, tmp_path: Path
) -> None:
    for written in (f"a{character}b", {f"k{character}": "v"}):
        data: object = written
        for step in reversed(path):
            data = [data] if step == 0 else {step: data}
        file = tmp_path / "values.json"
        file.write_text(json.dumps(data))
        with pytest.raises(ValuesError) as caught:
            render_with(chart, Values.parsed([file]), helm=helm)
        found = [key_of(problem.path) for problem in caught.value.problems]
        assert ".".join(map(str, path)) in found, caught.value


def key_of(path: str) -> str:
    """A path of a Problem, with its indices as keys."""
    return path.replace("[", ".").replace("]", "")
