"""Law 5: inferenceservice-config is data: every key parses, none speaks of Knative unasked."""

import json
import re

import pytest

from generator.values.load import Values
from tests import rendering
from tests.rendering import CASES, STOCK, Object, config, helm_template, objects, values_of

# What KServe's pod webhook parses on each admission; a missing quantity fails every pod.
QUANTITIES = ("cpuLimit", "cpuRequest", "memoryLimit", "memoryRequest")
WITH_QUANTITIES = ("agent", "batcher", "logger", "router", "storageInitializer")
KEYS = {
    "agent", "autoscaler", "batcher", "credentials", "deploy", "explainers", "inferenceService",
    "ingress", "localModel", "logger", "metricsAggregator", "multiNode", "opentelemetryCollector",
    "router", "security", "service", "storageInitializer",
}  # fmt: skip
QUANTITY = re.compile(r"[+-]?[0-9.]+([eEinumkKMGTP]*[-+]?[0-9]*)")


def faults(them: list[Object], mode: str) -> list[str]:
    """What KServe would choke on in the rendered config."""
    data = rendering.only(them, "ConfigMap", "inferenceservice-config")["data"]
    found = [f"{key} is missing" for key in KEYS - data.keys()]
    parsed = {}
    for key, text in data.items():
        try:
            parsed[key] = json.loads(text)
        except ValueError as error:
            found.append(f"{key} is not JSON: {error}")
            continue
        if not isinstance(parsed[key], dict):
            found.append(f"{key} is not an object")
        if mode != "Knative" and "knative" in text.lower():
            found.append(f"{key} names Knative")
    for key in WITH_QUANTITIES:
        for name in QUANTITIES:
            value = parsed.get(key, {}).get(name)
            if not (isinstance(value, str) and QUANTITY.fullmatch(value)):
                found.append(f"{key}.{name} is no quantity: {value!r}")
    ingress = parsed.get("ingress", {})
    if not ingress.get("ingressGateway"):
        found.append("ingress.ingressGateway is empty; KServe exits")
    if ingress.get("enableGatewayApi") and "/" not in ingress.get("kserveIngressGateway", ""):
        found.append("ingress.kserveIngressGateway is not NAMESPACE/NAME; KServe exits")
    if mode == "Standard" and not ingress.get("disableIstioVirtualHost"):
        found.append("ingress.disableIstioVirtualHost is off in Standard mode")
    return found


def mode(case: str) -> str:
    return values_of(case).get("deploymentMode", "Standard")


@pytest.mark.parametrize("case", CASES)
def test_kserve_can_read_every_key(case):
    assert faults(objects(case), mode(case)) == []


def test_no_domain_publishes_nothing():
    ingress = config(objects("default"))["ingress"]
    # The very value for which KServe creates neither Ingress nor HTTPRoute.
    assert ingress["ingressDomain"] == "svc.cluster.local"
    assert ingress["enableGatewayApi"] is False
    assert not rendering.of_kind(objects("default"), "Gateway", "IngressClass", "HTTPRoute")


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("ingress-published", {"ingressClassName": "kserve-lite", "urlScheme": "https", "disableIngressCreation": False}),
        ("istio-gateway-api", {"enableGatewayApi": True, "urlScheme": "https", "disableHTTPRouteTimeout": False,
                               "kserveIngressGateway": "kserve/kserve-ingress-gateway"}),
        ("gateway-existing", {"kserveIngressGateway": "gateways/shared", "enableGatewayApi": True}),
        ("gateway-both", {"disableHTTPRouteTimeout": True}),
        ("istio-virtual-service", {"disableIngressCreation": True, "enableGatewayApi": False, "urlScheme": "https"}),
        ("routes-of-ones-own", {"disableIngressCreation": True, "ingressDomain": "models.example.com"}),
        ("knative", {"disableIstioVirtualHost": False, "ingressGateway": "knative-serving/knative-ingress-gateway"}),
        ("knative-paths", {"localGateway": "istio-system/inside", "ingressDomain": "models.example.com",
                           "pathTemplate": "/serving/{{ .Namespace }}/{{ .Name }}"}),
    ],
)  # fmt: skip
def test_one_word_sets_every_key_that_depends_on_it(case, expected):
    ingress = config(objects(case))["ingress"]
    assert {key: ingress.get(key) for key in expected} == expected


def test_an_override_with_false_or_nothing_wins(tmp_path):
    file = tmp_path / "values.yaml"
    overrides = {"security": {"autoMountServiceAccountToken": False}, "logger": {"defaultUrl": ""}}
    file.write_text(json.dumps({"configOverrides": overrides}))
    them = rendering.parse(helm_template(STOCK, Values.parsed([file]), more=()))
    assert config(them)["security"] == {"autoMountServiceAccountToken": False}
    assert config(them)["logger"]["defaultUrl"] == ""


def test_overrides_are_merged_over_the_typed_values():
    everything = config(objects("everything-on"))
    assert everything["ingress"]["modelBasedRoutingMode"] == "disabled"
    assert everything["ingress"]["enableGatewayApi"] is True
    assert everything["newKey"] == {"since": "a later KServe"}
    # The value says false, the override true.
    assert everything["security"] == {"autoMountServiceAccountToken": True}
