"""tests/faults.py sees what an API server refuses: the fuzz of law 19 is worth as much as it sees."""

import copy

import pytest

from tests.faults import faults

CONTAINER = {
    "name": "a",
    "image": "registry.example.com/a/b:1",
    "env": [{"name": "A", "value": "x"}],
    "ports": [{"name": "http", "containerPort": 8080}],
    "resources": {"requests": {"cpu": "1", "nvidia.com/gpu": 1}, "limits": {"nvidia.com/gpu": 1}},
    "livenessProbe": {"httpGet": {"port": 8080}},
    "readinessProbe": {"periodSeconds": 1},
    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    "securityContext": {"runAsUser": 1000},
}
POD = {
    "containers": [CONTAINER],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}],
    "nodeSelector": {"a": "b"},
}  # fmt: skip
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "namespace": "n", "labels": {"a": "b"}, "annotations": {"a": "b"}},
    "spec": {"replicas": 1, "template": {"spec": POD}},
}
POD_PATH = ("spec", "template", "spec")
FIRST = (*POD_PATH, "containers", 0)

WRONG = [
    (("metadata", "name"), "A", "no DNS subdomain"),
    (("metadata", "namespace"), "a.b", "no DNS label"),
    (("metadata", "labels", "a"), "b c", "no label value"),
    (("metadata", "annotations", "a"), 1, "is not text"),
    (("spec", "replicas"), -1, "is not from 0"),
    ((*FIRST, "name"), "A", "no DNS label"),
    ((*FIRST, "image"), "a..b", "no image"),
    ((*FIRST, "env", 0, "name"), "1A", "no variable"),
    ((*FIRST, "env", 0), None, "an item is null"),
    ((*FIRST, "env", 0, "valueFrom"), {"fieldRef": {}}, "one source"),
    ((*FIRST, "ports", 0, "name"), "h--p", "no name of a port"),
    ((*FIRST, "ports", 0, "containerPort"), 0, "is not from 1 to 65535"),
    ((*FIRST, "resources", "requests", "cpu"), "1 m", "no quantity"),
    ((*FIRST, "resources", "limits", "nvidia.com/gpu"), 2, "overcommitted"),
    ((*FIRST, "resources", "limits", "nvidia.com/gpu"), "1500m", "is not whole"),
    ((*FIRST, "resources", "limits", "cpu"), "500m", "more cpu than its limit"),
    ((*FIRST, "livenessProbe", "successThreshold"), 2, "is not 1"),
    ((*FIRST, "livenessProbe", "exec"), {}, "exclude each other"),
    ((*FIRST, "readinessProbe", "terminationGracePeriodSeconds"), 1, "has none"),
    ((*FIRST, "volumeMounts", 0, "name"), "w", "there is no volume w"),
    ((*FIRST, "volumeMounts", 0, "subPath"), "../a", "no path below a volume"),
    ((*FIRST, "securityContext", "seccompProfile"), {"type": "Localhost"}, "go together"),
    ((*POD_PATH, "containers"), [CONTAINER, CONTAINER], "two of its containers are a"),
    ((*POD_PATH, "tolerations", 0, "value"), "x", "a value for Exists"),
    ((*POD_PATH, "topologySpreadConstraints", 0, "maxSkew"), 0, "maxSkew"),
    ((*POD_PATH, "nodeSelector", "a b"), "x", "no label key"),
]


def changed(path: tuple[str | int, ...], value: object) -> dict:
    thing = copy.deepcopy(DEPLOYMENT)
    parent = thing
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return thing


def test_what_is_right_has_no_fault():
    assert list(faults(DEPLOYMENT)) == []


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_each_fault_is_seen(path, value, said):
    assert any(said in fault for fault in faults(changed(path, value)))


@pytest.mark.parametrize(
    ("kind", "api", "spec", "said"),
    [
        ("VirtualService", "networking.istio.io/v1", {"hosts": [True], "http": []}, "no Istio host"),
        ("VirtualService", "networking.istio.io/v1", {"hosts": ["a"], "http": [{"timeout": "60"}]}, "no Istio duration"),
        ("VirtualService", "networking.istio.io/v1", {"hosts": ["a"], "http": [{"route": [{"weight": 0}, {"weight": 0}]}]}, "the weights are"),
        ("HTTPRoute", "gateway.networking.k8s.io/v1", {"rules": [{"timeouts": {"request": "1.5s"}}]}, "no Gateway API duration"),
        ("HTTPRoute", "gateway.networking.k8s.io/v1", {"hostnames": ["A"], "rules": []}, "no hostname"),
        ("Gateway", "gateway.networking.k8s.io/v1", {"listeners": [{"name": "a", "port": 80, "protocol": "HTTP"}] * 2}, "two of them are the same"),
        ("Service", "v1", {"ports": [{"port": 80, "name": "a.b"}]}, "no DNS label"),
        ("IngressClass", "networking.k8s.io/v1", {"controller": "a"}, "no controller"),
        ("InferenceService", "serving.kserve.io/v1beta1", {"predictor": {"minReplicas": 2, "maxReplicas": 1}}, "is more than"),
    ],
)  # fmt: skip
def test_each_fault_of_a_kind_is_seen(kind, api, spec, said):
    thing = {"apiVersion": api, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    assert any(said in fault for fault in faults(thing))
