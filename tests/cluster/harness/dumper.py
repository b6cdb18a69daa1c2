"""A server of the node that keeps what is posted to it: for the request logs of models."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.cluster.harness.plane import NODE


@dataclass(frozen=True)
class Dumper:
    """Where it is, and the JSON of each request so far."""

    url: str
    bodies: list[Any] = field(default_factory=list)


@contextlib.contextmanager
def dumping() -> Iterator[Dumper]:
    """The server, until the block ends."""
    with ThreadingHTTPServer((NODE, 0), _Handler) as server:
        dumper = Dumper(f"http://{NODE}:{server.server_port}")
        server.dumper = dumper  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield dumper
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        dumper: Dumper = self.server.dumper  # type: ignore[attr-defined]
        dumper.bodies.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not to the tests' output."""
