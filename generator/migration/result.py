"""A values file of kserve-lite, made of the settings of an install of upstream's KServe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from generator.errors import Problem
from generator.importer.commented import dump_commented
from generator.migration.conversion import NotConvertible, convert
from generator.migration.decision import decide
from generator.migration.rules import Rule
from generator.migration.state import EMPTY, Carried, Finding, Lost, Noted, State
from generator.values.check import check
from generator.values.load import Values
from generator.values.schema import defaults, values_schema
from generator.yaml.data import JsonObject
from generator.yaml.path import Key, key_of, value_at

_HEAD = (
    "Values for kserve-lite, made by `migrate` of an install of upstream's KServe. A comment is",
    "wherever a setting was not carried one to one.",
    "",
    "The webhooks' certificate comes from a Job of kserve-lite now, without cert-manager. To stay",
    "with that, set webhook.certificate.mode to certManager.",
)


@dataclass
class Result:
    """Values of ours, the comments on them, and the settings that were not carried."""

    values: JsonObject = field(default_factory=dict)
    comments: dict[Key, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    lost: list[Problem] = field(default_factory=list)

    def __str__(self) -> str:
        """The values file: comments first, then the values, sorted as the values API is."""
        head = [*_HEAD, *(["", *self.remarks] if self.remarks else [])]
        return dump_commented(_sorted(self.values), head=head, comments=self.comments)


def migrate(state: State) -> Result:
    """What becomes of all settings; the values pass the check of the values API."""
    findings = list(_findings(state))
    carried = [each for each in findings if isinstance(each, Carried)]
    lost = [each for each in findings if isinstance(each, Lost)]
    while refused := list(_refused(carried)):
        for each, reason in refused:
            if each in carried:
                carried.remove(each)
                lost.append(Lost(each.origin, f"{each.to} takes no such value: {reason}"))
    result = Result()
    for each in carried:
        _put(result.values, key_of(each.to), each.value)
        if each.why:
            result.comments.setdefault(key_of(each.to), []).append(_sentence(each.why))
    result.lost = sorted(_losses(lost, state))
    result.remarks = [
        *(f"{each.origin}: {each.why}." for each in findings if isinstance(each, Noted)),
        *(f"Not carried: {_without_file(problem)}" for problem in result.lost),
    ]
    return result


def _sentence(text: str) -> str:
    """A comment, with a capital unless it begins with a name that has none."""
    first = text if text.startswith("kserve-lite") else f"{text[0].upper()}{text[1:]}"
    return f"{first}."


def _without_file(problem: Problem) -> str:
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return text if text.endswith("?") else f"{text}."


def _findings(state: State) -> Iterator[Finding]:
    decisions = dict.fromkeys(rule.decided for rule in state.rules.values() if rule.decided)
    for decision in decisions:
        yield from decide(decision, state)
    ours = defaults(values_schema())
    for rule in state.rules.values():
        if rule.decided:
            continue
        if rule.lost or rule.same:
            if state.is_changed(rule.path):
                yield Lost(rule.path, rule.lost) if rule.lost else Noted(rule.path, rule.same)
        elif (found := _one(rule, state, ours)) is not None:
            yield found


def _one(rule: Rule, state: State, ours: JsonObject) -> Finding | None:
    """What becomes of a setting that stands alone; None where ours is the same by default."""
    if rule.default in EMPTY and not state.is_changed(rule.path):
        return None
    try:
        value = convert(rule.how, state.value(rule.path), rule.default)
    except NotConvertible as error:
        return Lost(rule.path, str(error))
    default = _default(ours, key_of(rule.to))
    if value is None or value == default:
        return None
    if state.is_changed(rule.path):
        why = "kserve-lite has no value for it" if rule.to.startswith("configOverrides.") else ""
        return Carried(rule.to, value, rule.path, why)
    return Carried(rule.to, value, rule.path, f"upstream's default; kserve-lite's is {default}")


def _default(ours: JsonObject, path: Key) -> Any:
    try:
        return value_at(ours, path)
    except (LookupError, TypeError):
        return None


def _refused(carried: Sequence[Carried]) -> Iterator[tuple[Carried, str]]:
    """What the values API refuses of what was carried, and its words for it."""
    values: JsonObject = {}
    for each in carried:
        _put(values, key_of(each.to), each.value)
    for problem in check(Values.made(values)):
        path = key_of(problem.path)
        for each in carried:
            own = key_of(each.to)
            if own == path[: len(own)] or path == own[: len(path)]:
                yield each, problem.message


def _losses(lost: Sequence[Lost], state: State) -> Iterator[Problem]:
    for each in lost:
        spot = state.spots.get(each.origin)
        yield spot.problem(each.reason) if spot else Problem("", 0, 0, each.origin, each.reason)
    for spot, reason in state.unknown:
        yield spot.problem(reason)


def _put(values: JsonObject, path: Key, value: Any) -> None:
    *steps, last = map(str, path)
    for step in steps:
        values = values.setdefault(step, {})
    own = values.get(last)
    values[last] = {**own, **value} if isinstance(own, dict) and isinstance(value, dict) else value


def _sorted(values: JsonObject) -> JsonObject:
    """The values in the order of the values API."""
    ordered: JsonObject = _ordered(values, values_schema())
    return ordered


def _ordered(values: Any, node: JsonObject) -> Any:
    known = node.get("properties")
    if not known or not isinstance(values, dict):
        return values
    keys = [*(key for key in known if key in values), *(key for key in values if key not in known)]
    return {key: _ordered(values[key], known.get(key, {})) for key in keys}
