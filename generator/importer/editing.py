"""Changing a user's file in place: all of the change or none, and nothing else about the file.

The new text goes into a draft of its own beside the file, which takes the file's place in one step;
a lock on the file keeps two runs apart.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.errors import OutputError
from generator.output import lock

Change = Callable[[bytes], bytes]

_PATIENCE = 60.0  # seconds to wait for another run


def edit(file: Path, change: Change, *, create: bool = False) -> bool:
    """Make a file hold what `change` makes of its bytes; whether that is something else.

    A link stays a link, to the file that is changed; mode, owner and extended attributes stay. A
    file that is not there is made with `create`, from no bytes. Raises OutputError, with the file
    as it was, when it cannot be changed or would not stay what it is; what `change` raises is
    passed on.
    """
    try:
        return _edit(file, change, create=create)
    except OSError as error:
        raise OutputError(f"{file} cannot be changed: {error.strerror or error}") from None


def _edit(file: Path, change: Change, *, create: bool) -> bool:
    target = _target(file)
    opened = functools.partial(os.open, target, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    busy = f"{file} is being changed by another run; try again"
    while True:
        try:
            with lock.locked(target, opened, patience=_PATIENCE, busy=busy) as was:
                return _replace(target, was, change)
        except FileNotFoundError:
            if create and not file.is_symlink() and target.parent.is_dir():
                with contextlib.suppress(FileExistsError):  # Another run was faster.
                    return _create(target, change)
            else:
                raise OutputError(_absence(file, target)) from None


def _absence(file: Path, target: Path) -> str:
    if file.is_symlink():
        return f"{file} is a link to {target}, which is not there"
    if not target.parent.is_dir():
        return f"{file} cannot be made: there is no folder {file.parent}"
    return f"{file} is not there; --create makes it"


def _target(file: Path) -> Path:
    """The regular file that a path leads to, or none."""
    try:
        target = file.resolve()
    except RuntimeError:  # Python 3.12 and before, of links in a circle.
        raise OutputError(f"{file} is a link that leads to itself") from None
    # /dev/stdout may lead to a regular file, and nobody means that one by it.
    inside = os.path.abspath(file).startswith(("/dev/", "/proc/"))  # noqa: PTH100
    if inside or (target.exists() and not target.is_file()):
        kind = "a folder" if target.is_dir() else "no regular file"
        raise OutputError(f"{file} is {kind}; name a values file, or leave --apply-to out to print")
    return target


def _replace(target: Path, was: int, change: Change) -> bool:
    before = os.fstat(was)
    if not stat.S_ISREG(before.st_mode):
        raise OutputError(f"{target} is no regular file")
    if before.st_nlink > 1:
        raise OutputError(
            f"{target} has {before.st_nlink} names (hard links), of which only this one would "
            "be changed; make it a file of its own"
        )
    with open(was, "rb", closefd=False) as stream:
        old = stream.read()
    new = change(old)
    if new == old:
        return False
    with _draft(target, new) as draft:
        _keep_owner(draft, before, target)
        _keep_attributes(draft, was, target)
        os.chmod(draft, stat.S_IMODE(before.st_mode))  # noqa: PTH101
        if _state(target.stat()) != _state(before):
            raise OutputError(f"{target} was changed meanwhile, by something else; run this again")
        os.replace(draft, target)  # noqa: PTH105
    return True


def _state(file: os.stat_result) -> tuple[int, ...]:
    """What tells that a file is another one, or has another content."""
    return file.st_dev, file.st_ino, file.st_mtime_ns, file.st_size


def _create(target: Path, change: Change) -> bool:
    new = change(b"")
    with _draft(target, new) as draft:
        os.chmod(draft, 0o666 & ~_umask())  # noqa: PTH101
        os.link(draft, target)  # Unlike a rename, it leaves a file that is there.
    return True


@contextlib.contextmanager
def _draft(target: Path, content: bytes) -> Iterator[str]:
    """A file beside the target that holds the content, on disk; gone afterwards unless renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def _keep_owner(draft: str, before: os.stat_result, target: Path) -> None:
    now = os.stat(draft)  # noqa: PTH116
    if (now.st_uid, now.st_gid) == (before.st_uid, before.st_gid):
        return
    try:
        os.chown(draft, before.st_uid, before.st_gid)
    except PermissionError:
        owner = f"user {before.st_uid}, group {before.st_gid}"
        message = f"{target} belongs to {owner}, which only they or root can keep; run this as them"
        raise OutputError(message) from None


def _keep_attributes(draft: str, was: int, target: Path) -> None:
    """Give the draft the file's extended attributes, access control lists among them."""
    if not hasattr(os, "listxattr"):
        return
    try:
        kept = {name: os.getxattr(was, name) for name in os.listxattr(was)}
        given = {name: os.getxattr(draft, name) for name in os.listxattr(draft)}
        for name in given.keys() - kept.keys():
            os.removexattr(draft, name)
        for name, value in kept.items() - given.items():
            os.setxattr(draft, name, value)
    except OSError as error:
        message = f"{target} has attributes that cannot be kept: {error.strerror}"
        raise OutputError(message) from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
