"""The objects in a manifest: any number of documents, YAML or JSON, and the items of lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from generator.errors import Problem, ValuesError
from generator.yaml.data import JsonObject
from generator.yaml.document import Document, decode, parse
from generator.yaml.path import Key
from generator.yaml.reader import Reader

# YAML allows `---` at the start of a line for nothing else, not even inside quotes.
_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_NOTHING = re.compile(r"(?:[ \t]*(?:[#%][^\n]*)?\r?\n)*[ \t]*(?:[#%][^\n]*)?")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Object:
    """An object, the document that it is in, and the path to it in there (() or an item's)."""

    document: Document
    path: Key
    data: Any

    @property
    def position(self) -> tuple[int, int]:
        """The line and the column that it starts at, from 1."""
        return self.document.position(self.path)

    def problem(self, path: Key, message: str) -> Problem:
        """A Problem at a path within the object."""
        return self.document.problem((*self.path, *path), message)


def read_objects(data: bytes, file: str) -> Iterator[Object | Problem]:
    """Every object in a manifest, in order; a Problem in place of what cannot be read.

    The items of a list (what `kubectl get` prints) are objects of their own. `file` is its name in
    messages. Raises ValuesError when `data` is not text.
    """
    for first_line, text in documents(data, file):
        yield from read_document(text, file, first_line)


def read_document(
    text: str, file: str, first_line: int = 0, *, reader: type[Reader] = Reader
) -> Iterator[Object | Problem]:
    """The object in a document, or the items of a list; Problems if it cannot be read.

    `first_line` is how many lines of the file are before it.
    """
    try:
        document = parse(text, file, reader=reader)
    except ValuesError:
        yield from _problems(text, file, first_line, reader)
        return
    places = {
        path: (line + first_line, column) for path, (line, column) in document.positions.items()
    }
    if document.data is not None:
        yield from _expand(Object(replace(document, positions=places), (), document.data))


def _problems(text: str, file: str, first_line: int, reader: type[Reader]) -> Iterator[Problem]:
    """What is wrong with a document, by the lines of the whole file, in the messages too."""
    try:
        parse("\n" * first_line + text, file, reader=reader)
    except ValuesError as error:
        for each in error.problems:
            yield replace(each, line=max(each.line, first_line + 1))


def documents(data: bytes, file: str) -> Iterator[tuple[int, str]]:
    """The documents of a file: how many lines are before each, and its text.

    `file` is its name in messages. Raises ValuesError when `data` is not text.
    """
    # PowerShell's `>` writes UTF-16.
    text = decode(data, file, "utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    starts = [0, *(found.start() for found in _MARKER.finditer(text))]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    # Comments and %directives belong to the document that they stand before.
    if len(parts) > 1 and _NOTHING.fullmatch(parts[0]):
        parts[:2] = [parts[0] + parts[1]]
    lines = accumulate((part.count("\n") for part in parts), initial=0)
    yield from zip(lines, parts, strict=False)


def _expand(found: Object) -> Iterator[Object | Problem]:
    """The object, or the items of a list."""
    kind = found.data.get("kind") if isinstance(found.data, dict) else None
    items = found.data.get("items") if isinstance(found.data, dict) else None
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(items, list)):
        yield found
        return
    metadata = found.data.get("metadata")
    if isinstance(metadata, dict) and metadata.get("continue"):
        where = ("metadata", "continue")
        yield found.problem(where, "the server has more items than this list; ask for all of them")
    # Items of a typed list, as the API server writes it, do not say what they are.
    typed: JsonObject = {
        "apiVersion": found.data.get("apiVersion"),
        "kind": kind.removesuffix("List"),
    }
    for index, item in enumerate(items):
        own = typed | item if isinstance(item, dict) and typed["kind"] else item
        yield from _expand(Object(found.document, (*found.path, "items", index), own))
