"""The platform's templates: a string that users write is quoted where it is a scalar of YAML."""

from __future__ import annotations

import re

import pytest

from generator import CHART
from generator.values.schema import find, values_schema
from tests.unit.test_defines import TEXTS

# `key: {{ … }}` and `- {{ … }}`, with one action, and a key that is one.
SCALAR = re.compile(r"^ *(?:- |[\w.-]+: |- [\w.-]+: )\{\{ ([^{}]+) \}\}$", re.MULTILINE)
KEY = re.compile(r"^ *\{\{ ([^{}]+) \}\}: ", re.MULTILINE)
# What yields the same for everybody.
CONSTANT = {
    name
    for text in TEXTS.values()
    for name in re.findall(r"define \"([^\"]+)\" -\}\}\n *[\w.-]+\n\{\{- end", text)
}
TEMPLATES = [path for path in TEXTS if path.startswith(f"{CHART}/") and "NOTES" not in path]


def is_safe(expression: str) -> bool:
    """Whether what an expression yields is text for every reader of YAML, or is no text at all."""
    # A number; a string in quotes; a tree.
    if expression.startswith(("int ", "quote ")) or re.search(
        r"\| (quote|nindent \d+ \| trim)$", expression
    ):
        return True
    constant = re.fullmatch(r"include \"([^\"]+)\" (?:\.|\$root)", expression)
    if constant:
        return constant[1] in CONSTANT
    value = re.fullmatch(r"(toYaml )?(?:\$|\$root)?\.Values\.([\w.]+)", expression)
    leaf = find(values_schema(), tuple(value[2].split("."))) if value else None
    if not value or not leaf:
        return False
    # A word that the schema lists; what may be a number.
    return not isinstance(leaf["default"], str) if value[1] else "enum" in leaf


def unquoted(text: str) -> list[str]:
    expressions = SCALAR.findall(text) + KEY.findall(text)
    return [expression for expression in expressions if not is_safe(expression)]


@pytest.mark.parametrize("path", TEMPLATES)
def test_what_users_write_is_quoted(path: str) -> None:
    assert unquoted(TEXTS[path]) == []


def test_there_is_much_to_quote() -> None:
    assert sum(len(SCALAR.findall(TEXTS[path])) for path in TEMPLATES) > 100


@pytest.mark.parametrize(
    ("expression", "safe"),
    [
        (".Values.routing.gateway.name", False),
        ("toYaml .Values.routing.gateway.name", False),
        ("toYaml $name", False),
        ("quote $name", True),
        ('include "kserve-lite.namespace" .', False),
        ('include "kserve-lite.namespace" . | quote', True),
        ('include "kserve-lite.webhook.serviceName" .', True),
        (".Values.global.imagePullPolicy", True),
        ("toYaml .Values.controller.podDisruptionBudget.maxUnavailable", True),
        ("int .Values.webhook.port", True),
    ],
)
def test_a_string_without_quotes_is_seen(expression: str, *, safe: bool) -> None:
    for line in ("b: {{{{ {} }}}}", "- {{{{ {} }}}}", "{{{{ {} }}}}: |"):
        assert unquoted(f"a:\n  {line.format(expression)}\n") == ([] if safe else [expression])
