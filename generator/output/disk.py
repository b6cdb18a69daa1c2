"""The journal's operations on a disk: copies, modes, flushed bytes, empty folders."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from generator.output.record import digest

_MANY, _VERY_MANY = 8, 500  # files, above which threads flush them, and the whole system does


def keep(file: Path, copy: Path, expected: str) -> None:
    """Keep a file as it is, by a link to it. Raises OSError if it is not what it was before."""
    try:
        copy.hardlink_to(file)
    except OSError:
        # Not every file system has links.
        shutil.copy2(file, copy)
        flush([copy])
    if digest(copy.read_bytes()) != expected:
        raise OSError(errno.EBUSY, "somebody has just changed it", str(file))


def imitate(old: Path, new: Path) -> None:
    """Give the new file the mode of the old one, and its owner if that is allowed."""
    status = old.stat()
    new.chmod(status.st_mode & 0o7777)
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(OSError):
            os.chown(new, status.st_uid, status.st_gid)


def flush(paths: Sequence[Path]) -> None:
    """Flush files and folders to the disk; many together, which is much faster."""
    if len(paths) > _VERY_MANY:
        os.sync()
    elif len(paths) > _MANY:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(_flush_one, paths))
    else:
        for path in paths:
            _flush_one(path)


def _flush_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # A folder cannot be flushed everywhere; then its files' names may come later, that is all.
        with contextlib.suppress(OSError) if path.is_dir() else contextlib.nullcontext():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def drop_empty(root: Path, path: str) -> None:
    """Remove the folders above a path that are empty, up to `root`."""
    folder = (root / path).parent
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
