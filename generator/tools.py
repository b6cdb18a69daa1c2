"""External programs: where they are and how to get them.

A program on PATH is taken when its version fits; else the one that `make tools` built from the Go
modules pinned in tools/.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generator import DATA, golang
from generator.cache import cache_folder, home
from generator.errors import ToolFailed, ToolMissing
from generator.process import Version, fits, run
from generator.progress import log

__all__ = ["TOOLS", "Tool", "build", "find", "go", "run"]

_REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True)
class Tool:
    """A program that a Go module in tools/ pins.

    `folder` is its place in tools/, `module` the module whose version counts. One on PATH is taken
    when `ask` makes it say a version in [oldest, newest); without `ask` none is. `stamps` are
    variables of the program that the linker sets to the version, or to its major or minor number.
    """

    program: str
    folder: str
    module: str
    ask: tuple[str, ...] = ()
    oldest: Version = (0, 0, 0)
    newest: Version = (0, 0, 0)
    stamps: tuple[str, ...] = ()

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


KUBECONFORM_OPTIONS = (
    "-strict",
    "-summary",
    "-output=json",
    f"-schema-location={DATA}/schemas/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
)
"""How kubeconform is asked about objects: strictly, and by the schemas that we have."""

_ASK_HELM = ("version", "--short")
_ISTIO = ("istio", "istio.io/istio")
_KSERVE = ("kserve", "github.com/kserve/kserve")
_KUBERNETES = ("kubernetes", "k8s.io/kubernetes")
# A server without the stamp says v0.0.0-master, which fits no chart's kubeVersion.
_STAMPS = tuple(
    f"k8s.io/component-base/version.{part}" for part in ("gitVersion", "gitMajor", "gitMinor")
)

TOOLS = {
    # 3.18.5 is the first Helm to check schemas without the network.
    "helm": Tool("helm", "helm", "helm.sh/helm/v4", _ASK_HELM, (3, 18, 5), (5, 0, 0)),
    "helm3": Tool("helm", "helm3", "helm.sh/helm/v3", _ASK_HELM, (3, 18, 5), (4, 0, 0)),
    "kubeconform": Tool(
        "kubeconform",
        "kubeconform",
        "github.com/yannh/kubeconform",
        ("-v",),
        (0, 6, 7),
        (1, 0, 0),
        ("main.version",),
    ),
    # Reads .github/workflows; `make check` and a test ask it.
    "actionlint": Tool("actionlint", "actionlint", "github.com/rhysd/actionlint"),
    # The cluster of tests/cluster; always the pinned ones.
    "etcd": Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": Tool("kube-apiserver", *_KUBERNETES, stamps=_STAMPS),
    "kube-controller-manager": Tool("kube-controller-manager", *_KUBERNETES, stamps=_STAMPS),
    "kube-scheduler": Tool("kube-scheduler", *_KUBERNETES, stamps=_STAMPS),
    "kubelet": Tool("kubelet", *_KUBERNETES, stamps=_STAMPS),
    "kubectl": Tool("kubectl", *_KUBERNETES, stamps=_STAMPS),
    "kube-proxy": Tool("kube-proxy", *_KUBERNETES, stamps=_STAMPS),
    "manager": Tool("manager", *_KSERVE),
    "agent": Tool("agent", *_KSERVE),
    "router": Tool("router", *_KSERVE),
    "certgen": Tool("certgen", "certgen", "github.com/jet/kube-webhook-certgen"),
    "standin": Tool("standin", "standin", "google.golang.org/grpc"),
    "health": Tool("health", "health", "github.com/fluxcd/cli-utils"),
    "istioctl": Tool("istioctl", *_ISTIO),
    "pilot-agent": Tool("pilot-agent", *_ISTIO),
    "pilot-discovery": Tool("pilot-discovery", *_ISTIO),
    "envoy-gateway": Tool("envoy-gateway", "envoy-gateway", "github.com/envoyproxy/gateway"),
    "coredns": Tool("coredns", "coredns", "github.com/coredns/coredns"),
    # Argo CD's programs are one, which takes the role that ARGOCD_BINARY_NAME names.
    "argocd": Tool("cmd", "argocd", "github.com/argoproj/argo-cd/v3"),
    "kustomize": Tool("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),
    "kustomize-controller": Tool(
        "kustomize-controller", "flux", "github.com/fluxcd/kustomize-controller"
    ),
    "helm-controller": Tool("helm-controller", "flux", "github.com/fluxcd/helm-controller"),
}


@cache
def find(name: str) -> Path:
    """The path of a program of TOOLS. Raises ToolMissing, which says how to get it."""
    tool = TOOLS[name]
    on_path = shutil.which(tool.program) if tool.ask else None
    says = _version([on_path, *tool.ask]) if on_path else ""
    if on_path and (fits(says, tool.oldest, tool.newest) or _proves_itself(name, on_path, says)):
        return Path(on_path)
    built = _built(tool) if tool.source.is_dir() else None
    if built is not None and os.access(built, os.X_OK):  # is_file fails where one may not look
        return built
    wanted = f"{tool.program}{_wanted(tool)}"
    if on_path:
        wanted += f" and before {_dotted(tool.newest)} ({on_path} says {says})"
    how = f"run `python -m generator.tools {name}`" if tool.source.is_dir() else ""
    install = "install it and put it on PATH" if tool.ask else ""
    raise ToolMissing(f"{wanted} is missing; {', or '.join(filter(None, [how, install]))}")


def _wanted(tool: Tool) -> str:
    return f" {_dotted(tool.oldest)} or later" if tool.ask else ""


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _version(argv: Sequence[str]) -> str:
    """The line in which a program says its version, or why it does not."""
    try:
        answer = run(argv, timeout=30)
    except ToolFailed as error:
        return " ".join(str(error).split())[:200]
    return answer.strip().partition("\n")[0][:200] or "nothing"


def _proves_itself(name: str, program: str, says: str) -> bool:
    """Whether a kubeconform that was built without a version does what is asked of one here.

    `go install` leaves the version out; such a program says `development`.
    """
    if name != "kubeconform" or says != "development":
        return False
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    try:
        answer = run(
            [program, *KUBECONFORM_OPTIONS],
            stdin=f"{head}---\n{head}dat: {{}}\n",
            accept=(1,),
            timeout=30,
        )
        summary = json.loads(answer)["summary"]
    except (ToolFailed, ValueError, LookupError, TypeError):
        return False
    return bool((summary["valid"], summary["invalid"]) == (1, 1))


def _built(tool: Tool) -> Path:
    """Where a tool is once it is built: by its version, and by what we compile with it."""
    ours = b"".join(file.read_bytes() for file in sorted(tool.source.glob("*.go")))
    mark = f"-{hashlib.sha256(ours).hexdigest()[:8]}" if ours else ""
    return cache_folder() / "bin" / f"{tool.folder}-{tool.pinned}{mark}" / tool.program


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
    log(f"building {tool.folder} {tool.pinned} from {tool.module}; minutes, but only once")
    try:
        _install(tool)
    except OSError as error:
        what = f"{error.filename or cache_folder()} cannot be written: {error.strerror}"
        raise ToolFailed(f"{what}; set XDG_CACHE_HOME to a folder that can be") from None
    except ToolFailed as error:
        if not tool.ask:
            raise
        remedy = f"to mend it, install {tool.program}{_wanted(tool)} and put it on PATH"
        raise ToolFailed(f"{error}\n{remedy}") from None
    find.cache_clear()
    return find(name)


def _install(tool: Tool) -> None:
    """Compile the programs of its Go module into the cache."""
    major, minor, _ = tool.pinned.removeprefix("v").split(".")
    numbers = {"gitMajor": major, "gitMinor": minor}
    stamps = {name: numbers.get(name.rpartition(".")[2], tool.pinned) for name in tool.stamps}
    golang.install(tool.source, _built(tool).parent, stamps, cache=cache_folder(), home=home())


def go() -> Path:
    """The go command: PATH's, or PyPI's in the cache."""
    return golang.go(cache_folder(), home=home())


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
