"""How one YAML text differs from another, so that the difference stays the same while both change.

Where a hunk belongs is said by the keys above it in the file, not by line numbers, and one line of
context is kept: a line that changes elsewhere in the file changes no hunk.

    @@ spec.template.spec.containers[name: manager].resources.limits @@
               limits:
    -            cpu: 500m
    +            cpu: "2"
                 memory: 512Mi

Where the keys and the lines fit in several places, it says in which: `@@ rules @@ 2 of 3`.
An empty line of context is written without the leading space, which editors would take away.
Nothing is lost: the first text and its hunks make the second (test_golden.py proves it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_CONTEXT = 1
_KEY = re.compile(r'"?([^\s"]+)"?: *(?:[|>][-+]?|[{\[]|)$')


def hunks(before: str, after: str) -> list[str]:
    """The lines of a diff between two texts; none when they are the same.

    Raises ValueError for a text that does not end in a line break, which no diff could show.
    """
    old, new = lines(before), lines(after)
    # Without autojunk: a line that is there often, such as `{`, is a line like any other.
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    diff: list[str] = []
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        body: list[str] = []
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                body += [f" {line}" if line else "" for line in old[start:end]]
            else:
                body += [f"-{line}" for line in old[start:end]]
                body += [f"+{line}" for line in new[new_start:new_end]]
        diff += [_heading(old, body, group[0][1]), *body]
    return diff


def lines(text: str) -> list[str]:
    """The lines of a text, split at line feeds only: other breaks are part of what it says."""
    if not text.endswith("\n"):
        raise ValueError(f"the text does not end in a line break: {text[-40:]!r}")
    return text[:-1].split("\n")


def _heading(old: Sequence[str], body: Sequence[str], start: int) -> str:
    """The line above a hunk that begins at line `start` of the old text."""
    where, found = keys(old, body, start), positions(old, body, start)
    which = f"{found.index(start) + 1} of {len(found)}" if len(found) > 1 else ""
    return " ".join(filter(None, ["@@", where, "@@", which]))


def positions(old: Sequence[str], body: Sequence[str], start: int) -> list[int]:
    """The lines of the old text where a hunk fits as well as at `start`: same lines, same keys."""
    kept = [line[1:] for line in body if not line.startswith("+")]
    where = keys(old, body, start)
    return [
        at
        for at in range(len(old) - len(kept) + 1)
        if old[at : at + len(kept)] == kept and keys(old, body, at) == where
    ]


def keys(old: Sequence[str], body: Sequence[str], start: int) -> str:
    """The path of keys down to the first line that a hunk changes, if it begins at `start`."""
    first = next(index for index, line in enumerate(body) if line[:1] in ("-", "+"))
    above = list(_above(old[: start + first], _depth(body[first][1:])))
    return "".join(reversed(above)).removeprefix(".")


def _above(old: Sequence[str], depth: int) -> Iterator[str]:
    """The lines that hold what stands at `depth` after the last of `old`, the nearest first."""
    for line in reversed(old):
        text = line.strip()
        if text.strip("{[") and not text.startswith("#") and _depth(line) < depth:
            depth = _depth(line)
            key = _KEY.fullmatch(text)
            yield f".{key[1]}" if key else f"[{text.removeprefix('- ').removesuffix(':')}]"


def _depth(line: str) -> int:
    """How deep a line is; an item of a list is deeper than the key above it at the same indent."""
    text = line.lstrip(" ")
    return 2 * (len(line) - len(text)) + text.startswith("- ")
