"""What a cluster leaves behind, if it leaves something: processes, and traces on the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from generator import process
from tests.cluster.harness import cgroup, debian, vanishing


def processes(ancestor: int) -> dict[int, str]:
    """All that a process has started, by their numbers, each with the time at which it began.

    Those of namespaces inside this one are among them.
    """
    parents, began = {}, {}
    for pid, parent, start in _running():
        parents[pid], began[pid] = parent, start
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: began[pid] for pid in found - {ancestor}}


def alive(known: dict[int, str]) -> set[int]:
    """Which of some processes still run; a number may be another's by now."""
    return {pid for pid, _, began in _running() if known.get(pid) == began}


def cgroups(known: dict[int, str]) -> set[str]:
    """The control groups that some processes are in, as /proc has them."""
    found = set()
    for pid in alive(known):
        with contextlib.suppress(OSError):  # It ended meanwhile.
            found.add(Path(f"/proc/{pid}/cgroup").read_text("utf-8"))
    return found


def _running() -> list[tuple[int, int, str]]:
    """Number, parent and start of every process that is not over."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name before the last parenthesis may hold anything.
            fields = file.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue  # It ended meanwhile.
        if fields[0] != "Z":
            found.append((int(file.parent.name), int(fields[1]), fields[19]))
    return found


def traces() -> set[str]:
    """Everything here that a cluster might add and that outlives processes: mounts, links, rules, files, groups."""
    mounts = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    links = Path("/proc/net/dev").read_text("utf-8").splitlines()[2:]
    files = [*Path("/dev/shm").iterdir(), *Path(tempfile.gettempdir()).glob(f"{vanishing.PREFIX}*")]
    return {
        *(f"mount {line.split()[4]}" for line in mounts),
        *(f"link {line.partition(':')[0].strip()}" for line in links),
        *(f"file {file}" for file in files),
        *(f"control group {group}" for group in cgroup.left()),
        *_tables(),
    }


def added(before: set[str], timeout: float = 10) -> set[str]:
    """The traces that were not there before, once there are none, or when the seconds are over."""
    deadline = time.monotonic() + timeout
    while (found := traces() - before) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _tables() -> list[str]:
    environment = os.environ | debian.NFT.environment()
    if shutil.which("nft", path=environment["PATH"]) is None:
        return []
    return process.run(["nft", "list", "tables"], environment=environment).splitlines()
