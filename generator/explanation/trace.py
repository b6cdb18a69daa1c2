"""Which line of which template printed a field: a copy of a chart, with marks that are comments.

A mark is a line of its own, before each line that prints keys or items of a list. It is lost where
a template reads what another has printed (`fromYaml`, `toJson`); there the mark of the line that
prints the result counts. A text that spans lines has none, for it would become part of the text.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.chart import cache
from generator.chart.reads import ACTION
from generator.manifests.parsing import Manifest
from generator.output.mirror import write

# A key, also one from a variable; an item; an action that prints lines of its own.
_PRINTS = re.compile(
    r"""\s*(?:- |(?!ERROR)(?:[\w./-]|"[^"]*"|\{\{ [^{}]+ \}\})+:(?:\s|$)"""
    r"|\{\{ toYaml |\{\{- (?!if |else|with |range |\$\w+(?:, \$\w+)? :?= )[^\n]*nindent )"
)
_OPENS_TEXT = re.compile(r"[^#]*[:-]\s[|>][-+0-9]*\n")
_MARK = re.compile(r"^ *# line ([0-9]+) of ([a-z-]+/templates/\S+)$")


@dataclass(frozen=True, order=True)
class Origin:
    """A line of a file of a chart, such as line 9 of `kserve-lite/templates/rbac/role.yaml`."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def copy(chart: str, parent: Path) -> Path:
    """A copy of a stock chart in `parent`, with marks in its templates."""
    folder = cache.folder(chart)
    files = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            path = file.relative_to(folder).as_posix()
            text = file.read_text(encoding="utf-8")
            is_template = path.startswith("templates/") and file.suffix != ".txt"
            files[path] = marked(text, f"{chart}/{path}") if is_template else text
    write(files, parent / chart)
    return parent / chart


def marked(text: str, file: str) -> str:
    """A template with a mark before each line that prints; `file` is its name in the marks."""
    inner = _continued(text)
    lines: list[str] = []
    above: int | None = None  # the indentation of the key whose text spans lines
    trims = False  # whether the line before takes away what stands before the mark
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        indent = line[: len(line) - len(line.lstrip(" "))]
        above = None if above is not None and len(indent) <= above else above
        prints = number not in inner and above is None and _PRINTS.match(line)
        if prints:
            lines.append(f"{indent}# line {number} of {file}\n")
        lines.append(line.lstrip(" ") if prints and trims else line)
        if _OPENS_TEXT.fullmatch(line):
            above = len(indent)
        trims = line.endswith("-}}\n")
    return "".join(lines)


def statement(text: str, line: int) -> str:
    """A line of a template (from 1), with those that its last action goes on in."""
    inner, lines = _continued(text), text.splitlines(keepends=True)
    end = line
    while end + 1 in inner:
        end += 1
    return "".join(lines[line - 1 : end])


def _continued(text: str) -> set[int]:
    """The lines (from 1) that begin inside of an action."""
    found: set[int] = set()
    for action in ACTION.finditer(text):
        first = text.count("\n", 0, action.start()) + 1
        found.update(range(first + 1, first + 1 + action[0].count("\n")))
    return found


class Trace:
    """The marks in an object that was rendered from a copy."""

    def __init__(self, manifest: Manifest) -> None:
        marks = list(_marks(manifest.text))
        self._lines = [line for line, _ in marks]
        self._origins = [origin for _, origin in marks]
        # What is no template is printed as it stands.
        copied = manifest.source and not manifest.source.startswith("templates/")
        self._file = f"{manifest.chart}/{manifest.source}" if copied else None

    def origin(self, line: int) -> Origin | None:
        """What printed a line (from 1) of the object; None for one that no file of a chart has."""
        if self._file:
            return Origin(self._file, line)
        index = bisect(self._lines, line) - 1
        return self._origins[index] if index >= 0 else None


def _marks(text: str) -> Iterator[tuple[int, Origin]]:
    for number, line in enumerate(text.splitlines(), 1):
        if mark := _MARK.match(line):
            yield number, Origin(mark[2], int(mark[1]))
