"""The steps of something that takes minutes, each with the seconds since the start, on stderr."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from generator import progress


class Steps:
    """A line when a step begins, and one every so often while it goes on.

    `start` is a reading of time.monotonic(), which all processes of a machine share.
    """

    def __init__(self, start: float, *, every: float = 10) -> None:
        self._start = start
        self._every = every

    @contextlib.contextmanager
    def step(self, what: str, state: Callable[[], str] = str) -> Iterator[None]:
        """Say that `what` begins; until the block ends, that it goes on, and in which `state`."""
        self._say(what)
        over = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(over, state), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()

    def _tick(self, over: threading.Event, state: Callable[[], str]) -> None:
        began = time.monotonic()
        while not over.wait(self._every):
            known = state()
            seconds = f"  … for {time.monotonic() - began:.0f} s"
            self._say(f"{seconds}: {known}" if known else seconds)

    def _say(self, what: str) -> None:
        progress.log(f"{time.monotonic() - self._start:7.1f} s  {what}")
