"""The chart: generator/templates rendered into the files of charts/.

Rendering is pure. Without values it gives the stock chart, in which every file that belongs to a
choice is inside a Helm `if`. With values it gives a chart for one cluster: those values are its
defaults, the files that they do not choose are left out, and so is every value that nothing reads.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import jinja2

from generator import CHART, when
from generator.images import platform_images
from generator.reference import table, values_yaml
from generator.schema import HERE, Node, catalog, defaults, helm_schema, leaves, values_schema
from generator.tree import MARK
from generator.values import merge
from generator.yamlio import dump

_TEMPLATES = HERE / "templates"
_READ = re.compile(r"\.Values((?:\.[A-Za-z0-9]+)+)")
_SHAPE = {
    ".json": '{{"$comment": "{}",',
    ".tpl": "{{{{- /* {} */ -}}}}",
    ".txt": "{{{{- /* {} */ -}}}}",
    ".md": "<!-- {} -->",
}


@dataclass(frozen=True)
class Template:
    """A file of generator/templates: its path in the chart, its condition, its text below that."""

    path: str
    condition: when.Condition | None
    text: str
    source: str
    runtime: str | None = None


def render(values: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The files of the chart by path, for instance `{"templates/NOTES.txt": "…"}`.

    `values` are a user's, already checked; None gives the stock chart. Raises TemplateError.
    """
    return _Chart(values).files()


class _Chart:
    def __init__(self, values: Mapping[str, Any] | None) -> None:
        self.stock = values is None
        self.schema = values_schema()
        self.values = merge(defaults(self.schema), values or {})

    @cached_property
    def runtimes(self) -> Node:
        """The catalog's runtimes that the chart has a file for."""
        every: Node = catalog()["runtimes"]
        chosen = self.values["runtimes"]
        return {key: it for key, it in every.items() if self.stock or chosen[key]["enabled"]}

    def files(self) -> dict[str, str]:
        templates = list(_templates())
        constants: dict[tuple[str, ...], Any] = {}
        files: dict[str, str] = {}
        for template in templates:
            if not self.stock and template.condition is not None:
                for test in template.condition.tests:
                    constants[test.path] = _at(self.values, test.path)
                if not template.condition.holds(self.values):
                    continue
            if template.path.startswith("templates/"):
                files[template.path] = self._text(template, self.schema)
        schema = self.schema if self.stock else self._specialise(files, constants)
        for template in templates:
            if not template.path.startswith("templates/"):
                files[template.path] = self._text(template, schema)
        files["values.yaml"] = self._head("values.schema.yaml", ".yaml") + values_yaml(schema)
        files["values.schema.json"] = self._schema_json(schema, constants)
        for crd in sorted((HERE / "crds").glob("*.yaml")):
            files[f"crds/{crd.name}"] = crd.read_text(encoding="utf-8")
        return dict(sorted(files.items()))

    def _text(self, template: Template, schema: Node) -> str:
        text = template.text
        if template.source.endswith(".j2"):
            text = _compiled(text).render(
                catalog=catalog() | {"runtimes": self.runtimes},
                all_runtimes=catalog()["runtimes"],
                runtime=template.runtime,
                images=partial(platform_images, self.values),
                table=partial(table, schema),
                claims=_claims,
            )
        if template.condition is not None and self.stock:
            text = f"{{{{- if {template.condition.helm()} }}}}\n{text.rstrip()}\n{{{{- end }}}}\n"
        # A comment of Helm's stays out of what is rendered.
        rendered = template.path.startswith("templates/")
        suffix = ".tpl" if rendered else Path(template.path).suffix
        return self._head(f"templates/{CHART}/{template.source}", suffix) + text

    def _head(self, source: str, suffix: str) -> str:
        how = "`make charts`" if self.stock else "`python -m generator chart -f`"
        line = f"{MARK} ({how}) from generator/{source}; do not edit."
        return _SHAPE.get(suffix, "# {}").format(line) + "\n"

    def _schema_json(self, schema: Node, constants: Mapping[tuple[str, ...], Any]) -> str:
        body = json.dumps(helm_schema(schema, constants), indent=1)
        return self._head("values.schema.yaml", ".json") + body.removeprefix("{\n") + "\n"

    def _specialise(
        self, files: Mapping[str, str], constants: Mapping[tuple[str, ...], Any]
    ) -> Node:
        """The schema with these defaults, less what no file reads and no condition asked."""
        reads = {
            tuple(match[1].strip(".").split("."))
            for text in files.values()
            for match in _READ.finditer(text)
        }
        keep = {leaf.path for leaf in leaves(self.schema) if _touched(leaf.path, reads)}
        return _prune(self.schema, keep | set(constants), self.values, ())


def _touched(path: tuple[str, ...], reads: set[tuple[str, ...]]) -> bool:
    return any(path[: len(read)] == read or read[: len(path)] == path for read in reads)


def _prune(node: Node, keep: set[tuple[str, ...]], values: Any, path: tuple[str, ...]) -> Node:
    properties = {}
    for key, child in node["properties"].items():
        here = (*path, key)
        if "properties" in child:
            branch = _prune(child, keep, values[key], here)
            if branch["properties"]:
                properties[key] = branch
        elif here in keep:
            properties[key] = child | {"default": copy.deepcopy(values[key])}
    return node | {"properties": properties}


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values[key]
    return values


def _templates() -> Iterator[Template]:
    """Every file of our templates; one with [runtime] in its name comes once a runtime."""
    root = _TEMPLATES / CHART
    for file in sorted(root.rglob("*")):
        if file.is_dir():
            continue
        source = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        names = catalog()["runtimes"] if "[runtime]" in source else [None]
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
    )
    environment.filters["yaml"] = lambda data: dump(data).rstrip("\n")
    environment.filters["helm"] = _helm_literal
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    return environment


@cache
def _compiled(text: str) -> jinja2.Template:
    """The template of all runtimes is one text, compiled once."""
    return _environment().from_string(text)


def _helm_literal(text: str) -> str:
    """YAML such that Helm renders it as it stands: KServe has `{{.Name}}` of its own."""

    def escape(match: re.Match[str]) -> str:
        escaped = re.sub(r"\{\{.*?\}\}", r'{{ "\g<0>" }}', match[1])
        # A scalar that starts with a brace needs its quotes; they are single ones now.
        return f"'{escaped}'" if escaped.startswith("{") else escaped

    return re.sub(r'"([^"\n]*\{\{[^"\n]*)"', escape, text)


def _claims(spec: Node) -> list[str]:
    """What a runtime claims for automatic selection, as FORMAT/VERSION/PRIORITY/PROTOCOL."""
    return [
        f"{form['name'].lower()}/{form.get('version', '')}/{form['priority']}/{protocol}"
        for form in spec["supportedModelFormats"]
        if form.get("autoSelect") and "priority" in form
        for protocol in spec.get("protocolVersions", [])
    ]
