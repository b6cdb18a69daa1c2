"""The path of a value in YAML: what it leads to, and how people write it."""

from __future__ import annotations

import re
from typing import Any

Key = tuple[str | int, ...]
"""The path of a value: mapping keys and list indices."""


_STEP = re.compile(r'\.?([A-Za-z0-9_-]+)|\["([^"]*)"\]|\[([0-9]+)\]')


def value_at(data: Any, path: Key) -> Any:
    """The value at a path that is there. Raises LookupError or TypeError if it is not."""
    for step in path:
        data = data[step]
    return data


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


def key_of(text: str) -> Key:
    """`a[0]["b.c"]` as `("a", 0, "b.c")`: what `dotted` writes, read again."""
    return tuple(
        int(index) if index else word or quoted for word, quoted, index in _STEP.findall(text)
    )
