"""A YAML file as people wrote it: its content, and where in the file each value stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from generator.cache import kept
from generator.errors import Problem, ValuesError
from generator.yaml.path import Key, dotted
from generator.yaml.reader import Reader


@dataclass(frozen=True)
class Document:
    """A YAML file: its name, its content, and where each value stands (line and column from 1)."""

    file: str
    data: Any
    positions: dict[Key, tuple[int, int]] = field(repr=False)

    def position(self, path: Key) -> tuple[int, int]:
        """Line and column of the value at `path`, or of the nearest parent that is in the file."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (1, 1))

    def problem(self, path: Key, message: str) -> Problem:
        """A Problem at `path`."""
        line, column = self.position(path)
        return Problem(self.file, line, column, dotted(path), message)


def load_fast(path: Path) -> Any:
    """The content of one of our own YAML files: no checks, no places."""
    content = path.read_bytes()
    made_from = yaml.__version__.encode() + content
    return kept(path.name, made_from, lambda: yaml.load(content, Loader=yaml.CSafeLoader))


def decode(content: bytes, file: str, encoding: str = "utf-8") -> str:
    """The text of a file; `file` is its name in messages. Raises ValuesError for what is none."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8 text; save it as UTF-8"
        raise ValuesError([Problem(file, line, 1, "", message)]) from None


def parse(text: str, file: str, *, reader: type[Reader] = Reader) -> Document:
    """Read what people wrote; `file` is its name in messages, `reader` what decides on scalars.

    Raises ValuesError for a syntax error, more than one document, a duplicate key, a key that is
    not text, a tag, a scalar that parsers disagree on, nesting or aliases without end.
    """
    reading = reader(text, file)
    data = reading.document()
    if reading.problems:
        raise ValuesError(reading.problems)
    return Document(file, data, reading.positions)
