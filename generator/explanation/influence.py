"""Which values change a field of an object: what law 3 measured, read the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from generator.chart.reads import reads
from generator.explanation import effects
from generator.explanation.labels import Thing
from generator.values.load import Values
from generator.values.schema import ValuePath, find, is_tree, values_schema
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


def influence(thing: Thing, extra: Sequence[str] = ()) -> Influence:
    """What changes an object; `extra` are keys of extraObjects that are it."""
    if extra:
        own = [("extraObjects", key) for key in extra]
        return Influence(tuple(own), tuple((key, ()) for key in own))
    presence: dict[Key, None] = dict.fromkeys(thing.declaring())
    measured: dict[tuple[Key, Steps], None] = {}
    for leaf, things in effects.measured().items():
        for label in thing.labels.keys() & things.keys():
            for key in thing.keys(leaf, label):
                if effects.is_whole(things[label]):
                    presence[key] = None
                for path in filter(None, things[label]):
                    measured[key, steps(path) or ()] = None
    return Influence(tuple(presence), tuple(measured))


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
        own = _value(values, value)
        if own is ABSENT and _takes_the_place(value, effect):
            return True
        # What a tree adds is there with the value that it has in the tree.
        return listed and isinstance(own, list) and field.value in own
    # A text of a list may stand elsewhere than where it was measured.
    return not listed or (effect[-1] == field.steps[-1] and not direct and "{{" in field.statement)


def _takes_the_place(value: Key, effect: Steps) -> bool:
    """Whether a tree is a field of Kubernetes' as a whole, where the chart has one of its own."""
    node = find(values_schema(), tuple(map(str, value))) or {}
    return "x-kubernetes" in node and effect[-1] == value[-1]


def _leads_to(value: Key, effect: Steps, field: Field, *, named_otherwise: bool) -> bool:
    """Whether a measured path leads to a field, to what it is in, or to what is in it.

    An item may have another name than where it was measured, if the template reads that value, or
    have had none there.
    """
    mentioned = re.search(rf"\.{re.escape(str(value[-1]))}\b", field.statement)
    return all(
        _alike(step, own)
        or (isinstance(key, int) and (step.isdecimal() or bool(named_otherwise and mentioned)))
        for step, own, key in zip(effect, field.steps, field.key, strict=False)
    )


def _alike(effect: str, own: str) -> bool:
    """Whether two steps may be the same; a name among the measured is any name."""
    if effect in ("", own) or (effect.isdecimal() and own.isdecimal()):
        return True
    named = re.escape(effect).replace(effects.NAME, ".+") if effects.NAME in effect else ""
    return bool(named and re.fullmatch(named, own))


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
    node = find(values_schema(), tuple(map(str, value))) or {}
    return is_tree(node) and "properties" not in node and "x-entries" not in node
