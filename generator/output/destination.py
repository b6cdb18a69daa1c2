"""The folder that a run writes into: which folders are allowed, and one run at a time."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from generator.errors import OutputError, Problem
from generator.output import lock

PATIENCE = 10.0
"""Seconds to wait for another run in the same folder."""

_PACKAGE = Path(__file__).resolve().parents[1]


def check(folder: Path) -> None:
    """Refuse a folder that output must not go into, such as your home. Raises OutputError."""
    try:
        real = folder.resolve()
        exists = folder.exists()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "its symbolic links lead in a circle"
        raise OutputError(Problem.output(folder, f"cannot be read: {reason}")) from None
    if reason := _inside(real):
        raise OutputError(Problem.output(folder, f"{reason}; choose another folder"))
    if reason := _reason(real):
        raise OutputError(
            Problem.output(folder, f"{reason}; choose a folder in it, such as {folder / 'out'}")
        )
    if folder.is_symlink() and not exists:
        raise OutputError(Problem.output(folder, "is a symbolic link to nothing; remove it"))
    if exists and not folder.is_dir():
        raise OutputError(Problem.output(folder, "is a file; choose a folder"))


def _inside(real: Path) -> str:
    """Why neither a folder nor any in it is a place for output; empty if that is not so."""
    if ".git" in real.parts:
        return "is git's own"
    return "is kserve-lite's own" if _PACKAGE in (real, *real.parents) else ""


def _reason(real: Path) -> str:
    """Why a folder is no place for output, while one in it may be; empty if that is not so."""
    if real == Path(real.anchor):
        return "is the root of the file system"
    if os.environ.get("HOME") and real == Path(os.environ["HOME"]).resolve():
        return "is your home folder"
    if real == _PACKAGE.parent:
        return "is where kserve-lite itself is"
    if os.path.lexists(real / ".git"):
        return "is the root of a repository"
    return ""


@contextlib.contextmanager
def locked(folders: Sequence[Path]) -> Iterator[None]:
    """Lock folders for this run; missing ones are created, and removed again if left empty.

    The locks are on the folders themselves, so they leave nothing behind, and end with the process.
    Raises OutputError when another run has one for longer than PATIENCE.
    """
    with contextlib.ExitStack() as stack:
        for folder in sorted(set(folders)):
            stack.enter_context(_made(folder))
            busy = Problem.output(folder, "another run is at work there; try again when it is done")
            opened = functools.partial(_opened, folder)
            stack.enter_context(lock.locked(folder, opened, patience=PATIENCE, busy=busy))
        yield


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for parent in missing:
            with contextlib.suppress(OSError):  # Not empty: that is as it should be.
                parent.rmdir()


def _opened(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)  # Whoever had it may have removed it.
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
