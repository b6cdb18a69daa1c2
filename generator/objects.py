"""The objects in a manifest: any number of documents, YAML or JSON, and the items of lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import yaml

from generator.errors import Problem, ValuesError
from generator.schema import Node
from generator.yamlio import Document, Key, parse

# No real object comes near these; a file that does is broken, or means harm.
_DEPTH = 100
_ALIASED = 100_000  # values that stand where there is an alias
_TAGS = (
    *(None, "!"),
    *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null")),
    *("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"),
)

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
    def place(self) -> tuple[int, int]:
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
    for first_line, text in _documents(_decode(data, file)):
        try:
            document = read_document(text, file)
        except ValuesError:
            yield from _problems(text, file, first_line)
            continue
        places = {
            path: (line + first_line, column) for path, (line, column) in document.positions.items()
        }
        if document.data is not None:
            yield from _expand(Object(replace(document, positions=places), (), document.data))


def _problems(text: str, file: str, first_line: int) -> Iterator[Problem]:
    """What is wrong with a document, by the lines of the whole file, in the messages too."""
    try:
        read_document("\n" * first_line + text, file)
    except ValuesError as error:
        for each in error.problems:
            yield replace(each, line=max(each.line, first_line + 1))


def _decode(data: bytes, file: str) -> str:
    """The text of a manifest. PowerShell's `>` writes UTF-16."""
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is not text in UTF-8: {error.reason} at byte {error.start + 1}"
        raise ValuesError([Problem.of(file, message)]) from None
    return text


def _documents(text: str) -> Iterator[tuple[int, str]]:
    """The documents: how many lines are before each, and its text."""
    starts = [0, *(found.start() for found in _MARKER.finditer(text))]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    # Comments and %directives belong to the document that they stand before.
    if len(parts) > 1 and _NOTHING.fullmatch(parts[0]):
        parts[:2] = [parts[0] + parts[1]]
    lines = accumulate((part.count("\n") for part in parts), initial=0)
    yield from zip(lines, parts, strict=False)


def read_document(text: str, file: str) -> Document:
    """One document, of people or of programs, that may be broken or mean harm.

    Raises ValuesError, whatever is wrong with it.
    """
    try:
        _refuse_harm(text, file)
        return parse(text, file)
    except yaml.MarkedYAMLError as error:
        where = _position(error.problem_mark or error.context_mark)
        message = f"not valid YAML: {error.problem or error.context}"
        raise ValuesError([Problem(file, *where, "", message)]) from None
    except (yaml.YAMLError, ValueError) as error:
        message = f"not valid YAML: {' '.join(str(error).split())}"
        raise ValuesError([Problem.of(file, message)]) from None


def _refuse_harm(text: str, file: str) -> None:
    """Refuse nesting that no parser survives, aliases that stand for a great many values, and tags
    that JSON has no type for.
    """
    # How many values there are in what has an anchor, aliases counted as what they stand for.
    sizes: dict[str, int] = {}
    inside: list[tuple[str | None, int]] = [(None, 0)]
    aliased = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        size = 1
        if isinstance(event, yaml.CollectionStartEvent):
            inside.append((event.anchor, 1))
            size = 0
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = inside.pop()
            sizes |= {anchor: size} if anchor else {}
        elif isinstance(event, yaml.AliasEvent):
            size = sizes.get(str(event.anchor), 1)
            aliased += size
        inside[-1] = (inside[-1][0], inside[-1][1] + size)
        if len(inside) > _DEPTH:
            raise _at(event, file, "the nesting is too deep")
        if aliased > _ALIASED:
            raise _at(event, file, f"the aliases stand for more than {_ALIASED} values")
        if (tag := getattr(event, "tag", None)) not in _TAGS:
            raise _at(event, file, f"the tag {tag} is for no type of JSON; leave it out")


def _at(event: yaml.Event, file: str, message: str) -> ValuesError:
    return ValuesError([Problem(file, *_position(event.start_mark), "", message)])


def _position(mark: Any) -> tuple[int, int]:
    """Line and column from 1, of a mark of PyYAML or none."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


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
    typed: Node = {"apiVersion": found.data.get("apiVersion"), "kind": kind.removesuffix("List")}
    for index, item in enumerate(items):
        own = typed | item if isinstance(item, dict) and typed["kind"] else item
        yield from _expand(Object(found.document, (*found.path, "items", index), own))
