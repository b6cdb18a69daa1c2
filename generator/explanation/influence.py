"""Which values change a field of an object: what law 3 measured, read the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.chart.reads import reads
from generator.explanation import effects
from generator.values.load import Values
from generator.values.schema import ValuePath, find, is_tree, values_schema
from generator.yaml.data import JsonObject
from generator.yaml.fields import ABSENT, same
from generator.yaml.path import Key, value_at

Steps = tuple[str, ...]
_STEP = re.compile(r"""\["([^"]*)"\]|\['([^']*)'\]|\[([^]"']*)\]|\.?([^.\[\]]+)""")


def steps(path: str) -> Steps | None:
    """`a.b[0]["c.d"]` or `a.b[name]` as steps; None for what is no path."""
    found = list(_STEP.finditer(path))
    if "".join(match[0] for match in found) != path:
        return None
    return tuple("".join(part or "" for part in match.groups()) for match in found)


def first_steps(path: str, count: int) -> str:
    """The beginning of a path, as people write it."""
    return "".join(step[0] for step in list(_STEP.finditer(path))[:count])


@dataclass(frozen=True)
class Field:
    """A field that holds no others: how people write it, its key, its value, and the template's
    statement that printed it ("" for none).
    """

    path: str
    key: Key
    value: Any
    statement: str

    @property
    def steps(self) -> Steps:
        """Its path as steps; items of lists by their names, where they have one."""
        return steps(self.path) or ()

    def is_below(self, path: Steps) -> bool:
        """Whether a path leads to it or to what it is in; an item may be named or counted."""
        own = zip(self.steps, self.key, strict=True)
        return len(path) <= len(self.key) and all(
            step in (name, str(key)) for step, (name, key) in zip(path, own, strict=False)
        )


@dataclass(frozen=True)
class Influence:
    """The values that change an object: by which it comes or goes, and those of each field."""

    presence: tuple[Key, ...]
    measured: tuple[tuple[Key, Steps], ...]

    def of(self, field: Field, values: Values) -> list[Key]:
        """The values that change a field; those that its template reads by name first."""
        direct = list(_direct(field.statement))
        found: dict[Key, None] = dict.fromkeys(direct)
        for value, effect in self.measured:
            if inside := _inside(value, effect, field, values):
                found[inside] = None
            elif value not in found and _changes(value, effect, field, direct, values):
                found[value] = None
        whole = {key[: len(value)] for key in found for value in found if len(key) > len(value)}
        return [key for key in found if key not in whole]


def influence(data: JsonObject, values: Values, extra: Sequence[str] = ()) -> Influence:
    """What changes an object with these values; `extra` are keys of extraObjects that are it."""
    if extra:
        own = [("extraObjects", key) for key in extra]
        return Influence(tuple(own), tuple((key, ()) for key in own))
    labels = dict(_labels(data["kind"], data["metadata"]["name"], values))
    presence: dict[Key, None] = dict.fromkeys(_declaring(labels, values))
    measured: dict[tuple[Key, Steps], None] = {}
    for leaf, things in effects.measured().items():
        for label in labels.keys() & things.keys():
            key = _key(leaf, labels[label], values)
            if key and not things[label]:
                presence[key] = None
            for path in things[label] if key else ():
                measured[key, steps(path) or ()] = None
    return Influence(tuple(presence), tuple(measured))


def known_objects() -> list[str]:
    """The objects that the charts render with some values or other."""
    return sorted({label for things in effects.measured().values() for label in things})


def _labels(kind: str, name: str, values: Values) -> Iterator[tuple[str, str]]:
    """What the effects call an object, each with the name of the entry that it is made of."""
    known = known_objects()
    own = effects.label(kind, name)
    found = [(own, "")] if own in known else list(_entries(kind, name, values, known))
    yield from found or _renamed(kind, name, values)


def _entries(
    kind: str, name: str, values: Values, known: Sequence[str]
) -> Iterator[tuple[str, str]]:
    pattern = effects.NAME
    for label in known:
        if label.startswith(f"{kind}/{pattern}"):
            suffix = label.removeprefix(f"{kind}/{pattern}")
            entry = name.removesuffix(suffix)
            if name.endswith(suffix) and any(entry in values.whole[key] for key in effects.NAMED):
                yield label, entry


