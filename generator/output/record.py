"""SHA256SUMS: the record that a run leaves of what it wrote into a folder.

`sha256sum -c SHA256SUMS` checks it: GNU's program passes over the comments in front. They name the
version, the command with what it was run for, and the files that the values came from:

    # kserve-lite 0.1.0: manifests --release kserve-lite --namespace kserve
    # from: base.yaml, my.yaml
    01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b  00-crds/namespace-kserve.yaml

Nothing in it depends on the time or on the machine: the same run leaves the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import __version__, conflict

NAME = "SHA256SUMS"
JOURNAL = ".kserve-lite-journal"
"""Where a run keeps what it needs to be undone; there only while one is at work, or was killed."""

_HEAD = re.compile(r"# kserve-lite (\S+): (\S.*)")
_FROM = "# from: "
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True)
class Record:
    """What a run wrote: the SHA-256 of each file by its path, and who wrote it.

    `owner` is the command and what it was run for (`manifests --release a --namespace b`); `inputs`
    are the names of the files that the values came from.
    """

    owner: str
    files: Mapping[str, str]
    inputs: tuple[str, ...] = ()
    version: str = __version__

    @property
    def command(self) -> str:
        """The command alone, without what it was run for."""
        return self.owner.partition(" ")[0]

    def text(self) -> str:
        """The content of the file."""
        head = [f"# kserve-lite {self.version}: {self.owner}"]
        if self.inputs:
            head.append(_FROM + ", ".join(self.inputs))
        lines = [f"{digest}  {path}" for path, digest in sorted(self.files.items())]
        return "\n".join([*head, *lines, ""])

    def is_newer(self) -> bool:
        """Whether a later kserve-lite than this one wrote it."""
        return _numbers(self.version) > _numbers(__version__)


def parse(text: str) -> Record:
    """The record in a file's text. Raises ValueError, which says what the text is instead."""
    if conflict.first_mark(text):
        raise ValueError(f"{conflict.FACT}; take one side of this file whole")
    if "\r\n" in text:
        raise ValueError(_WINDOWS)
    head, *lines = text.split("\n")
    match = _HEAD.fullmatch(head)
    if match is None or not lines or lines.pop() != "":
        raise ValueError(_FOREIGN)
    inputs: tuple[str, ...] = ()
    if lines and lines[0].startswith(_FROM):
        inputs = tuple(lines.pop(0).removeprefix(_FROM).split(", "))
    files: dict[str, str] = {}
    for line in lines:
        entry = _LINE.fullmatch(line)
        if entry is None or not is_inside(entry[2]) or entry[2] in files:
            raise ValueError(_FOREIGN)
        files[entry[2]] = entry[1]
    return Record(match[2], files, inputs, match[1])


_WINDOWS = (
    "has Windows line ends, and what was written has not; if git put them in, keep it from that "
    "with `* -text` in .gitattributes, and check the folder out again"
)
_FOREIGN = "is not a record of kserve-lite's, or was edited; restore it or move it away"


def is_record(path: str) -> bool:
    """Whether a path is that of a record, in whatever folder."""
    return path.rpartition("/")[2] == NAME


def is_inside(path: str) -> bool:
    """Whether a path stays below the folder it is relative to, and may stand in a record."""
    parts = path.split("/")
    if parts[0] == JOURNAL or is_record(path):
        return False
    return all(
        part not in ("", ".", "..") and part.isprintable() and "\\" not in part for part in parts
    )


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, as a record has it."""
    return hashlib.sha256(content).hexdigest()


def name_inputs(files: Sequence[Path]) -> tuple[str, ...]:
    """What a record calls the files of values: as they were given, without a place on a machine."""
    return tuple(_name_input(file) for file in files)


def _name_input(file: Path) -> str:
    if str(file) == "-" or file.parts[:2] in (("/", "dev"), ("/", "proc")):
        return "standard input or a pipe"
    name = file.name if file.is_absolute() else file.as_posix()
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()
