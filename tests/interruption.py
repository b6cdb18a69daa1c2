"""A run that is interrupted at each of its steps on the disk, one after the other.

`python -m tests.interruption kill|error|signal|twice FOLDER` is a process of its own, since the hook
that interrupts stays for as long as the process, and since only a process without threads should
fork. It prints, as JSON, how the folder was found after each.
"""

from __future__ import annotations

import concurrent.futures  # noqa: F401 (what the run imports, so that a child need not)
import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator.errors import OutputError
from generator.output import record, writing
from generator.output.writing import Output, Tree

TOUCHING = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.chmod")
# The first step of the outer tree adds a file, which the record before would not miss; that of the
# inner one removes a file, which the record after would not.
BEFORE = {
    "": {
        "a/changed.yaml": "1\n",
        "b/removed.yaml": "1\n",
        "c/same.yaml": "1\n",
        "gone.yaml": "",
    },
    "inner": {"0-removed.yaml": "1\n", "x.yaml": "1\n", "y.yaml": "1\n"},
}
AFTER = {
    "": {
        "0-new.yaml": "2\n",
        "a/changed.yaml": "2\n",
        "c/same.yaml": "1\n",
        "d/e/new.yaml": "2\n",
        "c/new.yaml": "2\n",
    },
    "inner": {"x.yaml": "2\n", "z/new.yaml": "2\n"},
}
State = dict[str, tuple[int, str]]

_THROUGH = 77  # the exit code of a run that no interruption came to


def wanted(root: Path, trees: dict[str, dict[str, str]]) -> Output:
    """What a run wants of the folder."""
    return Output(root, [Tree(files, "manifests", folder) for folder, files in trees.items()])


def prepare(root: Path) -> None:
    """A folder of an earlier run, with files of others, modes and an empty folder."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    writing.write(wanted(root, BEFORE))
    (root / "a" / "changed.yaml").chmod(0o640)
    (root / "b" / "removed.yaml").chmod(0o600)
    (root / "c" / "mine.txt").write_text("mine\n")
    (root / "d").mkdir(mode=0o750)


def state(root: Path) -> State:
    """Every file and folder with mode and content; without the journal."""
    found = {}
    for entry in sorted(root.rglob("*")):
        path = entry.relative_to(root).as_posix()
        if not path.startswith(".kserve-lite-journal"):
            text = entry.read_text() if entry.is_file() else ""
            found[path] = (entry.stat().st_mode & 0o7777, text)
    return found


def interrupt(root: Path, number: int, how: str) -> bool:
    """Run into the folder, and have it interrupted at one of its steps; whether that came."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) != _THROUGH
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    left = [number]
    sys.addaudithook(_at(left, root, how))
    with contextlib.suppress(BaseException):
        writing.write(wanted(root, AFTER))
    os._exit(_THROUGH if left[0] >= 0 else 0)


def _at(left: list[int], root: Path, how: str) -> Callable[[str, tuple[Any, ...]], None]:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in TOUCHING or not str(arguments[0]).startswith(str(root)):
            return
        left[0] -= 1
        if left[0] == -1:
            if how == "error":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGTERM)

    return hook


def run(how: str, root: Path) -> list[dict[str, Any]]:
    """What each interruption left, until a run is through before it comes."""
    found: list[dict[str, Any]] = []
    came = True
    # Each step for what nothing can be done about; every second for what can.
    stride = 1 if how == "kill" else 2
    while came:
        prepare(root)
        before = state(root)
        came = interrupt(root, len(found) * stride, how)
        at_once, pending = state(root), writing.journal.is_pending(root)
        passes = _is_current(root, BEFORE) or _is_current(root, AFTER)
        listed = [tree for tree in AFTER if pending and _is_listed(root / tree)]
        kept = writing.journal.settle(root)
        settled = state(root)
        writing.write(wanted(root, AFTER))
        found.append(
            {
                "came": came,
                "before": before,
                "at_once": at_once,
                "pending": pending,
                "passes": passes,
                "listed": listed,
                "kept": kept,
                "settled": settled,
                "after": state(root),
            }
        )
    return found


def _is_current(root: Path, trees: dict[str, dict[str, str]]) -> bool:
    """What --check says."""
    try:
        return not writing.compare(wanted(root, trees))
    except OutputError:
        return False


def _is_listed(root: Path) -> bool:
    """What `sha256sum -c SHA256SUMS` says."""
    argv = ["sha256sum", "--check", "--status", record.NAME]
    return subprocess.run(argv, cwd=root, stderr=subprocess.DEVNULL, check=False).returncode == 0


def twice(root: Path) -> list[dict[str, Any]]:
    """The same for a run that is killed, and whose successor is killed while it repairs."""
    found = []
    for first in range(52, 80, 6):
        for second in range(2, 40, 8):
            prepare(root)
            before = state(root)
            if interrupt(root, first, "kill"):
                interrupt(root, second, "kill")
            writing.journal.settle(root)
            settled = state(root)
            writing.write(wanted(root, AFTER))
            found.append({"before": before, "settled": settled, "after": state(root)})
    return found


if __name__ == "__main__":
    # It takes nearly all the time, and only a power cut could tell the difference.
    os.fsync = lambda _: None  # type: ignore[assignment]
    directory = Path(sys.argv[2]).resolve()
    print(json.dumps(twice(directory) if sys.argv[1] == "twice" else run(sys.argv[1], directory)))
