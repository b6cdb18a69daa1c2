"""A user's values: read, checked against the values API, merged as Helm merges them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.errors import Problem, ValuesError
from generator.fields import check_fields
from generator.helmschema import helm_schema
from generator.mistakes import explain, nearest
from generator.schema import Node, defaults, find, leaves, values_schema
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
        problems.append(_place(documents, key, message))
    return ValuesError(problems)


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
    schema = values_schema()
    for path, message in _refused(schema, merge(defaults(schema), values)):
        yield _place(documents, path, message)
    for leaf in leaves(schema):
        if (kind := leaf.schema.get("x-kubernetes")) is None:
            continue
        for here, value in _values_at(values, leaf.path):
            for path, message in check_fields(kind, value):
                yield _place(documents, (*here, *path), message)


def _refused(schema: Node, whole: Node) -> Iterator[tuple[Key, str]]:
    """What the schema refuses: the path, and what to say of it."""
    # Imported here: commands that take no values do not wait for it.
    import jsonschema  # noqa: PLC0415

    for error in jsonschema.Draft7Validator(helm_schema(schema)).iter_errors(whole):
        path: Key = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            for key in error.instance.keys() - known.keys():
                gone = _removed(schema, path, key)
                yield (*path, key), gone or _unknown(schema, path, key, known)
        elif error.validator == "required":
            for key in set(error.validator_value) - error.instance.keys():
                yield (*path, key), "null is not a value here; leave it out to get the default"
        elif error.validator == "enum" and (gone := _removed(schema, path, error.instance)):
            yield path, gone
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


def _place(documents: list[Document], path: Key, message: str) -> Problem:
    for document in reversed(documents):
        if path in document.positions:
            return document.problem(path, message)
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
