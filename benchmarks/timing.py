"""Wall times of commands, and the lines in which claims about them are printed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from generator import process

ROOT = Path(__file__).parent.parent


def environment(modules: Path) -> dict[str, str]:
    """The environment in which Python finds `modules` compiled, as pip leaves those of a wheel."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(modules)}


def seconds(
    *commands: Sequence[str], environment: dict[str, str], accept: Sequence[int] = (0,)
) -> float:
    """Wall time of commands that must succeed, one after another."""
    start = time.perf_counter()
    for command in commands:
        process.run(command, cwd=ROOT, environment=environment, accept=accept)
    return time.perf_counter() - start


def verdict(name: str, measured: float, limit: float) -> bool:
    """Print a line about a claim; whether it holds."""
    holds = measured <= limit
    print(f"{'ok  ' if holds else 'MISS'} {measured:5.2f} (at most {limit})  {name}")
    return holds
