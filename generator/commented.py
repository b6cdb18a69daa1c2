"""An entry as YAML text, with comments in it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from generator.yamlio import dump


def dump_entry(name: str, entry: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """`NAME:` and the entry below it, which is not empty, after a comment line for each of
    `comments`; a key of a mapping, ready to be indented.

    The comments aside it reads as what `yamlio.dump` writes, to every parser.
    """
    text = dump({name: entry})
    if not comments:
        return text
    # Imported here: it takes longer to import than most entries take to make.
    from ruamel.yaml import YAML  # noqa: PLC0415

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 2**31
    yaml.indent(mapping=2, sequence=2, offset=0)
    document = yaml.load(text)
    first = next(iter(entry))
    document[name].yaml_set_comment_before_after_key(first, before="\n".join(comments), indent=2)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def indent(text: str, columns: int) -> str:
    """The text with each line that is not empty `columns` further right."""
    return textwrap.indent(text, " " * columns, lambda line: bool(line.strip()))
