"""Runs other programs, which happens nowhere else, and reads the versions that they state."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from generator.errors import ToolFailed
from generator.progress import log

Version = tuple[int, int, int]

# Up to the limit memory may grow fivefold between two collections of garbage.
_BRIEF = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}

_PROGRESS = 20  # seconds between the lines that say how far something is


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    accept: Sequence[int] = (0,),
    timeout: float | None = None,
    descriptors: Sequence[int] = (),
) -> str:
    """Run a program and return its standard output.

    It inherits `descriptors` and nothing else; without `stdin` there is nothing for it to read.
    Raises ToolFailed with what it said, or that it did not end within `timeout` seconds.
    """
    name = " ".join([Path(argv[0]).name, *argv[1:2]])
    try:
        done = subprocess.run(
            list(argv),
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            pass_fds=descriptors,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=timeout,
        )
    except OSError as error:
        raise ToolFailed(f"{argv[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise ToolFailed(f"{name}: not done after {timeout:.0f} s: {' '.join(argv)}") from None
    if done.returncode not in accept:
        parts = (text.strip()[-10_000:] for text in (done.stderr, done.stdout))
        said = "\n".join(filter(None, parts))
        raise ToolFailed(f"{name}: {said or f'ends with {done.returncode} and says nothing'}")
    return done.stdout


def brief() -> dict[str, str]:
    """The environment of a program in Go that ends in a moment: collecting is a sixth of its time.

    What the user's environment says of that wins.
    """
    return {name: os.environ.get(name, value) for name, value in _BRIEF.items()}


def run_telling(argv: Sequence[str], source: Path, environment: Mapping[str, str]) -> None:
    """Run `go install`, which takes minutes, with a line now and then that says how far it is."""
    said: list[str] = []
    start = reported = time.monotonic()
    try:
        process = subprocess.Popen(
            argv,
            cwd=source,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ToolFailed(f"{argv[0]} cannot be run: {error.strerror}") from None
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if (now := time.monotonic()) - reported >= _PROGRESS:
                reported = now
                log(f"  {now - start:.0f} s, {len(said)} packages: {line.strip()}")
    if process.returncode:
        raise ToolFailed(f"go install in {source}: {''.join(said)[-20_000:].strip()}")


def fits(says: str, oldest: Version, newest: Version) -> bool:
    """Whether the first version in what a program says is in [oldest, newest)."""
    match = re.search(r"v?(\d+)\.(\d+)(?:\.(\d+))?", says)
    version = (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None
    return version is not None and oldest <= version < newest
