"""A diagnosis as people and programs read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from generator.diagnosis.finding import BROKEN, Finding


def as_text(found: Sequence[Finding], unseen: Sequence[str]) -> Iterator[str]:
    """The report for a terminal, line by line: each finding with its remedy, then a summary."""
    for each in found:
        yield f"{each.severity}: {each.finding}: {each.object}: {each.fact}"
        yield f"    {each.remedy}"
    yield summary(found, unseen)


def as_json(found: Sequence[Finding], unseen: Sequence[str]) -> str:
    """The report for a program: an object with `findings`, and `unseen`."""
    findings = [{"severity": each.severity, **asdict(each)} for each in found]
    return json.dumps({"findings": findings, "unseen": list(unseen)}, indent=2)


def summary(found: Sequence[Finding], unseen: Sequence[str]) -> str:
    """In a line: how much is broken, and what was not seen."""
    broken = sum(each.severity == BROKEN for each in found)
    rest = f"; not seen: {len(unseen)}" if unseen else ""
    if not found:
        return ("nothing that was seen is broken" if unseen else "nothing is broken") + rest
    return f"broken: {broken}; warnings: {len(found) - broken}{rest}"
