"""`diff`: what a change does to the objects, risks first, through the front door."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from generator import tools
from generator.cli.diff import diff as command
from generator.comparison import report
from generator.comparison.risks import RISKS, Risk
from generator.manifests.protection import KEEP
from generator.yaml.fields import ABSENT, compare
from generator.yaml.writer import dump
from tests.rendering import CHARTS, MODELS, ROOT, STOCK
from tests.unit.test_cli import run


def diff(old, new, *options):
    """What `diff --output json` says, with its exit code; in this process, which is faster."""
    done = CliRunner().invoke(command, [*map(str, (old, new)), "--output=json", *map(str, options)])
    assert done.exit_code in (0, 1), done.exception
    return done.exit_code, json.loads(done.stdout)


def sides(path, old, new):
    """Both sides as folders, with an object beside that is the same on both."""
    beside = of("Job", "beside", spec={"image": "docker.io/kserve/beside:v1"})
    return tuple(
        folder(path / name, *filter(None, [each, beside]))
        for name, each in (("old", old), ("new", new))
    )


def of(kind, name, version="v1", namespace="kserve", **more):
    metadata = {"name": name, "namespace": namespace} | more.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def folder(path, *objects):
    path.mkdir()
    (path / "all.yaml").write_text("---\n".join(dump(each) for each in objects))
    return path


def webhooks(**more):
    hook = {"name": "model.example.com", "failurePolicy": "Fail", "rules": [{"verbs": ["CREATE"]}]}
    kind = "ValidatingWebhookConfiguration"
    return of(kind, "hooks", "admissionregistration.k8s.io/v1", webhooks=[hook | more])


def crd(*fields, version="v1", **more):
    properties = {"spec": {"properties": {field: {"type": "string"} for field in fields}}}
    schema = {"openAPIV3Schema": {"properties": properties}}
    versions = [{"name": version, "served": True, "storage": True, "schema": schema}]
    spec = {"group": "example.com", "scope": "Namespaced", "versions": versions}
    name = "things.example.com"
    return of("CustomResourceDefinition", name, "apiextensions.k8s.io/v1", spec=spec, **more)


def model(name="iris", **predictor):
    return of("InferenceService", name, "serving.kserve.io/v1beta1", spec={"predictor": predictor})


def runtime(image="docker.io/kserve/sklearnserver:v1", **more):
    container = {"name": "kserve-container", "image": image}
    spec = {"containers": [container], **more}
    return of("ClusterServingRuntime", "sklearn", "serving.kserve.io/v1alpha1", spec=spec)


def controller(image="kserve/kserve-controller:v1", **more):
    containers = [{"name": "manager", "image": image}]
    spec = {
        "replicas": 1,
        "selector": {"app": "a"},
        "template": {"spec": {"containers": containers}},
    }
    return of("Deployment", "kserve-controller-manager", "apps/v1", spec=spec | more)


def config(**ingress):
    return of("ConfigMap", "inferenceservice-config", data={"ingress": json.dumps(ingress)})


def role(*verbs, name="manager"):
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": list(verbs)}]
    return of("ClusterRole", name, "rbac.authorization.k8s.io/v1", rules=rules)


def binding(*names, role="manager"):
    subjects = [{"kind": "Group", "name": name} for name in names]
    reference = {"kind": "ClusterRole", "name": role}
    kind = "ClusterRoleBinding"
    return of(kind, "b", "rbac.authorization.k8s.io/v1", roleRef=reference, subjects=subjects)


def route(*hosts):
    kind, version = "HTTPRoute", "gateway.networking.k8s.io/v1"
    rules = [{"backendRefs": [{"name": "iris-predictor"}]}]
    return of(kind, "iris", version, spec={"hostnames": list(hosts), "rules": rules})


def ingress(*hosts):
    rules = [{"host": host} if host else {"http": {}} for host in hosts]
    return of("Ingress", "iris", "networking.k8s.io/v1", spec={"rules": rules})


def virtual_service(*hosts):
    return of("VirtualService", "iris", "networking.istio.io/v1", spec={"hosts": list(hosts)})


def service(kind):
    return of("Service", "iris", spec={"type": kind})


def job(*images):
    return of(
        "CronJob", "job", "batch/v1", spec={"containers": [{"image": each} for each in images]}
    )


def network_policy(*rules, pods="iris", name="n"):
    selector = {"matchLabels": {"app": pods}} if pods else {}
    spec = {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": list(rules)}
    return of("NetworkPolicy", name, "networking.k8s.io/v1", spec=spec)


def letting_in(*peers, port=80):
    return {"from": list(peers), "ports": [{"port": port}]}


def on(port=None, protocol="TCP", **more):
    return {"ports": [{"protocol": protocol, **({"port": port} if port else {}), **more}]}


def allowed(**operation):
    return authorization({"namespaces": ["a"]}, to=[{"operation": operation}])


def asked(*conditions):
    when = [{"key": "request.headers[team]", **each} for each in conditions]
    return authorization({"namespaces": ["a"]}, when=when)


def excepted(*namespaces, action="ALLOW"):
    return authorization({"notNamespaces": list(namespaces)}, action=action)


def space(key="team", *values):
    labels = [{"key": key, "operator": "In", "values": list(values)}] if values else []
    return {"namespaceSelector": {"matchLabels": {key: "a"}, "matchExpressions": labels}}


def block(cidr, *without):
    return {"ipBlock": {"cidr": cidr, "except": list(without)}}


def authorization(*sources, action="ALLOW", **more):
    rules = [{"from": [{"source": each} for each in sources], **more}]
    selector = {"matchLabels": {"app": "iris"}}
    spec = {"selector": selector, "action": action, "rules": rules}
    return of("AuthorizationPolicy", "iris", "security.istio.io/v1", spec=spec)


def authentication(mode, name="iris", **ports):
    spec = {"selector": {"matchLabels": {"app": "iris"}}, "mtls": {"mode": mode}}
    if ports:
        spec["portLevelMtls"] = {port[1:]: {"mode": each} for port, each in ports.items()}
    if name != "iris":
        del spec["selector"]
    return of("PeerAuthentication", name, "security.istio.io/v1", spec=spec)


def gateway(*listeners):
    version = "gateway.networking.k8s.io/v1"
    return of("Gateway", "gateway", version, spec={"listeners": list(listeners)})


def listener(name="http", host="*.example.com", whose="All", *names, **more):
    values = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(names)}
    selector = {"selector": {"matchExpressions": [values]}} if names else {}
    return {
        "name": name,
        "hostname": host,
        "allowedRoutes": {"namespaces": {"from": whose, **selector}},
        **more,
    }


def choosing(*names, **labels):
    """A gateway that takes the routes of namespaces with these labels, of one of these names."""
    found = listener("http", "a.b", "Selector", *names)
    selector = found["allowedRoutes"]["namespaces"].setdefault("selector", {})
    selector["matchLabels"] = labels
    return gateway(found)


def serving(tls):
    found = istio("a.example.com")
    (server,) = found["spec"]["servers"]
    server["tls"] = tls
    return found


def istio(*hosts, redirect=True):
    server = {
        "port": {"name": "http", "number": 80},
        "hosts": list(hosts),
        "tls": {"httpsRedirect": redirect},
    }
    return of("Gateway", "gateway", "networking.istio.io/v1", spec={"servers": [server]})


def redirect(gateway="gateway"):
    spec = {
        "parentRefs": [{"name": gateway, "namespace": "kserve"}],
        "rules": [{"filters": [{"type": "RequestRedirect"}]}],
    }
    return of("HTTPRoute", "redirect", "gateway.networking.k8s.io/v1", spec=spec)


def enforcing(level):
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {}
    return of("Namespace", "team", metadata={"labels": labels})


def in_mode(mode):
    metadata = {"annotations": {"serving.kserve.io/deploymentMode": mode}} if mode else {}
    return model() | {"metadata": model()["metadata"] | metadata}


LOCAL = {"networking.kserve.io/visibility": "cluster-local"}
KEPT = {"annotations": dict(KEEP)}
# The risk, the object before and after (None for nothing), the field that is named.
SEEDED = [
    ("model-restart", model(image="a"), model(image="b"), "spec.predictor"),
    ("model-restart", runtime(), runtime("docker.io/kserve/sklearnserver:v2"), "spec"),
    ("controller-restart", controller(), controller("kserve/kserve-controller:v2"), "spec.template"),
    ("model-restart", model(), of("InferenceService", "iris", "serving.kserve.io/v1beta1", spec={"predictor": {}}, metadata={"labels": {"team": "ml"}}), "metadata.labels"),
    ("model-removed", model(), None, ""),
    ("model-removed", of("TrainedModel", "t", "serving.kserve.io/v1alpha1"), None, ""),
    ("graph-removed", of("InferenceGraph", "g", "serving.kserve.io/v1alpha1"), None, ""),
    ("runtime-removed", runtime(), None, ""),
    ("namespace-removed", of("Namespace", "team"), None, ""),
    ("crd-removed", crd("a"), None, ""),
    ("crd-version-removed", crd("a"), crd("a", version="v2"), "spec.versions[v1]"),
    ("crd-field-removed", crd("a", "b"), crd("a"), "v1: spec.b"),
    ("immutable-field", controller(), controller(selector={"app": "b"}), "spec.selector"),
    ("immutable-field", binding(), binding(role="admin"), "roleRef"),
    ("rbac-wider", role("get"), role("get", "list"), "rules"),
    ("rbac-wider", role("get"), role("*"), "rules"),
    ("rbac-wider", None, role("get"), "rules"),
    ("rbac-wider", binding("a"), binding("a", "b"), "subjects"),
    ("webhook-scope", webhooks(), webhooks(rules=[]), "webhooks[model.example.com].rules"),
    ("webhook-scope", webhooks(), None, "webhooks[model.example.com]"),
    ("webhook-failure-policy", webhooks(), webhooks(failurePolicy="Ignore"), "webhooks[model.example.com].failurePolicy"),
    ("route-removed", route("a.example.com", "b.example.com"), route("b.example.com"), ""),
    ("route-removed", config(ingressDomain="example.com"), config(ingressDomain="svc.cluster.local"), "data.ingress"),
    ("published", route("a.default.svc.cluster.local"), route("iris.example.com"), ""),
    ("published", route("a.example.com"), route(), ""),
    ("published", ingress("a.example.com"), ingress(""), ""),
    ("published", virtual_service("a.example.com"), virtual_service("*"), ""),
    ("route-removed", ingress("a.example.com"), None, ""),
    ("route-removed", route(), route("iris.example.com"), ""),
    ("rbac-wider", role("get"), role("get") | {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}, "aggregationRule"),
    ("published", config(ingressDomain="svc.cluster.local"), config(ingressDomain="example.com"), "data.ingress"),
    ("published", service("ClusterIP"), service("LoadBalancer"), "spec.type"),
    ("image-registry", job("docker.io/a/b"), job("mirror.example.com/a/b"), "spec.containers[0].image"),
    ("image-registry", None, job("a/b", "quay.io/a/b"), "spec.containers[1].image"),
    ("published", network_policy(), None, ""),
    ("published", network_policy(), network_policy(letting_in(space())), "spec.ingress"),
    ("published", network_policy(), network_policy({}), "spec.ingress"),
    ("published", network_policy(pods=""), network_policy(), "spec.ingress"),
    ("published", network_policy(letting_in(space())), network_policy(letting_in(space(), port=81)), "spec.ingress"),
    ("published", network_policy(letting_in(space())), network_policy(letting_in({"podSelector": {}})), "spec.ingress"),
    ("published", network_policy(letting_in(block("10.0.0.0/16"))), network_policy(letting_in(block("10.0.0.0/8"))), "spec.ingress"),
    ("published", network_policy(letting_in(block("10.0.0.0/8", "10.1.0.0/16"))), network_policy(letting_in(block("10.1.0.0/24"))), "spec.ingress"),
    ("published", authorization({"namespaces": ["a"]}), authorization({"namespaces": ["a", "b"]}), "spec.rules"),
    ("published", authorization({"namespaces": ["a"]}), authorization({"notNamespaces": ["a"]}), "spec.rules"),
    ("published", authorization({"namespaces": ["a"]}, to=[{"operation": {"paths": ["/v1"]}}]), authorization({"namespaces": ["a"]}), "spec.rules"),
    ("published", authorization({"namespaces": ["a"]}), authorization({"namespaces": ["a"]}, action="AUDIT"), "spec.rules"),
    ("published", authorization({"namespaces": ["a"], "principals": ["b"]}), authorization({"principals": ["b"]}), "spec.rules"),
    ("published", authorization({"namespaces": ["a", "b"]}, action="DENY"), authorization({"namespaces": ["a"]}, action="DENY"), "spec.rules"),
    ("published", authorization({"namespaces": ["a"]}, action="DENY"), None, ""),
    ("published", authentication("STRICT"), authentication("PERMISSIVE"), "spec.mtls"),
    ("published", authentication("STRICT"), authentication("STRICT", _8080="DISABLE"), "spec.portLevelMtls[8080]"),
    ("published", authentication("STRICT"), authentication("STRICT", _8080="PERMISSIVE"), "spec.portLevelMtls[8080]"),
    ("published", authentication("PERMISSIVE", _8080="STRICT"), authentication("PERMISSIVE"), "spec.portLevelMtls[8080]"),
    ("published", authentication("STRICT", _8080="DISABLE"), authentication("PERMISSIVE"), "spec.mtls"),
    ("published", authorization({"namespaces": ["a"]}, action="CUSTOM"), None, ""),
    ("published", authorization({"namespaces": ["a"]}, action="CUSTOM"), authorization({"namespaces": ["a"]}), "spec.rules"),
    ("published", authorization({"namespaces": ["a"]}, action="DENY"), authorization({"namespaces": ["a"]}, action="CUSTOM"), "spec.rules"),
    ("published", gateway(listener(whose="Same")), gateway(listener()), "spec.listeners[http]"),
    ("published", gateway(listener("http", "a.b", "Selector", "x")), gateway(listener("http", "a.b", "Selector", "x", "y")), "spec.listeners[http]"),
    ("published", gateway(listener(host="a.example.com")), gateway(listener()), "spec.listeners[http]"),
    ("published", choosing(team="a", tier="b"), choosing(team="a"), "spec.listeners[http]"),
    ("published", choosing("x", team="a"), choosing("x"), "spec.listeners[http]"),
    ("published", choosing("x", team="a"), choosing("x", "y", team="a"), "spec.listeners[http]"),
    ("published", choosing(team="a"), choosing(team="b"), "spec.listeners[http]"),
    ("published", gateway(listener(protocol="HTTPS")), gateway(listener(protocol="HTTP")), "spec.listeners[http].tls"),
    ("published", serving({"mode": "SIMPLE"}), serving(None), "spec.servers[http].tls"),
    ("published", serving({"mode": "SIMPLE"}), serving({"httpsRedirect": False}), "spec.servers[http].tls"),
    ("route-removed", gateway(listener()), gateway(listener(host="a.example.com")), "spec.listeners[http]"),
    ("route-removed", gateway(listener(host=None)), gateway(listener()), "spec.listeners[http]"),
    ("route-removed", istio("a.b", "c.d"), istio("c.d"), "spec.servers[http]"),
    ("published", istio("a/*.example.com"), istio("*.example.com"), "spec.servers[http]"),
    ("published", istio("a.example.com"), istio("a.example.com", redirect=False), "spec.servers[http].tls"),
    ("route-removed", gateway(listener(), listener("https")), gateway(listener()), "spec.listeners[https]"),
    ("route-removed", gateway(listener()), None, ""),
    ("route-removed", of("IngressClass", "ours", "networking.k8s.io/v1"), None, ""),
    ("route-removed", redirect(), None, ""),
    ("pod-security-weaker", enforcing("restricted"), enforcing("baseline"), 'metadata.labels["pod-security.kubernetes.io/enforce"]'),
    ("pod-security-weaker", enforcing("baseline"), enforcing(None), 'metadata.labels["pod-security.kubernetes.io/enforce"]'),
    ("immutable-field", in_mode("Knative"), in_mode("Standard"), 'metadata.annotations["serving.kserve.io/deploymentMode"]'),
    ("protection-removed", crd("a", metadata=KEPT), crd("a"), 'metadata.annotations["helm.sh/resource-policy"]'),
]  # fmt: skip
# A policy, and one that lets in less: the one way is no risk, and back `published`.
STRICTER = [
    (network_policy(on()), network_policy(on(8080))),
    (network_policy(on()), network_policy(on("web"))),
    (network_policy(on(8000, endPort=9000)), network_policy(on(8080))),
    (network_policy(on(8000, endPort=9000)), network_policy(on(8000))),
    (network_policy(on(8000, endPort=9000)), network_policy(on(8500, endPort=9000))),
    (allowed(methods=["GET", "POST"]), allowed(methods=["GET"])),
    (allowed(paths=["/v1/*"]), allowed(paths=["/v1/models"])),
    (allowed(hosts=["*.example.com"]), allowed(hosts=["a.example.com"])),
    (allowed(paths=["/v1"]), allowed(paths=["/v1"], methods=["GET"])),
    (allowed(notPaths=["/admin"]), allowed(notPaths=["/admin*"])),
    (allowed(notPaths=["/admin*"]), allowed(paths=["/v1"])),
    (asked({"values": ["a", "b"]}), asked({"values": ["a"]})),
    (asked({"values": ["a"]}), asked({"values": ["a"]}, {"key": "source.ip", "notValues": ["b"]})),
    (excepted("a"), excepted("a", "b")),
    (excepted("a"), authorization({"namespaces": ["b"]})),
    (excepted("a", action="DENY"), excepted("a", "b", action="DENY")),
    (authorization({"namespaces": ["*"]}, action="DENY"), authorization({"namespaces": ["a"]}, action="DENY")),
    (authorization({"principals": ["cluster.local/ns/a/*"]}), authorization({"principals": ["cluster.local/ns/a/sa/b"]})),
    (authorization({"ipBlocks": ["10.0.0.0/8"]}), authorization({"ipBlocks": ["10.1.2.3"]})),
]  # fmt: skip
# For a policy that denies, whoever is named less gets in more.
STRICTER = [edit[::-1] if edit[0]["spec"].get("action") == "DENY" else edit for edit in STRICTER]
# Neither of these two lets in all that the other one does.
ASIDE = [
    (network_policy(on(80)), network_policy(on(80, protocol="UDP"))),
    (network_policy(on("web")), network_policy(on(80))),
    (network_policy(on(80, endPort=90)), network_policy(on(85, endPort=95))),
    (allowed(paths=["/v1*"]), allowed(paths=["*/v1"])),
    (allowed(methods=["GET"]), allowed(paths=["/v1"])),
    (asked({"values": ["a"]}), asked({"key": "source.ip", "values": ["a"]})),
    (excepted("a"), excepted("b")),
    (excepted("a*"), authorization({"namespaces": ["ab"]})),
    (authorization({"notIpBlocks": ["10.0.0.0/8"]}), authorization({"ipBlocks": ["10.1.2.3"]})),
]  # fmt: skip
# Edits that restart nothing, widen nothing, publish nothing and take nothing away.
HARMLESS = [
    (None, model()),
    (None, runtime()),
    (None, crd("a")),
    (None, job("kserve/other:v1", "docker.io/library/nginx")),
    (None, of("Namespace", "team")),
    (crd("a"), crd("a", "b")),
    (crd("a"), crd("a", metadata=KEPT)),
    (model(minReplicas=1), model(minReplicas=3)),
    (model(), model(maxReplicas=3)),
    (model(scaleTarget=50), model(scaleTarget=60)),
    (runtime(), runtime(supportedModelFormats=[{"name": "sklearn"}])),
    (runtime(), runtime(disabled=False)),
    (controller(), controller(replicas=2)),
    (controller(), controller(strategy={"type": "Recreate"})),
    (role("get", "list"), role("get")),
    (role("get", "list"), role("list", "get")),
    (role("*"), role("get", "delete")),
    (role("get"), None),
    (binding("a", "b"), binding("b")),
    (binding("a", "b"), binding("b", "a")),
    (webhooks(), webhooks(timeoutSeconds=5)),
    (webhooks(), webhooks(clientConfig={"caBundle": "YQ=="})),
    (route("a.example.com"), route("a.example.com", "a.default.svc.cluster.local")),
    (route("a.example.com", "b.example.com"), route("b.example.com", "a.example.com")),
    (config(ingressDomain="svc.cluster.local"), config(ingressDomain="svc.cluster.local", urlScheme="https")),
    (config(ingressDomain="example.com"), config(ingressDomain="example.com", disableIstioVirtualHost=True)),
    (None, of("HTTPRoute", "redirect", "gateway.networking.k8s.io/v1", spec={"rules": [{"filters": [{"type": "RequestRedirect"}]}]})),
    (None, network_policy()),
    (network_policy({}), network_policy()),
    (network_policy(), network_policy(pods="")),
    (network_policy(letting_in(space(), {"podSelector": {}})), network_policy(letting_in({"podSelector": {}}, space()))),
    (network_policy(letting_in(space())), network_policy(letting_in(space("team", "b")))),
    (network_policy(letting_in({"namespaceSelector": {}})), network_policy(letting_in({"podSelector": {}}, space()))),
    (network_policy(letting_in(block("10.0.0.0/8"))), network_policy(letting_in(block("10.1.0.0/16", "10.1.2.0/24")))),
    (None, authorization({"namespaces": ["a"]})),
    (authorization({"namespaces": ["a", "b"]}), authorization({"namespaces": ["a"]})),
    (authorization({"principals": ["b"]}), authorization({"namespaces": ["a"], "principals": ["b"]})),
    (authorization({"namespaces": ["a"]}), authorization({"namespaces": ["a"]}, to=[{"operation": {"paths": ["/v1"]}}])),
    (authorization({"namespaces": ["a"]}, action="DENY"), authorization({"namespaces": ["a", "b"]}, action="DENY")),
    (None, authorization({"namespaces": ["a"]}, action="DENY")),
    (authentication("PERMISSIVE"), authentication("STRICT")),
    (authentication("STRICT", _8080="DISABLE"), authentication("STRICT")),
    (authentication("STRICT", _8080="DISABLE"), authentication("STRICT", _8080="UNSET")),
    (authentication("PERMISSIVE"), authentication("PERMISSIVE", _8080="DISABLE")),
    (None, authentication("PERMISSIVE", _8080="DISABLE")),
    (None, authorization({"namespaces": ["a"]}, action="CUSTOM")),
    (authorization({"namespaces": ["a"]}, action="CUSTOM"), authorization({"namespaces": ["a"]}, action="DENY")),
    (None, gateway(listener())),
    (gateway(listener()), gateway(listener(whose="Same"), listener("https"))),
    (choosing(team="a"), choosing(team="a", tier="b")),
    (choosing("x", "y", team="a"), choosing("x", team="a")),
    (choosing(team="a"), choosing("x", team="a")),
    (choosing("x"), choosing("x", team="a")),
    (serving(None), serving({"mode": "SIMPLE"})),
    (serving({"mode": "SIMPLE"}), serving({"httpsRedirect": True})),
    (gateway(listener(protocol="HTTP")), gateway(listener(protocol="HTTPS"))),
    (gateway(listener(host="a.example.com")), gateway(listener(host="a.example.com", protocol="HTTP"))),
    (gateway(listener("http", "a.b", "Selector", "x", "y")), gateway(listener("http", "a.b", "Selector", "y"))),
    (istio("*.example.com"), istio("a/*.example.com")),
    (istio("a.example.com", redirect=False), istio("a.example.com")),
    (None, redirect()),
    (enforcing("baseline"), enforcing("restricted")),
    (enforcing(None), enforcing("baseline")),
    (service("LoadBalancer"), service("ClusterIP")),
    (service("LoadBalancer"), service("NodePort")),
    (of("ConfigMap", "c", data={"a": "1"}), of("ConfigMap", "c", data={"a": "2"})),
    (of("ConfigMap", "c"), None),
    (of("Secret", "s", data={"a": "MQ=="}), of("Secret", "s", data={"a": "Mg=="})),
    (of("ServiceAccount", "a"), of("ServiceAccount", "a", metadata={"labels": {"team": "ml"}})),
]  # fmt: skip


def name_of(value):
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("risk", "old", "new", "field"), SEEDED, ids=name_of)
def test_a_risk_is_found(tmp_path, risk, old, new, field):
    code, said = diff(*sides(tmp_path, old, new))
    assert code == 1
    found = {(each["risk"], each["field"]) for each in said["risks"]}
    assert (risk, field) in found
    assert {each["risk"] for each in said["risks"]} == {risk}
    assert all(each["reason"] and each["object"] for each in said["risks"])


def test_a_risk_comes_first_and_makes_the_exit_code_1(tmp_path):
    done = run("diff", *sides(tmp_path, model(), None))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[:2] == [
        "risks:",
        "! model-removed: InferenceService/iris -n kserve: InferenceService iris is not there any more",
    ]


def test_every_risk_is_seeded():
    assert {risk for risk, *_ in SEEDED} == set(RISKS)
    assert len(RISKS) >= 15
    assert len({repr(edit) for edit in HARMLESS}) >= 30
    help_text = " ".join(run("diff", "--help").stdout.split())
    assert all(f"{name} {meaning}" in help_text for name, (meaning, _) in RISKS.items())


@pytest.mark.parametrize(("old", "new"), HARMLESS)
def test_a_harmless_edit_raises_no_alarm(tmp_path, old, new):
    code, said = diff(*sides(tmp_path, old, new))
    assert (code, said["risks"]) == (1, [])
    assert len(said["changes"]) == 1


def test_a_listener_that_moves_to_another_host_is_both(tmp_path):
    old, new = sides(tmp_path, gateway(listener()), gateway(listener(host="a.b")))
    assert [(each["risk"], each["reason"]) for each in diff(old, new)[1]["risks"]] == [
        ("route-removed", "nothing listens there any more for *.example.com, but for a.b"),
        ("published", "lets in routes of every namespace for a.b, and did not"),
    ]


@pytest.mark.parametrize(("old", "new"), STRICTER)
def test_a_policy_that_gets_stricter_is_no_risk(tmp_path, old, new):
    old, new = sides(tmp_path, old, new)
    assert diff(old, new)[1]["risks"] == []
    assert [each["risk"] for each in diff(new, old)[1]["risks"]] == ["published"]


@pytest.mark.parametrize(("old", "new"), ASIDE)
def test_a_policy_that_lets_in_others_publishes(tmp_path, old, new):
    old, new = sides(tmp_path, old, new)
    for one, other in ((old, new), (new, old)):
        assert [each["risk"] for each in diff(one, other)[1]["risks"]] == ["published"]


def test_what_several_rules_let_in_is_not_added_up(tmp_path):
    two, one = network_policy(on(80), on(81)), network_policy(on(80, endPort=81))
    assert [each["risk"] for each in diff(*sides(tmp_path, two, one))[1]["risks"]] == ["published"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (excepted("a", "b", "c"), excepted("a", "b"), "lets in every namespace but a, b"),
        (network_policy(), network_policy(on()), "lets in everybody on every port of TCP"),
        (network_policy(), network_policy(on(80, endPort=90)), "lets in everybody on ports 80 to 90"),
        (network_policy(), network_policy(on(80)), "lets in everybody on port 80"),
    ],
    ids=name_of,
)  # fmt: skip
def test_whom_a_policy_lets_in_is_said_in_words(tmp_path, old, new, reason):
    assert [each["reason"] for each in diff(*sides(tmp_path, old, new))[1]["risks"]] == [reason]


def test_a_model_that_is_no_longer_kept_inside_is_published_by_other_pods(tmp_path):
    inside = of("InferenceService", "i", metadata={"labels": LOCAL})
    _, said = diff(*sides(tmp_path, inside, of("InferenceService", "i")))
    assert [each["risk"] for each in said["risks"]] == ["model-restart", "published"]


def test_a_host_that_another_object_routes_is_not_gone(tmp_path):
    other = route("iris.example.com")
    other["metadata"]["name"] = "other"
    old = folder(tmp_path / "old", route("iris.example.com"), other)
    new = folder(tmp_path / "new", other)
    assert diff(old, new)[1]["risks"] == []


def test_a_policy_beside_another_lets_in_more(tmp_path):
    """Where one keeps everybody out of the namespace, one more for some of its pods does not."""
    nobody = network_policy(pods="", name="nobody")
    some = network_policy(letting_in(space()), name="some")
    elsewhere = network_policy(pods="other", name="elsewhere")
    one, both, other = (
        folder(tmp_path / name, *policies)
        for name, policies in (
            ("one", [nobody]),
            ("both", [nobody, some]),
            ("other", [elsewhere, some]),
        )
    )
    assert [each["risk"] for each in diff(one, both)[1]["risks"]] == ["published"]
    assert diff(both, one)[1]["risks"] == []
    # Those for the same pods, and what is for others, are no guard of all.
    (risk,) = diff(both, other)[1]["risks"]
    assert (risk["object"], risk["field"]) == ("NetworkPolicy/nobody -n kserve", "")


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        (authentication("PERMISSIVE"), ["spec.mtls"]),
        (authentication("UNSET", _8080="DISABLE"), ["spec.portLevelMtls[8080]"]),
        (authentication("UNSET", _8080="STRICT"), []),
    ],
)
def test_mutual_tls_of_the_namespace_is_lifted_for_some_pods(tmp_path, policy, fields):
    all_pods = authentication("STRICT", name="default")
    old = folder(tmp_path / "old", all_pods)
    new = folder(tmp_path / "new", all_pods, policy)
    risks = diff(old, new)[1]["risks"]
    assert [(each["risk"], each["field"]) for each in risks] == [("published", f) for f in fields]


def test_a_policy_whose_pods_go_as_well_is_no_risk(tmp_path):
    labels = {"matchLabels": {"serving.kserve.io/inferenceservice": "iris"}}
    guard = authorization({"namespaces": ["a"]})
    guard["spec"]["selector"] = labels
    old, new, empty = (
        folder(tmp_path / name, of("ConfigMap", "c"), *objects)
        for name, objects in (("old", [model(), guard]), ("new", [model()]), ("empty", []))
    )
    assert [each["risk"] for each in diff(old, new)[1]["risks"]] == ["published"]
    assert [each["risk"] for each in diff(old, empty)[1]["risks"]] == ["model-removed"]


def test_a_policy_that_goes_with_its_namespace_is_no_risk(tmp_path):
    """Unless the Namespace stays all the same: a tool keeps it, or something is still in it."""
    guards = [
        network_policy(pods=""),
        network_policy(name="some"),
        authorization({"namespaces": ["a"]}, action="DENY"),
    ]
    there = of(
        "Deployment", "web", "apps/v1", spec={"template": {"metadata": {"labels": {"app": "web"}}}}
    )
    for name, metadata, staying, found in (
        ("all", {}, [], 0),
        ("kept", KEPT, [], 3),
        ("kept by one tool", {"annotations": dict([*KEEP.items()][:1])}, [], 3),
        ("in use", {}, [there], 3),
    ):
        beside = of("ConfigMap", "c", namespace="other")
        space = of("Namespace", "kserve", metadata=metadata)
        old = folder(tmp_path / f"{name}-old", beside, space, *staying, *guards)
        new = folder(tmp_path / f"{name}-new", beside, *staying)
        risks = [each["risk"] for each in diff(old, new)[1]["risks"]]
        assert risks == ["namespace-removed", *["published"] * found]


def test_a_redirect_that_goes_with_its_gateway_is_told_once(tmp_path):
    old = folder(tmp_path / "old", gateway(listener()), redirect(), of("ConfigMap", "c"))
    new = folder(tmp_path / "new", of("ConfigMap", "c"))
    (risk,) = diff(old, new)[1]["risks"]
    assert (risk["risk"], risk["object"]) == ("route-removed", "Gateway/gateway -n kserve")


def test_a_host_in_another_text_is_no_route(tmp_path):
    """Neither one that ends like it, nor one that somebody writes about."""
    longer = route("my-iris.example.com")
    longer["metadata"]["name"] = "my-iris"
    about = of("ConfigMap", "about", data={"host": "iris.example.com"})
    both, one = (
        folder(tmp_path / name, *objects)
        for name, objects in (
            ("both", [route("iris.example.com"), longer, about]),
            ("one", [longer, about]),
        )
    )
    for old, new, risk in ((both, one, "route-removed"), (one, both, "published")):
        assert [each["risk"] for each in diff(old, new)[1]["risks"]] == [risk]


def test_routes_that_kserve_writes_are_seen_by_its_configmap(tmp_path):
    published = config(ingressDomain="example.com", additionalIngressDomains=["example.org"])
    inside = model()
    inside["metadata"]["labels"] = LOCAL
    hosts = route("iris-kserve.example.com", "iris-kserve.example.org")
    hosts["metadata"]["name"] = "iris.host"
    for name, known in (("seen", [published]), ("unseen", [of("ConfigMap", "c")])):
        old = folder(tmp_path / f"{name}-old", *known, model())
        new = folder(tmp_path / f"{name}-new", *known, inside, hosts)
        for one, other, risk in ((old, new, "published"), (new, old, "route-removed")):
            risks = [each["risk"] for each in diff(one, other)[1]["risks"]]
            assert risks == ["model-restart", *([risk] * 2 if name == "unseen" else [])]


def test_a_folder_of_other_peoples(tmp_path):
    """Links are followed, and what kustomize, hidden files and pipes have is left alone."""
    old = folder(tmp_path / "old", of("ConfigMap", "c"))
    new = tmp_path / "new"
    new.mkdir()
    (new / "linked").symlink_to(old)
    (new / "again").symlink_to(new)
    (new / "kustomization.yaml").write_text("resources: [linked]\n")
    (new / ".cache").mkdir()
    (new / ".cache" / "a.yaml").write_text("[broken")
    os.mkfifo(new / "pipe.yaml")
    assert diff(old, new)[0] == 0
    (new / "gone.yaml").symlink_to("/nowhere.yaml")
    done = run("diff", old, new)
    assert (done.returncode, done.stdout) == (2, "")
    assert "gone.yaml:1:1: cannot be read: No such file or directory" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name two: OLD and NEW; or say --live"),
        (("/dev/null",), "name two: OLD and NEW; or say --live"),
        (("/dev/null",) * 3, "name two: OLD and NEW; or say --live"),
        (("--live", "/dev/null", "/dev/null"), "--live compares the cluster with one NEW"),
        (("/dev/null", "/dev/null", "--field-manager=a"), "--field-manager is for --live"),
        (("--live", "/dev/null", "-f", "/dev/null"), "-f is for charts, and NEW is not one"),
        (("--live", "-", "-f", "-"), "standard input can be read once; name - once"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_trouble(arguments, said):
    done = run("diff", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_what_was_not_seen_is_in_every_report():
    entry = report.Entry("+", "ConfigMap/c")
    for found, line in (
        ([], "no object that was seen differs; not seen: 2"),
        ([entry], "objects: 1 added; risks: 0; not seen: 2"),
    ):
        assert list(report.as_text([], found, ["a", "b"]))[-1] == line
        assert report.as_markdown([], found, ["a", "b"]).startswith(f"### kserve-lite: {line}\n")
        assert json.loads(report.as_json([], found, ["a", "b"]))["unseen"] == ["a", "b"]


def test_values_are_for_charts():
    done = run("diff", "/dev/null", "/dev/null", "-f", "/dev/null")
    assert (done.returncode, done.stdout) == (2, "")
    assert "-f is for charts, and neither OLD nor NEW is one" in done.stderr


def test_values_of_charts_come_from_standard_input_too():
    """Both sides are two charts each; what is piped can be read only once."""
    charts = ROOT / "charts"
    done = run("diff", charts, charts, "-f", "-", stdin="global: {labels: {team: fraud}}\n")
    assert (done.returncode, done.stdout) == (0, "no object differs\n"), done.stderr
    done = run("diff", charts, charts, "-f", "-", stdin="global: {lable: {}}\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("standard input:1:10: global.lable: unknown key; did you mean")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("worse", ["models: [", "controller: {replicas: a}"])
def test_what_is_wrong_is_told_of_both_sides(tmp_path, worse):
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    for first, second in ((one, other), (other, one)):
        first.write_text("routing: {mode: nginx}\n")
        second.write_text(worse)
        done = run("diff", one, other)
        assert (done.returncode, done.stdout) == (2, "")
        assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
            str(one),
            str(other),
        ]


def test_the_same_through_every_door_is_no_difference(tmp_path):
    """Values, the manifests and the charts made of them, whole and packaged, hold the same objects."""
    values = tmp_path / "my.yaml"
    values.write_text(
        "routing: {mode: gatewayApi, domain: example.com}\n"
        "models: {iris: {format: sklearn, storageUri: 's3://models/iris'}}\n"
    )
    assert run("manifests", "-f", values, "-o", tmp_path / "gitops").returncode == 0
    assert run("chart", "-f", values, "-o", tmp_path / "dist").returncode == 0
    assert diff(values, tmp_path / "gitops") == (0, {"risks": [], "changes": []})
    # Charts make no Namespace: `helm install --create-namespace` does.
    for door in (values, tmp_path / "gitops"):
        for other in (ROOT / "charts", tmp_path / "dist"):
            assert diff(door, other, "-f", values) == (0, {"risks": [], "changes": []})
            assert diff(other, door, "-f", values) == (0, {"risks": [], "changes": []})
    assert diff(ROOT / "charts", tmp_path / "dist", "-f", values)[0] == 0
    helm = tools.find("helm")
    for chart in CHARTS.values():
        subprocess.run([helm, "package", chart, "-d", tmp_path], check=True, capture_output=True)
    (packaged,) = tmp_path.glob(f"{MODELS}-*.tgz")
    assert diff(CHARTS[MODELS], packaged, "-f", values)[0] == 0
    (packaged,) = tmp_path.glob("kserve-lite-[0-9]*.tgz")
    assert diff(STOCK, packaged)[0] == 0


def test_the_namespaces_of_releases_are_no_difference_to_charts(tmp_path):
    """Those that the generator makes; what somebody has written is there or is not."""
    values = tmp_path / "my.yaml"
    values.write_text(
        "routing: {mode: virtualService, domain: example.com}\n"
        "models: {iris: {format: sklearn, storageUri: 's3://models/iris'}}\n"
    )
    elsewhere = ("--namespace=platform", "--models-namespace=models")
    assert diff(ROOT / "charts", values, "-f", values, *elsewhere)[0] == 0
    done = run("manifests", "-f", values, "-o", tmp_path / "gitops", *elsewhere)
    assert done.returncode == 0, done.stderr
    assert diff(tmp_path / "gitops", ROOT / "charts", "-f", values, *elsewhere)[0] == 0
    (file,) = (tmp_path / "gitops").rglob("*amespace-models.yaml")
    file.write_text(
        file.read_text().replace("  name: models\n", "  name: models\n  labels: {a: b}\n")
    )
    _, said = diff(tmp_path / "gitops", ROOT / "charts", "-f", values, *elsewhere)
    assert [each["object"] for each in said["changes"]] == ["Namespace/models"]
    # Between two folders it is one.
    file.unlink()
    _, said = diff(tmp_path / "gitops", values, *elsewhere)
    assert [each["object"] for each in said["changes"]] == ["Namespace/models"]


def test_no_cluster_is_asked(tmp_path):
    """Neither kubectl nor a kubeconfig is there; Helm is given by its folder alone."""
    nothing = {
        "PATH": str(tools.find("helm").parent),
        "HOME": str(tmp_path),
        "KUBECONFIG": "/nowhere",
    }
    done = run("diff", "/dev/null", ROOT / "values" / "ha.yaml", environment=nothing)
    assert (done.returncode, done.stderr) == (1, "")
    done = run("graph", "-f", ROOT / "values" / "ha.yaml", environment=nothing)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_report_for_people(tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text("controller: {replicas: 1}\n")
    new.write_text("controller: {replicas: 2}\nglobal: {labels: {team: ml}}\n")
    done = run("diff", old, new)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert "    spec.replicas: 1 → 2" in lines
    # What is the same in many objects is said once.
    often = [line for line in lines if line.endswith(" objects: + metadata.labels.team: ml")]
    assert len(often) == 1
    assert lines[-1].startswith("objects: ")
    assert "\x1b" not in done.stdout
    markdown = run("diff", old, new, "--output=markdown").stdout
    assert markdown.startswith("### kserve-lite: objects: ")
    assert "```diff\n" in markdown


def test_json_in_a_configmap_is_opened_and_a_crd_folded(tmp_path):
    old = folder(tmp_path / "old", config(ingressDomain="", urlScheme="http"), crd("a"))
    new = folder(tmp_path / "new", config(ingressDomain="", urlScheme="https"), crd("a", "b", "c"))
    changes = {each["object"]: each for each in diff(old, new)[1]["changes"]}
    (field,) = changes["ConfigMap/inferenceservice-config -n kserve"]["fields"]
    assert field == {"path": "data.ingress.urlScheme", "old": "http", "new": "https"}
    folded = changes["CustomResourceDefinition/things.example.com -n kserve"]
    assert (folded["note"], folded["fields"]) == ("2 fields more", [])


def test_what_a_crd_has_beside_its_schemas_is_shown(tmp_path):
    named = crd("a")
    named["spec"]["names"] = {"shortNames": ["t"]}
    (change,) = diff(*sides(tmp_path, crd("a"), named))[1]["changes"]
    assert [field["path"] for field in change["fields"]] == ["spec.names"]


def test_one_is_not_true(tmp_path):
    one, true = (folder(tmp_path / str(a), of("Thing", "a", spec={"a": a})) for a in (1, True))
    assert diff(one, true)[0] == 1
    a, b = of("Thing", "a", spec={"a": 1, "b": ["1"]}), of("Thing", "a", spec={"a": True, "b": [1]})
    code, said = diff(*sides(tmp_path, a, b))
    (change,) = said["changes"]
    assert (code, [field["path"] for field in change["fields"]]) == (1, ["spec.a", "spec.b[0]"])
    lines = run("diff", tmp_path / "old", tmp_path / "new").stdout.splitlines()
    assert "    spec.a: 1 → true" in lines
    assert '    spec.b[0]: "1" → 1' in lines


def test_json_that_is_only_written_otherwise_is_shown(tmp_path):
    old, new = (
        folder(tmp_path / name, of("ConfigMap", "c", data={"a": text}))
        for name, text in (("old", '{"a":1}'), ("new", '{"a": 1}'))
    )
    (change,) = diff(old, new)[1]["changes"]
    assert [field["path"] for field in change["fields"]] == ["data.a"]


def test_a_secret_stays_one(tmp_path):
    old, new = (
        folder(tmp_path / word, of("Secret", "s", stringData={"password": word}))
        for word in ("hunter2", "hunter3")
    )
    # What `kubectl apply` leaves behind has it once more.
    last = "kubectl.kubernetes.io/last-applied-configuration"
    for path, word in ((old, "hunter2"), (new, "hunter3")):
        secret = of("Secret", "t", metadata={"annotations": {last: f'"password": "{word}"'}})
        (path / "applied.yaml").write_text(dump(secret))
    for form in ("text", "json", "markdown"):
        done = run("diff", old, new, f"--output={form}")
        assert done.returncode == 1
        assert "stringData.password" in done.stdout
        assert "(hidden)" in done.stdout
        assert "hunter2" not in done.stdout.replace(str(old), "")
        assert "hunter3" not in done.stdout.replace(str(new), "")


def test_a_secret_that_cannot_be_read_stays_one(tmp_path):
    good = folder(tmp_path / "good", of("ConfigMap", "c"))
    bad = tmp_path / "bad"
    bad.mkdir()
    for value in ("0123", '"0123', "{0123: 0123}"):
        (bad / "s.yaml").write_text(
            f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{pin: {value}}}\n"
        )
        done = run("diff", good, bad)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"{bad}/s.yaml:")
        assert "0123" not in done.stderr


def test_what_cannot_be_read_is_trouble(tmp_path):
    good = folder(tmp_path / "good", of("ConfigMap", "c"))
    twice = folder(tmp_path / "twice", of("ConfigMap", "c"), of("ConfigMap", "c"))
    bad = tmp_path / "bad.yaml"
    bad.write_text("routing: {mod: none}\n")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.yaml").write_text("kind: ConfigMap\n  name: c\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / "a.yaml").write_bytes(b"kind: ConfigMap # caf\xe9\n")
    (tmp_path / "no.tgz").write_text("no archive")
    subprocess.run([tools.find("helm"), "package", STOCK, "-d", tmp_path], check=True, capture_output=True)  # fmt: skip
    (whole,) = tmp_path.glob("kserve-lite-*.tgz")
    (tmp_path / "cut.tgz").write_bytes(whole.read_bytes()[:5000])
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_bytes(b"name: \xff")
    for other, said in {
        twice: f"{twice}/all.yaml:7:1: ConfigMap c is there already",
        bad: f"{bad}:1:11: routing.mod: unknown key; did you mean routing.mode?",
        tmp_path / "broken": f"{tmp_path}/broken/a.yaml:2:",
        tmp_path / "latin": f"{tmp_path}/latin/a.yaml:1:1: is not UTF-8 text",
        tmp_path / "empty": "holds no manifest (.yaml, .yml, .json) and no chart",
        tmp_path / "no.tgz": "is not a packaged chart",
        tmp_path / "cut.tgz": "is not a packaged chart",
        tmp_path / "chart": f"{tmp_path}/chart/Chart.yaml:1:1: is not UTF-8 text",
        tmp_path / "nowhere.yaml": "cannot be read: No such file or directory",
    }.items():
        done = run("diff", good, other)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_what_the_system_refuses_is_trouble(tmp_path):
    good = folder(tmp_path / "good", of("ConfigMap", "c"))
    loop = folder(tmp_path / "loop", of("ConfigMap", "c"))
    (loop / "all.yaml").unlink()
    (loop / "all.yaml").symlink_to("/proc/self/mem")
    done = run("diff", good, loop)
    assert (done.returncode, done.stdout) == (2, "")
    assert "/all.yaml:1:1: cannot be read: Input/output error" in done.stderr
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "generator", "diff", good, good]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr


def test_a_release_that_is_no_name_is_trouble():
    done = run("diff", "/dev/null", "/dev/null", "--release=A")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('--release "A" is not a name')


def test_many_risks_leave_room_for_what_differs():
    risks = [Risk("model-removed", f"InferenceService/m{n}", "", "gone " * 20) for n in range(900)]
    fields = tuple(report.Field(f"data.key{n}", "a" * 90, "b" * 90) for n in range(900))
    text = report.as_markdown(risks, [report.Entry("~", "ConfigMap/c", fields)])
    assert 60_000 < len(text) <= 65_536
    shown = text.count("| model-removed |") + text.count("data.key") + text.count("~ ConfigMap/c")
    left = int(text.splitlines()[-1].split()[2])
    assert shown + left == 1801
    assert text.count("| model-removed |") > 100 < text.count("data.key")


def test_a_long_report_fits_into_a_comment():
    fields = tuple(report.Field(f"data.key{n}", "a" * 90, "b" * 90) for n in range(2000))
    text = report.as_markdown([], [report.Entry("~", "ConfigMap/c", fields)])
    assert len(text) <= 65_536
    left = int(text.splitlines()[-1].split()[2])
    assert text.count("data.key") + left == 2000
    assert text.count("```") == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "a", "b", "c.d"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_fields_differ_when_and_only_when_objects_do(old, new):
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (list(compare(old, new)) == []) == same
    assert list(compare(old, old)) == []


def test_items_are_matched_by_what_names_them():
    def env(**variables):
        return [{"name": name, "value": value} for name, value in variables.items()]

    (field,) = compare({"env": env(A="1", B="2", C="3")}, {"env": env(A="1", C="3")})
    assert (field.path, field.old, field.new) == ("env[B]", {"name": "B", "value": "2"}, ABSENT)
    (field,) = compare({"env": env(A="1", B="2")}, {"env": env(B="2", A="1")})
    assert (field.path, field.old, field.new) == ("env (order)", "A, B", "B, A")
    old = {"ports": [{"containerPort": 80}, {"containerPort": 443}]}
    new = {"ports": [{"containerPort": 443}, {"containerPort": 80, "name": "web"}]}
    assert [field.path for field in compare(old, new)] == ["ports[80].name", "ports (order)"]
    (field,) = compare({"args": ["a", "b"]}, {"args": ["a", "c"]})
    assert (field.path, field.old, field.new) == ("args[1]", "b", "c")


def test_yaml_is_read_as_kubernetes_reads_it(tmp_path):
    """A JSON file and a YAML file of one object are the same, and so is an item of a list."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    items = [of("ConfigMap", "a", data={"day": "2026-01-01"}), of("ConfigMap", "b")]
    (old / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    for item in items:
        (new / f"{item['metadata']['name']}.yml").write_text(yaml.safe_dump(item))
    (new / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yml]\n"
    )
    (new / ".hidden").mkdir()
    shutil.copy(new / "a.yml", new / ".hidden" / "a.yml")
    assert diff(old, new)[0] == 0


def test_an_item_is_not_called_by_what_is_no_text():
    """The servers of Istio's Gateway have ports that are mappings."""
    port = {"name": "http", "number": 80}
    old, new = ({"servers": [{"port": port, "hosts": hosts}]} for hosts in (["a.b"], ["c.d"]))
    assert [field.path for field in compare(old, new)] == ["servers[0].hosts[0]"]
