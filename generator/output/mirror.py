"""Keeps a folder of the project's own equal to what is rendered.

For what git keeps or nobody else sees: the goldens, what codegen makes, the cache. A folder that a
user names is written by writing.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from generator.output.writing import Changes


def compare(files: Mapping[str, str], folder: Path, *, whole: bool = True) -> Changes:
    """How `folder` differs from `files`; unless `whole`, what it holds beside them is left out."""
    found = folder.rglob("*") if whole else map(folder.joinpath, files)
    present = {file.relative_to(folder).as_posix(): file for file in found if file.is_file()}
    changed = [
        path
        for path in files.keys() & present.keys()
        if present[path].read_bytes() != files[path].encode()
    ]
    return Changes(
        added=tuple(sorted(files.keys() - present.keys())),
        changed=tuple(sorted(changed)),
        removed=tuple(sorted(present.keys() - files.keys())),
    )


def write(files: Mapping[str, str], folder: Path, *, whole: bool = True) -> Changes:
    """Make `folder` hold `files`, and nothing beside them if they are the `whole` of it."""
    changes = compare(files, folder, whole=whole)
    for path in (*changes.added, *changes.changed):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(files[path].encode())
    for path in changes.removed:
        (folder / path).unlink()
        if not any((folder / path).parent.iterdir()):
            (folder / path).parent.rmdir()
    return changes
