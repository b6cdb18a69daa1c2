"""Equal changes of several clusters, told once, with the clusters that have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from generator.comparison import report
from generator.comparison.report import Entry
from generator.comparison.risks import Risk

Differences = tuple[Sequence[Risk], Sequence[Entry]]
"""What differs in one cluster."""

_NAMED = 5  # clusters


@dataclass(frozen=True)
class Group:
    """Clusters, and what differs in each of them and in no other."""

    clusters: tuple[str, ...]
    risks: tuple[Risk, ...]
    entries: tuple[Entry, ...]


def grouped(found: Mapping[str, Differences]) -> list[Group]:
    """What differs, by the clusters in which it does; most clusters first."""
    having: dict[str, tuple[Risk | Entry, list[str]]] = {}
    for name, (risks, entries) in found.items():
        both: tuple[Risk | Entry, ...] = (*risks, *entries)
        for each in both:
            having.setdefault(repr(each), (each, []))[1].append(name)
    groups: dict[tuple[str, ...], list[Risk | Entry]] = {}
    for each, names in having.values():
        groups.setdefault(tuple(dict.fromkeys(names)), []).append(each)
    ordered = sorted(groups, key=lambda names: (-len(names), names))
    return [
        Group(
            names,
            tuple(each for each in groups[names] if isinstance(each, Risk)),
            tuple(each for each in groups[names] if isinstance(each, Entry)),
        )
        for names in ordered
    ]


def called(clusters: Sequence[str]) -> str:
    """How many clusters, and the names of the first."""
    if len(clusters) == 1:
        return f"cluster {clusters[0]}"
    more = ", …" if len(clusters) > _NAMED else ""
    return f"{len(clusters)} clusters: {', '.join(clusters[:_NAMED])}{more}"


def as_text(groups: Sequence[Group]) -> Iterator[str]:
    """The groups for a terminal, line by line."""
    for group in groups:
        yield called(group.clusters)
        for risk in group.risks:
            yield f"! {risk.risk}: {risk.where}: {risk.reason}"
        for line in report.changes(group.entries):
            yield f"  {line}"
