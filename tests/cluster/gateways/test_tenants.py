"""A tenant's own gateway: its hosts are answered there, and nowhere else."""

from __future__ import annotations

from functools import partial

import pytest

from tests.cluster.gateways.published import DOMAIN, NAMESPACE, address, published, serving
from tests.cluster.harness import iris, outside
from tests.cluster.harness.flowers import FLOWERS

OWN = "fraud.example.com"
_GATEWAY_API = "gateway.networking.k8s.io"
GATEWAY = f"kserve-{NAMESPACE}"
URL = f"http://{iris.NAME}-{NAMESPACE}.{{}}/v1/models/{iris.NAME}:predict"
BODY = {"instances": FLOWERS}
MODES = {
    "gatewayApi+": {"mode": "gatewayApi", "gatewayApi": {"writeRoutes": True}},
    "virtualService": {"mode": "virtualService"},
}


@pytest.fixture(scope="module", params=MODES)
def platform(request, cluster, implementation, tmp_path_factory):
    implementation(MODES[request.param])
    tenants = {NAMESPACE: {"createNamespace": False, "gateway": {"domain": OWN}}}
    namespace, folder = cluster.namespace("kserve"), tmp_path_factory.mktemp("platform")
    more = {"tenants": tenants}
    with published(cluster, namespace, MODES[request.param], folder, more=more) as platform:
        yield platform


@pytest.fixture(scope="module")
def served(platform, trained, tmp_path_factory):
    """A model of the tenant."""
    model = {"format": "sklearn", "storageUri": trained.uri}
    with serving(platform, {iris.NAME: model}, tmp_path_factory.mktemp("models")):
        yield


def test_the_tenants_gateway_answers_for_the_tenants_hosts(platform, served, trained):
    own = address(platform.release, platform.mode, GATEWAY)
    asked = platform.ask(URL.format(OWN), BODY, address=own)
    assert asked.json == {"predictions": trained.classes}
    # In mode virtualService the same pods serve both.
    assert (own == platform.address) == (platform.mode == "virtualService")


def test_the_platforms_gateway_has_none_of_the_tenants_hosts(cluster, platform, served):
    domains = (DOMAIN, OWN) if platform.mode == "gatewayApi" else (DOMAIN,)
    for domain in domains:
        # It has its address before anybody answers there.
        ask = partial(outside.ask, platform.address, URL.format(domain), BODY)
        assert cluster.wait("the platform's gateway answers", ask).status == 404


def test_the_tenants_gateway_takes_routes_of_the_tenant_alone(cluster, platform, served):
    """Of one route in two namespaces, the tenant's leads to the model, and the other nowhere."""
    other = cluster.namespace("other")
    is_standard = platform.mode == "gatewayApi"
    kind = f"httproutes.{_GATEWAY_API}" if is_standard else "virtualservices.networking.istio.io"
    (route,) = cluster.list(kind, NAMESPACE)
    own = address(platform.release, platform.mode, GATEWAY)
    # That of the tenant is applied last: when it is in use, so would the other be.
    for namespace in (other, NAMESPACE):
        hosts = {"hostnames" if is_standard else "hosts": [f"{namespace}.{OWN}"]}
        cluster.apply(
            {key: route[key] for key in ("apiVersion", "kind")}
            | {"metadata": {"name": "more", "namespace": namespace}, "spec": route["spec"] | hosts},
            namespace=namespace,
        )
    try:
        ask = f"http://{{}}.{OWN}/v1/models/{iris.NAME}:predict"
        assert platform.ask(ask.format(NAMESPACE), BODY, address=own).status == 200
        assert outside.ask(own, ask.format(other), BODY).status == 404
        if is_standard:
            cluster.wait(
                "it is refused", lambda: reasons(cluster, other) == {"NotAllowedByListeners"}
            )
    finally:
        for namespace in (other, NAMESPACE):
            cluster.kubectl("delete", kind, "more", "-n", namespace, "--ignore-not-found")


def reasons(cluster, namespace):
    """Why gateways do not take the routes of a namespace."""
    return {
        condition["reason"]
        for route in cluster.list(f"httproutes.{_GATEWAY_API}", namespace)
        for parent in route.get("status", {}).get("parents", [])
        for condition in parent["conditions"]
        if (condition["type"], condition["status"]) == ("Accepted", "False")
    }
