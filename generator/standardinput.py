"""What a command is given to read: a file, a pipe, or standard input, written `-`."""

from __future__ import annotations

import sys
from pathlib import Path

from generator.errors import Problem, ValuesError

STANDARD_INPUT = Path("-")


def name_of(source: Path) -> str:
    """What messages call a source."""
    return "standard input" if source == STANDARD_INPUT else str(source)


def read_bytes(source: Path) -> bytes:
    """The bytes of a source, read once, so that a pipe or a FIFO does as well as a file.

    Raises ValuesError when it cannot be read.
    """
    try:
        if source == STANDARD_INPUT:
            return sys.stdin.buffer.read()
        return source.read_bytes()
    except IsADirectoryError:
        message = "is a folder; name the files in it"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    raise ValuesError([Problem.of(name_of(source), message)])
