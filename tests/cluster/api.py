"""The API server as the node talks to it: JSON over HTTPS."""

from __future__ import annotations

import json
import ssl
import urllib.request
from typing import Any
from urllib.error import HTTPError

from tests.cluster.pki import Pair
from tests.rendering import Object

_PATCH = "application/strategic-merge-patch+json"


class Api:
    """Requests of one user. Each raises OSError; HTTPError, which is one, for a refusal."""

    def __init__(self, server: str, *, ca: Pair, user: Pair) -> None:
        self._server = server
        context = ssl.create_default_context(cafile=str(ca.certificate))
        context.load_cert_chain(user.certificate, user.key)
        # Without the handler that would look for a proxy in the environment.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def get(self, path: str) -> Object:
        """Read an object or a list."""
        return self._request("GET", path)

    def post(self, path: str, body: Object) -> Object:
        """Create an object, or call a subresource."""
        return self._request("POST", path, body)

    def patch(self, path: str, body: Object) -> Object:
        """Merge into an object."""
        return self._request("PATCH", path, body, _PATCH)

    def delete(self, path: str, options: Object) -> None:
        """Delete an object; that it is gone already is fine."""
        try:
            self._request("DELETE", path, options)
        except HTTPError as error:
            if error.code != 404:
                raise

    def healthy(self) -> bool:
        """Whether the server and its etcd are there."""
        try:
            with self._opener.open(f"{self._server}/readyz", timeout=5) as answer:
                return bool(answer.read() == b"ok")
        except OSError:
            return False

    def _request(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._server}{path}", data, method=method)
        request.add_header("Content-Type", kind)
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)
