"""The API server as the harness talks to it: JSON over HTTPS."""

from __future__ import annotations

import contextlib
import json
import ssl
from http.client import HTTPException, HTTPSConnection
from typing import Any

from tests.cluster.harness.pki import Pair
from tests.rendering import Object


class Refused(OSError):
    """What the API server does not do, and why."""

    def __init__(self, status: int, text: bytes) -> None:
        self.status = status
        said = json.loads(text) if text.startswith(b"{") else {}
        super().__init__(said.get("message", text.decode()))  # what a model says has none


class Api:
    """Requests of one user, each over a connection of its own, as it may be long until the next.

    Each may raise OSError; Refused is one.
    """

    def __init__(self, host: str, *, ca: Pair, user: Pair) -> None:
        self._host = host
        self._context = ssl.create_default_context(cafile=str(ca.certificate))
        self._context.load_cert_chain(user.certificate, user.key)

    def get(self, path: str) -> Any:
        """Read an object or a list."""
        return json.loads(self._request("GET", path))

    def post(self, path: str, body: Object) -> Any:
        """Create an object, or call a subresource."""
        return json.loads(self._request("POST", path, body))

    def patch(self, path: str, body: Object) -> None:
        """Merge into an object, as kubectl would."""
        self._request("PATCH", path, body, "application/strategic-merge-patch+json")

    def healthy(self) -> bool:
        """Whether the server and its etcd are there."""
        try:
            return self._request("GET", "/readyz") == b"ok"
        except OSError:
            return False

    def _request(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> bytes:
        data = None if body is None else json.dumps(body)
        connection = HTTPSConnection(self._host, timeout=10, context=self._context)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, data, {"Content-Type": kind})
                answer = connection.getresponse()
                text = answer.read()
            except HTTPException as error:
                raise OSError(str(error)) from error
        if answer.status >= 300:
            raise Refused(answer.status, text)
        return text
