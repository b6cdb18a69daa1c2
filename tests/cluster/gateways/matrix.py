"""The matrix of what came out: routing mode by case."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MODES = (
    "ingress",
    "gatewayApi",
    "gatewayApi+",
    "gatewayApi on EG",
    "gatewayApi+ on EG",
    "virtualService",
    "none",
)
"""The routing modes; the + is for routes that the models chart writes, and not KServe, and EG for
Envoy Gateway, where the Gateway API's other columns are Istio's."""

CASES = (
    "v1",
    "v2",
    "grpc_v2",
    "transformer",
    "explainer",
    "graph",
    "logger",
    "batcher",
    "timeout",
    "canary",
    "second_domain",
    "path_template",
    "tls",
    "redirect",
    "policies",
)
"""What is tried in each mode."""


@dataclass(frozen=True)
class Outcome:
    """What came out of a cell, in a word or two; where nothing was predicted, `why`."""

    word: str
    why: str = ""


_CELLS: dict[tuple[str, str], Outcome] = {}


def cell(mode: str, case: str) -> Callable[..., None]:
    """A cell, which is FAILED until somebody says what came out of it: `(word, why="")`."""
    assert mode in MODES and case in CASES, f"{mode}, {case}"

    def note(word: str, why: str = "") -> None:
        _CELLS[mode, case] = Outcome(word, why)

    note("FAILED")
    return note


def missing() -> list[tuple[str, str]]:
    """The cells of which nothing was written down."""
    return [(mode, case) for case in CASES for mode in MODES if (mode, case) not in _CELLS]


def lines() -> Iterator[str]:
    """A line a case, a column a mode, and below the reasons; nothing as long as no cell is written."""
    if not _CELLS:
        return
    numbers: dict[str, int] = {}
    yield _line("", *MODES)
    for case in CASES:
        row = (_CELLS.get((mode, case), Outcome("-")) for mode in MODES)
        yield _line(case, *(_cell(outcome, numbers) for outcome in row))
    yield "+: routes written by the models chart; EG: Envoy Gateway; -: not run"
    for why, number in numbers.items():
        yield from textwrap.wrap(f"[{number}] {why}", 100, subsequent_indent="    ")


def _cell(outcome: Outcome, numbers: dict[str, int]) -> str:
    if not outcome.why:
        return outcome.word
    return f"{outcome.word} [{numbers.setdefault(outcome.why, len(numbers) + 1)}]"


def _line(*cells: str) -> str:
    return "".join(cell.ljust(20) for cell in cells).rstrip()
