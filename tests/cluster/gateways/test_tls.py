"""TLS at the gateway: a certificate in the Secret that the values name, and a redirect to it."""

from __future__ import annotations

import pytest

from generator.errors import ToolFailed
from tests.cluster.gateways import matrix
from tests.cluster.gateways.published import DOMAIN, on_envoy_gateway, published, serving
from tests.cluster.harness import iris, istio, outside, pki
from tests.cluster.harness.flowers import FLOWERS
from tests.rendering import STOCK

SECRET = "models-example-com-tls"
MODES = {
    "gatewayApi": {"mode": "gatewayApi"},
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


def test_it_predicts_with_tls(platform, url, ca, trained):
    matrix.note(platform.column, "tls", "FAILED")
    assert url.startswith("https://")
    answer = platform.ask(url, {"instances": FLOWERS}, ca=ca.certificate)
    assert answer.json == {"predictions": trained.classes}
    with pytest.raises(ToolFailed, match="certificate"):
        outside.ask(platform.address, url, {})
    matrix.note(platform.column, "tls", "predicted")


def test_http_leads_to_tls(platform, url):
    matrix.note(platform.column, "redirect", "FAILED")
    answer = platform.ask(url.replace("https:", "http:"), {"instances": FLOWERS})
    assert (answer.status, answer.redirect) == (301, url)
    matrix.note(platform.column, "redirect", "redirected")


def test_ingress_has_no_gateway_for_tls(cluster):
    tls = (
        "--set=routing.gateway.tls.enabled=true",
        f"--set=routing.gateway.tls.secretName={SECRET}",
    )
    matrix.note("ingress", "tls", "FAILED")
    with pytest.raises(ToolFailed, match=r"there is no gateway in routing\.mode ingress"):
        cluster.helm("template", str(STOCK), f"--set=routing.domain={DOMAIN}", *tls)
    matrix.note("ingress", "tls", "refused")
