"""What the effects call an object, and which of the given values the effects are of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generator.explanation import effects
from generator.values.load import Values
from generator.yaml.path import Key

_SECTIONS = (*effects.NAMED, effects.TENANTS)


@dataclass(frozen=True)
class Thing:
    """An object that these values render, by its kind, name and namespace."""

    kind: str
    name: str
    namespace: str
    values: Values

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """What the effects call it, each with the name of the entry that it is made of, or ""."""
        known = known_objects()
        own = effects.label(self.kind, self.name)
        found = {own: ""} if own in known else dict(self._entries(known))
        return found or dict(self._renamed())

    def declaring(self) -> Iterator[Key]:
        """The entries that it is made of."""
        for section in _SECTIONS:
            leaves = [
                things
                for leaf, things in effects.measured().items()
                if leaf.startswith(f"{section}.*")
            ]
            for label, entry in self.labels.items():
                at_home = section == effects.TENANTS and not entry
                own = self.namespace if at_home else entry
                if own in self._whole(section) and any(label in things for things in leaves):
                    yield section, own

    def keys(self, leaf: str, label: str) -> Iterator[Key]:
        """The paths of a leaf that may be meant of the object; none if its entry is no such one."""
        path = tuple(leaf.split("."))
        entry = self.labels[label]
        if "*" in path and path[0] == effects.TENANTS and entry not in self._whole(path[0]):
            # Of the tenant whose namespace the object is in.
            entry = self.namespace if self.namespace in self._whole(path[0]) else entry
        if "*" not in path or not entry:
            yield tuple(effects.NAME if step == "*" else step for step in path)
        elif entry in self._whole(path[0]):
            yield from self._places((path[0], entry), path[2:])

    def _places(self, start: Key, rest: Sequence[str]) -> Iterator[Key]:
        """The rest of a path, with the names of the entries that an entry has itself."""
        if "*" not in rest:
            yield (*start, *rest)
            return
        star = rest.index("*")
        above = (*start, *rest[:star])
        for name in _at(self.values.whole, above) or {}:
            yield from self._places((*above, name), rest[star + 1 :])

    def _entries(self, known: Sequence[str]) -> Iterator[tuple[str, str]]:
        names = {name for section in _SECTIONS for name in self._whole(section)}
        for label in known:
            kind, _, pattern = label.partition("/")
            if kind == self.kind and effects.NAME in pattern:
                for entry in names:
                    if entry in self.name and self._is(pattern, entry):
                        yield label, entry

    def _is(self, pattern: str, entry: str) -> bool:
        """Whether its name is that of an entry's object; of a version, the names are known, too."""
        first, *more = re.escape(pattern).split(effects.NAME)
        versions = _at(self.values.whole, ("models", entry, "canary")) or {}
        names = [
            re.escape(entry),
            *("|".join(map(re.escape, versions)) or "(?!)" for _ in more[1:]),
        ]
        rest = "".join(f"(?:{name}){text}" for name, text in zip(names, more, strict=True))
        return bool(re.fullmatch(f"{first}{rest}", self.name))

    def _renamed(self) -> Iterator[tuple[str, str]]:
        """The names that it has with other words for the value that names it."""
        for leaf, things in effects.measured().items():
            labels = [label for label, fields in things.items() if effects.is_whole(fields)]
            of_kind = [label for label in labels if label.startswith(f"{self.kind}/")]
            for entry, said in self._said(leaf) if of_kind else ():
                if _begins(self.name, said):
                    yield from ((label, entry) for label in of_kind)

    def _said(self, leaf: str) -> Iterator[tuple[str, Any]]:
        """The value of a leaf, or that of each entry, by its name."""
        head, star, rest = leaf.partition(".*.")
        for entry in self.values.whole.get(head, {}) if star else [""]:
            path = (head, entry, *rest.split(".")) if star else tuple(leaf.split("."))
            yield entry, _at(self.values.whole, path)

    def _whole(self, section: str) -> Mapping[str, Any]:
        entries: Mapping[str, Any] = self.values.whole[section]
        return entries


def known_objects() -> list[str]:
    """The objects that the charts render with some values or other."""
    return sorted({label for things in effects.measured().values() for label in things})


def _begins(name: str, said: Any) -> bool:
    return isinstance(said, str) and bool(said) and f"{name}-".startswith(f"{said}-")


def _at(values: Any, path: Key) -> Any:
    for step in path:
        values = values.get(step) if isinstance(values, dict) else None
    return values
