"""A user's values: read, checked against the values API, merged as Helm merges them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from generator.checker import refusals
from generator.errors import Problem, ValuesError
from generator.fields import check_fields
from generator.helmschema import helm_schema
from generator.mistakes import explain, misspelt_formats, nearest
from generator.schema import Node, catalog, defaults, leaves, values_schema
from generator.yamlio import Document, Key, dotted, load


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


def read(files: Iterable[Path]) -> Node:
    """The values of one or more files, later ones merged over earlier ones, each checked.

    Returns them without the defaults. Raises ValuesError with every problem of every file.
    """
    problems: list[Problem] = []
    documents: list[Document] = []
    merged: Node = {}
    for file in files:
        try:
            document = load(file)
        except ValuesError as error:
            problems.extend(error.problems)
            continue
        except OSError as error:
            problems.append(Problem.of(file, f"cannot be read: {error.strerror}"))
            continue
        except UnicodeDecodeError as error:
            problems.append(Problem.of(file, f"is not UTF-8 text: {error.reason}"))
            continue
        if document.data is None:
            continue
        if not isinstance(document.data, dict):
            problems.append(Problem.of(file, "values are a mapping of keys"))
            continue
        documents.append(document)
        merged = merge(merged, document.data, keep_null=True)
    if documents and not problems:
        problems = list(check(documents, merged))
    if problems:
        raise ValuesError(problems)
    return merged


def place(files: Iterable[Path], text: str) -> ValuesError:
    """The refusals of a templates/validate.yaml, as problems in `files`.

    `text` has a line `ERROR: PATH: fact; remedy` for each.
    """
    documents = [load(file) for file in files]
    problems = []
    for fact in re.findall(r"ERROR: (.+)", text):
        path = re.match(r"[A-Za-z0-9_.-]*[A-Za-z0-9]", fact)
        key = _key(documents, path[0].split(".")) if path else ()
        message = fact[len(path[0]) if path else 0 :].lstrip(": ")
        problems.append(_place(documents, key, message, instead=_named(documents, message)))
    return ValuesError(problems)


def _named(documents: list[Document], message: str) -> Key:
    """The first path in a message that a file has; where to look if it has not the other."""
    for word in re.findall(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+", message):
        key = _key(documents, word.split("."))
        if any(key in document.positions for document in documents):
            return key
    return ()


def _key(documents: list[Document], steps: list[str]) -> Key:
    """A dotted path as a Key: a number is an index where the file has a list."""
    key: Key = ()
    for step in steps:
        index = (*key, int(step)) if step.isdigit() else None
        listed = index and any(index in document.positions for document in documents)
        key = index if index and listed else (*key, step)
    return key


def check(documents: list[Document], values: Node) -> Iterable[Problem]:
    """What is wrong with `values`, each problem placed in the last document that says it."""
    whole = merge(defaults(values_schema()), values)
    told: set[Key] = set()
    found = [*_refused(values_schema(), whole), *_fields(values, whole)]
    # Only what has the right types can be looked through for more.
    for path, message in found or _misspelt(whole):
        # What Helm's schema says of a Kubernetes type is said once more by the type itself.
        if path not in told:
            told.add(path)
            yield _place(documents, path, message)


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
                yield (*path, key), _unknown(schema, path, key, known)
        elif error.validator == "required":
            for key in set(error.validator_value) - error.instance.keys():
                yield (*path, key), "null is not a value here; leave it out to get the default"
        elif "propertyNames" in error.absolute_schema_path:
            yield (*path, error.instance), f"the name {explain(error)}"
        else:
            yield path, explain(error)


def _values_at(values: Any, path: tuple[str, ...], here: Key = ()) -> Iterator[tuple[Key, Any]]:
    """What is at `path`, with the path itself; `*` stands for every key."""
    if not path:
        yield here, values
    elif isinstance(values, dict):
        for key in values if path[0] == "*" else [path[0]]:
            if values.get(key) is not None:
                yield from _values_at(values[key], path[1:], (*here, key))


def _place(documents: list[Document], path: Key, message: str, *, instead: Key = ()) -> Problem:
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


def _unknown(schema: Node, path: Key, key: str, known: Mapping[str, Any]) -> str:
    if near := nearest(key, known):
        return f"unknown key; did you mean {dotted((*path, near))}?"
    # The right key in the wrong place.
    elsewhere = [leaf.name for leaf in leaves(schema) if leaf.path[-1] == key]
    if len(elsewhere) == 1:
        return f"unknown key; did you mean {elsewhere[0]}?"
    here = dotted(path) or "the top level"
    return f"unknown key; {here} has {', '.join(known)}"
