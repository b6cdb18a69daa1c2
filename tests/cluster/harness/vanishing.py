"""A folder on the machine that is gone once the process that made it is, however that ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "kserve-lite-demo-"
"""What its name begins with."""

# Reads until nobody can write any more: then the block has ended, or its process.
_REMOVE = ("sh", "-c", 'cat; rm -r "$1"', "sh")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """The folder, until the block ends; root may look into it, and the user who ran sudo."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX))
    give(path)
    with subprocess.Popen(
        [*_REMOVE, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for this one.
    ):
        yield path


def give(path: Path) -> None:
    """Make a file or folder that of the user who ran sudo, if somebody did."""
    if user := os.environ.get("SUDO_UID"):
        os.chown(path, int(user), int(os.environ["SUDO_GID"]))
