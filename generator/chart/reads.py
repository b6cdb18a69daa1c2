"""Which values a Helm template reads: perhaps more than it does, never fewer.

A template is read as Go reads it: actions with their strings and comments, and variables in the
block that declares them. A value that is handed on (to a function, a range, a with, another
template) is read whole; only one that just gets a name is read through that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.values.schema import ValuePath

_TEXT = r'"(?:\\.|[^"\\])*"|`[^`]*`'
# What Go reads between braces; a comment is one, too.
ACTION = re.compile(rf"\{{\{{-?((?:/\*.*?\*/|{_TEXT}|[^\"`])*?)-?\}}\}}", re.DOTALL)
_SKIPPED = re.compile(rf"/\*.*?\*/|{_TEXT}", re.DOTALL)
_OPENING = re.compile(r"\s*(if|with|range|define|block)\b")
_END = re.compile(r"\s*end\s*")
_DECLARATION = re.compile(
    r"\s*(?P<keyword>(?:else\s+)?(?:if|with|range)\s+)?"
    r"(?P<names>\$\w+(?:\s*,\s*\$\w+)?)\s*(?P<sign>:?=)(?P<value>.*)",
    re.DOTALL,
)
# `.Values.a.b`, `.root.Values.a`, `$root.Values.a`, `$name.b`, `$name`; fields after a parenthesis
# too.
_CHAIN = re.compile(r"(?P<variable>\$\w*)?(?P<fields>(?:\.\w+)*)")


def reads(text: str) -> set[ValuePath]:
    """The paths of the values that a template reads, each with all that is below it.

    The empty path stands for all values.
    """
    found: set[ValuePath] = set()
    blocks: list[dict[str, set[ValuePath]]] = [{}]
    for match in ACTION.finditer(text):
        action = _SKIPPED.sub('""', match[1])
        if _END.fullmatch(action) and len(blocks) > 1:
            blocks.pop()
        if _OPENING.match(action):
            blocks.append({})
        declared = _DECLARATION.fullmatch(action)
        if declared is None:
            found.update(_paths(action, blocks))
            continue
        value = declared["value"].strip()
        paths = set(_paths(value, blocks))
        lone = _CHAIN.fullmatch(value) and not declared["keyword"] and declared["sign"] == ":="
        if not lone:
            found.update(paths)
        for name in re.findall(r"\$\w+", declared["names"]):
            if declared["sign"] == ":=":
                blocks[-1][name] = paths if lone else set()
    return found


def _paths(expression: str, blocks: list[dict[str, set[ValuePath]]]) -> Iterator[ValuePath]:
    """The values that an expression mentions, by way of the variables of its blocks too."""
    for chain in _CHAIN.finditer(expression):
        fields = tuple(chain["fields"].split(".")[1:])
        # A define is handed the root by that name, beside its other arguments.
        rooted = fields[1:] if fields[:1] == ("root",) else fields
        if rooted[:1] == ("Values",):
            yield rooted[1:]
        elif chain["variable"]:
            holding = (block for block in reversed(blocks) if chain["variable"] in block)
            held = next(holding, {}).get(chain["variable"], ())
            yield from (path + fields for path in held)
