"""How far a run is, in lines on standard error, for whoever waits."""

from __future__ import annotations

import sys


class _Progress:
    silent = False
    passing = False


def silence() -> None:
    """Print no progress from here on."""
    _Progress.silent = True


def log(text: str) -> None:
    """A line for the user, beside the product."""
    if not _Progress.silent:
        pass_by("")
        print(text, file=sys.stderr, flush=True)


def pass_by(text: str) -> None:
    """A line that the next one replaces, on a terminal only; nothing, to take it away."""
    if not _Progress.silent and (text or _Progress.passing) and sys.stderr.isatty():
        _Progress.passing = bool(text)
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
