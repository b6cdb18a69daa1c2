"""The chart: generator/data/templates rendered into the files of charts/.

Rendering is pure. Without values it gives the stock chart, in which every file that belongs to a
choice is inside a Helm `if`. With values it gives a chart for one cluster: those values are its
defaults, the files that they do not choose are left out, and so is every value that nothing reads.
The values that choose files are fixed in it: templates/_specialised.tpl refuses others.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from generator import CHART, DATA, MARK, MODELS
from generator.catalog import Runtime, catalog
from generator.chart.reads import reads
from generator.chart.template import Template, choices, compiled, templates
from generator.images.platform import platform_images
from generator.values.docs import table, values_yaml
from generator.values.helmschema import helm_schema
from generator.values.load import merge
from generator.values.schema import ValuePath, defaults, find, of_chart, values_schema
from generator.yaml.data import JsonObject

_SHAPE = {
    ".json": '{{"$comment": "{}",',
    ".tpl": "{{{{- /* {} */ -}}}}",
    ".txt": "{{{{- /* {} */ -}}}}",
    ".md": "<!-- {} -->",
}

# Read by editors with YAML's language server: they check and complete what is written below it.
_EDITORS = "# yaml-language-server: $schema=values.schema.json\n"


def render(values: Mapping[str, Any] | None = None, chart: str = CHART) -> dict[str, str]:
    """The files of a chart by path, for instance `{"templates/NOTES.txt": "…"}`.

    `values` are a user's, already checked; None gives the stock chart. Raises TemplateError.
    """
    return _Chart(chart, values).files()


def render_both(values: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What `render` gives for each of the two charts, in a folder that has the chart's name."""
    return {
        f"{name}/{path}": text
        for name in (CHART, MODELS)
        for path, text in render(values, name).items()
    }


def schema_of(chart: str) -> JsonObject:
    """The expanded values of a stock chart; what is the other chart's is foreign."""
    return of_chart(values_schema(), chart)


class _Chart:
    def __init__(self, name: str, values: Mapping[str, Any] | None) -> None:
        self.name = name
        self.stock = values is None
        self.values = merge(defaults(values_schema()), values or {})
        self.templates = list(templates(name, specialised=not self.stock))
        self.schema = schema_of(name)
        self.fixed = {} if self.stock else choices(self.templates, self.values)

    @cached_property
    def runtimes(self) -> dict[str, Runtime]:
        """The catalog's runtimes that the chart has to do with."""
        chosen = self.values["runtimes"]
        every = catalog().runtimes.items()
        return {key: runtime for key, runtime in every if self.stock or chosen[key]["enabled"]}

    def files(self) -> dict[str, str]:
        chosen = [each for each in self.templates if each.belongs(self.fixed)]
        rendered = [each for each in chosen if each.path.startswith("templates/")]
        files = {template.path: self._text(template) for template in rendered}
        schema = self.schema if self.stock else self._reduced(files)
        for template in chosen:
            if template not in rendered:
                files[template.path] = self._text(template, schema)
        head = self._head("values.schema.yaml", ".yaml")
        files["values.yaml"] = f"{head}{_EDITORS}\n{values_yaml(schema)}"
        files["values.schema.json"] = self._schema_json(schema)
        if self.name == CHART:
            for crd in sorted((DATA / "crds").glob("*.yaml")):
                # `helm show crds` of Helm 3 prints the files with nothing between them.
                files[f"crds/{crd.name}"] = crd.read_text(encoding="utf-8") + "---\n"
        return dict(sorted(files.items()))

    def _reduced(self, files: Mapping[str, str]) -> JsonObject:
        """The values that these templates read, with this cluster's for defaults."""
        kept = set[ValuePath]().union(*map(reads, files.values()))
        return _prune(self.schema, kept, self.values, self.fixed)

    def _text(self, template: Template, schema: JsonObject | None = None) -> str:
        text = template.text
        if template.source.endswith(".j2"):
            text = compiled(f"{self.name}/{template.source}", text).render(
                catalog=replace(catalog(), runtimes=self.runtimes),
                all_runtimes=catalog().runtimes,
                runtime=template.runtime,
                chart=self.name,
                fixed={".".join(path): value for path, value in self.fixed.items()},
                images=partial(platform_images, self.values),
                table=partial(table, schema or {}),
                protocols=protocols,
                globals=list(values_schema()["properties"]["global"]["properties"]),
            )
        text = template.wrapped(text, self.fixed)
        # A comment of Helm's stays out of what is rendered.
        rendered = template.path.startswith("templates/")
        suffix = ".tpl" if rendered else Path(template.path).suffix
        # Not the path in there, which is this one: Helm keeps every file of a chart in its Secret.
        return self._head("templates", suffix) + text

    def _head(self, source: str, suffix: str) -> str:
        how = "`make charts`" if self.stock else "`python -m generator chart -f`"
        line = f"{MARK} ({how}) from generator/data/{source}; do not edit."
        return _SHAPE.get(suffix, "# {}").format(line) + "\n"

    def _schema_json(self, schema: JsonObject) -> str:
        text = _compact(helm_schema(schema))
        return self._head("values.schema.yaml", ".json") + text.removeprefix("{\n")


def protocols() -> list[str]:
    """Every inference protocol: what KServe lets a runtime speak that lists none."""
    model = find(values_schema(), ("models", "*", "protocol"))
    return list(model["enum"]) if model else []


def _compact(schema: JsonObject) -> str:
    """JSON with a line for each top-level value; indented, it makes Helm's Secret far bigger."""
    return _lines(schema, depth=2) + "\n"


def _lines(parts: JsonObject, *, depth: int) -> str:
    if not depth or not isinstance(parts, dict):
        return json.dumps(parts, separators=(",", ":"))
    lines = (f"{json.dumps(key)}:{_lines(part, depth=depth - 1)}" for key, part in parts.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _prune(
    node: JsonObject,
    keep: Collection[ValuePath],
    values: Any,
    fixed: Collection[ValuePath],
    path: ValuePath = (),
) -> JsonObject:
    """The node with `values` for defaults, less the leaves that are not in or below `keep`."""
    properties = {}
    for key, child in node["properties"].items():
        here = (*path, key)
        if "x-foreign" in child:
            properties[key] = child
        elif "properties" in child:
            branch = _prune(child, keep, values[key], fixed, here)
            if any("x-foreign" not in part for part in branch["properties"].values()):
                properties[key] = branch
        elif any(here[: len(kept)] == kept for kept in keep):
            properties[key] = child | {"default": copy.deepcopy(values[key])}
            if here in fixed:
                properties[key]["x-fixed"] = True
    return node | {"properties": properties}
