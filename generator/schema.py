"""The values API: generator/values.schema.yaml, its abbreviations expanded with the catalog.

An expanded node is JSON Schema. An object with `properties` is a *branch*; everything else is a
*leaf* with a `default`. What is derived from the tree: the default values, the schema that Helm
checks (`helm_schema`), and in generator/reference.py the commented values file and the table.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from generator.yamlio import load_fast

Node = dict[str, Any]
Path_ = tuple[str, ...]

HERE = Path(__file__).parent

# A Kubernetes quantity; the API server's own pattern, without the empty string.
QUANTITY = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"


@dataclass(frozen=True)
class Leaf:
    """A value that a user can set: its path, its expanded schema (with `default`)."""

    path: Path_
    schema: Node

    @property
    def name(self) -> str:
        """The path as users write it: `controller.image.tag`."""
        return ".".join(self.path)


@cache
def catalog() -> Node:
    """generator/catalog.yaml: `versions`, `images` and `runtimes`. Not to be changed in place."""
    data: Node = load_fast(HERE / "catalog.yaml")
    return data


@cache
def values_schema() -> Node:
    """The expanded values.schema.yaml. Not to be changed in place."""
    return _Expansion().expand(load_fast(HERE / "values.schema.yaml"))


def leaves(node: Node, path: Path_ = ()) -> Iterator[Leaf]:
    """Every leaf below an expanded `node`, in the order of the file."""
    for key, child in node.get("properties", {}).items():
        if "properties" in child:
            yield from leaves(child, (*path, key))
        else:
            yield Leaf((*path, key), child)


def defaults(node: Node) -> Node:
    """The default values of an expanded branch, as nested dicts; a fresh copy."""
    return {
        key: defaults(child) if "properties" in child else copy.deepcopy(child["default"])
        for key, child in node["properties"].items()
    }


def find(node: Node, path: Path_) -> Node | None:
    """The expanded node at `path`, or None."""
    for key in path:
        node = node.get("properties", {}).get(key)
        if node is None:
            return None
    return node


class _Expansion:
    """Expands the abbreviations; only the first image and runtime keep the prose of their parts."""

    def __init__(self) -> None:
        self.described: set[str] = set()

    def expand(self, node: Node) -> Node:
        node = dict(node)
        if (name := node.pop("x-image", None)) is not None:
            return self._image(catalog()["images"][name], node, digest=name != "artExplainer")
        if (default := node.pop("x-sidecar-resources", None)) is not None:
            return self._resources(default, node, optional=False)
        if (default := node.pop("x-default-resources", None)) is not None:
            return self._resources(default, node, optional=True)
        if node.pop("x-runtimes", False):
            node["properties"] = {
                key: self._runtime(runtime) for key, runtime in catalog()["runtimes"].items()
            }
            return node
        if node.pop("x-quantity", False):
            node["pattern"] = QUANTITY
        if (kind := node.get("x-kubernetes")) is not None:
            return node | kubernetes_type(kind)
        if "properties" in node:
            node["properties"] = {k: self.expand(v) for k, v in node["properties"].items()}
            node["type"] = "object"
        elif "additionalProperties" in node:
            node["type"] = "object"
        return node

    def _image(self, image: Mapping[str, Any], node: Node, *, digest: bool = True) -> Node:
        parts: Node = {
            "registry": _string(
                "Registry; global.imageRegistry replaces it.", image["registry"], minLength=1
            ),
            "repository": _string("Repository.", image["repository"], minLength=1),
            "tag": _string("Tag; empty means the chart's appVersion.", image.get("tag", "")),
        }
        if digest:
            parts["digest"] = _string(
                "Digest (sha256:…); it wins over the tag.",
                "",
                pattern="^(sha256:[a-f0-9]{64})?$",
            )
        return self._terse("image", node | {"type": "object", "properties": parts})

    def _resources(self, default: Node, node: Node, *, optional: bool) -> Node:
        pattern = f"^$|{QUANTITY}" if optional else QUANTITY
        return node | {
            "type": "object",
            "x-terse": True,
            "properties": {
                kind: {
                    "type": "object",
                    "properties": {
                        name: {"type": ["string", "number"], "pattern": pattern, "default": value}
                        for name, value in default[kind].items()
                    },
                }
                for kind in ("requests", "limits")
            },
        }

    def _runtime(self, runtime: Node) -> Node:
        resources = runtime.get("resources") or {
            "requests": {"cpu": "1", "memory": "2Gi"},
            "limits": {"cpu": "1", "memory": "2Gi"},
        }
        parts: Node = {
            "enabled": {
                "description": f"Whether to create the ClusterServingRuntime {runtime['name']}.",
                "type": "boolean",
                "default": runtime.get("enabled", False),
            },
            "image": self._image(runtime["image"], {"description": "The model server's image."}),
            "resources": _open(
                "Resources of an InferenceService that names none.",
                "ResourceRequirements",
                resources,
            ),
            "env": _open(
                "More environment variables, by name; a string, or an EnvVar without its name.",
                "map[string]EnvVar",
                {},
            ),
            "extraArgs": {
                "description": "More arguments for the model server, in order.",
                "type": "array",
                "items": {"type": "string"},
                "default": [],
            },
            "nodeSelector": {
                "description": "Labels of the nodes that may run these models.",
                "type": "object",
                "additionalProperties": {"type": "string"},
                "default": {},
            },
            "tolerations": _open("Taints that these models tolerate.", "[]Toleration", []),
        }
        summary = f"{runtime['summary']}."
        return self._terse(
            "runtime", {"description": summary, "type": "object", "properties": parts}
        )

    def _terse(self, what: str, node: Node) -> Node:
        if what in self.described:
            node["x-terse"] = True
        self.described.add(what)
        return node


def _string(description: str, default: str, **more: Any) -> Node:
    return {"description": description, "type": "string", **more, "default": default}


def _open(description: str, kind: str, default: Any) -> Node:
    node = {"description": description, "x-kubernetes": kind, "default": default}
    return node | kubernetes_type(kind)


def kubernetes_type(kind: str) -> Node:
    """What Helm's schema says of an open sub-tree: its outermost shape."""
    if kind.startswith("[]"):
        return {"type": "array", "items": {"type": "object"}}
    if kind == "map[string]EnvVar":
        return {"type": "object", "additionalProperties": {"type": ["object", "string"]}}
    if kind.startswith("map[string]"):
        return {"type": "object", "additionalProperties": {"type": "object"}}
    return {"type": "object"}


_KEYWORDS = (
    "type",
    "enum",
    "const",
    "pattern",
    "minLength",
    "minimum",
    "maximum",
    "items",
    "additionalProperties",
)


def helm_schema(node: Node, constants: Mapping[Path_, Any] | None = None) -> Node:
    """The JSON Schema (draft 7, self-contained, closed) that Helm checks values against.

    `constants` fixes leaves by path: in a specialised chart, the values that chose its files.
    """
    schema = _strict(node, constants or {}, ())
    shared = _share(schema)
    head: Node = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return head | schema | ({"definitions": shared} if shared else {})


def _strict(node: Node, constants: Mapping[Path_, Any], path: Path_) -> Node:
    if path in constants:
        return {"const": constants[path]}
    schema = {key: node[key] for key in _KEYWORDS if key in node}
    if "properties" in node:
        schema["additionalProperties"] = False
        schema["required"] = sorted(node["properties"])
        schema["properties"] = {
            key: _strict(child, constants, (*path, key))
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
