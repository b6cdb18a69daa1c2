"""Writing YAML so that every parser agrees on it.

Helm reads YAML with Go's parser, Kubernetes tools with others, people with their memory of 1.1 or
1.2. So a scalar that those read differently (`on`, `012`, `1e3`) is refused on the way in
(reader.py) and quoted on the way out.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from generator.yaml.scalar import is_ambiguous


class _Dumper(yaml.CSafeDumper):
    """Writes text that some parser would take for something else in double quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


# Text that is plainly text to every parser, as the value of a block mapping or list.
_PLAIN = re.compile(
    r"(?!.*(: | #|\{\{|[: ]$))(-(?=[^ -])|--(?=[a-z])|[A-Za-z0-9_./$(^+~<;\\])[^\n\t]*"
)
# Several lines. The last one keeps at most one newline, or what follows the text would belong to
# it; and \x85 and its like end lines in YAML 1.1, which this writes, not in 1.2, which Helm reads.
_BLOCK = re.compile(r"(?=.*\n)[^\x85\u2028\u2029]*[^\n\x85\u2028\u2029]\n?", re.DOTALL)


def _represent_str(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    if _BLOCK.fullmatch(text):
        style = "|"
    elif _PLAIN.fullmatch(text) and not is_ambiguous(text) and _resolves_to_text(dumper, text):
        style = None
    else:
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _resolves_to_text(dumper: _Dumper, text: str) -> bool:
    tag = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag == "tag:yaml.org,2002:str")


_Dumper.add_representer(str, _represent_str)


def dump(data: Any) -> str:
    """`data` (JSON types) as block YAML in the given order of keys, ending in a newline."""
    if not isinstance(data, dict | list):
        return scalar(data) + "\n"
    return str(
        yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=10**6, allow_unicode=True, indent=2)
    )


def scalar(value: Any) -> str:
    """A scalar, or an empty or small collection, on one line."""
    # Text of several lines would be a block of its own; inside of a list it cannot be.
    several = isinstance(value, str) and "\n" in value
    text = yaml.dump(
        [value] if several else value,
        Dumper=_Dumper,
        sort_keys=False,
        width=10**6,
        allow_unicode=True,
        default_flow_style=True,
    )
    line = str(text).removesuffix("\n").removesuffix("\n...")
    return line[1:-1] if several else line
