"""A Git repository on loopback, over HTTP as a forge has it, and a clone to commit in."""

from __future__ import annotations

import contextlib
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from generator import process

BRANCH = "main"
_NAME = "fleet.git"
_WHO = {
    **{f"GIT_{who}_NAME": "somebody" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "somebody@example.com" for who in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
# The header that a CGI program finds in a variable of its own, by that.
_HEADERS = {
    "CONTENT_TYPE": "Content-Type",
    "CONTENT_LENGTH": "Content-Length",
    "HTTP_CONTENT_ENCODING": "Content-Encoding",
    "HTTP_GIT_PROTOCOL": "Git-Protocol",
}


@dataclass(frozen=True)
class Repository:
    """The address that others read, and the folder of a clone."""

    url: str
    clone: Path

    def git(self, *arguments: str) -> str:
        """Run git in the clone; what it prints."""
        return process.run(["git", *arguments], cwd=self.clone, environment=_WHO)

    def push(self, why: str) -> str:
        """Commit all that changed in the clone, and push it; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", why)
        self.git("push", "--quiet", "origin", BRANCH)
        return self.git("rev-parse", "HEAD").strip()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Repository]:
    """A repository with one empty commit, kept in an empty folder, until the block ends."""
    bare, clone = folder / _NAME, folder / "clone"
    process.run(["git", "init", "--quiet", "--bare", "-b", BRANCH, str(bare)], environment=_WHO)
    process.run(["git", "clone", "--quiet", str(bare), str(clone)], environment=_WHO)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.folder = folder  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        repository = Repository(f"http://127.0.0.1:{server.server_port}/{_NAME}", clone)
        repository.git("commit", "--quiet", "--allow-empty", "--message", "the first")
        repository.git("push", "--quiet", "origin", BRANCH)
        yield repository
        server.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Hands requests to `git http-backend`, a CGI program."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        headers = {
            variable: self.headers[name]
            for variable, name in _HEADERS.items()
            if name in self.headers
        }
        size = int(self.headers.get("Content-Length", 0))
        done = subprocess.run(
            ["git", "http-backend"],
            input=self.rfile.read(size),
            capture_output=True,
            check=True,
            env={
                **os.environ,
                **_WHO,
                **headers,
                "GIT_PROJECT_ROOT": str(self.server.folder),  # type: ignore[attr-defined]
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
            },
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""
