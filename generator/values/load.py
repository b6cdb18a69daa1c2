"""A user's values: read from every source, and merged as Helm merges them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from generator.errors import Problem, ValuesError
from generator.values.schema import defaults, values_schema
from generator.values.sources import Source, read_sources
from generator.yaml.data import JsonObject
from generator.yaml.document import Document
from generator.yaml.path import Key, dotted

DECLARED = ("models", "graphs", "trainedModels")
"""The top-level values that the models chart makes objects of."""


def merge(base: Any, over: Any, *, keep_null: bool = False) -> Any:
    """`over` merged over `base` the way Helm merges values: mappings deep, the rest replaces.

    A null removes the key of a chart's defaults; between values files (`keep_null`) it stays, to do
    so later. Neither argument is changed.
    """
    if not isinstance(base, dict) or not isinstance(over, Mapping):
        return over
    merged = dict(base)
    for key, value in over.items():
        if value is None and key in base and not keep_null:
            del merged[key]
        else:
            merged[key] = merge(base.get(key), value, keep_null=keep_null)
    return merged


def content_of(document: Document) -> JsonObject:
    """The values in a document, none in an empty one. Raises ValuesError if they are no mapping."""
    content: Any = {} if document.data is None else document.data
    if not isinstance(content, dict):
        kind = "a list" if isinstance(content, list) else "text or a number"
        message = f"is {kind}; values are a mapping of keys, as in controller: {{replicas: 2}}"
        raise ValuesError([document.problem((), message)])
    return content


@dataclass(frozen=True)
class Values:
    """Values as they were read: the sources, their documents, and all of them merged.

    `merged` has no defaults; `whole` has them. The sources are what Helm is given.
    """

    sources: tuple[Source, ...] = ()
    documents: tuple[Document, ...] = ()
    merged: JsonObject = field(default_factory=dict)

    @classmethod
    def made(cls, data: JsonObject, document: Document | None = None) -> Values:
        """Values that no user wrote; `document` has the places to blame for what is wrong."""
        source = Source(document.file if document else "values", _as_json(data))
        return cls((source,), (document or Document(source.name, data, {}),), data)

    @classmethod
    def parsed(cls, names: Iterable[Path | str]) -> Values:
        """Read, but not checked against the values API. Raises ValuesError."""
        return cls.of(read_sources(names))

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Values:
        """What was read, as `parsed`."""
        documents: list[Document] = []
        problems: list[Problem] = []
        merged: JsonObject = {}
        for source in sources:
            try:
                document = source.document()
                content = content_of(document)
            except ValuesError as error:
                problems.extend(error.problems)
                continue
            if document.data is not None:
                documents.append(document)
                merged = merge(merged, content, keep_null=True)
        if problems:
            raise ValuesError(problems)
        return cls(tuple(sources), tuple(documents), merged)

    def under(self, own: Values) -> Values:
        """These values with others over them, as when the sources of both are read in order."""
        return Values(
            (*self.sources, *own.sources),
            (*self.documents, *own.documents),
            merge(self.merged, own.merged, keep_null=True),
        )

    @cached_property
    def whole(self) -> JsonObject:
        """With the defaults. Not to be changed in place."""
        whole: JsonObject = merge(defaults(values_schema()), self.merged)
        return whole

    def at(self, *path: str) -> Any:
        """What the user has at `path`; None for nothing."""
        value: Any = self.merged
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def problem(self, path: Key, message: str, *, instead: Key = ()) -> Problem:
        """A Problem at `path`, in the last source that says it, or else at `instead`."""
        return _place(self.documents, path, message, instead=instead)

    def said(self, path: Key) -> str | None:
        """The file and line that say the value at `path`, the last of them; None for a default."""
        for document in reversed(self.documents):
            if path in document.positions:
                return f"{document.file}:{document.position(path)[0]}"
        return None

    def path_named(self, name: str) -> Key:
        """The path of the first key, or text, that is `name`; the top level if nothing is."""
        for document in self.documents:
            for path in document.positions:
                if path[-1:] == (name,) or self.at(*map(str, path)) == name:
                    return path
        return ()

    def refusals(self, text: str) -> ValuesError:
        """What a templates/validate.yaml refuses: a line `ERROR: PATH: fact; remedy` for each."""
        problems = []
        for fact in re.findall(r"ERROR: (.+)", text):
            path = re.match(r"[A-Za-z0-9_.-]*[A-Za-z0-9]", fact)
            key = self.key(path[0].split(".")) if path else ()
            message = fact[len(path[0]) if path else 0 :].lstrip(": ")
            problems.append(self.problem(key, message, instead=self._path_in(message)))
        return ValuesError(problems)

    def _path_in(self, message: str) -> Key:
        """The first path in a message that a source has; () if there is none."""
        for word in re.findall(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+", message):
            key = self.key(word.split("."))
            if any(key in document.positions for document in self.documents):
                return key
        return ()

    def key(self, steps: Iterable[str]) -> Key:
        """Steps of text as a Key: a number is an index where a source has a list."""
        key: Key = ()
        for step in steps:
            index = (*key, int(step)) if step.isdecimal() else None
            listed = index and any(index in document.positions for document in self.documents)
            key = index if index and listed else (*key, step)
        return key


def _as_json(data: JsonObject) -> bytes:
    # Helm's YAML takes no pairs of surrogates, which JSON has for what is not ASCII.
    return json.dumps(data, ensure_ascii=False).encode()


NOTHING = Values()


def _place(documents: Sequence[Document], path: Key, message: str, *, instead: Key = ()) -> Problem:
    for candidate in (path, instead) if instead else (path,):
        for document in reversed(documents):
            if candidate in document.positions:
                line, column = document.position(candidate)
                return Problem(document.file, line, column, dotted(path), message)
    deepest = max(documents, key=lambda document: _depth(document, path), default=None)
    if deepest is None:
        return Problem("", 0, 0, dotted(path), message)  # Nobody gave values: it is a default.
    return deepest.problem(path, message)


def _depth(document: Document, path: Key) -> int:
    return max(n for n in range(len(path) + 1) if path[:n] in document.positions or n == 0)
