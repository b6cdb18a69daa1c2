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
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class GeneratorError(Exception):
    """Base of all errors that are shown to the user as text."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a file: where (`line` and `column` from 1), what, and how to mend it."""

    file: str
    line: int
    column: int
    path: str
    message: str

    @classmethod
    def of(cls, file: Path | str, message: str) -> Problem:
        """Something wrong with a file or a folder as a whole."""
        return cls(str(file), 1, 1, "", message)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ValuesError(GeneratorError):
    """The values are wrong; `problems` says where, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


class TemplateError(GeneratorError):
    """A template in generator/data/templates is wrong."""


class OutputError(GeneratorError):
    """A folder or file of the user's holds what must stay, or cannot be written."""


class ToolMissing(GeneratorError):
    """An external program is not installed; the text says how to get it."""


class ToolFailed(GeneratorError):
    """An external program ended with an error; the text is what it said."""


def own_mistake(error: Exception) -> str:
    """The message for an unexpected exception: one line, or its traceback for debugging."""
    if os.environ.get("KSERVE_LITE_DEBUG") == "1":
        return "".join(traceback.format_exception(error))
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return (
        f"a mistake in kserve-lite, not in your files: {what}; please report it, with what "
        "KSERVE_LITE_DEBUG=1 and the same command print"
    )
