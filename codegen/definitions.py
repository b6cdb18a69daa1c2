"""The types of KServe and of Kubernetes, as two tables of OpenAPI schemas.

KServe's come from the SDK's field tables, which know names, types and most of what is required.
What they do not know (enums, formats, defaults, list keys ...) is in overlay.yaml, as a merge patch
for each type.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import Any

from codegen import upstream
from codegen.operations import REF, Definitions, Schema, merge, rewrite
from generator.yaml.document import load_fast

_CONTAINER = "io.k8s.api.core.v1.Container"
_SCALARS: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "object": {"type": "object"},
}
_COLLECTION = re.compile(r"(?:list\[|dict\(str, )(\S+)[\])]")
_MISSING = re.compile(r"Invalid value for `(\w+)`, must not be `None`")
# Keywords of Kubernetes' definitions that say nothing of what is valid.
_PROSE = re.compile(r"description|x-kubernetes-(patch-.*|unions|group-version-kind)")


@functools.cache
def overlay() -> dict[str, Any]:
    """The hand-written part; overlay.yaml explains itself."""
    data: dict[str, Any] = load_fast(Path(__file__).with_name("overlay.yaml"))
    return data


@functools.cache
def kubernetes() -> Definitions:
    """Kubernetes' types under their full names, unknown fields closed, corrected by the overlay.

    A field that its decoder takes null for is `nullable`.
    """
    patches = overlay()["types"]
    return {
        name: merge(rewrite(schema, _plain), patches.get(name, {}))
        for name, schema in upstream.kubernetes_definitions().items()
    }


@functools.cache
def kserve() -> Definitions:
    """KServe's types under the names of their SDK classes, completed by the overlay."""
    classes = upstream.sdk_classes()
    patches = overlay()["types"]
    container: Schema = kubernetes()[_CONTAINER]["properties"]
    definitions: Definitions = {}
    for name in sorted(classes.keys() | patches.keys() - kubernetes().keys()):
        schema = _table(classes[name]) if name in classes else {}
        fields = schema.get("properties", {})
        if container.keys() <= fields.keys():
            # Go embeds a Container here, and Kubernetes knows more of it than the SDK does.
            schema["properties"] = fields | container
        for embedded in overlay()["embedded"]:
            if _names(classes[embedded]).keys() <= fields.keys():
                schema = merge(schema, patches[embedded])
        definitions[name] = merge(schema, patches.get(name, {}))
    return definitions


@functools.cache
def custom() -> Definitions:
    """Both tables, as KServe's kinds use them: an API server accepts null for none of it."""

    def solid(schema: Schema) -> Schema:
        schema.pop("nullable", None)
        return schema

    tables = merge(kubernetes() | kserve(), overlay()["custom"])
    return {name: rewrite(schema, solid) for name, schema in tables.items()}


def _plain(schema: Schema) -> Schema:
    schema = {key: value for key, value in schema.items() if not _PROSE.fullmatch(key)}
    if isinstance(schema.get("type"), list):
        (schema["type"],) = [name for name in schema["type"] if name != "null"]
        schema["nullable"] = True
    if "required" in schema:
        schema["required"] = sorted(schema["required"])
    return schema


def _table(node: ast.ClassDef) -> Schema:
    """What an SDK class says of a type: its fields, their types, and which are required."""
    names = _names(node)
    types: dict[str, str] = _constant(node, "openapi_types")
    refusing_none = _required(node)
    schema: Schema = {"type": "object"}
    if required := sorted(field for field, name in names.items() if name in refusing_none):
        schema["required"] = required
    schema["properties"] = {field: _type(types[name]) for field, name in sorted(names.items())}
    return schema


def _names(node: ast.ClassDef) -> dict[str, str]:
    """The attribute behind each field: `{"storageUri": "storage_uri"}`."""
    return {field: name for name, field in _constant(node, "attribute_map").items()}


def _constant(node: ast.ClassDef, name: str) -> Any:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return ast.literal_eval(statement.value)
    raise LookupError(f"{node.name} has no {name}")


def _required(node: ast.ClassDef) -> set[str]:
    """The attributes whose setter refuses None."""
    texts = [leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)]
    return {found[1] for text in texts if (found := _MISSING.fullmatch(str(text)))}


def _type(text: str) -> Schema:
    """The schema of a type as the SDK writes it: `str`, `list[X]`, `dict(str, X)`, `X`."""
    if text in _SCALARS:
        return dict(_SCALARS[text])
    if found := _COLLECTION.fullmatch(text):
        element = _type(found[1])
        if text.startswith("list"):
            return {"type": "array", "items": element}
        return {"type": "object", "additionalProperties": element}
    return {"$ref": REF + _definition(text)}


def _definition(name: str) -> str:
    """The table's name of a type the SDK refers to: `V1Container` is Kubernetes' Container."""
    if name in overlay()["names"]:
        return str(overlay()["names"][name])
    if name in upstream.sdk_classes() or not name.startswith("V1"):
        return name
    core = f"io.k8s.api.core.v1.{name.removeprefix('V1')}"
    return core if core in upstream.kubernetes_definitions() else name
