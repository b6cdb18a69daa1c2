"""Entries put into the text of a values file without touching another byte of it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from generator.errors import Problem, ValuesError
from generator.importer.commented import dump_entry, indent
from generator.importer.fitting import Entry
from generator.yaml.document import Document, parse
from generator.yaml.path import Key

# A line as libyaml counts them, with its end.
_LINE = re.compile(
    r"[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])|[^\n\r\x85\u2028\u2029]+"
)
_UNFIT = "is written in a way that cannot be added to; put the entry there by hand"


def insert(
    text: str,
    file: str,
    key: str,
    entries: Mapping[str, Entry],
    *,
    comments: Mapping[str, Sequence[str]] | None = None,
    replace: bool = False,
) -> tuple[str, dict[str, str]]:
    """`text` with `entries` as the last ones of the mapping at its top-level `key`.

    Beside it what becomes of each: `+` if it is added, `=` if the same one is there already and
    stays, `~` if another one of its name is there, which it is to `replace`. `comments` are lines
    above an entry's first key, `file` is the text's name in messages. Raises ValuesError if others
    are there that are not to be replaced, or the text is written in a way that cannot be added to
    (with braces, say).
    """
    document = parse(text, file)
    there = _entries(document, key)
    signs = {
        name: "+" if name not in there else "=" if _same(there[name], entry) else "~"
        for name, entry in entries.items()
    }
    occupied = [name for name, sign in signs.items() if sign == "~"]
    if occupied and not replace:
        raise ValuesError([_occupied(document, key, name, entries[name]) for name in occupied])
    blocks = {
        name: dump_entry(name, entry, (comments or {}).get(name, ()))
        for name, entry in entries.items()
        if signs[name] != "="
    }
    if not blocks:
        return text, signs
    changed = _Text(text, document, key).put(blocks)
    expected = {**(document.data or {}), key: {**there, **entries}}
    for candidate in (_end_like(text, changed), changed):
        if _reads(candidate, file, expected):
            return candidate, signs
    raise ValuesError([document.problem((key,), _UNFIT)])


def _entries(document: Document, key: str) -> Mapping[str, Any]:
    """What is at a top-level key, which must be a mapping if it is there."""
    data = {} if document.data is None else document.data
    there = data.get(key) if isinstance(data, dict) else data
    if not isinstance(there, dict | None):
        path = (key,) if isinstance(data, dict) else ()
        raise ValuesError([document.problem(path, "is not a mapping of keys")])
    return there or {}


def _occupied(document: Document, key: str, name: str, entry: Entry) -> Problem:
    there = document.data[key][name]
    old = there if isinstance(there, dict) else {}
    keys = dict.fromkeys((*old, *entry))
    differ = ", ".join(own for own in keys if not _same(old.get(own), entry.get(own)))
    message = f"is there already, with another {differ}; --replace overwrites it"
    return document.problem((key, name), message)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; Python has True be 1."""
    texts = (json.dumps(value, sort_keys=True, default=repr) for value in (one, other))
    return next(texts) == next(texts)


def _reads(text: str, file: str, expected: Any) -> bool:
    try:
        return _same(parse(text, file).data, expected)
    except ValuesError:
        return False


def _end_like(text: str, changed: str) -> str:
    """`changed` without a newline at its end if `text`, which has lines, has none either."""
    return changed if not text.strip() or text[-1] in "\r\n" else changed.rstrip("\r\n")


class _Text:
    """The lines of a text, and where in it the entries of a top-level key are."""

    def __init__(self, text: str, document: Document, key: str) -> None:
        self.lines = _LINE.findall(text)
        self.document = document
        self.key = key
        self.root: Any = yaml.compose(text, Loader=yaml.CSafeLoader) if text.strip() else None
        self.entries = next((value for own, value in _pairs(self.root) if own.value == key), None)
        ends = re.findall(r"\r\n|[\r\n]", text)
        self.end = max(("\n", "\r\n", "\r"), key=ends.count)

    def put(self, blocks: Mapping[str, str]) -> str:
        """The text with each block in the place of the entry of its name, or after the last."""
        self._refuse_braces()
        old = {name.value: (name, value) for name, value in _pairs(self.entries)}
        if new := "".join(block for name, block in blocks.items() if name not in old):
            self._add(new)
        # From the bottom up, so that the lines of those above stay where they were.
        for name, value in sorted(
            (old[own] for own in blocks if own in old), key=lambda pair: -pair[0].start_mark.line
        ):
            first, stop = name.start_mark, _last_line(self.lines, value) + 1
            self._splice(blocks[name.value], first.line, stop, first.column)
        return "".join(self.lines)

    def _add(self, block: str) -> None:
        if pairs := _pairs(self.entries):
            name, value = pairs[-1]
            # An alias ends where its anchor does, further up.
            line = max(name.end_mark.line, _last_line(self.lines, value)) + 1
            self._splice(block, line, line, pairs[0][0].start_mark.column)
            return
        column = self.root.value[0][0].start_mark.column if _pairs(self.root) else 0
        whole = f"{self.key}:\n{indent(block, 2)}"
        if self.entries is not None:
            self._instead_of(self.entries, block, column + 2)
        elif self.root is not None and not _pairs(self.root):
            self._instead_of(self.root, whole, 0)
        else:
            last = len(self.lines)
            self._splice("\n" + whole if last else whole, last, last, column)

    def _refuse_braces(self) -> None:
        nodes: dict[Key, Any] = {(): self.root, (self.key,): self.entries}
        for path, node in nodes.items():
            if getattr(node, "flow_style", False) and (
                node.value or node.start_mark.line != node.end_mark.line
            ):
                message = "is written with braces; write it as lines"
                raise ValuesError([self.document.problem(path, message)])

    def _instead_of(self, node: yaml.Node, block: str, column: int) -> None:
        """Put `block` below the line of a `{}`, a `null` or nothing, which goes."""
        first, stop = node.start_mark, node.end_mark
        after = first.line + 1
        if first.line == stop.line:
            line = self.lines[first.line]
            kept, rest = line[: first.column].rstrip(), line[stop.column :]
            bare = rest.rstrip("\r\n")
            left = (kept + bare.rstrip()) if kept else bare.strip()
            self.lines[first.line : after] = [left + rest[len(bare) :]] if left else []
            after -= not left
        self._splice(block, after, after, column)

    def _splice(self, block: str, first: int, stop: int, column: int) -> None:
        """Put `block`, indented to `column`, in place of some lines (from 0)."""
        end = self.end
        if first:
            before = self.lines[first - 1]
            bare = before.rstrip("\r\n")
            end = before[len(bare) :] or end
            self.lines[first - 1] = bare + end
        indented = indent(block, column)
        self.lines[first:stop] = _LINE.findall(indented.replace("\n", end))


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


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
    text = [line for line in range(first + 1, end + 1) if line < len(lines) and lines[line].strip()]
    indents = {line: len(lines[line]) - len(lines[line].lstrip(" ")) for line in text}
    inside = itertools.takewhile(lambda line: indents[line] >= indents[text[0]], text)
    return max(inside, default=first)
