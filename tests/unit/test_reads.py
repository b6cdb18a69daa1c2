"""What a template reads, and that `x-charts` in the schema says the same of both charts."""

from __future__ import annotations

import pytest

from generator import CHART, MODELS
from generator.chart.reads import reads
from generator.chart.rendering import render, schema_of
from generator.values.schema import ValuePath, find, leaves, values_schema


def paths(*dotted: str) -> set[ValuePath]:
    return {tuple(path.split(".")) for path in dotted}


TEMPLATES = {
    "a value": ("{{ .Values.a.b }} {{ $.Values.c }}", paths("a.b", "c")),
    "of another root": ("{{ (index . 0).Values.a.b }}{{ $r := index . 0 }}{{ $r.Values.c }}", paths("a.b", "c")),
    "in the middle of a pipeline": ('{{ include "x" (list . .Values.a.b) | nindent 2 }}', paths("a.b")),
    "all of them": ("{{ toYaml .Values }}", {()}),
    "not text, strings or comments": (
        'x: .Values.a {{ ".Values.b }}" }} {{ `{{ .Values.c }}` }} {{- /* .Values.d }} */ -}}',
        set(),
    ),
    "after a string with braces": ('{{ "{{.Name}}" }}{{ .Values.a }}', paths("a")),
    "through a variable": ("{{ $x := .Values.a -}} {{ $x.b }} {{ $x.c.d }}", paths("a.b", "a.c.d")),
    "only given a name": ("{{ $x := .Values.a }}", set()),
    "a variable handed on": ('{{ $x := .Values.a }}{{ include "y" (list $ $x) }}', paths("a")),
    "part of an expression": ("{{ $x := or .Values.a .Values.b }}{{ $x.c }}", paths("a", "b")),
    # Only the second was reported.
    "one name twice": (
        "{{ $g := .Values.a }}{{ $g.x }}{{ $g := .Values.b }}{{ $g.y }}",
        paths("a.x", "b.y"),
    ),
    "one name in two defines": (
        '{{ define "m" }}{{ $g := .Values.a }}{{ $g.x }}{{ end }}'
        '{{ define "n" }}{{ $g := include "h" . }}{{ $g }}{{ end }}',
        paths("a.x"),
    ),
    "a name of an inner block": (
        "{{ $g := .Values.a }}{{ if .Values.c }}{{ $g := .Values.b }}{{ $g.y }}{{ else }}"
        "{{ $g.z }}{{ end }}{{ $g.x }}",
        paths("a.x", "b.y", "b.z", "c"),
    ),
    "an assignment": (
        "{{ $g := .Values.a }}{{ if .x }}{{ $g = .Values.b }}{{ end }}{{ $g.y }}",
        paths("a.y", "b"),
    ),
    # The entries of one map were taken for those of another.
    "ranges that share a name": (
        "{{ range $name, $m := .Values.a }}{{ $m.x }}{{ end }}"
        "{{ range $name, $m := .Values.b }}{{ $m.y }}{{ end }}",
        paths("a", "b"),
    ),
    "with and its dot": ("{{ with .Values.a.b }}{{ .c }}{{ end }}", paths("a.b")),
    "with and a name": ("{{ with $x := .Values.a }}{{ $x.b }}{{ end }}", paths("a")),
    "else if": ("{{ if .Values.a }}{{ else if eq .Values.b 1 }}{{ end }}", paths("a", "b")),
    "the root that a define is handed": ("{{ .root.Values.a.b }}", paths("a.b")),
    "the root of arguments": ("{{ $x := . }}{{ $x.root.Values.a }}", paths("a")),
    "a value named root": ("{{ $x := .Values.a }}{{ $x.root.b }}", paths("a.root.b")),
    "over lines": ("{{-\n  $x := .Values.a\n-}}\n{{ $x.b }}", paths("a.b")),
}  # fmt: skip


@pytest.mark.parametrize("what", TEMPLATES)
def test_a_template_reads(what: str) -> None:
    text, expected = TEMPLATES[what]
    assert reads(text) == expected


def read_by(chart: str) -> set[ValuePath]:
    """The values that a stock chart's templates read, and that choose its files."""
    files = render(chart=chart)
    # This looks at the keys that there are, whatever is below them.
    del files["templates/check/_global.tpl"]
    texts = [text for path, text in files.items() if path.startswith("templates/")]
    return set[ValuePath]().union(*map(reads, texts))


@pytest.mark.parametrize("chart", [CHART, MODELS])
def test_a_chart_has_the_values_that_it_reads_and_no_others(chart: str) -> None:
    """If this fails, `x-charts` of the value that it names is what is wrong."""
    read = read_by(chart)
    every = [leaf.path for leaf in leaves(values_schema())]
    expected = {
        path
        for path in every
        if any(path[: len(other)] == other or other[: len(path)] == path for other in read)
    }
    own = {leaf.path for leaf in leaves(schema_of(chart)) if "x-foreign" not in leaf.schema}
    assert {"missing": expected - own, "never read": own - expected} == {
        "missing": set(),
        "never read": set(),
    }


@pytest.mark.parametrize("chart", [CHART, MODELS])
def test_nothing_is_read_that_does_not_exist(chart: str) -> None:
    schema = values_schema()

    def known(path: ValuePath) -> bool:
        nodes = [find(schema, path[:length]) for length in range(1, len(path) + 1)]
        is_open = [
            "properties" not in node and node.get("type") in ("object", "array")
            for node in nodes
            if node is not None
        ]
        return None not in nodes or any(is_open)

    assert [path for path in read_by(chart) if not known(path)] == []
