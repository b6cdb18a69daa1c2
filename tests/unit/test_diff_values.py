"""What values change, and which risks `diff` sees in that: through the front door, both ways."""

import pytest
import yaml

from tests.unit.test_diff import diff

IRIS = {"models": {"iris": {"format": "sklearn", "storageUri": "s3://models/iris"}}}
GATEWAY = "Gateway/kserve-ingress-gateway -n kserve"
REDIRECT = "HTTPRoute/kserve-ingress-gateway-https-redirect -n kserve"
MODEL = "InferenceService/iris -n default"
CONFIG = "ConfigMap/inferenceservice-config -n kserve"
LABEL = 'metadata.labels["networking.kserve.io/visibility"]'
MODE = 'metadata.annotations["serving.kserve.io/deploymentMode"]'
GUARD = "NetworkPolicy/kserve-lite-tenant -n search"
POLICY = "AuthorizationPolicy/iris -n default"
SHOP = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}


def routed(mode, **more):
    return IRIS | {"routing": {"mode": mode, "domain": "example.com", **more}}


def mesh(*namespaces):
    return routed("virtualService", virtualService={"allowNamespaces": list(namespaces)})


def tenant(**more):
    return {"tenants": {"search": more}}


def peers(*found):
    return tenant(networkPolicy={"from": list(found)})


def tls(mode, **more):
    return routed(mode, gateway={"tls": {"enabled": True, "secretName": "wildcard"}, **more})


def iris(**more):
    return {"models": {"iris": IRIS["models"]["iris"] | more}}


