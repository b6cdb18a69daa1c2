"""The templates in generator/data/templates, and how Jinja reads them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from generator import DATA
from generator.cache import kept
from generator.catalog import catalog
from generator.chart import when
from generator.values.docs import sentence
from generator.values.schema import ValuePath
from generator.yaml.path import value_at
from generator.yaml.writer import dump

_TEMPLATES = DATA / "templates"


@dataclass(frozen=True)
class Template:
    """A template file: its path in the chart, its condition, and its text below that."""

    path: str
    condition: when.Condition | None
    text: str
    source: str
    runtime: str | None = None

    def belongs(self, fixed: Mapping[ValuePath, Any]) -> bool:
        """Whether a chart has the file in which these values are fixed."""
        return self.condition is None or self.condition.holds(fixed)

    def wrapped(self, text: str, fixed: Collection[ValuePath]) -> str:
        """`text` within a Helm `if` of what of the condition is not fixed."""
        left = self.condition and self.condition.left(fixed)
        return f"{{{{- if {left.helm()} }}}}\n{text.rstrip()}\n{{{{- end }}}}\n" if left else text


def choices(
    templates: Iterable[Template], values: Mapping[str, Any]
) -> dict[ValuePath, str | bool]:
    """The words and switches by which these (whole) values choose files, and leave out others."""
    return {
        test.path: value_at(values, test.path)
        for template in templates
        if template.condition
        for test in template.condition.deciding(values)
    }


def templates(chart: str, *, specialised: bool = False) -> Iterator[Template]:
    """Every file of our templates; one with [runtime] in its name comes once per runtime."""
    yield from _below(_TEMPLATES / chart)
    yield from _below(_TEMPLATES / "both")
    if specialised:
        yield from _below(_TEMPLATES / "specialised")


def _below(root: Path) -> Iterator[Template]:
    for file in sorted(root.rglob("*")):
        if file.is_dir():
            continue
        source = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        names = catalog().runtimes if "[runtime]" in source else [None]
        for name in names:
            condition, body = when.split(text.replace("[runtime]", name or "", 1), source)
            path = source.removesuffix(".j2").replace("[runtime]", name or "")
            yield Template(path, condition, body, source, name)


@cache
def _environment() -> jinja2.Environment:
    """Jinja2 with delimiters that neither Go's templates nor YAML use."""
    environment = jinja2.Environment(
        variable_start_string="<@",
        variable_end_string="@>",
        block_start_string="{@",
        block_end_string="@}",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        optimized=False,  # That takes longer than a few renderings save.
    )
    environment.filters["yaml"] = lambda data: dump(data).rstrip("\n")
    environment.filters["helm"] = _helm_literal
    environment.filters["sentence"] = sentence
    return environment


@cache
def compiled(name: str, text: str) -> jinja2.Template:
    """A template of our own, which `name` tells from others; that of all runtimes is one text.

    Compiling it takes longer than all the rest of rendering. Raises jinja2.TemplateSyntaxError.
    """
    environment = _environment()
    options = {k: v for k, v in sorted(vars(environment).items()) if isinstance(v, str | bool)}
    made_from = repr((jinja2.__version__, options, text)).encode()
    code = kept(name, made_from, lambda: environment.compile(text))
    return jinja2.Template.from_code(environment, code, environment.make_globals(None))


def _helm_literal(text: str) -> str:
    """YAML such that Helm renders it as it stands: KServe has `{{.Name}}` of its own."""

    def escape(match: re.Match[str]) -> str:
        escaped = re.sub(r"\{\{.*?\}\}", r'{{ "\g<0>" }}', match[1])
        # A scalar that starts with a brace needs its quotes; they are single ones now.
        return f"'{escaped}'" if escaped.startswith("{") else escaped

    return re.sub(r'"([^"\n]*\{\{[^"\n]*)"', escape, text)
