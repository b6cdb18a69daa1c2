"""Objects as the API server has them, read through one `kubectl proxy`.

Tests wait by asking again and again. A kubectl for each time would take more of the processor than
all that is waited for.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path
from urllib.parse import quote, urlencode

from generator import tools
from generator.errors import ToolFailed
from tests.rendering import Object

# The proxy ends with whoever holds its standard input: also with one who is killed.
_UNTIL_LEFT = '"$@" & exec >&-; read -r _; kill $!'
_KINDS = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_NAMES = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadataList"
_JSON = "application/json"
_TIMES = 10
_SECONDS = 60  # what a request may take


@dataclass(frozen=True)
class _Kind:
    """Where the API server has the objects of a kind."""

    path: str
    resource: str
    namespaced: bool

    def url(self, namespace: str) -> str:
        """The path of the objects of one namespace, or with "" of all."""
        inside = f"/namespaces/{quote(namespace)}" if namespace and self.namespaced else ""
        return f"{self.path}{inside}/{self.resource}"


class Reader:
    """Reads objects of the cluster that a kubectl with these variables talks to.

    The proxy's socket is in a new folder, which nobody else may enter; `below` is where that is.
    """

    def __init__(self, environment: Mapping[str, str], below: Path | None = None) -> None:
        kubectl = str(tools.find("kubectl"))
        folder = Path(tempfile.mkdtemp(prefix="kserve-lite-", dir=below))
        self._socket = folder / "proxy"
        proxy = ("proxy", "--append-server-path", f"--unix-socket={self._socket}")
        process = subprocess.Popen(
            ["sh", "-c", _UNTIL_LEFT, "sh", kubectl, *proxy],
            env=environ | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.close = weakref.finalize(self, _end, process, folder)
        self._kinds: dict[str, _Kind] = {}
        assert process.stdout is not None
        if not process.stdout.readline():
            raise ToolFailed("kubectl proxy has ended")

    def get(self, kind: str, name: str, namespace: str) -> Object | None:
        """An object, if it is there. Raises ToolFailed for a kind that never was."""
        path, status, found = self._find(kind, namespace, f"/{quote(name)}")
        return None if status == http.HTTPStatus.NOT_FOUND else _accepted(path, status, found)

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind. Raises what `list` does."""
        items = self._items(kind, "", accept=_NAMES)
        return [item["metadata"]["name"] for item in items]

    def list(self, kinds: str, namespace: str, selector: str = "") -> list[Object]:
        """The objects of a kind, or of several: `pods,services`; of a namespace, or with "" of all.

        Raises ToolFailed for a kind that is not there.
        """
        query = f"?{urlencode({'labelSelector': selector})}" if selector else ""
        return [item for kind in kinds.split(",") for item in self._items(kind, namespace, query)]

    def _items(
        self, kind: str, namespace: str, query: str = "", accept: str = _JSON
    ) -> Iterator[Object]:
        """The items of a list, which says once for all what they are."""
        found = _accepted(*self._find(kind, namespace, query, accept))
        common = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
        yield from (common | item for item in found["items"] or ())  # Of names, null if none.

    def _find(
        self, kind: str, namespace: str, rest: str, accept: str = _JSON
    ) -> tuple[str, int, Object]:
        """What is asked for, and the answer: the objects of a kind, or what follows their path."""
        path = self._kind(kind).url(namespace) + rest
        status, found = self._ask(path, accept)
        if status == http.HTTPStatus.NOT_FOUND and not found.get("details", {}).get("name"):
            # No such kind there any more; it may have another version by now.
            self._kinds |= self._known()
            path = self._kind(kind).url(namespace) + rest
            status, found = self._ask(path, accept)
        return path, status, found

    def _kind(self, name: str) -> _Kind:
        """The kind that kubectl knows by a name: plural, singular or short, with its group or not."""
        if name.lower() not in self._kinds:
            self._kinds |= self._known()
        try:
            return self._kinds[name.lower()]
        except KeyError:
            raise ToolFailed(f'the server doesn\'t have a resource type "{name}"') from None

    def _known(self) -> Iterator[tuple[str, _Kind]]:
        """Every name of every kind. Of one name the first group's comes last, which is the core."""
        groups = [
            (root, group)
            for root in ("/api", "/apis")
            for group in _accepted(root, *self._ask(root, _KINDS))["items"]
        ]
        for root, group in reversed(groups):
            of = group["metadata"].get("name", "")
            for version in reversed(group["versions"]):
                path = "/".join(filter(None, (root, of, version["version"])))
                for each in version.get("resources", []):
                    found = _Kind(path, each["resource"], each["scope"] == "Namespaced")
                    names = {
                        each["resource"],
                        each["singularResource"],
                        *each.get("shortNames", []),
                    }
                    for name in {*names, each["responseKind"]["kind"].lower()}:
                        yield name, found
                        yield f"{name}.{of}", found

    def _ask(self, path: str, accept: str) -> tuple[int, Object]:
        """The status and the answer to a GET. Raises ToolFailed where there is none.

        It asks again where it is asked to, as for objects of a CRD that has just changed.
        """
        for _ in range(_TIMES):
            status, found = self._answer(path, accept)
            if status != http.HTTPStatus.TOO_MANY_REQUESTS:
                break
            time.sleep(1)
        return status, found

    def _answer(self, path: str, accept: str) -> tuple[int, Object]:
        with contextlib.closing(_Connection(self._socket)) as connection:
            try:
                connection.request("GET", path, headers={"Accept": accept})
                answer = connection.getresponse()
                text = answer.read()
            except (ConnectionRefusedError, FileNotFoundError):
                raise RuntimeError("kubectl proxy has ended") from None  # No use in waiting.
            except (OSError, http.client.HTTPException) as error:
                raise ToolFailed(f"kubectl proxy: {path}: {error}") from None
        try:
            return answer.status, json.loads(text)
        except ValueError:  # The proxy itself has something to say.
            return answer.status, {"message": text.decode(errors="replace").strip()}


class _Connection(http.client.HTTPConnection):
    """To a socket in a folder."""

    def __init__(self, file: Path) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._file = file

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._file))


def _accepted(path: str, status: int, found: Object) -> Object:
    if status != http.HTTPStatus.OK:
        raise ToolFailed(f"kubectl proxy: {path}: {found.get('message', status)}")
    return found


def _end(process: subprocess.Popen[str], folder: Path) -> None:
    process.communicate()  # Its standard input ends with that.
    shutil.rmtree(folder, ignore_errors=True)
