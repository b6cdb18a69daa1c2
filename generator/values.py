"""A user's values: read, checked against the values API, merged as Helm merges them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from generator.checker import refusals
from generator.errors import Problem, ValuesError
from generator.fields import check_fields
from generator.helmschema import helm_schema
from generator.identity import check_objects
from generator.mistakes import explain, misspelt_formats, nearest
from generator.schema import Node, catalog, defaults, find, leaves, values_schema
from generator.sources import Source, read_sources
from generator.yamlio import Document, Key, dotted


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


@dataclass(frozen=True)
class Values:
    """Values as they were read: the sources, their documents, and all of them merged.

    `merged` has no defaults; `whole` has them. The sources are what Helm is given.
    """

    sources: tuple[Source, ...] = ()
    documents: tuple[Document, ...] = ()
    merged: Node = field(default_factory=dict)

    @classmethod
    def made(cls, data: Node, document: Document | None = None) -> Values:
        """Values that no user wrote; `document` has the places to blame for what is wrong."""
        source = Source(document.file if document else "values", _as_json(data))
        return cls((source,), (document or Document(source.name, data, {}),), data)

    @classmethod
    def parsed(cls, names: Iterable[Path | str]) -> Values:
        """Read, but not checked against the values API. Raises ValuesError."""
        sources = read_sources(names)
        documents: list[Document] = []
        problems: list[Problem] = []
        merged: Node = {}
        for source in sources:
            try:
                document = source.document()
            except ValuesError as error:
                problems.extend(error.problems)
                continue
            if document.data is None:
                continue
            if not isinstance(document.data, dict):
                kind = "a list" if isinstance(document.data, list) else "text or a number"
                message = (
                    f"is {kind}; values are a mapping of keys, as in controller: {{replicas: 2}}"
                )
                problems.append(document.problem((), message))
                continue
            documents.append(document)
            merged = merge(merged, document.data, keep_null=True)
        if problems:
            raise ValuesError(problems)
        return cls(sources, tuple(documents), merged)

    @cached_property
    def whole(self) -> Node:
        """With the defaults. Not to be changed in place."""
        whole: Node = merge(defaults(values_schema()), self.merged)
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

    def naming(self, name: str) -> Key:
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
            problems.append(self.problem(key, message, instead=self._named(message)))
        return ValuesError(problems)

    def _named(self, message: str) -> Key:
        """The first path in a message that a source has; where to look if none has the other."""
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


def _as_json(data: Node) -> bytes:
    # Helm's YAML takes no pairs of surrogates, which JSON has for what is not ASCII.
    return json.dumps(data, ensure_ascii=False).encode()


NOTHING = Values()


def read(names: Iterable[Path | str]) -> Values:
    """The values of files, pipes or `-`, later ones merged over earlier ones, all checked.

    Raises ValuesError with every problem of every one.
    """
    values = Values.parsed(names)
    if values.documents and (problems := list(check(values))):
        raise ValuesError(problems)
    return values


def check(values: Values) -> Iterator[Problem]:
    """What is wrong with the values, each problem placed in the last document that says it."""
    schema, whole = values_schema(), values.whole
    found = list(_refused(schema, whole))
    # What Helm's schema says of a Kubernetes type is said once more by the type itself.
    told = {path for path, _ in found}
    more = [*_fields(values.merged, whole), *check_objects(values.at("extraObjects"))]
    found += ((path, message) for path, message in more if path not in told)
    # Only what has the right types can be looked through for more.
    for path, message in dict.fromkeys(found or _misspelt(whole)):
        yield values.problem(path, message)


def _fields(values: Node, whole: Node) -> Iterator[tuple[Key, str]]:
    """What is wrong in the sub-trees of Kubernetes types that are among `values`."""
    for leaf in leaves(values_schema()):
        if (kind := leaf.schema.get("x-kubernetes")) is None:
            continue
        custom = "x-custom" in leaf.schema
        for here, _ in _values_at(values, leaf.path):
            # With the defaults: a request of the user's may be more than the limit of ours.
            for path, message in check_fields(kind, _at(whole, here), custom=custom):
                yield (*here, *path), message


def _misspelt(whole: Node) -> Iterator[tuple[Key, str]]:
    """Formats that no runtime of the catalog or of the values serves, and that are nearly one."""
    runtimes = [*catalog()["runtimes"].values(), *whole["customRuntimes"].values()]
    specs = [runtime["spec"] or {} for runtime in runtimes]
    formats = [form for spec in specs for form in spec.get("supportedModelFormats") or []]
    known = {str(form.get("name")).lower() for form in formats if form}
    for name, message in misspelt_formats(whole["models"], known):
        yield ("models", name, "format"), message


def _at(values: Any, path: Key) -> Any:
    for key in path:
        values = values[key]
    return values


@cache
def _checked() -> Node:
    """The schema that Helm has, with the words that tell us more."""
    return helm_schema(values_schema(), ours=True)


def _refused(schema: Node, whole: Node) -> Iterator[tuple[Key, str]]:
    """What the schema refuses: the path, and what to say of it."""
    for error in refusals(_checked(), whole):
        path: Key = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            for key in error.instance.keys() - known.keys():
                gone = _removed(schema, path, key)
                yield (*path, key), gone or _unknown(schema, path, key, known)
        elif error.validator == "required":
            for key in set(error.validator_value) - error.instance.keys():
                yield (*path, key), _null(error.schema.get("properties", {}).get(key, {}))
        elif error.validator == "type" and error.instance is None:
            yield path, _null(error.schema)
        elif error.validator == "enum" and (gone := _removed(schema, path, error.instance)):
            yield path, gone
        elif "propertyNames" in error.absolute_schema_path:
            yield (*path, error.instance), f"the name {explain(error)}"
        else:
            yield path, explain(error)


def _null(schema: Node) -> str:
    """What to say of a null: most often the user has commented out all that was below a key."""
    if schema.get("type") == "object" or "properties" in schema or "$ref" in schema:
        return "has nothing below it, which YAML reads as null; write {} or leave the key out"
    return "null is not a value here; leave it out to get the default"


def _values_at(values: Any, path: tuple[str, ...], here: Key = ()) -> Iterator[tuple[Key, Any]]:
    """What is at `path`, with the path itself; `*` stands for every key."""
    if not path:
        yield here, values
    elif isinstance(values, dict):
        for key in values if path[0] == "*" else [path[0]]:
            if values.get(key) is not None:
                yield from _values_at(values[key], path[1:], (*here, key))


def _place(documents: Sequence[Document], path: Key, message: str, *, instead: Key = ()) -> Problem:
    for place in (path, instead) if instead else (path,):
        for document in reversed(documents):
            if place in document.positions:
                line, column = document.position(place)
                return Problem(document.file, line, column, dotted(path), message)
    deepest = max(documents, key=lambda it: _depth(it, path), default=None)
    if deepest is None:
        return Problem("values", 1, 1, dotted(path), message)
    return deepest.problem(path, message)


def _depth(document: Document, path: Key) -> int:
    return max(n for n in range(len(path) + 1) if path[:n] in document.positions or n == 0)


def _removed(schema: Node, path: Key, word: Any) -> str | None:
    """What to say of a key below `path`, or of a value there, that the values API had once."""
    node = find(schema, tuple(map(str, path))) or {}
    why = node.get("x-removed", {}).get(word) if isinstance(word, str) else None
    return f"{word} is not a value any more: {why}" if why else None


def _unknown(schema: Node, path: Key, key: str, known: Mapping[str, Any]) -> str:
    if near := nearest(key, known):
        return f"unknown key; did you mean {dotted((*path, near))}?"
    # The right key in the wrong place.
    elsewhere = [leaf.name for leaf in leaves(schema) if leaf.path[-1] == key]
    if len(elsewhere) == 1:
        return f"unknown key; did you mean {elsewhere[0]}?"
    here = dotted(path) or "the top level"
    return f"unknown key; {here} has {', '.join(known)}"
