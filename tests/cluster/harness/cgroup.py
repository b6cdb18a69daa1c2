"""The control groups of a cluster's containers, which outlive processes: gone with who made them."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "kserve-lite-"
_ROOT = Path("/sys/fs/cgroup")
_VARIABLE = "KSERVE_LITE_CGROUP"

# Reads until nobody can write any more: then the block has ended, or its process. What a group's
# processes were is gone a moment later.
_REMOVE = """
cat
attempts=0
while found=$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$1") && [ -n "$found" ]; do
    find $found -depth -type d -exec rmdir {} + && continue
    attempts=$((attempts + 1))
    [ $attempts -lt 600 ] || exit 1
    sleep 0.1
done
"""


@contextlib.contextmanager
def apart() -> Iterator[dict[str, str]]:
    """A name for groups, which goes with the block: the variables of a process that makes them."""
    name = _PREFIX + secrets.token_hex(4)
    with subprocess.Popen(
        ["sh", "-c", _REMOVE, "sh", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for this one.
    ):
        yield {_VARIABLE: name}


def make() -> str:
    """Make this process a group of its own, which it is not in; its name, as a kubelet wants it."""
    name = f"{os.environ[_VARIABLE]}/{os.getpid()}"
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir(parents=True, exist_ok=True)
    if _is_unified():
        for above in (_ROOT, (_ROOT / name).parent):
            controllers = (above / "cgroup.controllers").read_text("ascii").split()
            enable = " ".join(f"+{each}" for each in controllers)
            (above / "cgroup.subtree_control").write_text(enable, "ascii")
    return f"/{name}"


def processes(name: str) -> set[int]:
    """What runs in the groups of a name, wherever they are."""
    found: set[int] = set()
    for hierarchy in _hierarchies():
        for file in hierarchy.glob(f"{os.environ[_VARIABLE]}/**/{name}/**/cgroup.procs"):
            with contextlib.suppress(OSError):  # It ended meanwhile.
                found |= set(map(int, file.read_text("ascii").split()))
    return found


def left() -> set[str]:
    """The names of groups of clusters, of whichever run, in which nothing runs in any hierarchy."""
    found = [group for each in _hierarchies() for group in each.glob(f"{_PREFIX}*")]
    return {group.name for group in found} - {group.name for group in found if _runs(group)}


def _runs(group: Path) -> bool:
    try:
        return any(file.read_bytes() for file in group.rglob("cgroup.procs"))
    except OSError:
        return True  # It is just being removed.


def _hierarchies() -> list[Path]:
    """One, or of the first version of control groups one a controller."""
    if _is_unified():
        return [_ROOT]
    return [folder for folder in _ROOT.iterdir() if (folder / "cgroup.procs").exists()]


def _is_unified() -> bool:
    return (_ROOT / "cgroup.procs").exists()
