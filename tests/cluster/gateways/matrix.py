"""The matrix of what came out: routing mode by case."""

from __future__ import annotations

from collections.abc import Iterator

_CELLS: dict[tuple[str, str], str] = {}


def note(mode: str, case: str, outcome: str) -> None:
    """Write down a cell: predicted, or refused."""
    _CELLS[mode, case] = outcome


def lines() -> Iterator[str]:
    """A line a case, a column a mode; nothing as long as no cell is written."""
    modes = list(dict.fromkeys(mode for mode, _ in _CELLS))
    if modes:
        yield _line("", *modes)
    for case in dict.fromkeys(case for _, case in _CELLS):
        yield _line(case, *(_CELLS.get((mode, case), "-") for mode in modes))
    if modes:
        yield "+: routes written by the models chart; EG: Envoy Gateway"


def _line(*cells: str) -> str:
    return "".join(cell.ljust(20) for cell in cells).rstrip()
