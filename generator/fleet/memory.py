"""What a fleet's last run left, so that the next one can pass over what is as it was.

Kept in the user's cache, by folder of output: for each cluster a hash of all that its folder is
made from, and one of how its files lie on this disk. Without it, as in a fresh clone, everything is
rendered and compared.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from generator import tools
from generator.cache import cache_folder, state
from generator.output import inventory, record
from generator.output.record import NAME
from generator.values.sources import Source


@dataclass(frozen=True)
class Memory:
    """What is known of a cluster's folder: what it was made from, and how it was left.

    `made_from` is what `fingerprint` says, `files` what `look` says, `record` the SHA-256 of its
    SHA256SUMS.
    """

    made_from: str
    files: str
    record: str


def fingerprint(sources: Sequence[Source], teams: Sequence[str], about: str) -> str:
    """A hash of all that the objects of a cluster, and their record, come from.

    That is: values, by name and content; charts and our own code; Helm; and `about`, what else the
    run was told. Raises ToolMissing without Helm.
    """
    state = hashlib.sha256(f"{_program()}\0{about}\0{','.join(teams)}\0".encode())
    for source in sources:
        state.update(f"{source.name}\0{len(source.content)}\0".encode() + source.content)
    return state.hexdigest()


def _program() -> str:
    helm = tools.find("helm")
    status = helm.stat()
    return f"{state()}\0{helm}\0{status.st_size}\0{status.st_mtime_ns}"


def look(folder: Path) -> str:
    """A hash of what is in a folder: the path, size and time of change of each file.

    Raises OSError where that cannot be read.
    """
    return hashlib.sha256("\n".join(_listed(folder, "")).encode("utf-8", "replace")).hexdigest()


def _listed(folder: Path, below: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _listed(Path(entry.path), f"{below}{entry.name}/")
        else:
            status = entry.stat(follow_symlinks=False)
            yield f"{below}{entry.name}\0{status.st_mode}\0{status.st_size}\0{status.st_mtime_ns}"


def is_as_left(folder: Path, known: Memory | None, made_from: str, *, read: bool) -> bool:
    """Whether a cluster's folder is what would be rendered, as far as can be told without that.

    By sizes and times; with `read`, by what is in each of the files that its record lists.
    """
    if known is None or known.made_from != made_from:
        return False
    try:
        return _is_sound(folder, known.record) if read else look(folder) == known.files
    except (OSError, ValueError, inventory.Obstacle):
        return False


def _is_sound(folder: Path, expected: str) -> bool:
    """Whether a folder has the record that is expected, and the files that this lists.

    Raises OSError, ValueError or Obstacle for what is no such folder.
    """
    content = (folder / NAME).read_bytes()
    if record.digest(content) != expected or os.path.lexists(folder / record.JOURNAL):
        return False
    files = record.parse(content.decode()).files
    found = ((inventory.read(folder, path), listed) for path, listed in files.items())
    return all(content is not None and record.digest(content) == of for content, of in found)


def left(folder: Path, made_from: str) -> Memory | None:
    """What to keep of a folder that has just been found, or made, what is rendered."""
    try:
        return Memory(made_from, look(folder), record.digest((folder / NAME).read_bytes()))
    except OSError:
        return None


def recall(output: Path) -> dict[str, Memory]:
    """What is kept of the clusters in a folder of output, by name."""
    try:
        kept = json.loads(_file(output).read_bytes())
        return {str(name): Memory(**each) for name, each in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep(output: Path, known: Mapping[str, Memory]) -> None:
    """Keep what is known; where there is no cache to write to, the next run takes longer."""
    file = _file(output)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            draft = Path(folder) / "draft"
            draft.write_text(json.dumps({name: asdict(each) for name, each in known.items()}))
            draft.replace(file)


def _file(output: Path) -> Path:
    mark = hashlib.sha256(os.fsencode(output.resolve())).hexdigest()[:32]
    return cache_folder() / "fleets" / f"{mark}.json"
