"""The marks that git leaves in a file where two sides changed the same lines."""

from __future__ import annotations

import re

FACT = "holds the marks of a merge conflict"

_MARK = re.compile(r"^(?:<{7}|={7}|>{7})(?: .*)?\r?$", re.MULTILINE)


def first_mark(text: str) -> int | None:
    """The line (from 1) of the first mark; None if there is none."""
    found = _MARK.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else None
