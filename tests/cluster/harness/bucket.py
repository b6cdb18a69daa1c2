"""An S3 service on loopback with one object in every bucket, which writes down who asks."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

KEY = "iris/model.joblib"
CONTENT = b"a model"
_HEADERS = {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 00:00:00 GMT"}
_LIST = f"""<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <IsTruncated>false</IsTruncated>
  <Contents><Key>{KEY}</Key><Size>{len(CONTENT)}</Size><ETag>"1"</ETag>
    <LastModified>2026-11-25T00:00:00.000Z</LastModified></Contents>
</ListBucketResult>
"""
_SIGNED = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/s3/")


@dataclass
class Bucket:
    """Where the service is, and the (key, region) of each request; ("", "") if not signed."""

    endpoint: str
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def serving() -> Iterator[Bucket]:
    """The service, until the block ends."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        bucket = Bucket(f"127.0.0.1:{server.server_port}")
        server.bucket = bucket  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield bucket
        server.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        signed = _SIGNED.search(self.headers.get("Authorization", ""))
        bucket: Bucket = self.server.bucket  # type: ignore[attr-defined]
        bucket.asked.append((signed["key"], signed["region"]) if signed else ("", ""))
        one = urlsplit(self.path).path.endswith(KEY)
        body = CONTENT if one else _LIST.encode()
        self.send_response(200)
        for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Not to the tests' output."""
