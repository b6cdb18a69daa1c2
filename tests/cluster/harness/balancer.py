"""A load balancer: gives Services of type LoadBalancer an address; kube-proxy does the rest."""

from __future__ import annotations

import ipaddress
import threading

from tests.cluster.harness.api import Api

# One of the networks for documentation: nothing else has its addresses.
_NETWORK = ipaddress.ip_network("203.0.113.0/24")


class LoadBalancer:
    """What a cloud has, and MetalLB does elsewhere."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._addresses = _NETWORK.hosts()
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Look after Services from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look after none any more."""
        self._halt.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._halt.wait(0.3):
            try:
                self._assign()
            except OSError:
                continue  # The control plane is away, or the Service has changed meanwhile.

    def _assign(self) -> None:
        for service in self._api.get("/api/v1/services?resourceVersion=0")["items"]:
            if service["spec"]["type"] != "LoadBalancer" or service["status"]["loadBalancer"]:
                continue
            metadata = service["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
            ingress = [{"ip": str(next(self._addresses))}]
            self._api.patch(path, {"status": {"loadBalancer": {"ingress": ingress}}})
