"""The table of what was asked and what failed, written where --page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.harness.load import Load

_HEAD = Path(__file__).with_name("page.md")
_COLUMNS = ("what happens", "pods", "preStop", "requests", "failed", "seconds", "why")


class Page:
    """Rows of a table, in columns that are as wide as what is in them."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, ...]] = [_COLUMNS]

    def row(self, title: str, *, replicas: int, sleep: bool, load: Load) -> None:
        """What a load met; the seconds are those from the first failed request to the last."""
        why = ", ".join(f"{count} {reason}" for reason, count in load.failures.items())
        failed = sum(load.failures.values())
        numbers = (str(replicas), "5 s" if sleep else "none", str(len(load.requests)))
        seconds = f"{load.outage:.1f}" if failed else ""
        self._rows.append((title, *numbers, str(failed), seconds, why))

    def text(self) -> str:
        """The page: what stands beside this file, and the rows."""
        widths = [max(map(len, column)) for column in zip(*self._rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self._rows
        ]
        return "\n".join([_HEAD.read_text("utf-8").rstrip(), "", "```text", *lines, "```", ""])


@pytest.fixture(scope="session")
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """The table; its rows are added in the order of the tests, and it is written if none failed."""
    found = Page()
    yield found
    file = request.config.getoption("--page")
    if file and not request.session.testsfailed:
        Path(file).write_text(found.text(), encoding="utf-8")
