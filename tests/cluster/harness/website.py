"""A web server for models, from which pods fetch them: the one place that has any here."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.harness.plane import NODE


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The files of a folder, until the block ends; the URL that they are under."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer((NODE, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{NODE}:{server.server_port}"
        server.shutdown()
