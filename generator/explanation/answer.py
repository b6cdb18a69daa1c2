"""A value of the API as people ask for it: prose, type, default, example, and what it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from generator.errors import GeneratorError
from generator.explanation import effects
from generator.values.docs import prose, type_of, wrap
from generator.values.messages import nearest
from generator.values.schema import ValuePath, values_schema
from generator.yaml.data import JsonObject

_WIDTH = 100
# So many objects are named; more are counted.
_SHOWN = 12


@dataclass(frozen=True)
class Explanation:
    """What is known of a value. `children` are the values below a branch: the name of each, and its
    default with the first sentence of its prose.
    """

    name: str
    type: str
    default: Any
    has_default: bool
    prose: str
    allowed: tuple[Any, ...]
    example: str
    children: tuple[tuple[str, str], ...]
    effects: effects.Effects

    def as_json(self) -> str:
        """An object with all of it; `default` is left out where there is none."""
        data: JsonObject = {
            "path": self.name,
            "type": self.type,
            "description": self.prose,
            "effects": self.effects,
        }
        if self.has_default:
            data["default"] = self.default
        if self.allowed:
            data["allowed"] = list(self.allowed)
        if self.example:
            data["example"] = self.example
        if self.children:
            data["values"] = [name for name, _ in self.children]
        return json.dumps(data, indent=2)

    def as_text(self) -> Iterator[str]:
        """The lines for a terminal."""
        default = f", {json.dumps(self.default)} by default" if self.has_default else ""
        yield f"{self.name}: {self.type}{default}"
        if self.prose:
            yield ""
            yield from (f"  {line}" for line in wrap(self.prose, _WIDTH - 2))
        if self.example:
            yield from ("", "example:", *(f"  {line}" for line in self.example.splitlines()))
        if self.children:
            width = max(len(name) for name, _ in self.children)
            yield from ("", "values:")
            for name, text in self.children:
                yield f"  {name:{width}}  {text}".rstrip()
        elif self.effects:
            yield from ("", "changes:", *_changes(self.effects))


def explain(path: str) -> Explanation:
    """The value at a path as users write it; NAME, `*` or any word stands for an entry's name.

    The empty path is the whole API. Raises GeneratorError for a path that is none, with the nearest
    that is one, or the reason why it is no longer.
    """
    keys = tuple(path.split(".")) if path else ()
    if "" in keys:
        raise GeneratorError(
            f"{path}: a dot stands between two names; leave this one out or name more"
        )
    known, node = _follow(keys)
    name = ".".join(known)
    inner = node["additionalProperties"] if "x-entries" in node else node
    children = inner.get("properties", {})
    prefix = f"{effects.NAME}." if "x-entries" in node else ""
    return Explanation(
        name=name.replace("*", effects.NAME) or "values",
        type=type_of(node),
        default=node.get("default"),
        has_default="default" in node,
        prose=prose(node),
        allowed=tuple(node.get("enum", ())),
        example=str(node.get("x-example", "")),
        children=tuple((f"{prefix}{key}", _summary(child)) for key, child in children.items()),
        effects=effects.below(name) if name else {},
    )


def _follow(keys: Sequence[str]) -> tuple[ValuePath, JsonObject]:
    """The path with `*` for the names of entries, and the node that is there."""
    node, known = values_schema(), []
    for key in keys:
        if "x-entries" in node:
            node = node["additionalProperties"]
            known.append("*")
            continue
        children = node.get("properties", {})
        if key not in children:
            raise GeneratorError(_unknown(node, known, key))
        node = children[key]
        known.append(key)
    return tuple(known), node


def _unknown(node: JsonObject, known: Sequence[str], key: str) -> str:
    above = ".".join(known).replace("*", effects.NAME)
    path = f"{above}.{key}".removeprefix(".")
    if reason := node.get("x-removed", {}).get(key):
        return f"{path}: {reason}"
    if elsewhere := node.get("x-elsewhere", {}).get(key):
        return f"{path}: there is no such value; {elsewhere}"
    if "properties" not in node:
        kind = node.get("x-kubernetes") or f"of type {type_of(node)}"
        return f"{path}: what is below {above} is {kind}, and is not explained here"
    near = nearest(key, node["properties"])
    remedy = f"did you mean {near}?" if near else f"there is {', '.join(node['properties'])}"
    return f"{path}: there is no such value; {remedy}"


def _summary(node: JsonObject) -> str:
    """The first sentence, and the default of a leaf."""
    first = prose(node).partition(". ")[0].rstrip(".")
    if "default" not in node or "x-entries" in node:
        return first
    return f"{json.dumps(node['default'])}  {first}" if "properties" not in node else first


def _changes(found: effects.Effects) -> Iterator[str]:
    """The objects that change alike, and a line per field; none where they come or go."""
    for things, fields in effects.grouped(found):
        what = ", ".join(things) if len(things) <= _SHOWN else f"{len(things)} objects"
        yield from (f"  {line}" for line in wrap(what, _WIDTH - 2))
        yield from (f"    {field or 'the whole object'}" for field in fields or (effects.WHOLE,))
