"""What PyPI has of an image: packages at the versions of a file in tools/, in an environment apart.

It is in the cache, installed once. Where pods run is no network.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import process
from generator.cache import cache_folder
from generator.errors import ToolFailed, ToolMissing

VENV = "/prod_venv"  # where images have it

# Of the system: Python and its libraries, the C library.
_SYSTEM = ("/bin", "/lib", "/lib64", "/usr")
_TOOLS = Path(__file__).parents[3] / "tools"
_PYTHONS = ("python3.11", "python3.12", "python3.10")  # what upstream takes, what it has first


@dataclass(frozen=True)
class Packages:
    """`tools/NAME/requirements.txt`, and the modules that a server imports, to be compiled.

    `without` has the packages that others ask for, and that are left out on purpose.
    """

    name: str
    modules: tuple[str, ...]
    without: frozenset[str] = frozenset()

    @property
    def requirements(self) -> Path:
        """The file with the packages and their versions."""
        return _TOOLS / self.name / "requirements.txt"

    @property
    def folder(self) -> Path:
        """Where the environment is, or will be."""
        digest = hashlib.sha256(self.requirements.read_bytes()).hexdigest()[:12]
        return cache_folder() / f"{self.name}-{digest}"

    @property
    def python(self) -> Path:
        """The Python that has the packages."""
        return self.folder / "bin" / "python"

    def content(self) -> Mapping[str, Path]:
        """What an image has of it in which places, and of the system."""
        system = [*map(Path, _SYSTEM), self.python.resolve().parents[1]]
        found = {str(path): path for path in system if path.is_dir()}
        return found | {VENV: self.folder}

    def build(self) -> None:
        """Install what is not there yet. Raises ToolMissing without a Python for it, or ToolFailed."""
        if self.folder.is_dir():
            return
        found = _interpreter()
        print(f"installing {self.name} from PyPI; a minute, but only once", file=sys.stderr)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as folder:
            venv = Path(folder) / "venv"
            process.run([found, "-m", "venv", str(venv)])
            inner = (str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
            install = ("install", "--only-binary=:all:", "--no-deps", "--no-compile")
            # Not by process.run: pip shows how far it is.
            if subprocess.call([*inner, *install, "-r", self.requirements], stdout=2):
                raise ToolFailed(f"pip cannot install {self.requirements}")
            check(inner[0], self.without)
            compile_modules(inner[0], self.modules)
            venv.rename(self.folder)


def check(python: str, without: Iterable[str]) -> None:
    """Have pip look for what is missing. Raises ToolFailed with what that is beside `without`."""
    missing = (f" requires {name}, which is not installed." for name in without)
    harmless = ("No broken requirements found.", *missing)
    said = process.run([python, "-m", "pip", "check"], accept=(0, 1)).splitlines()
    if wrong := [line for line in said if not line.endswith(harmless)]:
        raise ToolFailed("\n".join(wrong))


def compile_modules(python: str, modules: Sequence[str]) -> None:
    """Import modules, so that what they are compiled to is kept; servers may not write it themselves.

    Without it a server compiles for seconds at each start.
    """
    keep = {"PYTHONDONTWRITEBYTECODE": ""}  # whatever the user's own Python does
    process.run([python, "-c", f"import {', '.join(modules)}"], environment=keep)


def _interpreter() -> str:
    ours = sys.executable if f"python3.{sys.version_info.minor}" in _PYTHONS else None
    found = ours or next(filter(None, map(shutil.which, _PYTHONS)), None)
    if found is None:
        wanted = ", ".join(_PYTHONS)
        raise ToolMissing(f"upstream's model servers need one of {wanted}; install one on PATH")
    return found
