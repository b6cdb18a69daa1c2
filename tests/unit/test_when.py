import pytest

from generator.chart import when
from generator.errors import TemplateError

VALUES = {"a": {"b": "x", "on": True, "off": False, "empty": {}, "domain": "d"}}


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
    assert parsed.holds(VALUES) is holds
    assert parsed.helm() == helm


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
