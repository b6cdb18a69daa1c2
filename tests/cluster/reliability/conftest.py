"""The table of what was asked and what failed: shown after the tests, and written where --page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.harness.load import Load

_HEAD = Path(__file__).with_name("page.md")
_COLUMNS = (
    "| what happens | pods | preStop | requests | failed | seconds from first to last | why |"
)


class Page:
    """Rows of a Markdown table."""

    def __init__(self) -> None:
        self._rows = [_COLUMNS, "|---|---|---|---|---|---|---|"]

    def row(self, title: str, replicas: int, sleep: bool, load: Load) -> None:
        """What a load met."""
        why = ", ".join(f"{reason} {count}" for reason, count in load.failures.items())
        cells = (
            *(title, replicas, "sleep 5 s" if sleep else "none"),
            *(len(load.requests), sum(load.failures.values())),
            *(f"{load.outage:.1f}" if why else "", why),
        )
        self._rows.append("| " + " | ".join(map(str, cells)) + " |")

    def text(self) -> str:
        """The page: what stands beside this file, and the rows."""
        return "\n".join([_HEAD.read_text("utf-8").rstrip(), "", *self._rows, ""])


@pytest.fixture(scope="session")
def page(pytestconfig: pytest.Config):
    """The table; its rows are added in the order of the tests."""
    found = Page()
    yield found
    print(found.text())
    if file := pytestconfig.getoption("--page"):
        Path(file).write_text(found.text(), encoding="utf-8")
