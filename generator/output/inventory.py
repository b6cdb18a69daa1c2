"""What is in a folder already: looked at file by file, through no symbolic link."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from generator.errors import OutputError
from generator.output.record import NAME


class Obstacle(OutputError):
    """Something that a file can neither be written to nor through.

    `path` is where it is, below the folder: the path of the file, or one of its parents.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(reason)


def read(root: Path, path: str) -> bytes | None:
    """The bytes of the file at `path`, None if there is none. Raises Obstacle."""
    parts = path.split("/")
    try:
        for depth in range(1, len(parts) + 1):
            below = "/".join(parts[:depth])
            mode = (root / below).lstat().st_mode
            is_last = depth == len(parts)
            if stat.S_ISLNK(mode):
                raise Obstacle(below, "is a symbolic link, and not written through; remove it")
            if not is_last and not stat.S_ISDIR(mode):
                raise Obstacle(below, "is a file where a folder belongs; move it away")
            if is_last and not stat.S_ISREG(mode):
                what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
                raise Obstacle(below, f"is {what}, where a file belongs; move it away")
        return (root / path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Obstacle(path, f"cannot be read: {error.strerror}") from None


def identities(files: Sequence[Path]) -> set[tuple[int, int]]:
    """What tells each file from any other, by whatever name or link it is reached."""
    names = [Path("/dev/stdin") if str(file) == "-" else file for file in files]
    return {found for name in names if (found := identity(name)) is not None}


def identity(file: Path) -> tuple[int, int] | None:
    """What a file has in common with itself by another name; None if there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


_LOOKED_AT = 1000


def foreign(root: Path, ours: Collection[str]) -> tuple[str, ...]:
    """The paths of the files below `root` that are not among `ours`; of very many, the first."""
    found = (path for path in _walk(root) if path not in ours)
    return tuple(itertools.islice(found, _LOOKED_AT))


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        # A folder with a record in it belongs to a run of its own.
        if NAME in files and Path(folder) != root:
            folders.clear()
            continue
        for name in sorted(files):
            path = (Path(folder) / name).relative_to(root).as_posix()
            if path != NAME:
                yield path
