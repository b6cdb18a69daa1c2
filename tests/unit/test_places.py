"""Where a value stands in what is rendered: there, and nowhere else (laws 3 and 17).

A value that must only have an effect could have it on the wrong object. Here values are marks, and
all places are found where each of them stands.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generator import CHART, MODELS
from generator.catalog import catalog
from generator.values.check import read
from tests import rendering
from tests.rendering import CHARTS, Object, helm_template, of_kind, only, walk

POD = "Deployment spec.template.spec"
JOB = "Job spec.template.spec"
SERVER = f"{POD}.containers"
RULE = "NetworkPolicy spec.ingress"
MODEL = "InferenceService spec.predictor"
GRAPH = "InferenceGraph"
HOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")

TERM = "requiredDuringSchedulingIgnoredDuringExecution"


def affinity(mark: str) -> Object:
    return {"podAffinity": {TERM: [{"topologyKey": mark}]}}


def probe(mark: str) -> Object:
    return {"httpGet": {"path": mark, "port": 8080}}


def tolerations(mark: str) -> list[Object]:
    return [{"key": mark, "operator": "Exists"}]


def peers(mark: str) -> list[Object]:
    return [{"podSelector": {"matchLabels": {"a": mark}}}]


def cpu(mark: str) -> Object:
    return {"limits": {"cpu": mark}}


# By the values that go together: a value's path, the value, the mark in it, and where that stands.
# An index in a list does not count; in KServe's configuration, the JSON of a key is entered.
Row = tuple[str, Any, Any, set[str]]
PLATFORM: list[Row] = [
    ("controller.image.tag", "manager-tag", "manager-tag", {f"{SERVER}.image"}),
    ("controller.resources", cpu("4701m"), "4701m", {f"{SERVER}.resources.limits.cpu"}),
    ("controller.logging.level", "error", "=error", {f"{SERVER}.args"}),
    ("controller.strategy", {"type": "Recreate"}, "Recreate", {"Deployment spec.strategy.type"}),
    ("controller.serviceAccount.annotations", {"a": "a-role"}, "a-role",
     {"ServiceAccount metadata.annotations.a"}),
    ("controller.extraArgs", ["--an-arg"], "--an-arg", {f"{SERVER}.args"}),
    ("controller.extraEnv", {"A": "an-env"}, "an-env", {f"{SERVER}.env.value"}),
    ("controller.extraVolumes", {"v": {"configMap": {"name": "a-map"}}}, "a-map",
     {f"{POD}.volumes.configMap.name"}),
    ("controller.extraVolumeMounts", {"/a-path": {"name": "v"}}, "/a-path",
     {f"{SERVER}.volumeMounts.mountPath"}),
    ("controller.podLabels", {"a": "pod-label"}, "pod-label",
     {"Deployment spec.template.metadata.labels.a"}),
    ("controller.podAnnotations", {"a": "pod-note"}, "pod-note",
     {"Deployment spec.template.metadata.annotations.a"}),
    ("controller.nodeSelector", {"a": "a-node"}, "a-node",
     {f"{POD}.nodeSelector.a", f"{JOB}.nodeSelector.a"}),
    ("controller.tolerations", tolerations("a-taint"), "a-taint",
     {f"{POD}.tolerations.key", f"{JOB}.tolerations.key"}),
    ("controller.affinity", affinity("a-zone"), "a-zone",
     {f"{POD}.affinity.podAffinity.{TERM}.topologyKey"}),
    ("controller.priorityClassName", "a-class", "a-class", {f"{POD}.priorityClassName"}),
    ("controller.terminationGracePeriodSeconds", 4702, 4702,
     {f"{POD}.terminationGracePeriodSeconds"}),
    ("webhook.certificate.image.tag", "job-tag", "job-tag",
     {f"{JOB}.initContainers.image", f"{JOB}.containers.image"}),
    ("webhook.certificate.resources", cpu("4703m"), "4703m",
     {f"{JOB}.initContainers.resources.limits.cpu", f"{JOB}.containers.resources.limits.cpu"}),
    ("webhook.failurePolicy", "Ignore", "Ignore", {f"{hook} webhooks.failurePolicy" for hook in HOOKS}),
    ("webhook.namespaceSelector", {"matchLabels": {"a": "teams"}}, "teams",
     {f"{hook} webhooks.namespaceSelector.matchLabels.a" for hook in HOOKS}),
    ("webhook.port", 4704, 4704,
     {f"{SERVER}.args", f"{SERVER}.ports.containerPort", f"{RULE}.ports.port"}),
    ("storage.initializer.image.tag", "init-tag", "init-tag",
     {"ClusterStorageContainer spec.container.image", "ConfigMap storageInitializer.image",
      "ConfigMap localModel.defaultJobImage"}),
    ("inference.agent.image.tag", "agent-tag", "agent-tag",
     {f"ConfigMap {key}.image" for key in ("agent", "batcher", "logger")}),
    ("inference.router.image.tag", "router-tag", "router-tag", {"ConfigMap router.image"}),
    ("inference.artExplainer.image.tag", "art-tag", "art-tag",
     {"ConfigMap explainers.art.defaultImageVersion"}),
    ("observability.metrics.port", 4705, 4705,
     {f"{SERVER}.args", f"{SERVER}.ports.containerPort", f"{RULE}.ports.port",
      "Service spec.ports.port"}),
    ("observability.serviceMonitor.enabled", True, "ServiceMonitor", {"ServiceMonitor kind"}),
    ("observability.serviceMonitor.interval", "4706s", "4706s",
     {"ServiceMonitor spec.endpoints.interval"}),
    ("observability.serviceMonitor.labels", {"a": "mine"}, "mine",
     {"ServiceMonitor metadata.labels.a"}),
    ("networkPolicy.webhookFrom", peers("callers"), "callers",
     {f"{RULE}.from.podSelector.matchLabels.a"}),
    ("networkPolicy.metricsFrom", peers("readers"), "readers",
     {f"{RULE}.from.podSelector.matchLabels.a"}),
    ("customRuntimes.own", {"labels": {"a": "own-label"}, "annotations": {"a": "own-note"},
                            "spec": {"containers": [{"name": "c", "image": "own-image"}]}},
     "own", {"ClusterServingRuntime metadata.name", "ClusterServingRuntime metadata.labels.a",
             "ClusterServingRuntime metadata.annotations.a",
             "ClusterServingRuntime spec.containers.image"}),
]  # fmt: skip
GATEWAY_API: list[Row] = [
    ("routing.mode", "gatewayApi", "gateway.networking.k8s.io",
     {"Gateway apiVersion", "HTTPRoute apiVersion", "HTTPRoute spec.parentRefs.group",
      "ClusterRole rules.apiGroups"}),
    ("routing.domain", "a.example", "*.a.example", {"Gateway spec.listeners.hostname"}),
    ("routing.gateway.name", "my-gate", "my-gate",
     {"Gateway metadata.name", "HTTPRoute metadata.name", "HTTPRoute spec.parentRefs.name",
      "ConfigMap ingress.ingressGateway", "ConfigMap ingress.kserveIngressGateway"}),
    ("routing.gateway.className", "my-class", "my-class", {"Gateway spec.gatewayClassName"}),
    ("routing.gateway.annotations", {"a": "note"}, "note", {"Gateway metadata.annotations.a"}),
    ("routing.gateway.allowedRoutes",
     {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"a": "teams"}}}}, "teams",
     {"Gateway spec.listeners.allowedRoutes.namespaces.selector.matchLabels.a"}),
    ("routing.gateway.tls", {"enabled": True, "secretName": "my-cert"}, "my-cert",
     {"Gateway spec.listeners.tls.certificateRefs.name"}),
]  # fmt: skip
ELSEWHERE: list[Row] = [
    ("routing.mode", "gatewayApi", "no mark", set()),
    ("routing.domain", "a.example", "*.a.example", set()),
    ("routing.gateway.create", False, "Gateway", set()),
    ("routing.gateway.name", "my-gate", "their-ns/my-gate",
     {"ConfigMap ingress.ingressGateway", "ConfigMap ingress.kserveIngressGateway"}),
    ("routing.gateway.namespace", "their-ns", "their-ns",
     {"ConfigMap ingress.ingressGateway", "ConfigMap ingress.kserveIngressGateway"}),
]  # fmt: skip
ISTIO: list[Row] = [
    ("routing.mode", "virtualService", "networking.istio.io/", {"Gateway apiVersion"}),
    ("routing.domain", "a.example", "*.a.example", {"Gateway spec.servers.hosts"}),
    ("routing.gateway.name", "my-gate", "my-gate",
     {"Gateway metadata.name", "ConfigMap ingress.ingressGateway"}),
    ("routing.gateway.annotations", {"a": "note"}, "note", {"Gateway metadata.annotations.a"}),
    ("routing.gateway.selector", {"a": "a-proxy"}, "a-proxy", {"Gateway spec.selector.a"}),
]  # fmt: skip
STEPS = {"root": {"type": "Sequence", "steps": [{"model": "m"}]}}
SHARED = {"format": "triton", "protocol": "v2", "resources": {"limits": {"memory": "4Gi"}}}
LOADED = {
    "inferenceService": "a-host",
    "framework": "pytorch",
    "storageUri": "s3://t",
    "memory": "1Gi",
}
BESIDE: list[Row] = [
    ("runtimes.triton.enabled", True, "no mark", set()),
    ("models.m.format", "sklearn", "sklearn", {f"{MODEL}.model.modelFormat.name"}),
    ("models.m.storageUri", "s3://m", "s3://m", {f"{MODEL}.model.storageUri"}),
    ("models.own.image", "own-image", "own-image", {f"{MODEL}.containers.image"}),
    ("models.a-host", SHARED, "no mark", set()),
    ("graphs.g.nodes", STEPS, "Sequence", {f"{GRAPH} spec.nodes.root.routerType"}),
    ("trainedModels.t", LOADED, "s3://t", {"TrainedModel spec.model.storageUri"}),
]  # fmt: skip
ENTRIES: list[Row] = [
    *BESIDE,
    ("models.own.command", ["a-command"], "a-command", {f"{MODEL}.containers.command"}),
    ("models.m.startupProbe", probe("/start"), "/start",
     {f"{MODEL}.model.startupProbe.httpGet.path"}),
    ("models.m.livenessProbe", probe("/live"), "/live",
     {f"{MODEL}.model.livenessProbe.httpGet.path"}),
    ("models.m.readinessProbe", probe("/ready"), "/ready",
     {f"{MODEL}.model.readinessProbe.httpGet.path"}),
    ("models.m.labels", {"a": "m-label"}, "m-label",
     {"InferenceService metadata.labels.a", "Service metadata.labels.a"}),
    ("models.m.nodeSelector", {"a": "a-node"}, "a-node", {f"{MODEL}.nodeSelector.a"}),
    ("models.m.tolerations", tolerations("a-taint"), "a-taint", {f"{MODEL}.tolerations.key"}),
    ("models.m.affinity", affinity("a-zone"), "a-zone",
     {f"{MODEL}.affinity.podAffinity.{TERM}.topologyKey"}),
    ("graphs.g.resources", cpu("4707m"), "4707m", {f"{GRAPH} spec.resources.limits.cpu"}),
    ("graphs.g.minReplicas", 4708, 4708, {f"{GRAPH} spec.minReplicas"}),
    ("graphs.g.maxReplicas", 4709, 4709, {f"{GRAPH} spec.maxReplicas"}),
    ("graphs.g.labels", {"a": "g-label"}, "g-label", {f"{GRAPH} metadata.labels.a"}),
    ("graphs.g.annotations", {"a": "g-note"}, "g-note", {f"{GRAPH} metadata.annotations.a"}),
]  # fmt: skip
TOGETHER = {
    "platform": (CHART, PLATFORM),
    "gateway-api": (CHART, GATEWAY_API),
    "gateway-elsewhere": (CHART, ELSEWHERE),
    "istio": (CHART, ISTIO),
    "entries": (MODELS, ENTRIES),
}


def rendered(values: Object, folder: Path, chart: str = CHART) -> list[Object]:
    file = folder / "values.yaml"
    file.write_text(json.dumps(values))
    return rendering.parse(helm_template(CHARTS[chart], read([file]), more=()))


def nested(rows: list[Row]) -> Object:
    """Values of paths such as `controller.image.tag`."""
    values: Object = {}
    for path, value, _, _ in rows:
        at = values
        *above, last = path.split(".")
        for key in above:
            at = at.setdefault(key, {})
        at[last] = {**at.get(last, {}), **value} if isinstance(value, dict) else value
    return values


def places(them: list[Object], mark: object) -> set[str]:
    """Where a mark stands: the kind, and the path without the indices."""
    found = set()
    for one in them:
        config = one["metadata"]["name"] == "inferenceservice-config"
        for path, value in walk(rendering.config([one]) if config else one):
            texts = isinstance(value, str) and str(mark) in value
            if texts or (value == mark and type(value) is type(mark)):
                keys = (key for key in path if isinstance(key, str))
                found.add(f"{one['kind']} {'.'.join(keys)}")
    return found


@pytest.mark.parametrize("name", TOGETHER)
def test_a_value_stands_where_its_prose_says_and_nowhere_else(name, tmp_path):
    chart, rows = TOGETHER[name]
    them = rendered(nested(rows), tmp_path, chart)
    found = {path: places(them, mark) for path, _, mark, _ in rows}
    assert found == {path: wanted for path, _, _, wanted in rows}


def test_all_webhooks_have_their_policy_and_each_peer_its_own_port(tmp_path):
    them = rendered(nested(PLATFORM), tmp_path)
    for hook in (
        hook for configuration in of_kind(them, *HOOKS) for hook in configuration["webhooks"]
    ):
        assert hook["failurePolicy"] == "Ignore"
        assert hook["namespaceSelector"]["matchLabels"]["a"] == "teams"
    rules = [
        rule
        for policy in of_kind(them, "NetworkPolicy")
        for rule in policy["spec"].get("ingress", ())
    ]
    opened = {rule["ports"][0]["port"]: rule["from"] for rule in rules}
    assert opened == {4704: peers("callers"), 4705: peers("readers")}


def test_a_runtimes_image_resources_and_nodes_are_its_own(tmp_path):
    runtimes = catalog().runtimes
    values = {
        key: {
            "enabled": True, "image": {"tag": f"{key}-tag"}, "resources": cpu(f"{4800 + number}m"),
            "nodeSelector": {"a": f"{key}-node"},
        }
        for number, key in enumerate(runtimes)
    }  # fmt: skip
    them = of_kind(rendered({"runtimes": values}, tmp_path), "ClusterServingRuntime")
    specs = {manifest["metadata"]["name"]: manifest["spec"] for manifest in them}
    for number, (key, runtime) in enumerate(runtimes.items()):
        spec = specs[runtime.name]
        for part in (spec, *([spec["workerSpec"]] if "workerSpec" in spec else [])):
            assert part["nodeSelector"] == {"a": f"{key}-node"}
            (container,) = part["containers"]
            assert container["image"].endswith(f":{key}-tag")
            assert container["resources"]["limits"]["cpu"] == f"{4800 + number}m"


@pytest.mark.parametrize(("name", "key"), [("v", "runtimeVersion"), ("v", "image")])
def test_a_version_has_its_own_tag_or_image(name, key, tmp_path):
    own = {"image": "first"} if key == "image" else {"format": "sklearn"}
    canary = {name: {"trafficPercent": 10, key: "second"}}
    values = {
        "routing": {"mode": "virtualService", "domain": "a.example"},
        "models": {"m": {**own, "storageUri": "s3://m", "minReplicas": 1, "canary": canary}},
    }
    part = "containers.image" if key == "image" else f"model.{key}"
    (found,) = places(rendered(values, tmp_path, MODELS), "second")
    assert found.endswith(f"canary.predictor.{part}")


def test_without_metrics_nothing_serves_or_reads_them(tmp_path):
    values = {"observability": {"metrics": {"enabled": False, "port": 4705}}}
    them = rendered(values, tmp_path)
    assert places(them, 4705) == set()
    assert places(them, "--metrics-addr=0") == {f"{SERVER}.args"}


def test_a_step_has_what_its_values_say(tmp_path):
    step = {"name": "s", "data": "$response", "condition": "a", "weight": 9}
    more = {"dependency": "Soft", "mapPredictionsToInstances": True}
    nodes = {
        "root": {
            "type": "Sequence",
            "steps": [{"node": "other", **step}, {"url": "http://x", **more}],
        },
        "other": {"type": "Sequence", "steps": [{"model": "m"}]},
    }
    models = {"m": {"format": "sklearn", "storageUri": "s3://m"}}
    them = rendered({"models": models, "graphs": {"g": {"nodes": nodes}}}, tmp_path, MODELS)
    spec = only(them, GRAPH)["spec"]["nodes"]
    assert spec["root"]["steps"] == [
        {"nodeName": "other", **step},
        {"serviceUrl": "http://x", **more},
    ]
    (asked,) = spec["other"]["steps"]
    assert asked == {"serviceName": "m"}
