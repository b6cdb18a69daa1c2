"""What Jinja compiles, kept between runs: compiling takes longer than all the rest of rendering."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import sys
import tempfile
from pathlib import Path
from types import CodeType

import jinja2

from generator.home import cache_folder

_DIGEST = hashlib.sha256().digest_size


def compiled(environment: jinja2.Environment, name: str, text: str) -> CodeType:
    """The bytecode of a template, which `name` tells from others; from the cache where it is there.

    What was kept is taken if it is whole, and made from this text by the same versions of Jinja and
    Python with the same options. Raises jinja2.TemplateSyntaxError.
    """
    file = cache_folder() / "templates" / name.replace("/", "+")
    options = {k: v for k, v in sorted(vars(environment).items()) if isinstance(v, str | bool)}
    made_from = repr((jinja2.__version__, sys.version, options, text)).encode()
    with contextlib.suppress(OSError):
        content = file.read_bytes()
        if content[:_DIGEST] == _digest(made_from, content[_DIGEST:]):
            code: CodeType = marshal.loads(content[_DIGEST:])
            return code
    code = environment.compile(text)
    kept = marshal.dumps(code)
    with contextlib.suppress(OSError):  # Without a cache that can be written it takes longer.
        _write(file, _digest(made_from, kept) + kept)
    return code


def _digest(made_from: bytes, code: bytes) -> bytes:
    return hashlib.sha256(made_from + code).digest()


def _write(file: Path, content: bytes) -> None:
    """Write a file that is whole to whoever reads it meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        draft = Path(folder) / "draft"
        draft.write_bytes(content)
        draft.replace(file)