def _declaring(labels: Mapping[str, str], values: Values) -> Iterator[Key]:
    """The entries that an object is made of."""
    for section in effects.NAMED:
        leaves = [
            things for leaf, things in effects.measured().items() if leaf.startswith(f"{section}.*")
        ]
        for label, entry in labels.items():
            if entry in values.whole[section] and any(label in things for things in leaves):
                yield section, entry


def _renamed(kind: str, name: str, values: Values) -> Iterator[tuple[str, str]]:
    """The names that an object has with other words for the value that names it."""
    for leaf, things in effects.measured().items():
        labels = [label for label, fields in things.items() if not fields]
        of_kind = [label for label in labels if label.startswith(f"{kind}/")]
        if of_kind and any(_begins(name, said) for said in _said(leaf, values)):
            yield from ((label, "") for label in of_kind)


def _begins(name: str, said: Any) -> bool:
    return isinstance(said, str) and bool(said) and f"{name}-".startswith(f"{said}-")


def _said(leaf: str, values: Values) -> Iterator[Any]:
    """The value of a leaf, or that of each entry."""
    head, star, rest = leaf.partition(".*.")
    entries = values.whole.get(head, {}) if star else [None]
    for entry in entries:
        path = (head, entry, *rest.split(".")) if star else tuple(leaf.split("."))
        value: Any = values.whole
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        yield value


def _key(leaf: str, entry: str, values: Values) -> Key:
    """The path of a leaf with these values; () if the entry is no such one."""
    path = tuple(leaf.split("."))
    if "*" not in path or not entry:
        return tuple(effects.NAME if step == "*" else step for step in path)
    if entry not in values.whole[path[0]]:
        return ()
    return tuple(entry if index == 1 else step for index, step in enumerate(path))


def _direct(statement: str) -> Iterator[ValuePath]:
    """The values that a statement of a template reads by their names; no branches."""
    for path in sorted(reads(statement)):
        node = find(values_schema(), path)
        if node is not None and "properties" not in node and "x-entries" not in node:
            yield path


def _changes(
    value: Key, effect: Steps, field: Field, direct: Sequence[Key], values: Values
) -> bool:
    """Whether what was measured of a value is about this field."""
    if not _leads_to(value, effect, field, named_otherwise=not direct):
        return False
    listed = len(effect) == len(field.key) and isinstance(field.key[-1], int)
    if _is_tree(value) and (listed or 0 < len(effect) < len(field.key)):
        # What a tree adds is there with the value that it has in the tree.
        own = _value(values, value)
        return listed and isinstance(own, list) and field.value in own
    # A text of a list may stand elsewhere than where it was measured.
    return not listed or (effect[-1] == field.steps[-1] and not direct and "{{" in field.statement)


def _leads_to(value: Key, effect: Steps, field: Field, *, named_otherwise: bool) -> bool:
    """Whether a measured path leads to a field, to what it is in, or to what is in it.

    An item may have another name than where it was measured, if the template reads that value.
    """
    mentioned = re.search(rf"\.{re.escape(str(value[-1]))}\b", field.statement)
    return all(
        _alike(step, own) or bool(isinstance(key, int) and named_otherwise and mentioned)
        for step, own, key in zip(effect, field.steps, field.key, strict=False)
    )


def _alike(effect: str, own: str) -> bool:
    return effect in ("", own, effects.NAME) or (effect.isdecimal() and own.isdecimal())


def _inside(value: Key, effect: Steps, field: Field, values: Values) -> Key:
    """The path below a value at which these values say this very field; () if they do not."""
    if not _is_tree(value):
        return ()
    alike = [_alike(*both) for both in zip(effect, field.steps, strict=False)]
    for start in range(len(field.key)):
        # The tree begins at what was measured, or above.
        if start > len(effect) or not all(alike[:start]):
            break
        for tail in (field.key[start:], field.steps[start:], field.steps[start:-1]):
            path = (*value, *tail)
            if tail and same(_value(values, path), field.value):
                return path
    return ()


def _value(values: Values, path: Key) -> Any:
    try:
        return value_at(values.whole, path)
    except (LookupError, TypeError):
        return ABSENT


def _is_tree(value: Key) -> bool:
    """Whether the values API does not name what is below a value; so in extraObjects, too."""
    return is_tree(find(values_schema(), tuple(map(str, value))) or {})
