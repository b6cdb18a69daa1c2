"""A route without a timeout, which the implementations of the Gateway API read differently."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.cluster.gateways.published import on_envoy_gateway, serving
from tests.cluster.harness.flowers import MILLIMETRES
from tests.rendering import ROOT

DELAY = 17  # Seconds: more than the 15 that Envoy has by default.
MODES = {
    "gatewayApi+": {
        "mode": "gatewayApi",
        "gatewayApi": {"writeRoutes": True},
        "httpRouteTimeouts": False,
    }
}
MODES |= on_envoy_gateway(MODES)
PAGE = (ROOT / "docs" / "models.md").read_text("utf-8")


@pytest.fixture(scope="module", params=MODES)
def platform(request, publish):
    """Where no HTTPRoute has a timeout."""
    with publish(MODES[request.param]) as platform:
        yield platform


@pytest.fixture(scope="module")
def slow(platform, trained, tmp_path_factory):
    """Asks a model that takes its time."""
    part = {"image": "registry.example.com/flowers-transformer:1", "env": {"DELAY": str(DELAY)}}
    model = {"format": "sklearn", "storageUri": trained.uri, "transformer": part}
    with serving(platform, {"slow": model}, tmp_path_factory.mktemp("models")):
        url = f"{platform.url('slow')}/v1/models/slow:predict"
        yield lambda: platform.ask(url, {"instances": MILLIMETRES})


def test_envoy_gateway_ends_what_istio_lets_run(cluster, platform, slow, trained):
    """Until it is given a policy: the one of docs/models.md."""
    if platform.column == "gatewayApi+":
        assert slow().json == {"predictions": trained.classes}
        return
    assert slow().status == 504
    (block,) = re.findall(
        r"^```yaml\n(extraObjects:\n  gateway-timeout:.*?)^```", PAGE, re.M | re.S
    )
    policy = yaml.safe_load(block)["extraObjects"]["gateway-timeout"]
    assert policy["metadata"]["namespace"] == "kserve"
    policy["metadata"]["namespace"] = platform.release.namespace
    cluster.apply(policy, namespace=platform.release.namespace)
    accepted = "--for=jsonpath={.status.ancestors[0].conditions[0].status}=True"
    where = (policy["metadata"]["name"], "-n", platform.release.namespace)
    cluster.kubectl("wait", "backendtrafficpolicy", *where, accepted, "--timeout=30s")

    def unhurried():
        """The gateway's pods learn of the policy after it is accepted."""
        answer = slow()
        return None if answer.status == 504 else answer

    answer = cluster.wait("the policy holds", unhurried)
    assert answer.json == {"predictions": trained.classes}
    cluster.kubectl("delete", "backendtrafficpolicy", *where)
