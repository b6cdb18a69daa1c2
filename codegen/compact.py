"""Makes JSON schemas small and strict: what validates stays, unknown fields are refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from codegen.operations import REF, Definitions, Schema, references, rewrite, short

_KEPT = {
    *("$ref", "type", "enum", "pattern", "required", "properties", "items", "additionalProperties"),
    *("allOf", "anyOf", "oneOf", "not"),
    *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("minProperties", "maxProperties"),
}
# In a pattern, `(?i)`: not JSON Schema's, and not everyone reads it where Go does.
_GO_FLAG = re.compile(r"\(\?[a-zA-Z]+\)")


def close(schema: Schema) -> Schema:
    """A schema as OpenAPI and CRDs have it, as a JSON schema that refuses unknown fields.

    Descriptions, defaults, formats and CEL rules go, with all extensions of OpenAPI.
    """
    # Fields are closed only where the schema says what fields there are: what stands below anyOf
    # and its like narrows down values, and may name a few fields of many.
    return rewrite(rewrite(schema, _closed, logic=False), _bare)


def _closed(node: Schema) -> Schema:
    if node.pop("x-kubernetes-int-or-string", False):
        # Some repeat the two types in an anyOf.
        node.pop("anyOf", None)
        node["type"] = ["integer", "string"]
    if "properties" in node and not node.get("x-kubernetes-preserve-unknown-fields"):
        node.setdefault("additionalProperties", False)
    if node.get("nullable"):
        types = node.get("type", [])
        node["type"] = [*(types if isinstance(types, list) else [types]), "null"]
        if "enum" in node:
            node["enum"] = [*node["enum"], None]
    return node


def _bare(node: Schema) -> Schema:
    kept = {key: node[key] for key in sorted(node) if key in _KEPT}
    if _GO_FLAG.search(kept.get("pattern", "")):
        del kept["pattern"]
    return kept


def bundle(root: Schema, definitions: Mapping[str, Schema], *, under: str = "$defs") -> Schema:
    """`root` with all that it refers to, directly or not, `under` that key, by short names."""
    found: Definitions = {}
    queue = list(references(root))
    while queue:
        name = queue.pop()
        if name not in found:
            found[name] = definitions[name]
            queue.extend(references(found[name]))
    taken = Counter(short(name) for name in found)
    names = {name: short(name) if taken[short(name)] == 1 else name for name in found}

    def rename(node: Schema) -> Schema:
        if "$ref" in node:
            node["$ref"] = f"#/{under}/{names[node['$ref'].removeprefix(REF)]}"
        return node

    renamed = {names[name]: rewrite(found[name], rename) for name in found}
    return rewrite(root, rename) | {under: dict(sorted(renamed.items()))}
