"""What callers behind a gateway notice while a canary is raised, and while what runs the gateway is
restarted: asked twenty times a second.
"""

from __future__ import annotations

import time

import pytest

from tests.cluster.gateways.published import on_envoy_gateway, serving
from tests.cluster.harness import envoygateway, istio
from tests.cluster.harness.flowers import FLOWERS
from tests.cluster.harness.load import GatewayLoad

GATEWAY_API = {
    "mode": "gatewayApi",
    "gateway": {"className": "istio"},
    "gatewayApi": {"writeRoutes": True},
}
MODES = {"virtualService": {"mode": "virtualService"}, "gatewayApi": GATEWAY_API}
MODES |= on_envoy_gateway(MODES)
SETTLED = 3.0  # seconds of requests before a change, and after it


@pytest.fixture(scope="module", params=MODES)
def platform(request, publish):
    """The platform in a mode in which the chart writes the routes."""
    with publish(MODES[request.param]) as platform:
        yield platform


def split(trained, shifted, percent):
    """A model, and another version of it that receives a part of the requests."""
    version = {"storageUri": shifted.uri, "trafficPercent": percent}
    model = {"format": "sklearn", "storageUri": trained.uri, "minReplicas": 2}
    return {"split": {**model, "canary": {"next": version}}}


@pytest.fixture(scope="module")
def change(platform, trained, shifted, tmp_path_factory):
    """Upgrades the model; none of its requests go to its other version yet."""
    folder = tmp_path_factory.mktemp("models")
    with serving(platform, split(trained, shifted, 0), folder) as change:
        yield change


@pytest.fixture
def load(platform, change):
    """Requests to the model, which the gateway knows."""
    url = f"{platform.url('split')}/v1/models/split:predict"
    platform.ask(url, {"instances": FLOWERS})
    return GatewayLoad(platform.address, url, {"instances": FLOWERS})


def test_what_runs_the_gateway_is_restarted(cluster, platform, trained, load):
    """A gateway has its routes, and does not need istiod or Envoy Gateway for each request."""
    where = ("deployment/istiod", "-n", istio.NAMESPACE)
    if platform.column.endswith("on EG"):
        where = ("deployment/envoy-gateway", "-n", envoygateway.NAMESPACE)
    with load:
        time.sleep(SETTLED)
        cluster.kubectl("rollout", "restart", *where)
        cluster.kubectl("rollout", "status", *where, "--timeout=5m")
        time.sleep(SETTLED)
    assert load.failures == {}
    assert all(one.predictions == trained.classes for one in load.requests)


def test_a_canary_is_raised(platform, change, trained, shifted, load):
    """From nothing to a fifth to all, by an upgrade of the models."""
    with load:
        time.sleep(SETTLED)
        for percent in (20, 100):
            change(split(trained, shifted, percent))
            time.sleep(2 * SETTLED)
    assert load.failures == {}
    said = [one.predictions for one in load.requests]
    assert said[:20] == [trained.classes] * 20
    assert said[-20:] == [shifted.classes] * 20
    assert 0 < said.count(shifted.classes) < len(said)
