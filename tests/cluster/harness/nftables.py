"""The program `nft`, which kube-proxy and Istio's sidecars ask: the system's, or Debian's, unpacked into the cache."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from generator import process, tools
from generator.errors import ToolFailed, ToolMissing

# What nft needs beside the C library, as Debian and Ubuntu name it.
_PACKAGES = ("nftables", "libnftables1", "libnftnl11", "libmnl0", "libjansson4", "libxtables12")
_LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
_ELSEWHERE = "/nftables"  # where an image has them
IMAGE = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/bin", "LD_LIBRARY_PATH": _ELSEWHERE}
"""The variables of an image that has it."""


def build() -> None:
    """Get it, if it is not there. Raises ToolMissing, which says how, or ToolFailed."""
    if shutil.which("nft") or _folder().is_dir():
        return
    if not shutil.which("apt-get"):
        raise ToolMissing("nft is missing; install nftables")
    _folder().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_folder().parent) as folder:
        _download(Path(folder))
        for package in Path(folder).glob("*.deb"):
            process.run(["dpkg-deb", "--extract", str(package), f"{folder}/root"])
        Path(folder, "root").rename(_folder())


def _download(folder: Path) -> None:
    """Download the packages; by lists of our own where the system's are missing or too old."""
    fetch = ["download", *_PACKAGES]
    try:
        process.run(["apt-get", *fetch], cwd=folder)
    except ToolFailed:
        Path(folder, "lists", "partial").mkdir(parents=True)
        lists = ["-o", f"Dir::State::lists={folder}/lists"]
        try:
            process.run(["apt-get", *lists, "update"], cwd=folder)
            process.run(["apt-get", *lists, *fetch], cwd=folder)
        except ToolFailed as error:
            raise ToolMissing(f"nft is missing; install nftables ({error})") from None


def environment() -> dict[str, str]:
    """The variables of a process that finds it."""
    if shutil.which("nft"):
        return {}
    path = os.pathsep.join([str(_folder() / "usr" / "sbin"), os.environ["PATH"]])
    return {"PATH": path, "LD_LIBRARY_PATH": str(_folder() / _LIBRARIES)}


def content() -> dict[str, Path]:
    """What an image has of it, beside the system's libraries, in which places."""
    if found := shutil.which("nft"):
        return {"/usr/sbin/nft": Path(found)}
    return {"/usr/sbin/nft": _folder() / "usr/sbin/nft", _ELSEWHERE: _folder() / _LIBRARIES}


def _folder() -> Path:
    return tools.cache_folder() / "nftables"
