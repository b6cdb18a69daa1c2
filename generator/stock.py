"""The stock charts as folders that Helm can read, rendered once for each state of their sources."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from pathlib import Path

from generator import CHART, MODELS
from generator.schema import HERE
from generator.tools import cache_folder

_KEPT = 4


def folder(chart: str = CHART) -> Path:
    """A folder with a stock chart, in the cache; it is shared, so nothing may be written to it.

    It is named after a hash of everything that it is made from. Without a cache that can be
    written it is rendered anew, into a temporary folder.
    """
    cache = cache_folder() / "charts"
    place = cache / _digest() / chart
    if place.is_dir():
        return place
    try:
        cache.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=cache, prefix="draft-"))
    except OSError:
        passing = Path(tempfile.mkdtemp(prefix="kserve-lite-"))
        atexit.register(shutil.rmtree, passing, ignore_errors=True)
        return _render(passing) / chart
    _render(draft)
    try:
        draft.replace(place.parent)
    except OSError:
        # Somebody else was first with the same bytes.
        shutil.rmtree(draft, ignore_errors=True)
    _forget(cache)
    return place


def _render(parent: Path) -> Path:
    # Imported here: it takes longer than all the rest, and is rarely needed.
    from generator import chart, tree  # noqa: PLC0415

    for name in (CHART, MODELS):
        tree.write(chart.render(chart=name), parent / name)
    return parent


def _digest() -> str:
    digest = hashlib.sha256()
    parts = [it for it in HERE.iterdir() if it.name not in ("schemas", "derive", "__pycache__")]
    for file in sorted(file for part in parts for file in (part, *part.rglob("*"))):
        if file.is_file():
            digest.update(f"{file.relative_to(HERE)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def _forget(cache: Path) -> None:
    """Keep the charts of the last few states."""
    by_age = sorted(cache.iterdir(), key=lambda it: it.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
