"""The templates: a string that users write is quoted where it is a scalar of YAML, or part of one."""

from __future__ import annotations

import re

import pytest

from generator.values.schema import find, values_schema
from tests.unit.test_defines import TEXTS

# `key: …` and `- …`, with actions in them, and a key that is one.
SCALAR = re.compile(r"^ *(?:- |(?:- )?[\w./-]+: )(.*\{\{.*)$", re.MULTILINE)
KEY = re.compile(r"^ *(\{\{ [^{}]+ \}\}): ", re.MULTILINE)
ACTION = re.compile(r"\{\{-? (.*?) \}\}")
# What only decides, and yields nothing.
CONTROL = re.compile(r"(if|else|end|with|range)\b")
# A number; a string in quotes; a tree; a hash; one of two words.
SAFE = re.compile(
    r"(int|quote) .+|.+\| (quote|int|nindent \d+ \| trim)|toYaml .+ \| nindent \d+|.+ \| sha256sum \| trunc \d+"
    r'|ternary "[\w.]*" (?:"[\w.]*"|\(printf "-%d" \$index\)) .+'
)
# What a chart itself put into a variable or hands to a define.
OWN = {
    *("$root.Release.Service", "$route.name", "$route.regex", ".weight", "$suffix"),
    'join ", " .verbs',
}
# What yields the same for everybody.
CONSTANT = {
    name
    for text in TEXTS.values()
    for name in re.findall(r"define \"([^\"]+)\" -\}\}\n *[\w.-]+\n\{\{- end", text)
}
# What is the name of an object or a host, and so text wherever other text stands before it.
NAMES = {f"kserve-lite.{name}" for name in ("namespace", "webhook.secretName", "webhook.dnsNames")}
TEMPLATES = [path for path in TEXTS if not re.search(r"NOTES|/check/|/_check\.tpl", path)]


def is_safe(action: str, *, alone: bool, known: frozenset[str]) -> bool:
    """Whether what an action yields is text for every reader of YAML, or is no text at all.

    `alone` says that it is the whole scalar, `known` are variables that are quoted where they are set.
    """
    if CONTROL.match(action) or SAFE.fullmatch(action) or action in OWN | known:
        return True
    if define := re.match(r"include \"([^\"]+)\" (?:\.|\$root)(?=$| \|)", action):
        return define[1] in CONSTANT or (not alone and define[1] in NAMES)
    value = re.fullmatch(r"(toYaml )?(?:\$|\$root)?\.Values\.([\w.]+)", action)
    leaf = find(values_schema(), tuple(value[2].split("."))) if value else None
    if not value or not leaf:
        return False
    if value[1]:  # What may be a number.
        return not isinstance(leaf["default"], str)
    # A word that the schema lists; a name in a longer text.
    return "enum" in leaf or (not alone and "x-format" in leaf)


def unquoted(text: str) -> list[str]:
    """The actions in scalars and keys that may yield what a user wrote, without `quote`."""
    known = frozenset(re.findall(r"(\$\w+) := [^{}]*\| quote \}\}", text))
    return [
        action
        for scalar in SCALAR.findall(text) + KEY.findall(text)
        for action in ACTION.findall(scalar)
        if not is_safe(action, alone=len(scalar) == len(action) + 6, known=known)
    ]


@pytest.mark.parametrize("path", TEMPLATES)
def test_what_users_write_is_quoted(path: str) -> None:
    assert unquoted(TEXTS[path]) == []


def test_there_is_much_to_quote() -> None:
    assert sum(len(SCALAR.findall(TEXTS[path])) for path in TEMPLATES) > 200


@pytest.mark.parametrize(
    ("action", "safe"),
    [
        (".b", False),
        ("toYaml .b", False),
        (".Values.routing.gateway.name", False),
        ("toYaml .Values.routing.gateway.name", False),
        ("toYaml $name", False),
        ("$namespace", False),
        ("quote $name", True),
        ('include "kserve-lite.namespace" .', False),
        ('include "kserve-lite.namespace" . | quote', True),
        ('include "kserve-lite.webhook.serviceName" .', True),
        (".Values.global.imagePullPolicy", True),
        ("toYaml .Values.controller.podDisruptionBudget.maxUnavailable", True),
        ("int .Values.webhook.port", True),
    ],
)
def test_a_string_without_quotes_is_seen(action: str, *, safe: bool) -> None:
    for line in ("b: {{{{ {} }}}}", "- {{{{ {} }}}}", "{{{{ {} }}}}: |"):
        assert unquoted(f"a:\n  {line.format(action)}\n") == ([] if safe else [action])


def test_a_string_in_a_longer_text_is_seen() -> None:
    assert unquoted("a: {{ .b }}-c\n- b: {{ if .c }}{{ .d }}{{ end }}") == [".b", ".d"]
    assert unquoted("- --a={{ $text }}") == ["$text"]
    namespace = '{{ $namespace := include "a" . | quote }}\na: {{ $namespace }}'
    assert unquoted(namespace) == []
