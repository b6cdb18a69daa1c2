"""What users name as input: each source is read once, and its bytes are what everybody gets.

A source is a file, a pipe, or `-`, standard input. What was read from it is checked here and given
to Helm as the same bytes, so that what is checked is what is rendered.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from generator.errors import GeneratorError, Problem, ValuesError
from generator.progress import log
from generator.yaml.document import Document, decode, parse

STDIN = "-"
_FIRST = 3
"""The first descriptor that is no standard stream."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Source:
    """What was read: the name that messages call it by, and its bytes."""

    name: str
    content: bytes = field(repr=False)

    def document(self) -> Document:
        """Its YAML. Raises ValuesError for what is not UTF-8, or not YAML that can be relied on."""
        return parse(decode(self.content, self.name), self.name)


def read_source(name: Path | str) -> Source:
    """One source. Raises ValuesError when it cannot be read."""
    (source,) = read_sources([name])
    return source


def read_sources(names: Iterable[Path | str]) -> tuple[Source, ...]:
    """Every source, in order. Raises ValuesError that names each which cannot be read."""
    tried = list(tried_sources(names))
    if problems := [
        one for each in tried if isinstance(each, ValuesError) for one in each.problems
    ]:
        raise ValuesError(problems)
    return tuple(each for each in tried if isinstance(each, Source))


def tried_sources(names: Iterable[Path | str]) -> Iterator[Source | ValuesError]:
    """Every source, in order, or the error that says why it cannot be read."""
    drained: set[tuple[int, int]] = set()
    for name in map(str, names):
        try:
            yield _read(name, drained)
        except IsADirectoryError:
            yield ValuesError([Problem.of(name, "is a folder; name the files in it")])
        except OSError as error:
            yield ValuesError([Problem.of(name, f"cannot be read: {error.strerror}")])
        except ValuesError as error:
            yield error


def _read(name: str, drained: set[tuple[int, int]]) -> Source:
    """One source; `drained` are the pipes that were read before, which hold nothing any more."""
    called = "standard input" if name == STDIN else name
    if _URL.match(name):
        message = "is a URL; fetch it and pipe it: curl -fsSL URL | … -f -"
        raise ValuesError([Problem.of(name, message)])
    if not name:
        raise ValuesError([Problem.of('""', "is not the name of a file; is a variable not set?")])
    if "\0" in name:
        raise ValuesError([Problem.of(repr(name), "is not the name of a file")])
    if name == STDIN and sys.stdin is None:
        raise ValuesError([Problem.of(called, "is closed; give -f a file")])
    status = _stat(name)
    regular = stat.S_ISREG(status.st_mode) or name == os.devnull
    if regular and name != STDIN:
        return Source(called, Path(name).read_bytes())
    identity = status.st_dev, status.st_ino
    if identity in drained:
        message = "was read already, and can be read only once; give -f once for it"
        raise ValuesError([Problem.of(called, message)])
    drained.add(identity)
    content = _stdin() if name == STDIN else Path(name).read_bytes()
    if not content.strip() and not regular:
        # What fills a pipe may have failed; taken for empty values it would undo all of them.
        message = "ends without a value; did what writes it fail? (for none, name /dev/null)"
        raise ValuesError([Problem.of(called, message)])
    return Source(called, content)


def _stat(name: str) -> os.stat_result:
    return os.fstat(0) if name == STDIN else Path(name).stat()


def _stdin() -> bytes:
    if sys.stdin.isatty():
        log("reading values from the terminal; Ctrl-D ends them")
    return sys.stdin.buffer.read()


@contextmanager
def opened(sources: Sequence[Source]) -> Iterator[tuple[int, ...]]:
    """File descriptors for another program to read the sources from, as /dev/fd/N.

    Each is a file without a name, readable by nobody else and gone however this process ends.
    """
    with ExitStack() as files:
        yield tuple(_unnamed(source, files) for source in sources)


def _unnamed(source: Source, files: ExitStack) -> int:
    """The descriptor of a file without a name that holds a source, to be read from its start.

    It is never 0, 1 or 2, which are free where a stream is closed: the other program has streams
    of its own there, and would read those.
    """
    try:
        # The stack closes it.
        file = files.enter_context(tempfile.TemporaryFile(prefix="kserve-lite-"))  # noqa: SIM115
        file.write(source.content)
        file.flush()
        file.seek(0)
        descriptor = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _FIRST)
        files.callback(os.close, descriptor)
    except OSError as error:
        where = error.filename or tempfile.gettempdir()
        raise GeneratorError(
            f"no temporary file for the values: {where}: {error.strerror}"
        ) from None
    return descriptor
