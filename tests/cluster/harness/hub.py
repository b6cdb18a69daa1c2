"""The registry that the node asks: it makes every image when it is asked for it, but those of NOTHING."""

from __future__ import annotations

import hashlib
import json
import platform
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.cluster.harness import image
from tests.rendering import Object

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

NOTHING = "nothing.example.com"
"""The registry that has no images."""

_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}


class Hub:
    """Answers at `host`, on loopback, for the registry that `ns` names, as containerd has it."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._manifests: dict[str, str] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.host = f"127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def blob(self, digest: str) -> bytes | None:
        """A manifest, configuration or layer that it has made."""
        return self._blobs.get(digest)

    def manifest(self, name: str) -> str:
        """The digest of the manifest of an image."""
        with self._lock:
            if name not in self._manifests:
                blobs = parts(name, f"linux/{_ARCHITECTURE[platform.machine()]}")
                self._blobs |= {digest(data): data for data in blobs}
                self._manifests[name] = digest(blobs[0])
            return self._manifests[name]


def digest(data: bytes) -> str:
    """What registries call some data."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def parts(name: str, where: str) -> tuple[bytes, bytes, bytes]:
    """The manifest, the configuration and the layer of an image for a platform."""
    found = image.image(name)
    layer = image.layer(found)
    config = {
        **on(where),
        "config": {
            "Entrypoint": found.entrypoint,
            "Env": [f"{key}={value}" for key, value in found.environment.items()],
            "User": str(found.user),
            "Labels": {"name": name},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }
    text = json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, text),
        "layers": [descriptor(LAYER, layer)],
    }
    return json.dumps(manifest).encode(), text, layer


def on(where: str) -> Object:
    """A platform, as `linux/arm64/v8`, in the words of images."""
    system, architecture, *variant = where.split("/")
    return {
        "os": system,
        "architecture": architecture,
        **({"variant": variant[0]} if variant else {}),
    }


def descriptor(kind: str, data: bytes) -> Object:
    """How images refer to some data."""
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """/v2/REPOSITORY/manifests/TAG?ns=REGISTRY, /v2/REPOSITORY/blobs/DIGEST"""
            url = urllib.parse.urlsplit(self.path)
            repository, kind, wanted = (*url.path.removeprefix("/v2/").rsplit("/", 2), "", "")[:3]
            registry = urllib.parse.parse_qs(url.query).get("ns", [""])[0]
            if kind == "manifests" and ":" not in wanted and registry != NOTHING:
                wanted = hub.manifest(f"{registry}/{repository}:{wanted}")
            data = hub.blob(wanted) if repository else b""
            self.send_response(404 if data is None else 200)
            self.send_header("Docker-Content-Digest", wanted)
            self.send_header("Content-Type", MANIFEST if kind == "manifests" else LAYER)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            if data and self.command == "GET":
                self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Not to the tests' output."""

    return Handler
