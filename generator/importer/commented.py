"""An entry as YAML text, with comments in it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from generator.yaml.path import Key
from generator.yaml.writer import dump

_WIDTH = 100
_NARROW = 20  # characters that a comment has at least, however deep it is


def dump_entry(name: str, entry: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """`NAME:` and the entry below it, which is not empty, after a comment line for each of
    `comments`; a key of a mapping, ready to be indented.

    The comments aside it is the text of `dump`.
    """
    text = dump({name: entry})
    if not comments:
        return text
    first, end, rest = text.partition("\n")
    return f"{first}{end}{indent(_dump_comments(comments), 2)}{rest}"


def dump_commented(
    values: Mapping[str, Any],
    *,
    head: Sequence[str] = (),
    comments: Mapping[Key, Sequence[str]] | None = None,
) -> str:
    """A values file: the lines of `head` as a comment, then the values, each below the comments
    that its path has. Long comments are wrapped; all values may be missing.
    """
    top = f"{_dump_comments(_wrapped(head))}\n" if head else ""
    return top + (_dump_below(values, comments or {}, ()) if values else "{}\n")


def _dump_below(values: Mapping[str, Any], comments: Mapping[Key, Sequence[str]], path: Key) -> str:
    """The mapping at `path`, as block YAML."""
    text = ""
    for key, value in values.items():
        here = (*path, key)
        if own := comments.get(here):
            text += _dump_comments(_wrapped(own, 2 * len(path)))
        if isinstance(value, dict) and any(other[: len(here)] == here for other in comments):
            first = dump({key: {}}).removesuffix(" {}\n")
            text += f"{first}\n{indent(_dump_below(value, comments, here), 2)}"
        else:
            text += dump({key: value})
    return text


def _wrapped(lines: Sequence[str], columns: int = 0) -> list[str]:
    width = max(_WIDTH - columns - 2, _NARROW)
    wrapper = textwrap.TextWrapper(width, break_on_hyphens=False, break_long_words=False)
    return [part for line in lines for part in wrapper.wrap(line) or [""]]


def _dump_comments(lines: Sequence[str]) -> str:
    """The lines as ruamel.yaml writes comments.

    It gets a mapping of nothing to write them above, and not the entry: reading one takes it forty
    times as long as writing one takes us, and it rounds the numbers.
    """
    # Imported here: it takes longer to import than most entries take to make.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415

    nothing = CommentedMap(key=None)
    nothing.yaml_set_comment_before_after_key("key", before="\n".join(lines))
    stream = io.StringIO()
    YAML().dump(nothing, stream)
    return stream.getvalue().removesuffix("key:\n")


def indent(text: str, columns: int) -> str:
    """The text with each line that is not empty `columns` further right."""
    return textwrap.indent(text, " " * columns, lambda line: bool(line.strip()))
