"""What an install of upstream's KServe is set to: what was given, and upstream's own defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.errors import Problem
from generator.migration.rules import Rule, is_all_in_one
from generator.values.load import merge
from generator.yaml.data import JsonObject
from generator.yaml.document import Document
from generator.yaml.path import Key

EMPTY: tuple[Any, ...] = ("", {}, [], None)
"""What upstream's charts have for nothing; which of them does not matter."""

OF_KSERVE = re.compile(r"v0\.\d+\.\d+|latest")
"""The tags that upstream gives the images of KServe, in its charts and in its manifests."""


@dataclass(frozen=True)
class Spot:
    """Where something was given: a path in a document; `within`, a path in the JSON of a text."""

    document: Document
    key: Key
    within: str = ""

    def problem(self, message: str) -> Problem:
        """A Problem there."""
        about = f"{self.within}: {message}" if self.within else message
        return self.document.problem(self.key, about)


@dataclass
class State:
    """The settings by the paths of their rules.

    `rules` are those of the charts that were named, `given` what was said, `spots` where, `version`
    upstream's, such as 0.19, or "" when nobody said. `config`: its ConfigMap was read.
    """

    version: str = ""
    rules: dict[str, Rule] = field(default_factory=dict)
    given: JsonObject = field(default_factory=dict)
    spots: dict[str, Spot] = field(default_factory=dict)
    unknown: list[tuple[Spot, str]] = field(default_factory=list)
    custom: dict[str, JsonObject] = field(default_factory=dict)
    config: bool = False

    def know(self, rules: Mapping[str, Rule]) -> None:
        """Take the values of a chart into account, those at their default included."""
        self.rules |= {rule.path: rule for rule in rules.values()}

    def give(self, rule: Rule, value: Any, spot: Spot) -> None:
        """Take a value that was said; one that was said before, in another file, is merged."""
        self.rules[rule.path] = rule
        self.given[rule.path] = merge(self.given.get(rule.path), value)
        self.spots[rule.path] = spot

    def is_changed(self, path: str) -> bool:
        """Whether a value was given that is not upstream's default."""
        if path not in self.given:
            return False
        given, default = self.given[path], self.default(path)
        if given in EMPTY and default in EMPTY:
            return False
        if self.rules[path].is_version and self._is_own_version(str(given), str(default)):
            return False
        return bool(given != default)

    def _is_own_version(self, given: str, name: str) -> bool:
        """Whether a tag is the version of upstream's chart, or an image with a name is KServe's."""
        if name:
            given_name, _, tag = given.rpartition(":")
            return given_name == name and OF_KSERVE.fullmatch(tag) is not None
        said = str(self.given.get("kserve.version", f"{self.version}.0"))
        return given.removeprefix("v") == said.removeprefix("v")

    def default(self, path: str) -> Any:
        """Upstream's default of a value; "" for one that is not known."""
        return self.rules[path].default if path in self.rules else ""

    def value(self, path: str) -> Any:
        """What was given, or else upstream's default."""
        return self.given.get(path, self.default(path))

    def is_on(self, path: str) -> bool:
        """Whether a switch is on; `helm --set-string` makes texts of them."""
        return str(self.value(path)).lower() == "true"

    def decided_by(self, decision: str) -> Iterator[Rule]:
        """The rules that leave their values to a decision."""
        return (rule for rule in self.rules.values() if rule.decided == decision)

    @property
    def all_in_one(self) -> bool:
        """Whether one chart had the controller and the runtimes, all of which were on."""
        return is_all_in_one(self.version)


@dataclass(frozen=True)
class Carried:
    """A value of ours, made of the setting at `origin`; `why`, unless that is one to one."""

    to: str
    value: Any
    origin: str
    why: str = ""


@dataclass(frozen=True)
class Lost:
    """A setting that was not carried: why, and after the last semicolon what to do."""

    origin: str
    reason: str


@dataclass(frozen=True)
class Noted:
    """A setting that needs no value of ours, and why."""

    origin: str
    why: str


Finding = Carried | Lost | Noted
