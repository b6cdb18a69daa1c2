"""The JSON Schema that Helm checks values against, made from the expanded values API."""

from __future__ import annotations

from generator.values.formats import ONE, text_pattern
from generator.values.schema import KEYWORDS
from generator.values.sharing import share
from generator.yaml.data import JsonObject

# Keywords that only validator.py knows.
_OURS = ("x-format", "x-check")


def helm_schema(node: JsonObject, *, ours: bool = False) -> JsonObject:
    """The JSON Schema (draft 7, self-contained, closed) that Helm checks values against.

    With `ours` it is the one that validator.py reads, which knows more keywords.
    """
    schema = _Strict(ours=ours).branch(node)
    head: JsonObject = {"$schema": "http://json-schema.org/draft-07/schema#"}
    if ours:
        return head | schema
    # References save Helm time, and cost Python some.
    shared = share(schema, under="definitions")
    definitions = {"texts": _texts()} | shared.pop("definitions", {})
    return head | _TEXTS | shared | {"definitions": definitions}


# In Python check.py does it, which is faster.
_TEXTS: JsonObject = {"allOf": [{"$ref": "#/definitions/texts"}]}


def _texts() -> JsonObject:
    """What Helm asks of every text, and of every key, however deep it is."""
    pattern = text_pattern()
    inner = {"$ref": "#/definitions/texts"}
    return {
        "pattern": pattern,
        "items": inner,
        "patternProperties": {pattern: inner},
        "additionalProperties": False,
    }


class _Strict:
    """Closes every branch, and keeps of each node what is JSON Schema."""

    def __init__(self, *, ours: bool) -> None:
        self.ours = ours
        self.words = (*KEYWORDS, *_OURS) if ours else KEYWORDS

    def branch(self, node: JsonObject, *, required: bool = True) -> JsonObject:
        if "x-entries" in node:
            entry = self.branch(node["additionalProperties"], required=False)
            names = {key: node[key] for key in ("type", "propertyNames") if key in node}
            return self._map(names | {"additionalProperties": entry})
        if "properties" not in node:
            return self.plain(node)
        schema = {key: value for key, value in node.items() if key in self.words}
        if self.ours or "x-shared" not in node:
            schema["additionalProperties"] = False
        if required:
            own = (key for key, child in node["properties"].items() if "x-foreign" not in child)
            schema["required"] = sorted(own)
        schema["properties"] = {
            key: self.branch(child, required=required) for key, child in node["properties"].items()
        }
        return schema

    def plain(self, node: JsonObject) -> JsonObject:
        """What of a leaf, and of all that is in it, is JSON Schema."""
        schema = {key: node[key] for key in self.words if key in node}
        for key in ONE:
            if isinstance(schema.get(key), dict):
                schema[key] = self.plain(schema[key])
        parts = node.get("properties") or node.get("x-parts")
        if parts:
            schema["properties"] = {key: self.plain(child) for key, child in parts.items()}
        return self._map(schema)

    def _map(self, schema: JsonObject) -> JsonObject:
        """A map whose names have a pattern, so that Helm says where a wrong name is.

        With propertyNames it says a path at random (santhosh-tekuri/jsonschema v6 shares a slice).
        Templates check what else there is about names.
        """
        if self.ours or "propertyNames" not in schema:
            return schema
        names, entry = schema.pop("propertyNames"), schema["additionalProperties"]
        return schema | {
            "patternProperties": {names["pattern"]: entry},
            "additionalProperties": False,
        }
