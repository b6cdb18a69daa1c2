import pytest

from generator.chart import when
from generator.errors import TemplateError

VALUES = {"a": {"b": "x", "on": True, "off": False, "empty": {}, "domain": "d"}}
FIXED = {("a", key): value for key, value in VALUES["a"].items()}


@pytest.mark.parametrize(
    ("condition", "holds", "helm"),
    [
        ("a.on", True, ".Values.a.on"),
        ("a.off", False, ".Values.a.off"),
        ("a.empty", False, ".Values.a.empty"),
        ("a.domain", True, ".Values.a.domain"),
        ("a.b == x", True, 'eq .Values.a.b "x"'),
        ("a.b == y", False, 'eq .Values.a.b "y"'),
        ("a.b in x|y", True, 'has .Values.a.b (list "x" "y")'),
        ("a.b in y|z", False, 'has .Values.a.b (list "y" "z")'),
        ("a.b == x and a.on", True, 'and (eq .Values.a.b "x") .Values.a.on'),
        ("a.b == x and a.off", False, 'and (eq .Values.a.b "x") .Values.a.off'),
    ],
)
def test_the_language(condition, holds, helm):
    parsed = when.parse(condition, "file")
    assert parsed.holds(FIXED) is holds
    assert parsed.helm() == helm


@pytest.mark.parametrize(
    ("condition", "deciding", "left"),
    [
        ("a.b == x and a.on", {"b", "on"}, None),
        # Whether a text or a map is empty is no choice of files.
        ("a.b == x and a.domain and a.on", {"b", "on"}, ".Values.a.domain"),
        ("a.empty", set(), ".Values.a.empty"),
    ],
)
def test_a_file_that_is_chosen_still_asks_the_rest(condition, deciding, left):
    parsed = when.parse(condition, "file")
    fixed = {test.path: FIXED[test.path] for test in parsed.deciding(VALUES)}
    assert fixed.keys() == {("a", key) for key in deciding}
    assert parsed.holds(fixed)
    rest = parsed.left(fixed)
    assert (rest and rest.helm()) == left


@pytest.mark.parametrize(
    ("condition", "deciding"),
    [("a.b == y and a.on and a.off", "b"), ("a.domain and a.off and a.on and a.b == y", "off")],
)
def test_one_test_that_fails_is_enough_to_do_without_the_file(condition, deciding):
    parsed = when.parse(condition, "file")
    (test,) = parsed.deciding(VALUES)
    assert test.path == ("a", deciding)
    assert not parsed.holds({test.path: FIXED[test.path]})


@pytest.mark.parametrize(
    "condition", ["", "a.b = x", "not a", "a.b == x or a.on", "a.b in x", "a..b", "a and"]
)
def test_nothing_else_is_in_the_language(condition):
    with pytest.raises(TemplateError, match="is not a condition"):
        when.parse(condition, "file.yaml")


def test_the_first_line_is_taken_off():
    condition, rest = when.split("<# when: a.on #>\nkind: X\n", "f")
    assert condition is not None
    assert rest == "kind: X\n"
    assert when.split("kind: X\n<# when: a.on #>\n", "f")[0] is None
