"""Which objects two sides do not have alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generator.comparison.reading import objects
from generator.comparison.sides import Side
from generator.manifests.rendering import namespace
from generator.values.identity import Identity, called
from generator.yaml.fields import same


@dataclass(frozen=True)
class Pair:
    """An object on both sides; None where it is on one of them only."""

    identity: Identity
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.identity[1]

    @property
    def name(self) -> str:
        """Its name."""
        return self.identity[3]

    @property
    def label(self) -> str:
        """What people call it: `Deployment/manager`, with `-n NAMESPACE` where it is in one."""
        metadata = (self.new or self.old or {})["metadata"]
        return called(self.kind, self.name, metadata.get("namespace") or "")


def home_and_name(data: dict[str, Any] | None) -> tuple[str, str]:
    """The namespace of an object, empty for none, and its name."""
    metadata = (data or {})["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


@dataclass(frozen=True)
class Change:
    """The objects that differ, sorted by kind and name, and the sides that they are on."""

    pairs: tuple[Pair, ...]
    old: Side
    new: Side

    @property
    def both(self) -> Iterator[tuple[Pair, dict[str, Any], dict[str, Any]]]:
        """The objects that are on both sides, with both their states."""
        for pair in self.pairs:
            if pair.old is not None and pair.new is not None:
                yield pair, pair.old, pair.new


Found = Iterator[tuple[Pair, str, str]]
"""What a rule finds: the object, a field of it (or nothing), and the reason."""


def between(old: Side, new: Side, home: str) -> Change:
    """The objects that differ; `home` is the namespace of those that name none.

    What is the same text on both sides is not even parsed. Raises ValuesError with every document
    that cannot be read.
    """
    before, after = (Counter(each.text for each in side.texts) for side in (old, new))
    first = objects(old, home, alike=before & after)
    second = objects(new, home, alike=before & after)
    pairs = (
        Pair(identity, first.get(identity), second.get(identity))
        for identity in sorted(first.keys() | second.keys(), key=lambda each: each[1:])
    )
    differing = (pair for pair in pairs if not same(pair.old, pair.new))
    return Change(tuple(each for each in differing if not _is_beside(each, old, new)), old, new)


def _is_beside(pair: Pair, old: Side, new: Side) -> bool:
    """Whether an object is the Namespace of a release, which is in no chart: Helm makes it."""
    missing = (old if pair.old is None else new).is_charts
    return missing and namespace(pair.name) in (pair.old, pair.new)
