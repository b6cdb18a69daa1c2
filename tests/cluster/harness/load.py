"""A steady rate of requests to a model, and what becomes of each.

with Load(cluster, "iris", namespace, body) as load: …   asks its Service until the block ends
with GatewayLoad(address, url, body) as load: …          asks a gateway for it
load.requests                                            then says what became of each

Each request has a connection of its own. One to the Service goes to an endpoint chosen as kube-proxy does: at random, of the
ready ones, or where there are none of those that still serve while they end. That it is read anew
once a second is the longest that kube-proxy takes by default (minSyncPeriod) to follow a change.
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.harness.cluster import Cluster

_RATE = 20.0  # requests a second
_SYNC = 1.0  # seconds between looks at the EndpointSlices
_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True)
class Request:
    """One request: when it was sent, in seconds, what was predicted, or why nothing was."""

    at: float
    predictions: Any
    failure: str


class GatewayLoad:
    """Requests to a URL of the v1 protocol at the address of a gateway, from the start of the block
    to its end.
    """

    def __init__(self, address: str, url: str, body: object) -> None:
        parts = urlsplit(url)
        self._host, self._at = parts.netloc, address
        self._path = parts.path
        self._body = json.dumps(body).encode()
        self._futures: list[Future[Request]] = []
        self._halt = threading.Event()
        self._threads = [threading.Thread(target=self._send)]
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.requests: list[Request] = []

    def __enter__(self) -> GatewayLoad:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        for thread in self._threads:
            thread.join()
        self.requests = [future.result() for future in self._futures]

    @property
    def failures(self) -> Mapping[str, int]:
        """How many requests failed, by why."""
        return Counter(one.failure for one in self.requests if one.failure)

    @property
    def outage(self) -> float:
        """Seconds from the first failed request to the last one."""
        times = [one.at for one in self.requests if one.failure]
        return max(times) - min(times) if times else 0.0

    def _send(self) -> None:
        start = time.monotonic()
        with ThreadPoolExecutor(max_workers=int(_RATE * _TIMEOUT)) as pool:
            while not self._halt.wait(start + len(self._futures) / _RATE - time.monotonic()):
                self._futures.append(pool.submit(self._ask, time.monotonic() - start))

    def _address(self) -> str:
        return self._at

    def _ask(self, at: float) -> Request:
        if not (address := self._address()):
            return Request(at, None, "no endpoint")
        headers = {"Content-Type": "application/json", "Host": self._host}
        request = urllib.request.Request(f"http://{address}{self._path}", self._body, headers)
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return Request(at, json.load(answer)["predictions"], "")
        except OSError as error:
            return Request(at, None, _reason(error))


class Load(GatewayLoad):
    """Requests to a model's Service, which find the endpoints that it has, as kube-proxy does."""

    def __init__(self, cluster: Cluster, model: str, namespace: str, body: object) -> None:
        super().__init__("", f"http://{model}.{namespace}/v1/models/{model}:predict", body)
        assert cluster.control_plane is not None, "the pods of a given cluster cannot be reached"
        self._api = cluster.control_plane.api
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        self._slices = f"{slices}?labelSelector=kubernetes.io/service-name={model}"
        self._endpoints: list[str] = []
        self._threads.append(threading.Thread(target=self._follow))

    def __enter__(self) -> Load:
        self._sync()
        super().__enter__()
        return self

    def _address(self) -> str:
        endpoints = self._endpoints
        return random.choice(endpoints) if endpoints else ""

    def _follow(self) -> None:
        while not self._halt.wait(_SYNC):
            try:
                self._sync()
            except OSError:
                continue  # kube-proxy keeps what it has while the control plane is away.

    def _sync(self) -> None:
        ready, ending = [], []
        for each in self._api.get(self._slices)["items"]:
            for endpoint in each["endpoints"] or []:
                address = f"{endpoint['addresses'][0]}:{each['ports'][0]['port']}"
                if endpoint["conditions"]["ready"]:
                    ready.append(address)
                elif endpoint["conditions"].get("serving"):
                    ending.append(address)
        self._endpoints = ready or ending


def _reason(error: OSError) -> str:
    """Why a request failed, in words that are the same each time."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, ConnectionError):
        return "connection lost"
    if isinstance(cause, OSError):
        return (cause.strerror or str(cause)).lower()
    return f"{cause}".lower()
