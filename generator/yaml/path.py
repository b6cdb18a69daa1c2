"""The path of a value in YAML, and how people write one."""

from __future__ import annotations

import re

Key = tuple[str | int, ...]
"""The path of a value: mapping keys and list indices."""


def dotted(path: Key) -> str:
    """`("a", 0, "b.c")` as `a[0]["b.c"]`, the way people write paths into values."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]+", step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
