"""One run at a time: a lock on the file or folder itself, which ends with the process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.errors import OutputError, Problem
from generator.progress import log

_PAUSE = 0.02  # seconds between two tries
_UNLOCKABLE = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP)


@contextlib.contextmanager
def locked(
    path: Path, opened: Callable[[], int], *, patience: float, busy: Problem | str
) -> Iterator[int]:
    """The descriptor of what has the path's name, with a lock on it until the block ends.

    `opened` opens the path. Whoever waits for a lock gets it on the file of before, which another
    run may have replaced or removed; so it is opened again until it is the one that has the name.
    Raises OutputError with the sentence `busy` when another run has the lock for more than
    `patience` seconds, and the OSError of opening.
    """
    until = time.monotonic() + patience
    waiting = False
    while True:
        descriptor = opened()
        try:
            if _has_lock(descriptor):
                if _has_name(descriptor, path):
                    yield descriptor
                    return
            elif not waiting:
                waiting = True
                log(f"{path}: waiting for another run")
        finally:
            os.close(descriptor)
        if time.monotonic() > until:
            raise OutputError(busy)
        time.sleep(_PAUSE)


def _has_lock(descriptor: int) -> bool:
    """Lock a file; whether that is done, or cannot be done by anybody on its file system.

    Where there are no locks, what a run compares before it replaces a file still protects it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _UNLOCKABLE:
            raise
    return True


def _has_name(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
