"""The stock charts as folders that Helm can read, rendered once for each state of their sources."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from generator import CHART
from generator.cache import cache_folder, content_of, state
from generator.output.record import NAME, Record, digest, parse

_KEPT = 4
_IN_USE = 3600  # seconds for which what was last touched may be in somebody's hands


def folder(chart: str = CHART) -> Path:
    """A folder with a stock chart, in the cache; it is shared, so nothing may be written to it.

    It is named after a hash of everything that it is made from, and taken when it still holds what
    was rendered into it. Without a cache that can be used it is rendered into a temporary folder.
    """
    try:
        return _cached(chart)
    except OSError:
        passing = Path(tempfile.mkdtemp(prefix="kserve-lite-"))
        atexit.register(shutil.rmtree, passing, ignore_errors=True)
        return _render(passing) / chart


def _cached(chart: str) -> Path:
    cache = cache_folder() / "charts"
    entry = cache / state()
    if _is_sound(entry, chart):
        with contextlib.suppress(OSError):  # A cache that may only be read is one, too.
            os.utime(entry)
        return entry / chart
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=cache, prefix="draft-"))
    try:
        _render(draft)
        _settle(draft, entry)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _forget(cache)
    return entry / chart


def _is_sound(entry: Path, chart: str) -> bool:
    """Whether a chart in the cache is file for file what its record says."""
    try:
        listed = parse((entry / NAME).read_text(encoding="utf-8")).files
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    root = str(entry)
    own = {path: of for path, of in listed.items() if path.startswith(f"{chart}/")}
    files = (
        f"{folder}/{name}" for folder, _, names in os.walk(f"{root}/{chart}") for name in names
    )
    found = {file[len(root) + 1 :]: digest(content_of(file)) for file in files}
    return bool(own) and found == own


def _settle(draft: Path, entry: Path) -> None:
    """Make a draft the entry; where another run has made one meanwhile, mend what is damaged in it.

    Another run may be reading the entry. So no folder is moved away, a file that is as it should be
    is not touched, and one that is not changes in one step. Whoever mends writes the same bytes.
    """
    try:
        draft.rename(entry)
        return
    except OSError:
        if not entry.is_dir():
            raise
    files = {file.relative_to(draft): file for file in draft.rglob("*") if file.is_file()}
    for file in entry.rglob("*"):
        if file.is_file() and file.relative_to(entry) not in files:
            file.unlink(missing_ok=True)
    for path, file in files.items():
        there = entry / path
        if not there.is_file() or there.read_bytes() != file.read_bytes():
            there.parent.mkdir(parents=True, exist_ok=True)
            file.replace(there)


def _render(parent: Path) -> Path:
    # Imported here: it takes longer than all the rest, and is rarely needed.
    from generator.chart.rendering import render_both  # noqa: PLC0415
    from generator.output import mirror  # noqa: PLC0415

    files = render_both()
    record = Record("chart", {path: digest(text.encode()) for path, text in files.items()})
    mirror.write(files | {NAME: record.text()}, parent)
    return parent


def _forget(cache: Path) -> None:
    """Keep the charts of the last few states, and what another run may be reading or writing."""
    ages = {entry: _age(entry) for entry in cache.iterdir()}
    charts = [entry for entry in ages if not entry.name.startswith("draft-")]
    kept = sorted(charts, key=ages.__getitem__)[:_KEPT]
    for entry in ages.keys() - kept:
        # Looked at once more: another run may have taken it since.
        if _age(entry) > _IN_USE:
            shutil.rmtree(entry, ignore_errors=True)


def _age(entry: Path) -> float:
    """For how many seconds nobody has taken an entry; 0 if it is not there any more."""
    try:
        return time.time() - entry.stat().st_mtime
    except FileNotFoundError:
        return 0
