"""What a run over a fleet did: clusters counted, and equal changes told once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from generator.comparison import grouping, report
from generator.comparison.report import Entry
from generator.errors import Problem
from generator.fleet.work import Outcome
from generator.yaml.data import JsonObject


@dataclass
class Summary:
    """The names of clusters by what became of them; `problems` are all that is wrong, each once.

    With `checks` it is only asked what differs: a folder that a run would be refused to write to
    does, and has not failed.
    """

    checks: bool = False
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    entries: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """What to tell of single clusters: the name, and the note."""

    def add(self, outcome: Outcome) -> None:
        """Take in what became of a cluster."""
        self.notes += ((outcome.name, note) for note in outcome.changes.notes)
        if outcome.problems and not (self.checks and outcome.changes):
            self.fail(outcome.name, outcome.problems)
            return
        if outcome.entries:
            self.entries[outcome.name] = outcome.entries
        self.problems |= dict.fromkeys(outcome.problems)
        if outcome.changes:
            (self.new if outcome.is_new else self.changed).append(outcome.name)
        else:
            self.current.append(outcome.name)

    def remove(self, name: str, refusals: Sequence[Problem]) -> None:
        """Take in that a folder is removed, or what that would be refused for."""
        if refusals and not self.checks:
            self.fail(name, refusals)
            return
        self.problems |= dict.fromkeys(refusals)
        self.removed.append(name)

    def fail(self, name: str, problems: Sequence[Problem]) -> None:
        """Take in why nothing became of a cluster."""
        self.failed.append(name)
        self.problems |= dict.fromkeys(problems)

    def __bool__(self) -> bool:
        """Whether any folder differs from what it was."""
        return bool(self.new or self.changed or self.removed)

    @property
    def groups(self) -> list[grouping.Group]:
        """The changes, by the clusters that have them."""
        found = {name: ((), self.entries[name]) for name in sorted(self.entries)}
        return grouping.grouped(found)

    def lines(self) -> Iterator[str]:
        """The changes, line by line."""
        for word, names in (("new", self.new), ("removed", self.removed)):
            if names:
                yield f"{word}: {grouping.called(sorted(names))}"
        yield from grouping.as_text(self.groups)

    @property
    def line(self) -> str:
        """How many clusters there are, and what became of them."""
        parts = (
            (len(names), word)
            for word, names in self._by_word().items()
            if names and word != "removed"
        )
        words = ", ".join(f"{count} {word}" for count, word in parts)
        count = sum(map(len, (self.new, self.changed, self.current, self.failed)))
        gone = f"; {len(self.removed)} removed" if self.removed else ""
        return f"{count} {'cluster' if count == 1 else 'clusters'}: {words}{gone}"

    def _by_word(self) -> dict[str, list[str]]:
        names = ("new", "changed", "current", "failed", "removed")
        return {name: sorted(getattr(self, name)) for name in names}

    def as_json(self) -> JsonObject:
        """The same for a program: names by what became of them, and the changes in groups."""
        changes = [
            {
                "clusters": list(group.clusters),
                "objects": report.as_data((), group.entries)["changes"],
            }
            for group in self.groups
        ]
        return self._by_word() | {"changes": changes}
