"""A run that is interrupted at each of its steps on the disk, one after the other.

`python -m tests.interruption kill|error|signal FOLDER` is a process of its own, since the hook that
interrupts stays for as long as the process, and since only a process without threads should fork.
It prints, as JSON, how the folder was found after each.
"""

from __future__ import annotations

import concurrent.futures  # noqa: F401 (what the run imports, so that a child need not)
import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator import output
from generator.errors import OutputError
from generator.output import Output, Tree

TOUCHING = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.chmod")
BEFORE = {
    "": {"a/changed.yaml": "1\n", "b/removed.yaml": "1\n", "c/same.yaml": "1\n", "gone.yaml": ""},
    "inner": {"x.yaml": "1\n", "y.yaml": "1\n"},
}
AFTER = {
    "": {"a/changed.yaml": "2\n", "c/same.yaml": "1\n", "d/e/new.yaml": "2\n", "c/new.yaml": "2\n"},
    "inner": {"x.yaml": "2\n", "z/new.yaml": "2\n"},
}
State = dict[str, tuple[int, str]]


def wanted(root: Path, trees: dict[str, dict[str, str]]) -> Output:
    """What a run wants of the folder."""
    return Output(root, [Tree(files, "manifests", folder) for folder, files in trees.items()])


def prepare(root: Path) -> None:
    """A folder of an earlier run, with files of others, modes and an empty folder."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    output.write(wanted(root, BEFORE))
    (root / "a" / "changed.yaml").chmod(0o640)
    (root / "b" / "removed.yaml").chmod(0o600)
    (root / "c" / "mine.txt").write_text("mine\n")
    (root / "d").mkdir(mode=0o750)


def state(root: Path) -> State:
    """Every file and folder with mode and content; without the journal."""
    found = {}
    for place in sorted(root.rglob("*")):
        path = place.relative_to(root).as_posix()
        if not path.startswith(".kserve-lite-journal"):
            text = place.read_text() if place.is_file() else ""
            found[path] = (place.stat().st_mode & 0o7777, text)
    return found


def interrupt(root: Path, number: int, how: str) -> bool:
    """Run into the folder, and have it interrupted at one of its steps; whether that came."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) != 0
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.addaudithook(_at(number, root, how))
    try:
        output.write(wanted(root, AFTER))
    except OutputError:
        os._exit(1)
    except BaseException:
        os._exit(2)
    os._exit(0)


def _at(number: int, root: Path, how: str) -> Callable[[str, tuple[Any, ...]], None]:
    left = number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in TOUCHING or not str(arguments[0]).startswith(str(root)):
            return
        left -= 1
        if left == -1:
            if how == "error":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGTERM)

    return hook


def run(how: str, root: Path) -> list[dict[str, Any]]:
    """What each interruption left, until a run is through before it comes."""
    prepare(root)
    found = []
    came = True
    while came:
        prepare(root)
        before = state(root)
        came = interrupt(root, len(found), how)
        at_once, pending = state(root), output.journal.is_pending(root)
        vouched = not output.journal.is_pending(root) and not _differs(root)
        kept = output.journal.settle(root)
        settled = state(root)
        output.write(wanted(root, AFTER))
        found.append(
            {
                "came": came,
                "before": before,
                "at_once": at_once,
                "pending": pending,
                "vouched": vouched,
                "kept": kept,
                "settled": settled,
                "after": state(root),
            }
        )
    return found


def _differs(root: Path) -> bool:
    try:
        return bool(output.compare(wanted(root, AFTER)))
    except OutputError:
        return True


def twice(root: Path) -> list[dict[str, Any]]:
    """The same for a run that is killed, and whose successor is killed while it repairs."""
    found = []
    for first in range(8, 80, 5):
        for second in range(2, 40, 6):
            prepare(root)
            before = state(root)
            if interrupt(root, first, "kill"):
                interrupt(root, second, "kill")
            output.journal.settle(root)
            settled = state(root)
            output.write(wanted(root, AFTER))
            found.append({"before": before, "settled": settled, "after": state(root)})
    return found


if __name__ == "__main__":
    place = Path(sys.argv[2]).resolve()
    print(json.dumps(twice(place) if sys.argv[1] == "twice" else run(sys.argv[1], place)))
