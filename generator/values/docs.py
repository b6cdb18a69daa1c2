"""What people read about the values: the commented values file and the table of VALUES.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generator.yaml.data import JsonObject
from generator.yaml.writer import dump, scalar

_WIDTH = 100
_WORD = re.compile(r"(?:\{\{.*?\}\}|`[^`]*`|\S)+")


def values_yaml(schema: JsonObject) -> str:
    """The default values of an expanded schema as YAML, each under its prose."""
    lines: list[str] = []
    _write(schema, lines, indent=0, terse=False)
    return "\n".join(lines).strip("\n") + "\n"


def _write(node: JsonObject, lines: list[str], *, indent: int, terse: bool) -> None:
    pad = " " * indent
    for key, child in node["properties"].items():
        if "x-foreign" in child:
            continue
        branch = "properties" in child
        if indent == 0:
            lines.append("")
        if not terse and (text := prose(child)):
            lines.extend(f"{pad}# {line}" for line in wrap(f"-- {text}", _WIDTH - indent - 2))
        if branch:
            lines.append(f"{pad}{key}:")
            _write(child, lines, indent=indent + 2, terse=terse or "x-terse" in child)
        else:
            lines.extend(f"{pad}# {line}" for line in child.get("x-example", "").splitlines())
            lines.extend(pad + line for line in _entry(key, child["default"]))


def prose(node: JsonObject) -> str:
    """What the schema says of a value, with the words that it may be; or that it is fixed."""
    text = str(node.get("description", ""))
    if "x-fixed" in node:
        text = f"{text} Fixed: this chart was made for it.".strip()
    elif "enum" in node:
        words = ", ".join(str(word) or '""' for word in node["enum"])
        text = f"{text} One of {words}.".strip()
    return text


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` characters, broken at spaces only.

    What is whole stays whole, over the width if it must: words with hyphens, code in backquotes,
    Go's templates in braces.
    """
    lines = [""]
    for word in _WORD.findall(text):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def sentence(text: str) -> str:
    """`text` with a capital, unless its first word has capitals of its own: vLLM stays vLLM."""
    first = text.partition(" ")[0]
    return text if first != first.lower() else text[:1].upper() + text[1:]


def _entry(key: str, value: Any) -> list[str]:
    if isinstance(value, dict | list) and value:
        block = dump(value).rstrip("\n").splitlines()
        return [f"{key}:", *(f"  {line}" for line in block)]
    return [f"{key}: {scalar(value)}"]


@dataclass(frozen=True)
class Row:
    """A row of the values table, its cells in Markdown."""

    name: str
    type: str
    default: str
    description: str


def table(node: JsonObject, path: tuple[str, ...] = ()) -> Iterator[Row]:
    """The rows of the values table: every leaf; what only repeats others in one row."""
    for key, child in node["properties"].items():
        here = (*path, key)
        name = ".".join(here)
        if "x-foreign" in child:
            continue
        if "x-entries" in child:
            yield Row(name, "map", "`{}`" if "default" in child else "", _cell(prose(child)))
            yield from table(child["additionalProperties"], (*here, "NAME"))
        elif "x-terse" in child:
            yield Row(name, "object", _summary(child), _cell(child.get("description", "")))
        elif "properties" in child:
            yield from table(child, here)
        else:
            default = f"`{_cell(json.dumps(child['default']))}`" if "default" in child else ""
            yield Row(name, type_of(child), default, _cell(prose(child)))


def type_of(node: JsonObject) -> str:
    """What people call the type of a value: that of Kubernetes where there is one."""
    if "x-kubernetes" in node:
        return str(node["x-kubernetes"])
    if "enum" in node:
        return "string"
    kind = node.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _summary(node: JsonObject) -> str:
    """One cell for a whole branch: the image's name, the four resources, or whether it is on."""
    parts = node["properties"]
    if "repository" in parts:
        tag = parts["tag"]["default"] or "appVersion"
        return f"`{parts['registry']['default']}/{parts['repository']['default']}:{tag}`"
    if "enabled" in parts:
        return f"`enabled: {json.dumps(parts['enabled']['default'])}`"
    leaves = {
        k: {n: leaf["default"] for n, leaf in v["properties"].items()} for k, v in parts.items()
    }
    return f"`{_cell(json.dumps(leaves))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
