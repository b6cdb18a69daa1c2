"""The images of upstream's scikit-learn server and storage initializer, without a registry.

Their own code is in upstream's Go module. What it imports comes from PyPI into a virtual environment
in the cache, once: tools/sklearnserver/requirements.txt, the versions that upstream's images have.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from codegen import upstream
from generator import process, tools
from generator.errors import ToolFailed, ToolMissing

VENV = "/prod_venv"

_REQUIREMENTS = Path(__file__).parents[3] / "tools" / "sklearnserver" / "requirements.txt"
_PYTHONS = ("python3.11", "python3.12", "python3.10")  # what upstream takes, what it has first
# Of the system: Python and its libraries, the C library, /dev/null.
_SYSTEM = ("/bin", "/dev", "/lib", "/lib64", "/usr")


def environment() -> Path:
    """Where the virtual environment is, or will be."""
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    return tools.cache_folder() / f"sklearnserver-{digest}"


def python() -> Path:
    """The Python of the virtual environment."""
    return environment() / "bin" / "python"


def build() -> None:
    """Get what is not there yet: where pods run is no network. Raises ToolMissing or ToolFailed."""
    upstream.folder(upstream.KSERVE)
    target = environment()
    if target.is_dir():
        return
    ours = sys.executable if f"python3.{sys.version_info.minor}" in _PYTHONS else None
    found = ours or next(filter(None, map(shutil.which, _PYTHONS)), None)
    if found is None:
        raise ToolMissing(f"upstream's model server needs one of {', '.join(_PYTHONS)}")
    print("installing upstream's model server from PyPI; a minute, but only once", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        venv = Path(folder) / "venv"
        process.run([found, "-m", "venv", str(venv)])
        inner = (str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
        install = ("install", "--only-binary=:all:", "--no-deps", "--no-compile")
        # Not by process.run: pip shows how far it is.
        if subprocess.call([*inner, *install, "-r", _REQUIREMENTS], stdout=2):
            raise ToolFailed(f"pip cannot install {_REQUIREMENTS}")
        process.run([*inner, "check"])
        # Compiles what the servers import; they may not write it themselves.
        process.run(
            [inner[0], "-c", "import kserve, kserve_storage, sklearn.ensemble, sklearn.svm"]
        )
        venv.rename(target)


def content() -> Mapping[str, Path]:
    """What the images have in which places."""
    source = upstream.folder(upstream.KSERVE) / "python"
    system = [*map(Path, _SYSTEM), python().resolve().parents[1]]
    return {
        **{str(path): path for path in system if path.is_dir()},
        VENV: environment(),
        "/sklearnserver": source / "sklearnserver",
        "/storage-initializer": source / "storage-initializer",
    }
