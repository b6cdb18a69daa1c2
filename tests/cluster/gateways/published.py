"""The platform with a gateway in front of it, asked as its NOTES say."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator import MODELS
from tests.cluster.harness import envoygateway, iris, istio, outside, waiting
from tests.cluster.harness.cluster import Cluster, Release
from tests.rendering import CHARTS, Object

DOMAIN, SECOND = "models.example.com", "models.example.org"
NAMESPACE = "default"
"""Of the models: the one in the URLs that NOTES print."""


@dataclass(frozen=True)
class Platform:
    """A release of the platform, the values that its models share, and where its gateway is."""

    mode: str
    values: Object
    release: Release
    address: str

    @property
    def writes_routes(self) -> bool:
        """Whether the models chart writes the routes of models, and not KServe."""
        routing = self.values["routing"]
        return self.mode == "virtualService" or "writeRoutes" in routing.get("gatewayApi", {})

    @property
    def column(self) -> str:
        """What the matrix calls it: the mode, with a + where the chart writes the mode's routes, and
        on EG where Envoy Gateway serves them."""
        written = "+" if self.mode == "gatewayApi" and self.writes_routes else ""
        name = self.values["routing"].get("gateway", {}).get("className")
        return self.mode + written + (" on EG" if name == envoygateway.CLASS else "")

    def url(self, model: str) -> str:
        """Where NOTES say to ask a model from outside."""
        cluster = self.release.cluster
        notes = cluster.helm("get", "notes", self.release.name, "-n", self.release.namespace)
        found = re.findall(rf"curl (\S+{DOMAIN}\S*)/v1/models/{iris.NAME}:predict", notes)
        assert len(found) == 1, notes
        return str(found[0]).replace(iris.NAME, model)

    def ask(self, url: str, body: object, *, address: str = "", **more: Any) -> outside.Answer:
        """The answer to a POST, once the gateway knows the route; `address` is another gateway's."""

        def answered() -> outside.Answer | None:
            answer = outside.ask(address or self.address, url, body, **more)
            return answer if answer.status not in {404, 503} else None

        return self.release.cluster.wait(f"{url} leads to a model", answered)


def on_envoy_gateway(modes: Mapping[str, Object]) -> dict[str, Object]:
    """Those of the `routing` values that use the Gateway API, with Envoy Gateway's class."""
    own = {"className": envoygateway.CLASS}
    return {
        f"{name}-{envoygateway.CLASS}": {
            **routing,
            "gateway": {**routing.get("gateway", {}), **own},
        }
        for name, routing in modes.items()
        if routing["mode"] == "gatewayApi"
    }


@contextlib.contextmanager
def published(
    cluster: Cluster, namespace: str, routing: Object, folder: Path, *, more: Object | None = None
) -> Iterator[Platform]:
    """The platform with these `routing` values, and more, in a namespace that is there."""
    values = {"routing": {"domain": DOMAIN, **routing}, **(more or {})}
    file = folder / "platform.json"
    file.write_text(json.dumps(values))
    release = Release(cluster, namespace)
    try:
        release.install(f"--values={file}")
        yield Platform(routing["mode"], values, release, address(release, routing["mode"]))
    finally:
        cluster.reset()


def address(release: Release, mode: str, gateway: str = "kserve-ingress-gateway") -> str:
    """Where a gateway is in some mode; a Gateway of the Gateway API says so itself."""
    cluster = release.cluster
    if mode != "gatewayApi":
        return istio.address(cluster)

    def found() -> str:
        kind = "gateways.gateway.networking.k8s.io"
        there = cluster.get(kind, gateway, release.namespace)
        addresses = there["status"].get("addresses", [])
        return next((each["value"] for each in addresses if each["type"] == "IPAddress"), "")

    return cluster.wait("the Gateway has an address", found)


@contextlib.contextmanager
def serving(
    platform: Platform, models: Object, folder: Path, *, graphs: Object | None = None
) -> Iterator[Callable[[Object], None]]:
    """A release of models, and of graphs that ask them, Ready and rolled out; what upgrades it to
    other models.
    """
    cluster = platform.release.cluster
    file = folder / "models.json"
    where = {"global": {"platformNamespace": platform.release.namespace}}

    def write(models: Object) -> None:
        entries = {"models": models, "graphs": graphs or {}}
        file.write_text(json.dumps({**platform.values, **where, **entries}))

    def change(models: Object) -> None:
        write(models)
        release.upgrade(f"--values={file}")

    write(models)
    release = Release(cluster, NAMESPACE, chart=CHARTS[MODELS], name="models")
    try:
        release.install(f"--values={file}")
        kinds = ",".join(("inferenceservices", *(["inferencegraphs"] if graphs else [])))
        every = (kinds, "--all", "-n", NAMESPACE)
        cluster.kubectl("wait", *every, waiting.READY, "--timeout=10m")
        cluster.kubectl("rollout", "status", "deployment", "-n", NAMESPACE, "--timeout=10m")
        yield change
    finally:
        release.uninstall()
