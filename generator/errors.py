"""The errors that users see as text: everything reported instead of a traceback.

GeneratorError
├── ValuesError     the values file is wrong: a list of problems, each with its place
├── TemplateError   a template of ours is wrong
├── OutputError     a file or folder of the user's cannot be written
├── ToolMissing     an external program is not there
└── ToolFailed      an external program said no
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PART = re.compile(r'"[^"]*"|; ')


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong: where in which file (`line` and `column` from 1), what, and how to mend it.

    The message is a fact and, after its last semicolon, the remedy. Without a file it is not about
    one; without a line (0), about one as a whole. `said` marks the words of another program, whose
    semicolons mean nothing.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    said: bool = False

    @classmethod
    def of(cls, file: Path | str, message: str) -> Problem:
        """Something wrong with a file or a folder that is read, as a whole."""
        return cls(str(file), 1, 1, "", message)

    @classmethod
    def output(cls, file: Path | str, message: str) -> Problem:
        """Something about a file or a folder that is written."""
        return cls(str(file), 0, 0, "", message)

    @classmethod
    def plain(cls, message: str) -> Problem:
        """Something that is about no file, or whose message names it."""
        return cls("", 0, 0, "", message)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(filter(None, (where, self.path, self.message)))

    def as_json(self) -> dict[str, str | int | None]:
        """The fields for a program: null where there is none, the remedy without the fact."""
        fact, remedy = self.message, ""
        if not self.said and "\n" not in fact:
            # A semicolon in what is quoted from the user's file parts nothing.
            cuts = [cut.start() for cut in _PART.finditer(fact) if cut[0] == "; "]
            if cuts:
                fact, remedy = fact[: cuts[-1]], fact[cuts[-1] + 2 :]
        return {
            "file": self.file or None,
            "line": self.line or None,
            "column": self.column or None,
            "path": self.path or None,
            "message": fact,
            "remedy": remedy or None,
        }


class GeneratorError(Exception):
    """Base of all errors that are shown to the user as text, a line for each problem."""

    _said = False

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = [
            Problem("", 0, 0, "", each, self._said) if isinstance(each, str) else each
            for each in problems
        ]
        super().__init__("\n".join(map(str, self.problems)))


class ValuesError(GeneratorError):
    """The values are wrong: `problems`, in the order of the file, and `more` that follows."""

    def __init__(self, problems: Iterable[Problem], *more: str) -> None:
        super().__init__(*sorted(set(problems)), *more)


class TemplateError(GeneratorError):
    """A template in generator/data/templates is wrong."""


class OutputError(GeneratorError):
    """A folder or file of the user's holds what must stay, or cannot be written."""


class ToolMissing(GeneratorError):
    """An external program is not installed; the text says how to get it."""


class ToolFailed(GeneratorError):
    """An external program ended with an error; the text is what it said."""

    _said = True


def own_mistake(error: Exception) -> str:
    """The message for an unexpected exception: one line, or its traceback for debugging."""
    if os.environ.get("KSERVE_LITE_DEBUG") == "1":
        return "".join(traceback.format_exception(error))
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return (
        f"a mistake in kserve-lite, not in your files: {what}; please report it, with what "
        "KSERVE_LITE_DEBUG=1 and the same command print"
    )
