"""How far a run is, in lines on standard error, for whoever waits."""

from __future__ import annotations

import sys


class _Progress:
    silent = False


def silence() -> None:
    """Print no progress from here on."""
    _Progress.silent = True


def log(text: str) -> None:
    """A line for the user, beside the product."""
    if not _Progress.silent:
        print(text, file=sys.stderr, flush=True)
