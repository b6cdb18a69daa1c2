"""Images: what stands for one is a file system made of this machine's files and folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from codegen import upstream
from generator import tools
from tests.cluster.harness import debian, envoy, mlserver, modelserver
from tests.cluster.harness.packages import VENV

_BOOTSTRAP = "tools/packaging/common/envoy_bootstrap.json"

_PROGRAMS = Path(__file__).parents[1] / "gateways" / "programs"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What container runtimes set where an image does not."""

Content = Mapping[str, Path]


@dataclass(frozen=True)
class Image:
    """`content` says what is at which path; containers see it, and cannot change it."""

    content: Callable[[], Content]
    entrypoint: tuple[str, ...]
    user: int
    environment: dict[str, str] = field(default_factory=dict)


def _static(program: str, path: str) -> Image:
    return Image(lambda: {path: tools.find(program)}, (path,), 65532)


def _python(*entrypoint: str) -> Image:
    servers = ":".join(f"/{name}" for name in modelserver.SERVERS)
    environment = {"PATH": f"{VENV}/bin:/usr/bin:/bin", "PYTHONPATH": servers}
    return Image(modelserver.content, ("python", *entrypoint), 1000, environment)


def _mlserver() -> Image:
    """As the image does, it starts in a folder that it may write."""
    start = "from mlserver.cli import main; main()"
    command = f'cd /tmp && exec python -c "{start}" start $MLSERVER_MODELS_DIR'
    environment = {"PATH": f"{VENV}/bin:/usr/bin:/bin", "MLSERVER_MODELS_DIR": "/mnt/models"}
    return Image(mlserver.content, ("sh", "-c", command), 1000, environment)


def _proxy() -> Content:
    """The files of Istio's proxyv2, with the Envoy that PyPI has."""
    source = upstream.source(tools.TOOLS["pilot-agent"])
    return {
        **_envoy(),
        **debian.NFT.content(),
        "/usr/local/bin/pilot-agent": tools.find("pilot-agent"),
        "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": source / _BOOTSTRAP,
    }


def _envoy() -> Content:
    """The files of Envoy's image."""
    return {**_files("/dev", "/lib", "/lib64"), "/usr/local/bin/envoy": envoy.program()}


def _files(*paths: str) -> Content:
    """Of this machine, at the same path."""
    return {path: Path(path) for path in paths if Path(path).exists()}


def _program(name: str) -> Image:
    """A program of tests/cluster/gateways/programs, on KServe's SDK."""
    path, source = f"/{name}.py", _PROGRAMS / f"{name}.py"
    python = _python(path)
    return replace(python, content=lambda: {**python.content(), path: source})


# By the end of the repository, whichever registry it comes from.
_IMAGES = {
    "/kserve-controller": _static("manager", "/manager"),
    "/agent": _static("agent", "/ko-app/agent"),
    "/router": _static("router", "/ko-app/router"),
    "/kube-webhook-certgen": _static("certgen", "/kube-webhook-certgen"),
    "/coredns": _static("coredns", "/coredns"),
    "/pilot": _static("pilot-discovery", "/usr/local/bin/pilot-discovery"),
    "/proxyv2": Image(_proxy, ("/usr/local/bin/pilot-agent",), 1337, debian.IMAGE),
    "/gateway": _static("envoy-gateway", "/usr/local/bin/envoy-gateway"),
    "/envoy": Image(_envoy, ("envoy",), 65532),
    "/curl": Image(lambda: _files("/bin", "/dev", "/lib", "/lib64", "/usr"), ("curl",), 100),
    "/flowers-explainer": _program("explainer"),
    "/flowers-transformer": _program("transformer"),
    **{f"/{name}": _python("-m", name) for name in modelserver.SERVERS},
    "/mlserver": _mlserver(),
    "/storage-initializer": _python("/storage-initializer/scripts/initializer-entrypoint"),
}


def image(name: str) -> Image | None:
    """What stands for an image, if anything does."""
    repository = _repository(name)
    found = (program for end, program in _IMAGES.items() if repository.endswith(end))
    return next(found, None)


def is_model_server(name: str) -> bool:
    """Whether an image is one of a model server."""
    servers = (*modelserver.SERVERS, "mlserver")
    return _repository(name).endswith(tuple(f"/{server}" for server in servers))


def _repository(name: str) -> str:
    return "/" + re.sub(r"(:[^/@]*)?(@.*)?$", "", name)
