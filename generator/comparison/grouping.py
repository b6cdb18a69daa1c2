"""Several clusters compared: equal changes are told once, with the clusters that have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.comparison import report
from generator.comparison.change import between
from generator.comparison.report import Entry
from generator.comparison.risks import Risk, risks
from generator.comparison.sides import clusters_in, read_side
from generator.release import Release
from generator.yaml.fields import Field

Differences = tuple[Sequence[Risk], Sequence[Entry]]
"""What differs in one cluster."""

_NAMED = 5  # clusters
_CHECKSUM = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Group:
    """Clusters, and what differs in each of them and in no other."""

    clusters: tuple[str, ...]
    risks: tuple[Risk, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Comparison:
    """Two folders of clusters: the names that are in one of them only, and what differs."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    groups: tuple[Group, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.groups)

    @property
    def summary(self) -> str:
        """In a line: how many clusters differ, and how many risks there are."""
        if not self:
            return "no cluster differs"
        changed = {name for group in self.groups for name in group.clusters}
        counts = (
            (len(self.added), "added"),
            (len(self.removed), "removed"),
            (len(changed), "changed"),
        )
        parts = [f"{count} {word}" for count, word in counts if count]
        found = sum(len(group.risks) * len(group.clusters) for group in self.groups)
        return f"clusters: {', '.join(parts)}; risks: {found}"


def compared(old: str, new: str, release: Release) -> Comparison:
    """Two folders of clusters, cluster by cluster. Raises what `read_side` and `between` raise."""
    before, after = clusters_in(old), clusters_in(new)
    found: dict[str, Differences] = {}
    for name in sorted(set(before) & set(after)):
        first, second = (read_side(str(Path(side) / name), (), release) for side in (old, new))
        change = between(first, second, release.namespace)
        found[name] = risks(change), report.entries(change)
    return Comparison(
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
        tuple(grouped(found)),
    )


def grouped(found: Mapping[str, Differences]) -> list[Group]:
    """What differs, by the clusters in which it does; most clusters first."""
    having: dict[str, tuple[Risk | Entry, list[str]]] = {}
    for name, (risky, entries) in found.items():
        parts = (part for entry in entries for part in _parts(entry))
        both: tuple[Risk | Entry, ...] = (*risky, *parts)
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
            _whole_again(each for each in groups[names] if isinstance(each, Entry)),
        )
        for names in ordered
    ]


def _parts(entry: Entry) -> Iterator[Entry]:
    """A change, field by field: clusters may have one field alike, and not another."""
    if not entry.fields:
        yield entry
    for number, field in enumerate(entry.fields):
        values = (_named(field.old, "(a checksum)"), _named(field.new, "(another)"))
        note = "" if number else entry.note
        yield Entry(entry.sign, entry.label, (Field(field.path, *values),), note)


def _named(value: Any, word: str) -> Any:
    """A value, but for a checksum, which is another in every cluster and tells nobody anything."""
    return word if isinstance(value, str) and _CHECKSUM.fullmatch(value) else value


def _whole_again(parts: Iterable[Entry]) -> tuple[Entry, ...]:
    """The changes of the same object as one."""
    found: dict[tuple[str, str], Entry] = {}
    for part in parts:
        first = found.setdefault((part.sign, part.label), part)
        if first is not part:
            fields, note = (*first.fields, *part.fields), first.note or part.note
            found[part.sign, part.label] = Entry(part.sign, part.label, fields, note)
    return tuple(found.values())


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
            yield f"  ! {risk.risk}: {risk.where}: {risk.reason}"
        for line in report.changes(group.entries):
            yield f"  {line}"


def report_text(found: Comparison) -> Iterator[str]:
    """The comparison for a terminal, line by line."""
    yield from (f"{sign} cluster {name}" for sign, name in _whole(found))
    yield from as_text(found.groups)
    yield found.summary


def report_markdown(found: Comparison) -> str:
    """The comparison for a pull request, with what is cut counted."""
    table = [
        report.row(risk.risk, called(group.clusters), f"`{risk.where}`", risk.reason)
        for group in found.groups
        for risk in group.risks
    ]
    body = [f"{sign} cluster {name}" for sign, name in _whole(found)]
    for group in found.groups:
        if group.entries:
            body += [f"@@ {called(group.clusters)} @@", *report.changes(group.entries)]
    return report.markdown(found.summary, ("risk", "clusters", "object", "why"), table, body)


def report_json(found: Comparison) -> str:
    """The comparison for a program."""
    groups = [
        {"clusters": list(group.clusters), **report.as_data(group.risks, group.entries)}
        for group in found.groups
    ]
    data = {"added": list(found.added), "removed": list(found.removed), "groups": groups}
    return json.dumps(data, indent=2)


def _whole(found: Comparison) -> Iterator[tuple[str, str]]:
    """The clusters that are in one of the folders only, with the sign of that."""
    yield from (("-", name) for name in found.removed)
    yield from (("+", name) for name in found.added)
