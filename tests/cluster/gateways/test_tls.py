"""TLS at the gateway: a certificate in the Secret that the values name, and a redirect to it."""

from __future__ import annotations

import pytest

from generator.errors import ToolFailed
from tests.cluster.gateways.published import DOMAIN, on_envoy_gateway, published, serving
from tests.cluster.harness import iris, istio, outside, pki
from tests.cluster.harness.flowers import FLOWERS

SECRET = "models-example-com-tls"
MODES = {
    "gatewayApi": {"mode": "gatewayApi"},
    "gatewayApi+": {"mode": "gatewayApi", "gatewayApi": {"writeRoutes": True}},
    "virtualService": {"mode": "virtualService"},
}
MODES |= on_envoy_gateway(MODES)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return pki.make(tmp_path_factory.mktemp("ca"), "ca", subject="/CN=models")


@pytest.fixture(scope="module", params=MODES)
def platform(request, cluster, implementation, ca, tmp_path_factory):
    """With the certificate where the gateway's pods look for it, which depends on the mode."""
    mode = MODES[request.param]
    implementation(mode)
    folder = tmp_path_factory.mktemp("tls")
    name = f"DNS:*.{DOMAIN}"
    pair = pki.make(folder, "gateway", subject="/CN=gateway", ca=ca, names=[name])
    namespace = cluster.namespace("kserve")
    where = ("-n", istio.NAMESPACE if mode["mode"] == "virtualService" else namespace)
    files = (f"--cert={pair.certificate}", f"--key={pair.key}")
    cluster.kubectl("create", "secret", "tls", SECRET, *where, *files)
    tls = {"tls": {"enabled": True, "secretName": SECRET}}
    routing = {**mode, "gateway": {**mode.get("gateway", {}), **tls}}
    with published(cluster, namespace, routing, folder) as platform:
        yield platform
    cluster.kubectl("delete", "secret", SECRET, *where)


@pytest.fixture(scope="module")
def url(platform, trained, tmp_path_factory):
    """Where the model of the quick start predicts."""
    model = {"format": "sklearn", "storageUri": trained.uri}
    with serving(platform, {iris.NAME: model}, tmp_path_factory.mktemp("models")):
        yield f"{platform.url(iris.NAME)}/v1/models/{iris.NAME}:predict"


def test_tls(platform, url, ca, trained, cell):
    assert url.startswith("https://")
    answer = platform.ask(url, {"instances": FLOWERS}, ca=ca.certificate)
    assert answer.json == {"predictions": trained.classes}
    with pytest.raises(ToolFailed, match="certificate"):
        outside.ask(platform.address, url, {})
    cell("predicted")


def test_redirect(platform, url, cell):
    answer = platform.ask(url.replace("https:", "http:"), {"instances": FLOWERS})
    assert (answer.status, answer.redirect) == (301, url)
    cell("redirected")
