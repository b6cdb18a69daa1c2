"""The JSON Schema that Helm checks values against, made from the expanded values API."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from generator.schema import KEYWORDS, Node, Path_


def helm_schema(node: Node, constants: Mapping[Path_, Any] | None = None) -> Node:
    """The JSON Schema (draft 7, self-contained, closed) that Helm checks values against.

    `constants` fixes leaves by path: in a specialised chart, the values that chose its files.
    """
    schema = _strict(node, constants or {}, ())
    shared = _share(schema)
    head: Node = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return head | schema | ({"definitions": shared} if shared else {})


def _strict(
    node: Node, constants: Mapping[Path_, Any], path: Path_, *, required: bool = True
) -> Node:
    if path in constants:
        return {"const": constants[path]}
    schema = {key: node[key] for key in KEYWORDS if key in node}
    if "x-entries" in node:
        entry = _strict(node["additionalProperties"], {}, (*path, "*"), required=False)
        return schema | {"additionalProperties": entry}
    if "properties" in node:
        schema["additionalProperties"] = False
        if required:
            own = (key for key, it in node["properties"].items() if "x-foreign" not in it)
            schema["required"] = sorted(own)
        schema["properties"] = {
            key: _strict(child, constants, (*path, key), required=required)
            for key, child in node["properties"].items()
        }
    return schema


def _share(schema: Node) -> Node:
    """Replace sub-schemas that occur more than once by references, in place; return them by name.

    Helm compiles the schema on each run: fifteen runtimes of the same shape cost as much as one.
    """
    counts: Counter[str] = Counter()

    def count(node: Node) -> None:
        for child in node.get("properties", {}).values():
            counts[json.dumps(child, sort_keys=True)] += 1
            count(child)

    count(schema)
    names: dict[str, str] = {}
    shared: Node = {}

    def replace(node: Node) -> None:
        for key, child in node.get("properties", {}).items():
            text = json.dumps(child, sort_keys=True)
            if counts[text] < 2 or len(text) < 120:
                replace(child)
                continue
            if text not in names:
                names[text] = key if key not in shared else f"{key}{len(shared)}"
                shared[names[text]] = child
                replace(child)
            node["properties"][key] = {"$ref": f"#/definitions/{names[text]}"}

    replace(schema)
    return shared
