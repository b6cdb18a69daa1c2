"""The files of a release: two charts, the wheel, the source, and their checksums.

They are made from what Git has, not from what lies about in the working tree, with the time of the
commit in place of today's: the same commit gives the same bytes (with the same Python and Helm).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from generator import tools
from generator.errors import GeneratorError
from generator.process import run

_CHECKSUMS = "SHA256SUMS"
# What a build front end calls (PEP 517), without an environment to download into.
_HOOK = "import sys; from setuptools import build_meta; build_meta.{}(sys.argv[1])"


def build(root: Path, output: Path) -> list[str]:
    """Make the release of the commit that is checked out in `root`; return the names of its files.

    `output` gets all of them or none. Raises GeneratorError if it holds something, or if the wheel
    does not render the charts; ToolMissing, ToolFailed, OSError.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise GeneratorError(f"{output} is there already; remove it, or name another folder: -o")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".release-") as folder:
        source, made = Path(folder, "source"), Path(folder, "made")
        run(["git", "checkout-index", "--all", f"--prefix={source.absolute()}/"], cwd=root)
        time = int(run(["git", "log", "-1", "--format=%ct"], cwd=root))
        made.mkdir()
        _package(source, made, time)
        names = sorted(file.name for file in made.iterdir())
        lines = [f"{_sha256(made / name)}  {name}\n" for name in names]
        (made / _CHECKSUMS).write_text("".join(lines), encoding="utf-8")
        made.replace(output)
    return [*names, _CHECKSUMS]


def _package(source: Path, made: Path, time: int) -> None:
    """Everything that is made from the files of a commit; `time` is the commit's, in seconds."""
    for chart in sorted((source / "charts").glob("*/Chart.yaml")):
        argv = [str(tools.find("helm")), "package", str(chart.parent)]
        run([*argv, "--destination", str(made.absolute())])
    _hook("build_sdist", source, made, time)
    for archive in made.glob("*.t*gz"):
        settle(archive, time)
    # The wheel is built from the archive of the source, so that the archive is known to be whole.
    (archive,) = made.glob("*.tar.gz")
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        run(["tar", "-xzf", str(archive.absolute()), "-C", folder])
        (unpacked,) = Path(folder).iterdir()
        _hook("build_wheel", unpacked, made, time)
    (wheel,) = made.glob("*.whl")
    _try(wheel, source / "charts")


def _hook(name: str, source: Path, made: Path, time: int) -> None:
    argv = [sys.executable, "-c", _HOOK.format(name), str(made.absolute())]
    run(argv, cwd=source, environment={"SOURCE_DATE_EPOCH": str(time)})


def settle(archive: Path, time: int) -> None:
    """Write a .tar.gz again without what differs from run to run: times, owners, order."""
    with tarfile.open(archive) as old:
        files = sorted(
            (member for member in old if member.isfile()), key=lambda member: member.name
        )
        contents = [(member.name, member.mode, old.extractfile(member)) for member in files]
        target = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=target, mode="wb", filename="", mtime=time) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
        ):
            for name, mode, content in contents:
                assert content is not None  # Only files are here, no links to nowhere.
                member = tarfile.TarInfo(name)
                data = content.read()
                member.size, member.mtime = len(data), time
                member.mode = 0o755 if mode & 0o100 else 0o644
                new.addfile(member, io.BytesIO(data))
    archive.write_bytes(target.getvalue())


def _try(wheel: Path, charts: Path) -> None:
    """Render the charts with what the wheel holds, in an empty folder: they are the release's."""
    with tempfile.TemporaryDirectory() as folder:
        installed, empty = Path(folder, "installed"), Path(folder, "empty")
        empty.mkdir()
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(installed)
        argv = [sys.executable, "-m", "generator", "chart", "-o", "charts"]
        run(argv, cwd=empty, environment={"PYTHONPATH": str(installed)})
        different = run(
            ["diff", "--recursive", "--brief", str(empty / "charts"), str(charts)], accept=(0, 1)
        )
    if different:
        raise GeneratorError(f"{wheel.name} does not render charts/; `make charts`\n{different}")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
