"""The user's cache: where it is, and what is the same in every run, which is kept there."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import pwd
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from generator import DATA

_Made = TypeVar("_Made")
_DIGEST = hashlib.sha256().digest_size


def home() -> Path:
    """The user's home, also where HOME is empty or not set.

    A user whom the system does not know has one in the temporary folder; none, a path below which
    nothing is, where somebody else made that.
    """
    if named := os.environ.get("HOME"):
        return Path(named)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return _own(Path(tempfile.gettempdir()) / f"kserve-lite-{os.getuid()}")


def _own(folder: Path) -> Path:
    """A folder where everybody may make one, if only the user can write to it: what is kept there
    is run.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    shut = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    safe = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and shut
    return folder if safe else Path(os.devnull)


def cache_folder() -> Path:
    """Where built programs, rendered charts and compiled templates are kept; perhaps not there."""
    base = os.environ.get("XDG_CACHE_HOME") or home() / ".cache"
    return Path(base) / "kserve-lite"


def kept(name: str, made_from: bytes, make: Callable[[], _Made]) -> _Made:
    """What `make` returns, data or code; from the cache if it was made from the same bytes.

    `made_from` holds the source, and the version of what reads it. `name` is one file in the cache,
    in which the last result replaces the one before. What is damaged there is made anew.
    """
    file = cache_folder() / "made" / name.replace("/", "+")
    state = sys.version.encode() + made_from
    with contextlib.suppress(OSError):
        content = file.read_bytes()
        if content[:_DIGEST] == _digest(state, content[_DIGEST:]):
            found: _Made = marshal.loads(content[_DIGEST:])
            return found
    made = make()
    content = marshal.dumps(cast(Any, made))
    with contextlib.suppress(OSError):  # Without a cache that can be written it takes longer.
        _write(file, _digest(state, content) + content)
    return made


@cache
def state() -> str:
    """What tells one state of the sources from another: a hash of all that charts are made from.

    Read once, as the sources themselves are.
    """
    state, root = hashlib.sha256(), str(DATA.parent)
    for file in sorted(_sources(root)):
        content = content_of(file)
        state.update(f"{file[len(root) + 1 :]}\0{len(content)}\0".encode())
        state.update(content)
    return state.hexdigest()[:32]


def _sources(root: str) -> Iterator[str]:
    """What charts are made from, below the package: programs and data."""
    for folder, folders, files in os.walk(root):
        # Caches of Python's, and schemas of objects, with which no chart has anything to do.
        folders[:] = [name for name in folders if name not in ("__pycache__", "schemas")]
        is_data = folder.startswith(str(DATA))
        yield from (f"{folder}/{name}" for name in files if is_data or name.endswith(".py"))


def content_of(file: str) -> bytes:
    """What a file holds, in half of pathlib's time: every command that renders reads 400 files."""
    with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
        return opened.read()


def _digest(state: bytes, content: bytes) -> bytes:
    return hashlib.sha256(state + content).digest()


def _write(file: Path, content: bytes) -> None:
    """Write a file that is whole to whoever reads it meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        draft = Path(folder) / "draft"
        draft.write_bytes(content)
        draft.replace(file)
