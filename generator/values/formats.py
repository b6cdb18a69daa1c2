"""Formats: what the strings and numbers of the values may be, by name; formats.yaml lists them.

In a schema `x-format: NAME` stands for the JSON Schema of that format, and `x-format: NAME?` allows
the empty text too. The name stays in the schema, so that a refusal can say in words what a regular
expression says in signs.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import Any

from generator import DATA
from generator.yaml.data import JsonObject
from generator.yaml.document import load_fast

# Where a schema holds schemas: one, or several by name.
ONE = ("items", "additionalProperties", "propertyNames")
SEVERAL = ("properties", "x-parts")
_PROSE = ("is", "slips")
TEXT = "text"
"""The format that no field has, as every text in the values is of it."""


@cache
def _formats() -> dict[str, JsonObject]:
    formats: dict[str, JsonObject] = load_fast(DATA / "formats.yaml")["formats"]
    return formats


@cache
def kubernetes() -> JsonObject:
    """kubernetes.yaml: the `fields` of Kubernetes types, the `shapes` that Helm checks."""
    data: JsonObject = load_fast(DATA / "kubernetes.yaml")
    return data


def expand(node: JsonObject) -> JsonObject:
    """A copy of a JSON schema with the meaning of every `x-format` in it; the node's own words win.

    Raises KeyError for a format that formats.yaml does not have.
    """
    name = node.get("x-format")
    node = (_constraints(name) if name else {}) | node
    for key in ONE:
        if isinstance(node.get(key), dict):
            node[key] = expand(node[key])
    for key in SEVERAL:
        if key in node:
            node[key] = {name: expand(child) for name, child in node[key].items()}
    return node


@cache
def _constraints(name: str) -> JsonObject:
    schema = _formats()[name.removesuffix("?")]
    schema = {key: value for key, value in schema.items() if key not in _PROSE}
    if "pattern" in schema:
        body = schema["pattern"]
        optional = "?" if name.endswith("?") else ""
        schema["pattern"] = f"^({body}){optional}$" if optional or "|" in body else f"^{body}$"
    return schema


def text_pattern() -> str:
    """The pattern of every text in the values, and of every key: that of the format `TEXT`."""
    pattern: str = _constraints(TEXT)["pattern"]
    return pattern


def describe(name: str) -> str | None:
    """What a format is, with an article and an example: `a duration such as 60s or 5m`."""
    words: str | None = _formats()[name.removesuffix("?")].get("is")
    return words


def slip(name: str, value: Any) -> str | None:
    """The remedy for a value that is a frequent mistake with this format."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    for pattern, remedy in _formats()[name.removesuffix("?")].get("slips", {}).items():
        if match := re.fullmatch(pattern, str(value), re.ASCII | re.DOTALL):
            words: str = remedy
            for number, group in enumerate([match[0], *match.groups()]):
                words = words.replace(f"{{{number}}}", group or "")
            return words.replace("{scheme}", f"{str(value).partition('://')[0]}://")
    return _nearest(name.removesuffix("?"), value) if isinstance(value, str) else None


# What no name of the format may hold, for those that a small change mends.
_FOREIGN = {
    "label name": r"[^a-z0-9]+",
    "object name": r"[^a-z0-9.]+",
    "entry name": r"[^a-z0-9]+",
    "label value": r"[^-A-Za-z0-9_.]+",
    "label key": r"[^-A-Za-z0-9_./]+",
}


def _nearest(name: str, value: str) -> str | None:
    """A valid name in place of one with capitals, underscores or spaces."""
    if name not in _FOREIGN:
        return None
    lower = value if name.startswith("label ") and name != "label name" else value.lower()
    # A letter that no name may hold: without it, it would be another word.
    if any(sign.isalnum() and not sign.isascii() for sign in value):
        return None
    near = re.sub(_FOREIGN[name], "-", lower).strip("-._/")
    fits = compiled(_constraints(name)["pattern"]).search(near)
    return f"did you mean {near}?" if near and fits and near != value else None


def _is_no_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return True
    return False


def _is_too_long(value: str) -> bool:
    return len(value.rpartition("/")[2]) > 63


def _leads_out(value: str) -> bool:
    return ".." in value.split("/")


WRONG = {
    "CIDR": _is_no_network,
    "annotation key": _is_too_long,
    "label key": _is_too_long,
    "relative path": _leads_out,
}
"""By format: whether a text is invalid although it matches the pattern."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of a JSON schema as Go reads it: `$` is the end of the text, `\\s` is ASCII's."""
    # Python's `$` is also true before a line break at the end. Ours have no `$` in brackets.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), re.ASCII)
