"""The version of kserve-lite: every file that states it must state the same one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.errors import GeneratorError, Problem, ToolFailed, ValuesError
from generator.process import run

# Files as glob patterns, and the line of each that states the version.
_STATED = {
    "pyproject.toml": r'version = "([^"]+)"',
    "generator/__init__.py": r'__version__ = "([^"]+)"',
    "generator/**/catalog.yaml": r"  chart: (\S+)",
    "charts/*/Chart.yaml": r"version: (\S+)",
    "CHANGELOG.md": r"## (\S+) \(.*\)",
}
_RELEASED = re.compile(r"## \S+ \([0-9]{4}-[0-9]{2}-[0-9]{2}\)")


@dataclass(frozen=True)
class Statement:
    """A line that states the version: `line` counts from 1, `text` is all of the line."""

    file: str
    line: int
    version: str
    text: str


def statements(root: Path) -> Iterator[Statement]:
    """The first statement of the version in each file. Raises ValuesError if a file has none."""
    for pattern, line in _STATED.items():
        files = sorted(root.glob(pattern))
        if not files:
            raise ValuesError([Problem.of(pattern, "is missing, and should state the version")])
        for file in files:
            yield _statement(file.relative_to(root).as_posix(), file.read_text("utf-8"), line)


def _statement(name: str, text: str, pattern: str) -> Statement:
    for number, line in enumerate(text.splitlines(), start=1):
        if match := re.fullmatch(pattern, line):
            return Statement(name, number, match[1], line)
    raise ValuesError([Problem.of(name, f"states no version; write a line like `{pattern}`")])


def problems(root: Path) -> list[Problem]:
    """Where the version differs from pyproject.toml's, or is not yet released."""
    first, *others = statements(root)
    found = [
        Problem(
            *(other.file, other.line, 1, ""),
            f"says {other.version}, and {first.file} {first.version}; make them one",
        )
        for other in others
        if other.version != first.version
    ]
    changelog = others[-1]
    if not _RELEASED.fullmatch(changelog.text):
        message = f"has no date for {changelog.version}; write the day of the release: (YYYY-MM-DD)"
        found.append(Problem(changelog.file, changelog.line, 1, "", message))
    return found


def checked_version(root: Path) -> str:
    """The version that may be released from `root`, a Git working tree, as `0.1.0`.

    Raises ValuesError where files disagree, GeneratorError if the tree has uncommitted changes or
    the version's tag is on another commit, ToolFailed without Git.
    """
    if changed := run(["git", "status", "--porcelain"], cwd=root).splitlines():
        more = f" (and {len(changed) - 1} more)" if changed[1:] else ""
        raise GeneratorError(f"{changed[0][3:]}{more}: not as committed; commit it, or stash it")
    if found := problems(root):
        raise ValuesError(found)
    version = next(statements(root)).version
    tagged = _commit(root, f"refs/tags/v{version}")
    if tagged and tagged != _commit(root, "HEAD"):
        raise GeneratorError(f"v{version} is the tag of {tagged[:12]}; raise the version")
    return version


def _commit(root: Path, name: str) -> str:
    """The commit that a name stands for; nothing if there is no such name."""
    try:
        return run(["git", "rev-parse", "--verify", f"{name}^{{commit}}"], cwd=root).strip()
    except ToolFailed:
        return ""
