"""The user's home, and the folder in it for what runs and clones share."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path


def home() -> Path:
    """The user's home, also where HOME is empty or not set."""
    if named := os.environ.get("HOME"):
        return Path(named)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path(tempfile.gettempdir())


def cache_folder() -> Path:
    """Where built programs, rendered charts and compiled templates are kept; perhaps not there."""
    base = os.environ.get("XDG_CACHE_HOME") or home() / ".cache"
    return Path(base) / "kserve-lite"
