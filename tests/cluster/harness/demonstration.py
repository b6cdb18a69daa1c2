"""`make demo` as its user runs it: in one terminal, with another one beside it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from generator import process
from tests.cluster.harness import remains
from tests.rendering import ROOT

ANSWER = re.compile(r'\{"predictions":\[1\]\}\n(\d+\.\d) s from `helm install` to this answer\n')
_COMMAND = ("-m", "tests.cluster.demo")


@dataclass(frozen=True)
class Demonstration:
    """One that runs: its process, the leader of a group, and the files of what it prints."""

    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path

    def until(self, file: Path, text: str, timeout: float = 300) -> str:
        """What is in the file of an output, as soon as `text` is. Raises AssertionError."""
        deadline = time.monotonic() + timeout
        while text not in (said := file.read_text("utf-8")):
            errors = self.stderr.read_text("utf-8")
            assert self.process.poll() is None, f"it ended: {errors}"
            assert time.monotonic() < deadline, f"no {text!r} within {timeout:.0f} s: {errors}"
            time.sleep(0.1)
        return said

    def interrupt(self) -> int:
        """Ctrl-C, which reaches the group; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Demonstration]:
    """The demo, until the block ends, with its output in an empty folder."""
    stdout, stderr = folder / "stdout", folder / "stderr"
    with stdout.open("wb") as out, stderr.open("wb") as err, _started(out, err, arguments) as begun:
        try:
            yield Demonstration(begun, stdout, stderr)
        finally:
            begun.kill()


def _started(out: IO[bytes], err: IO[bytes], arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    # As at a terminal: what a script starts in the background ignores Ctrl-C.
    argv = ["env", "--default-signal=INT", sys.executable, *_COMMAND, *arguments]
    return subprocess.Popen(argv, cwd=ROOT, stdout=out, stderr=err, start_new_session=True)


def once(*arguments: str) -> tuple[str, set[str]]:
    """`make demo ASK=once`: what it prints, and what of it is on the machine afterwards."""
    before = remains.traces()
    said = process.run([sys.executable, *_COMMAND, "--ask=once", *arguments], cwd=ROOT)
    return said, remains.added(before)


def commands(said: str) -> str:
    """The commands of what it prints, which are indented, as one script."""
    lines = [line[2:] for line in said.splitlines() if line.startswith("  ")]
    return "\n".join(lines)
