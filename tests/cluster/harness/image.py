"""Images: what stands for one is links to this machine's files, which containers find in MACHINE."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from codegen import upstream
from generator import tools
from generator.cache import cache_folder
from tests.cluster.harness import debian, envoy, mlserver, modelserver
from tests.cluster.harness.packages import VENV
from tests.cluster.harness.plane import NODE

_ENTRYPOINT = PurePosixPath("/storage-initializer/scripts/initializer-entrypoint")
_BOOTSTRAP = "tools/packaging/common/envoy_bootstrap.json"

_PROGRAMS = Path(__file__).parents[1] / "gateways" / "programs"

MACHINE = "/machine"
"""Where every container has the folders of `roots`."""

PAUSE = "stand-in.invalid/pause:1"
"""The image that holds a pod's namespaces."""

_SYSTEM = ("/bin", "/lib", "/lib64", "/usr")
_STAND_IN = "/stand-in"
# What the images that nobody here has are started with, beside what is in /bin.
_NOT_HERE = ("python", "python3", "serve", "tritonserver")
_TENSORFLOW = "/usr/bin/tensorflow_model_server"

Content = Mapping[str, Path]


@dataclass(frozen=True)
class Image:
    """`content` says which of the machine's files or folders is at which path.

    Containers see it, and cannot change it. A `whole` one has the files themselves.
    """

    content: Callable[[], Content]
    entrypoint: tuple[str, ...]
    user: int
    environment: dict[str, str] = field(default_factory=dict)
    whole: bool = False


def _static(program: str, path: str) -> Image:
    return Image(lambda: {path: tools.find(program)}, (path,), 65532)


def _python(*entrypoint: str) -> Image:
    servers = ":".join(f"/{name}" for name in modelserver.SERVERS)
    environment = {"PATH": f"{VENV}/bin:/usr/bin:/bin", "PYTHONPATH": servers}
    return Image(modelserver.content, ("python", *entrypoint), 1000, environment)


def _served(image: Image) -> Image:
    """A model server, unless there is no model, because it could not be had."""
    content = image.content
    return replace(
        image,
        content=lambda: {**content(), **_stand_ins("serve")},
        entrypoint=(f"{_STAND_IN}/serve", *image.entrypoint),
    )


def _stand_ins(*names: str) -> Content:
    return {f"{_STAND_IN}/{name}": tools.find("standin") for name in names}


def _mlserver() -> Image:
    """As the image does, it starts in a folder that it may write."""
    start = "from mlserver.cli import main; main()"
    command = f'cd /tmp && exec python -c "{start}" start $MLSERVER_MODELS_DIR'
    environment = {"PATH": f"{VENV}/bin:/usr/bin:/bin", "MLSERVER_MODELS_DIR": "/mnt/models"}
    return Image(mlserver.content, ("sh", "-c", command), 1000, environment)


def _initializer() -> Image:
    """Upstream's entrypoint, where a stand-in decides whether the model can be had."""
    python = _python()

    def content() -> Content:
        found = dict(python.content())
        script = found.pop("/storage-initializer") / "scripts" / _ENTRYPOINT.name
        return {**found, str(_ENTRYPOINT): tools.find("standin"), f"{_ENTRYPOINT}.py": script}

    environment = {**python.environment, "SOURCES": f"http://{NODE}:"}
    return replace(python, content=content, entrypoint=(str(_ENTRYPOINT),), environment=environment)


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
    return {**_files("/lib", "/lib64"), "/usr/local/bin/envoy": envoy.program()}


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
    # containerd gives the container that holds a pod's namespaces no MACHINE.
    "/pause": Image(lambda: {"/pause": tools.find("standin")}, ("/pause",), 65532, whole=True),
    "/kserve-controller": _static("manager", "/manager"),
    "/agent": _static("agent", "/ko-app/agent"),
    "/router": _static("router", "/ko-app/router"),
    "/kube-webhook-certgen": _static("certgen", "/kube-webhook-certgen"),
    "/coredns": _static("coredns", "/coredns"),
    "/pilot": _static("pilot-discovery", "/usr/local/bin/pilot-discovery"),
    "/proxyv2": Image(_proxy, ("/usr/local/bin/pilot-agent",), 1337, debian.IMAGE),
    "/gateway": _static("envoy-gateway", "/usr/local/bin/envoy-gateway"),
    "/envoy": Image(_envoy, ("envoy",), 65532),
    "/curl": Image(lambda: _files(*_SYSTEM), ("curl",), 100),
    "/flowers-explainer": _program("explainer"),
    "/flowers-transformer": _program("transformer"),
    **{f"/{name}": _served(_python("-m", name)) for name in modelserver.SERVERS},
    "/mlserver": _served(_mlserver()),
    "/storage-initializer": _initializer(),
}


def _not_here() -> Content:
    """The files of an image that nobody here has: a shell, a stand-in for what it runs, and a model,
    which an image of `oci://` has there.
    """
    return {
        **_files("/bin", "/lib", "/lib64"),
        **_stand_ins("image", *_NOT_HERE),
        _TENSORFLOW: tools.find("standin"),
        "/models/model": tools.find("standin"),
    }


_UNKNOWN = Image(_not_here, (f"{_STAND_IN}/image",), 1000, {"PATH": f"{_STAND_IN}:/bin"})


def image(name: str) -> Image:
    """What stands for an image."""
    repository = "/" + re.sub(r"(:[^/@]*)?(@.*)?$", "", name)
    found = (program for end, program in _IMAGES.items() if repository.endswith(end))
    return next(found, _UNKNOWN)


def roots() -> set[Path]:
    """The folders of this machine that hold what is in images."""
    modules = upstream.folder(upstream.KSERVE).parents[upstream.KSERVE.count("/")]
    python = Path(modelserver.python()).resolve().parents[1]
    wanted = {*map(Path, _SYSTEM), cache_folder(), modules, python, _PROGRAMS}
    there = {path.resolve() for path in wanted if path.exists()}
    return {path for path in there if there.isdisjoint(path.parents)}


def layer(found: Image) -> bytes:
    """The files of an image, as a tar: links into MACHINE, and the folders that they are in."""
    linked = {path: source.resolve() for path, source in found.content().items()}
    content = {
        path: source
        for path, source in linked.items()
        if linked.keys().isdisjoint(map(str, PurePosixPath(path).parents))
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for folder in sorted(
            {parent for path in content for parent in PurePosixPath(path).parents}
        ):
            _add(archive, f".{folder}", tarfile.DIRTYPE, 0o755)
        _add(archive, "./tmp", tarfile.DIRTYPE, 0o1777)
        for path, source in content.items():
            if found.whole:
                archive.add(source, f".{path}")
            else:
                _add(archive, f".{path}", tarfile.SYMTYPE, 0o777, f"{MACHINE}{source}")
    return packed.getvalue()


def _add(archive: tarfile.TarFile, name: str, kind: bytes, mode: int, link: str = "") -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname = kind, mode, link
    archive.addfile(entry)
