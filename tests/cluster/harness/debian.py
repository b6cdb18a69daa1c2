"""Programs that are no Go module of ours: the system's, or Debian's, unpacked into the cache."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from generator import process
from generator.cache import cache_folder
from generator.errors import ToolFailed, ToolMissing

_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")

_IN_AN_IMAGE = "/debian"  # where an image has the libraries
IMAGE = {"LD_LIBRARY_PATH": _IN_AN_IMAGE}
"""The variables of an image that has such a program."""


@dataclass(frozen=True)
class Program:
    """A program, and the packages that have it and what it needs beside the C library, as Debian
    and Ubuntu name them; the first has the program. The system's is not taken if it is `apart`.
    """

    name: str
    packages: tuple[str, ...]
    apart: bool = False

    @property
    def folder(self) -> Path:
        """Where the packages are unpacked, or will be."""
        return cache_folder() / self.packages[0]

    @property
    def is_there(self) -> bool:
        """Whether the system has it, or the cache."""
        return bool(self._on_path) or self.folder.is_dir()

    @property
    def _on_path(self) -> str | None:
        return None if self.apart else shutil.which(self.name)

    def build(self) -> None:
        """Get it, if it is not there. Raises ToolMissing, which says how, or ToolFailed."""
        if self.is_there:
            return
        if not shutil.which("apt-get"):
            raise ToolMissing(f"{self.name} is missing; install {self.packages[0]}")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as folder:
            self._download(Path(folder))
            for package in Path(folder).glob("*.deb"):
                process.run(["dpkg-deb", "--extract", str(package), f"{folder}/root"])
            Path(folder, "root").rename(self.folder)

    def environment(self) -> dict[str, str]:
        """The variables of a process that finds it."""
        if self._on_path:
            return {}
        path = [str(self.folder / "usr" / folder) for folder in ("bin", "sbin")]
        libraries = [str(self.folder / folder) for folder in _LIBRARIES]
        return {
            "PATH": os.pathsep.join([*path, os.environ["PATH"]]),
            "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        }

    def content(self) -> dict[str, Path]:
        """The files of an image that has it, beside the system's libraries, by their paths there."""
        if found := self._on_path:
            return {f"/usr/sbin/{self.name}": Path(found)}
        (program,) = self.folder.glob(f"usr/*bin/{self.name}")
        return {
            f"/usr/sbin/{self.name}": program,
            _IN_AN_IMAGE: next(
                self.folder / each for each in _LIBRARIES if (self.folder / each).is_dir()
            ),
        }

    def _download(self, folder: Path) -> None:
        """Download the packages; by lists of our own where the system's are missing or too old."""
        fetch = ["download", *self.packages]
        try:
            process.run(["apt-get", *fetch], cwd=folder)
        except ToolFailed:
            Path(folder, "lists", "partial").mkdir(parents=True)
            lists = ["-o", f"Dir::State::lists={folder}/lists"]
            try:
                process.run(["apt-get", *lists, "update"], cwd=folder)
                process.run(["apt-get", *lists, *fetch], cwd=folder)
            except ToolFailed as error:
                wanted = f"{self.name} is missing; install {self.packages[0]}"
                raise ToolMissing(f"{wanted} ({error})") from None


NFT = Program(
    "nft",
    ("nftables", "libnftables1", "libnftnl11", "libmnl0", "libjansson4", "libxtables12"),
)
"""What kube-proxy and Istio's sidecars ask."""

REGISTRY = Program("docker-registry", ("docker-registry",))
"""The CNCF's Distribution."""

SKOPEO = Program(
    "skopeo",
    ("skopeo", "libdevmapper1.02.1", "libgpgme11", "libassuan0", "libgpg-error0"),
)

CONTAINERD = Program(
    "containerd",
    ("containerd", "runc", "containernetworking-plugins", "libseccomp2"),
    apart=True,  # A machine's own may be set up, or be of another age.
)
"""What runs the containers of the node, with the programs that it runs in turn."""

REDIS = Program(
    "redis-server",
    ("redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1"),
)
"""What Argo CD keeps its cache in."""
