"""Checks values: `read` reads them, and reports everything that is wrong.

They are checked against the values API, the Kubernetes types in it, and what must hold
between values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from generator.catalog import catalog
from generator.errors import Problem, ValuesError
from generator.values.formats import compiled, text_pattern
from generator.values.helmschema import helm_schema
from generator.values.identity import check_objects
from generator.values.kubernetes import check_fields
from generator.values.load import Values
from generator.values.messages import explain, misspelt_formats, nearest
from generator.values.schema import Leaf, find, leaves, values_schema
from generator.values.validator import Refusal, Validator
from generator.yaml.data import JsonObject
from generator.yaml.path import Key, dotted, value_at


def read(names: Iterable[Path | str]) -> Values:
    """The values of files, pipes or `-`, later ones merged over earlier ones, all checked.

    Raises ValuesError with every problem of every one.
    """
    values = Values.parsed(names)
    refuse(values)
    return values


def refuse(values: Values) -> None:
    """Raise ValuesError with everything that is wrong with the values, if anything is."""
    if values.documents and (problems := list(check(values))):
        raise ValuesError(problems)


def check(values: Values) -> Iterator[Problem]:
    """What is wrong with the values, each problem placed in the last document that says it."""
    schema, whole = values_schema(), values.whole
    found = list(_refused(schema, whole))
    # What Helm's schema says of a Kubernetes type is said once more by the type itself.
    reported = {path for path, _ in found}
    more = [
        *_fields(values.merged, whole),
        *check_objects(values.at("extraObjects")),
        *_unreadable(values.merged),
    ]
    found += ((path, message) for path, message in more if path not in reported)
    # Only what has the right types can be looked through for more.
    for path, message in dict.fromkeys(found or _misspelt(whole)):
        yield values.problem(path, message)


def _fields(values: JsonObject, whole: JsonObject) -> Iterator[tuple[Key, str]]:
    """What is wrong in the sub-trees of Kubernetes types that are among `values`."""
    for leaf in _of_kubernetes():
        kind = leaf.schema["x-kubernetes"]
        custom = "x-custom" in leaf.schema
        for here, _ in _values_at(values, leaf.path):
            # With the defaults: a request of the user's may be more than the limit of ours.
            for path, message in check_fields(kind, value_at(whole, here), custom=custom):
                yield (*here, *path), message


@cache
def _of_kubernetes() -> tuple[Leaf, ...]:
    """The leaves whose values are of a type of Kubernetes."""
    return tuple(leaf for leaf in leaves(values_schema()) if "x-kubernetes" in leaf.schema)


def _unreadable(value: Any, path: Key = ()) -> Iterator[tuple[Key, str]]:
    """The texts in `value`, and the keys, that not every reader of YAML takes as they are."""
    if isinstance(value, dict):
        for key, child in value.items():
            if sign := _foreign_sign(key):
                yield (*path, key), f"the name holds {sign}"
            yield from _unreadable(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _unreadable(child, (*path, index))
    elif isinstance(value, str) and (sign := _foreign_sign(value)):
        yield path, f"holds {sign}"


def _foreign_sign(text: str) -> str | None:
    """What to say of the first character of a text that the format "text" does not take."""
    is_text = compiled(text_pattern()).search
    if is_text(text):
        return None
    sign = next(sign for sign in text if not is_text(sign))
    return f"U+{ord(sign):04X}, which YAML's parsers read differently or not at all; remove it"


def _misspelt(whole: JsonObject) -> Iterator[tuple[Key, str]]:
    """Formats that no runtime of the catalog or of the values serves, and that are nearly one."""
    known = {
        each.name.lower() for runtime in catalog().runtimes.values() for each in runtime.formats
    }
    for runtime in whole["customRuntimes"].values():
        formats = (runtime["spec"] or {}).get("supportedModelFormats") or []
        known |= {str(each.get("name")).lower() for each in formats if each}
    for name, message in misspelt_formats(whole["models"], known):
        yield ("models", name, "format"), message


@cache
def _validator() -> Validator:
    """Of the schema that Helm has, with the words that tell us more."""
    return Validator(helm_schema(values_schema(), ours=True))


def _refused(schema: JsonObject, whole: JsonObject) -> Iterator[tuple[Key, str]]:
    """What the schema refuses: the path, and what to say of it."""
    for found in _validator().refusals(whole):
        here = (*found.path, found.value) if found.is_name else found.path
        if unnamed := _unnamed(schema, here, value_at(whole, here)):
            yield here, unnamed
        else:
            yield from _said(schema, found)


def _said(schema: JsonObject, found: Refusal) -> Iterator[tuple[Key, str]]:
    path, value = found.path, found.value
    if found.is_name:
        yield (*path, value), f"the name {explain(found)}"
    elif found.keyword == "additionalProperties":
        known = found.schema.get("properties", {})
        for key in value.keys() - known.keys():
            gone = _removed(schema, path, key)
            yield (*path, key), gone or _unknown(schema, path, key, known)
    elif found.keyword == "required":
        for key in set(found.wanted) - value.keys():
            yield (*path, key), _null(found.schema.get("properties", {}).get(key, {}))
    elif found.keyword == "type" and value is None:
        yield path, _NO_ENTRY if _is_entry(schema, path) else _null(found.schema)
    elif found.keyword == "enum" and (gone := _removed(schema, path, value)):
        yield path, gone
    else:
        yield path, explain(found)


_NO_ENTRY = (
    "has nothing below it, and null takes no entry out that an earlier file has; "
    "give it keys, or leave it out of all files"
)


def _is_entry(schema: JsonObject, path: Key) -> bool:
    """Whether the value at `path` is an entry of a map that users name, such as a model."""
    parent = find(schema, tuple(map(str, path[:-1]))) or {}
    return "x-entries" in parent or parent.get("x-kubernetes", "").startswith("map[")


def _unnamed(schema: JsonObject, path: Key, value: Any) -> str | None:
    """What to say of a refused value if that is one of an entry that has no name above it."""
    if value is None or isinstance(value, dict) or not path or not _is_entry(schema, path):
        return None
    *above, key = map(str, path)
    entry = (find(schema, tuple(above)) or {}).get("additionalProperties", {})
    if key not in entry.get("properties", {}):
        return None
    return f"a name is missing above it; write {dotted((*above, 'my-name', key))}"


def _null(schema: JsonObject) -> str:
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


def _removed(schema: JsonObject, path: Key, word: Any) -> str | None:
    """What to say of a key below `path`, or of a value there, that the values API had once."""
    node = find(schema, tuple(map(str, path))) or {}
    why = node.get("x-removed", {}).get(word) if isinstance(word, str) else None
    return f"{word} is not a value any more: {why}" if why else None


def _unknown(schema: JsonObject, path: Key, key: str, known: Mapping[str, Any]) -> str:
    node = find(schema, tuple(map(str, path))) or {}
    if elsewhere := node.get("x-elsewhere", {}).get(key):
        return f"unknown key; {elsewhere}"
    within = _entry_of(schema, path)
    # In an entry, what is further down in it is meant rather than a word that is like it.
    words = [_misplaced(schema, within, key), _near(path, key, known)]
    if found := next(filter(None, words if within else reversed(words)), None):
        return f"unknown key; did you mean {found}?"
    here = dotted(path) or "the top level"
    return f"unknown key; {here} has {', '.join(known)}"


def _near(path: Key, key: str, known: Mapping[str, Any]) -> str | None:
    near = nearest(key, known)
    return dotted((*path, near)) if near else None


def _entry_of(schema: JsonObject, path: Key) -> Key:
    """The path of the entry that a path leads into, the innermost; () if it leads into none."""
    entries = (path[:n] for n in range(len(path), 0, -1) if _is_entry(schema, path[:n]))
    return next(entries, ())


def _misplaced(schema: JsonObject, above: Key, key: str) -> str | None:
    """The path below `above` of the only leaf that is called `key`."""
    node = find(schema, tuple(map(str, above))) or {}
    found = [leaf.path for leaf in leaves(node) if leaf.path[-1] == key]
    return dotted((*above, *found[0])) if len(found) == 1 else None
