"""Adding an entry to a values file without touching another byte of it."""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path
from typing import Any

import yaml

from generator.errors import ValuesError
from generator.yamlio import dump, parse


def insert(file: Path, key: str, name: str, entry: Any) -> str:
    """The text of `file` with `entry` as the last one of the mapping at its top-level `key`.

    Raises ValuesError if the entry is there already, or the mapping is written with braces.
    """
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    document = parse(text, str(file))
    data = document.data or {}
    if name in (data.get(key) or {}):
        raise ValuesError([document.problem((key, name), "is there already; remove it first")])
    root = yaml.compose(text, Loader=yaml.CSafeLoader) if text.strip() else None
    place = _value(root, key)
    braces = next((it for it in (root, place) if getattr(it, "flow_style", False)), None)
    if braces is not None and braces.value:
        message = "is written with braces; write it as lines"
        where = (key,) if braces is place else ()
        raise ValuesError([document.problem(where, message)])
    if place is not None:
        changed = _append(text, place, _block(name, entry, indent=_indent(place)))
    elif braces is not None:
        changed = _append(text, braces, f"{key}:\n{_block(name, entry, indent=2)}")
    else:
        separator = "" if not text or text.endswith("\n") else "\n"
        gap = "\n" if text else ""
        changed = f"{text}{separator}{gap}{key}:\n{_block(name, entry, indent=2)}"
    expected = {**data, key: {**(data.get(key) or {}), name: entry}}
    if parse(changed, str(file)).data != expected:
        raise ValuesError([document.problem((key,), "is written in a way that cannot be added to")])
    return changed


def _value(root: yaml.Node | None, key: str) -> yaml.Node | None:
    for own, value in root.value if isinstance(root, yaml.MappingNode) else []:
        if own.value == key:
            found: yaml.Node = value
            return found
    return None


def _indent(place: yaml.Node) -> int:
    if isinstance(place, yaml.MappingNode) and place.value and not place.flow_style:
        column: int = place.value[0][0].start_mark.column
        return column
    return 2


def _block(name: str, entry: Any, *, indent: int) -> str:
    return textwrap.indent(dump({name: entry}), " " * indent, lambda line: bool(line.strip()))


def _append(text: str, place: yaml.Node, block: str) -> str:
    """`block` after the last line of the mapping, or instead of `{}`, `null` or nothing."""
    lines = text.splitlines(keepends=True)
    if isinstance(place, yaml.MappingNode) and place.value:
        end = _last_line(lines, place)
        if not lines[end].endswith("\n"):
            lines[end] += "\n"
        return "".join(lines[: end + 1]) + block + "".join(lines[end + 1 :])
    first, stop = place.start_mark, place.end_mark
    kept = lines[first.line][: first.column].rstrip()
    rest = lines[stop.line][stop.column :].rstrip()
    lines[first.line : stop.line + 1] = [f"{kept}{rest}\n"]
    return "".join(lines[: first.line + 1]) + block + "".join(lines[first.line + 1 :])


def _last_line(lines: list[str], node: yaml.Node) -> int:
    """The line that a node's text ends in, from 0."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        child = node.value[-1]
        return _last_line(lines, child[1] if isinstance(child, tuple) else child)
    first: int = node.start_mark.line
    end: int = node.end_mark.line
    if not (isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")):
        return end
    # PyYAML has a block scalar end where the next thing starts, past empty lines and comments.
    text = [it for it in range(first + 1, end + 1) if it < len(lines) and lines[it].strip()]
    indents = {it: len(lines[it]) - len(lines[it].lstrip(" ")) for it in text}
    inside = itertools.takewhile(lambda it: indents[it] >= indents[text[0]], text)
    return max(inside, default=first)