# What is changed, and back: the risks of that, less those that each change of KServe's ConfigMap
# has (controller-restart), and those of the roles that come with Istio's objects (rbac-wider).
CASES = {
    "allowNamespaces taken out": (
        mesh("istio-system"),
        routed("virtualService"),
        {("published", POLICY, "")},
        set(),
    ),
    "allowNamespaces widened": (
        mesh("istio-system"),
        mesh("shop", "istio-system"),
        {("published", POLICY, "spec.rules")},
        set(),
    ),
    "a principal beside allowNamespaces": (
        mesh("istio-system"),
        routed(
            "virtualService",
            virtualService={
                "allowNamespaces": ["istio-system"],
                "allowPrincipals": ["cluster.local/ns/shop/sa/web"],
            },
        ),
        {("published", POLICY, "spec.rules")},
        set(),
    ),
    "mutual TLS no longer asked for": (
        routed("virtualService", virtualService={"peerAuthentication": "STRICT"}),
        routed("virtualService", virtualService={"peerAuthentication": "PERMISSIVE"}),
        {("published", "PeerAuthentication/iris -n default", "spec.mtls")},
        set(),
    ),
    "a model that goes takes its policy along": (
        mesh("istio-system"),
        mesh("istio-system") | {"models": {}},
        {
            ("model-removed", MODEL, ""),
            ("route-removed", "VirtualService/iris -n default", ""),
        },
        {("published", "VirtualService/iris -n default", "")},
    ),
    "a tenant's networkPolicy.from widened": (
        peers(SHOP),
        peers(SHOP, {"namespaceSelector": {}}),
        {("published", GUARD, "spec.ingress")},
        set(),
    ),
    "a tenant's networkPolicy turned off": (
        tenant(),
        tenant(networkPolicy={"enabled": False}),
        {("published", GUARD, "")},
        set(),
    ),
    "the controller's networkPolicy turned off": (
        {},
        {"networkPolicy": {"enabled": False}},
        # The certificate's Job has one as well.
        {
            ("published", "NetworkPolicy/kserve-controller-manager -n kserve", ""),
            ("published", "NetworkPolicy/kserve-webhook-certificate -n kserve", ""),
        },
        set(),
    ),
    "podSecurity weaker": (
        tenant(),
        tenant(podSecurity="privileged"),
        {
            (
                "pod-security-weaker",
                "Namespace/search",
                'metadata.labels["pod-security.kubernetes.io/enforce"]',
            )
        },
        set(),
    ),
    "gateway.tls taken out": (
        tls("gatewayApi"),
        routed("gatewayApi"),
        {
            ("route-removed", GATEWAY, "spec.listeners[https]"),
            ("route-removed", REDIRECT, ""),
            ("published", GATEWAY, "spec.listeners[http]"),
        },
        set(),
    ),
    "gateway.tls of Istio taken out": (
        tls("virtualService"),
        routed("virtualService"),
        {
            ("route-removed", GATEWAY, "spec.servers[https]"),
            ("published", GATEWAY, "spec.servers[http].tls"),
        },
        set(),
    ),
    "the gateway takes the routes of another namespace": (
        routed("gatewayApi", gateway={"allowedRoutes": {"namespaces": {"from": "Same"}}}),
        routed("gatewayApi"),
        {("published", GATEWAY, "spec.listeners[http]")},
        set(),
    ),
    "a tenant that comes shares the gateway": (
        routed("virtualService") | tenant() | {"models": {}},
        routed("virtualService") | {"tenants": {"search": {}, "shop": {}}, "models": {}},
        set(),
        {("namespace-removed", "Namespace/shop", ""), ("published", "NetworkPolicy/kserve-lite-tenant -n shop", "")},
    ),
    "clusterLocal added": (
        routed("gatewayApi"),
        routed("gatewayApi") | iris(clusterLocal=True),
        {("route-removed", MODEL, LABEL), ("model-restart", MODEL, "metadata.labels")},
        {("published", MODEL, LABEL), ("model-restart", MODEL, "metadata.labels")},
    ),
    "the chart writes the routes": (
        routed("gatewayApi", additionalDomains=["example.org"]),
        routed("gatewayApi", additionalDomains=["example.org"], gatewayApi={"writeRoutes": True}),
        {("model-restart", MODEL, "metadata.labels"), ("model-restart", MODEL, "metadata.annotations")},
        {("model-restart", MODEL, "metadata.labels"), ("model-restart", MODEL, "metadata.annotations")},
    ),
    "the chart writes the routes, but of a model inside none": (
        routed("gatewayApi"),
        routed("gatewayApi", gatewayApi={"writeRoutes": True}) | iris(clusterLocal=True),
        {("route-removed", MODEL, LABEL), ("model-restart", MODEL, "metadata.labels")},
        {("published", MODEL, LABEL), ("model-restart", MODEL, "metadata.labels")},
    ),
    "clusterLocal added, where the chart writes the routes": (
        routed("gatewayApi", gatewayApi={"writeRoutes": True}),
        routed("gatewayApi", gatewayApi={"writeRoutes": True}) | iris(clusterLocal=True),
        {("route-removed", "HTTPRoute/iris.host -n default", ""), ("model-restart", MODEL, "metadata.annotations")},
        {("published", "HTTPRoute/iris.host -n default", ""), ("model-restart", MODEL, "metadata.annotations")},
    ),
    "gatewayApi to ingress": (
        routed("gatewayApi"),
        routed("ingress"),
        {("route-removed", GATEWAY, "")},
        {("route-removed", "IngressClass/kserve-lite", "")},
    ),
    "gatewayApi with TLS to ingress": (
        tls("gatewayApi"),
        routed("ingress"),
        {("route-removed", GATEWAY, "")},
        {("route-removed", "IngressClass/kserve-lite", "")},
    ),
    "gatewayApi to virtualService": (
        routed("gatewayApi"),
        routed("virtualService"),
        {
            ("route-removed", GATEWAY, ""),
            ("route-removed", CONFIG, "data.ingress"),
        },
        {
            ("route-removed", GATEWAY, ""),
            ("published", CONFIG, "data.ingress"),
        },
    ),
    "Standard to Knative of a model": (
        iris(deploymentMode="Standard"),
        iris(deploymentMode="Knative"),
        {("immutable-field", MODEL, MODE)},
        {("immutable-field", MODEL, MODE)},
    ),
    "Knative of a model that had the default": (
        iris(),
        iris(deploymentMode="Knative"),
        {("immutable-field", MODEL, MODE)},
        # KServe's webhook writes Standard into a model that says nothing.
        {("immutable-field", MODEL, MODE)},
    ),
    "the default is Knative": (
        iris(),
        iris() | {"deploymentMode": "Knative"},
        {("route-removed", "Service/iris -n default", ""), ("model-restart", MODEL, "spec.predictor")},
        {("immutable-field", MODEL, MODE)},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "there", "back"), CASES.values(), ids=CASES)
def test_a_change_of_values_has_its_risks(tmp_path, old, new, there, back):
    files = [tmp_path / "old.yaml", tmp_path / "new.yaml"]
    for file, values in zip(files, (old, new), strict=True):
        file.write_text(yaml.safe_dump(values))
    for (one, other), expected in ((files, there), (files[::-1], back)):
        code, said = diff(one, other)
        assert (code, bool(said["changes"])) == (1, True)
        found = [
            (each["risk"], each["object"], each["field"])
            for each in said["risks"]
            if each["risk"] not in ("controller-restart", "rbac-wider")
        ]
        assert sorted(found) == sorted(expected)
