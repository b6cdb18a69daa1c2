"""Requests from outside the cluster: to the address of a gateway, for the host of a URL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generator import process

_SEPARATOR = "\n%{http_code} %{redirect_url}"


@dataclass(frozen=True)
class Answer:
    """What came back: an HTTP status, where it redirects to, and the body."""

    status: int
    redirect: str
    text: str

    @property
    def json(self) -> Any:
        """The body. Raises AssertionError with it, where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            raise AssertionError(f"{self.status}: {self.text}") from None


def ask(address: str, url: str, body: object, *, ca: Path | None = None) -> Answer:
    """POST some JSON with curl, as if the name in `url` led to `address`.

    Raises ToolFailed where nobody answers, or nobody with a certificate of `ca`.
    """
    argv = ["curl", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*"]
    argv += ["--connect-to", f"::{address}:", "--write-out", _SEPARATOR, url]
    argv += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
    if ca is not None:
        argv += ["--cacert", str(ca)]
    text, _, end = process.run(argv).rpartition("\n")
    status, _, redirect = end.partition(" ")
    return Answer(int(status), redirect, text)


def ask_often(address: str, url: str, body: object, times: int) -> Mapping[str, int]:
    """POST some JSON many times over one connection; how often each body came back.

    Raises AssertionError at an answer that is not 200.
    """
    parts = urlsplit(url)
    said: dict[str, int] = {}
    connection = HTTPConnection(address, timeout=30)
    headers = {"Host": parts.netloc, "Content-Type": "application/json"}
    for _ in range(times):
        connection.request("POST", parts.path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, f"{answer.status}: {text}"
        said[text] = said.get(text, 0) + 1
    connection.close()
    return said
