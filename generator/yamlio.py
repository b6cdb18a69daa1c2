"""Reading and writing YAML so that every parser agrees on it.

Helm reads YAML with Go's parser, Kubernetes tools with others, people with their memory of 1.1 or
1.2. So a scalar that those read differently (`on`, `012`, `1e3`) is refused on the way in and
quoted on the way out. PyYAML's libyaml binding does both: it is fast, and its nodes know their
place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from generator.errors import Problem, ValuesError

Key = tuple[str | int, ...]
"""The path of a value: mapping keys and list indices."""

# What one of the dialects (PyYAML's 1.1, the 1.2 core schema, Go's mix) takes for something other
# than text, while another takes it for text or for something else.
_AMBIGUOUS = re.compile(
    r"""
      (?i:y|n|yes|no|on|off)
    | [-+]?0[0-9_]+                              # octal, or not
    | [-+]?0[ob][0-7_]+
    | [-+]?[0-9][0-9_]*_[0-9_]*                  # digits with underscores
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?   # base 60
    | [-+]?[0-9]+\.                              # "1."
    | [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][0-9]+    # an exponent without its sign
    | [-+]?[0-9]+[eE][-+][0-9]+                  # or without a dot
    | [-+]?\.(?i:inf|nan)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)? # a date
    | =
    """,
    re.VERBOSE,
)


def is_ambiguous(text: str) -> bool:
    """Whether YAML 1.1, YAML 1.2 and Go's YAML read the plain scalar `text` differently."""
    return _AMBIGUOUS.fullmatch(text) is not None


@dataclass(frozen=True)
class Document:
    """A YAML file: its name, its content, and where each value stands (line and column from 1)."""

    file: str
    data: Any
    positions: dict[Key, tuple[int, int]] = field(repr=False)

    def position(self, path: Key) -> tuple[int, int]:
        """Line and column of the value at `path`, or of the nearest parent that is in the file."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (1, 1))

    def problem(self, path: Key, message: str) -> Problem:
        """A Problem at `path`."""
        line, column = self.position(path)
        return Problem(self.file, line, column, dotted(path), message)


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


def load_fast(path: Path) -> Any:
    """The content of one of our own YAML files: no checks, no places."""
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def load(path: Path) -> Document:
    """Read a file that people wrote.

    Raises ValuesError for a syntax error, more than one document, a duplicate key, a key that is
    not text, or a scalar that parsers disagree on; OSError if it cannot be read.
    """
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, file: str) -> Document:
    """`load` for text; `file` is its name in messages."""
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or str(error)
        raise ValuesError([Problem(file, line, column, "", f"not valid YAML: {what}")]) from None
    except yaml.YAMLError as error:
        raise ValuesError([Problem.of(file, f"not valid YAML: {error}")]) from None
    if node is None:
        return Document(file, None, {})
    reader = _Reader(loader, file)
    try:
        data = reader.read(node, ())
    except RecursionError:
        problem = Problem.of(file, "an anchor holds itself, or the nesting is too deep")
        raise ValuesError([problem]) from None
    if reader.problems:
        raise ValuesError(reader.problems)
    return Document(file, data, reader.positions)


_BOOLEANS = dict.fromkeys(("y", "yes", "on"), "true") | dict.fromkeys(("n", "no", "off"), "false")


class _Reader:
    """Turns nodes into data, noting the place of each and what is wrong with it."""

    def __init__(self, loader: yaml.CSafeLoader, file: str) -> None:
        self.loader = loader
        self.file = file
        self.positions: dict[Key, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def read(self, node: yaml.Node, path: Key) -> Any:
        self.positions.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Key) -> dict[str, Any]:
        merged = any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
        own = [key for key, _ in node.value]
        if merged:
            self.loader.flatten_mapping(node)
        data: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, path) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                self._report(key_node, path, f"the key {_source(key_node)} is not text; quote it")
                continue
            here = (*path, key)
            if key in seen and key_node in own:
                self._report(key_node, here, f"the key is there already, in line {seen[key]}")
                continue
            # A merged key comes first in the flattened list, so that the mapping's own wins.
            if key_node in own:
                seen[key] = key_node.start_mark.line + 1
            self.positions[here] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            data[key] = self.read(value_node, here)
        return data

    def _scalar(self, node: yaml.Node, path: Key) -> Any:
        text = str(node.value)
        plain = not getattr(node, "style", None) and node.tag != "tag:yaml.org,2002:merge"
        if not (plain and is_ambiguous(text)):
            return self.loader.construct_object(node, deep=True)
        meant = _BOOLEANS.get(text.lower())
        also = f"{meant} or " if meant else ""
        message = f'parsers read {text} differently (YAML 1.1, 1.2, Go); write {also}"{text}"'
        self._report(node, path, message)
        return text

    def _report(self, node: yaml.Node, path: Key, message: str) -> None:
        mark = node.start_mark
        self.problems.append(
            Problem(self.file, mark.line + 1, mark.column + 1, dotted(path), message)
        )


def _source(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "(a list or mapping)"


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
    text = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        width=10**6,
        allow_unicode=True,
        default_flow_style=True,
    )
    return str(text).removesuffix("\n").removesuffix("\n...")
