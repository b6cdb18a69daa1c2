"""What the chart renders is what upstream ships, but for differences that are written down here.

Upstream's manifests are read from the Go module of the chart's KServe version.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from codegen import upstream
from generator.catalog import Derivation, catalog
from generator.values.schema import find, values_schema
from tests import rendering
from tests.rendering import Object, config, objects

CONFIG = upstream.folder(upstream.KSERVE) / "config"


def upstream_objects(path: str) -> list[Object]:
    return rendering.parse((CONFIG / path).read_text())


def without(value: object, *keys: str) -> object:
    """`value` less some keys at every depth."""
    if isinstance(value, dict):
        return {key: without(child, *keys) for key, child in value.items() if key not in keys}
    if isinstance(value, list):
        return [without(child, *keys) for child in value]
    return value


# --- runtimes -------------------------------------------------------------------------------------

FILES = {
    yaml.safe_load(file.read_text())["metadata"]["name"]: file.name
    for file in sorted((CONFIG / "runtimes").glob("kserve-*.yaml"))
}
# The scripts of the multi-node runtime are our own words for the same commands.
OWN_WORDS = {"kserve-huggingfaceserver-multinode": ("command",)}
# Where a runtime's spec differs from upstream's, and why.
THE_DEFAULT = "what the API defaults to is left out"
RUNTIME_DIFFERENCES = {
    "kserve-huggingfaceserver-multinode": {
        ".containers[0].livenessProbe.successThreshold": THE_DEFAULT,
        ".containers[0].readinessProbe.successThreshold": THE_DEFAULT,
        ".containers[0].startupProbe.successThreshold": THE_DEFAULT,
        ".workerSpec.containers[0].livenessProbe.successThreshold": THE_DEFAULT,
        ".workerSpec.containers[0].startupProbe.successThreshold": THE_DEFAULT,
    },
    "kserve-mlserver": {
        ".containers[0].readinessProbe": "its port is open before the model is loaded",
        ".annotations.prometheus.kserve.io/port": "MLServer has a port of its own for metrics, 8082",
    },
    "kserve-openvino": {
        ".containers[0].args +--metrics_enable": "without it, there is no /metrics to scrape",
    },
    "kserve-vllmserver": {
        ".containers[0].command[0]": "the GPU image has python3 and no python; the CPU image has both",
        ".containers[0].readinessProbe.successThreshold": THE_DEFAULT,
        ".containers[0].startupProbe.successThreshold": THE_DEFAULT,
    },
}


def differences(ours: Object, theirs: Object, path: str = "") -> list[str]:
    """The paths at which two trees differ; of lists that are not as long, what one has alone."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            line
            for key in ours.keys() | theirs.keys()
            for line in differences(ours.get(key), theirs.get(key), f"{path}.{key}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            line
            for index, (one, other) in enumerate(zip(ours, theirs, strict=True))
            for line in differences(one, other, f"{path}[{index}]")
        ]
    if isinstance(ours, list) and isinstance(theirs, list):
        more = [f"{path} +{one}" for one in ours if one not in theirs]
        return more + [f"{path} -{other}" for other in theirs if other not in ours]
    return [] if ours == theirs else [path]


def test_every_runtime_of_upstream_is_in_the_catalog():
    assert {runtime.name for runtime in catalog().runtimes.values()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_runtime_is_upstreams(name):
    ours = rendering.only(objects("all-runtimes"), "ClusterServingRuntime", name)
    (theirs,) = upstream_objects(f"runtimes/{FILES[name]}")
    key = "serving.kserve.io/server-type"
    assert ours["metadata"]["annotations"][key] == theirs["metadata"]["annotations"][key]
    # Ours: which image, that it is pulled if absent, and Pod Security "restricted".
    drop = ("image", "imagePullPolicy", "securityContext", *OWN_WORDS.get(name, ()))
    found = differences(without(ours["spec"], *drop), without(theirs["spec"], *drop))
    assert sorted(found) == sorted(RUNTIME_DIFFERENCES.get(name, {}))


@pytest.mark.parametrize("name", FILES)
def test_a_runtimes_security_is_upstreams_and_more(name):
    ours = rendering.only(objects("all-runtimes"), "ClusterServingRuntime", name)
    (theirs,) = upstream_objects(f"runtimes/{FILES[name]}")
    for one, other in zip(ours["spec"]["containers"], theirs["spec"]["containers"], strict=True):
        assert one["securityContext"] | other.get("securityContext", {}) == one["securityContext"]
        assert one["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("name", FILES)
def test_a_runtimes_repository_is_upstreams(name):
    kustomization = yaml.safe_load((CONFIG / "runtimes" / "kustomization.yaml").read_text())
    theirs = {
        image["newName"].removeprefix("docker.io/").removeprefix("nvcr.io/")
        for image in kustomization["images"]
    }
    (ours,) = [runtime for runtime in catalog().runtimes.values() if runtime.name == name]
    # Upstream's kustomization leaves OpenVINO out.
    assert ours.image.repository in theirs | {"openvino/model_server"}


def test_the_images_that_kserve_derives_are_those_of_its_code():
    """UpdateImageTag: by server type, -gpu on the tag or -cpu on the repository; never of a digest."""
    source = CONFIG.parent / "pkg"
    utils = (source / "controller/v1beta1/inferenceservice/utils/utils.go").read_text()
    code = re.search(r"^func UpdateImageTag\(.*?^}", utils, re.MULTILINE | re.DOTALL)[0]
    constants = (source / "constants/constants.go").read_text()
    types = dict(re.findall(r'(ServerType\w+)\s*=\s*"([^"]+)"', constants))
    # A digest ends it, before anything else is looked at.
    assert re.search(r"image := container\.Image\s+(//.*\s+)*if .*@sha256:.*\s+return", code)
    with_gpu, without_gpu = code.split("} else if serverType ==")
    tagged = re.search(r"case (.*):", with_gpu.partition("IsGPUEnabled")[2])[1]
    rules = {
        types[name]: Derivation(tag="-gpu", hardware="a GPU")
        for name in re.findall(r"constants\.(\w+)", tagged)
    }
    other = re.match(r" constants\.(\w+)", without_gpu)[1]
    assert 'imageWithoutTag + "-cpu" + tag' in without_gpu
    rules[types[other]] = Derivation(repository="-cpu", hardware="no GPU")
    for runtime in catalog().runtimes.values():
        rule = rules.get(runtime.serverType)
        # What ends in -gpu already stays.
        stays = runtime.image.tag.endswith("-gpu")
        assert runtime.image.derived == (None if stays else rule)


def test_the_catalogs_runtimes_do_not_clash():
    """What the webhook would check of them, were it not left out of their admission."""
    claims: dict[tuple, str] = {}
    for runtime in catalog().runtimes.values():
        priorities: dict[str, int] = {}
        for form in runtime.formats:
            if not form.automatic or form.priority is None:
                continue
            assert priorities.setdefault(form.name, form.priority) == form.priority
            for protocol in runtime.protocols:
                claim = (form.name.lower(), form.version, form.priority, protocol)
                assert claims.setdefault(claim, runtime.name) == runtime.name, claim


# --- config ---------------------------------------------------------------------------------------

# Key and field, where ours differs from upstream's kustomize base, and why.
CONFIG_DIFFERENCES = {
    ".deploy.defaultDeploymentMode": "Standard needs nothing else in the cluster",
    ".ingress.ingressGateway": "KServe only wants it not empty; upstream's names Knative",
    ".ingress.localGateway": "Knative's",
    ".ingress.localGatewayService": "Knative's",
    ".ingress.kserveIngressGateway": "read with enableGatewayApi only",
    ".ingress.disableHTTPRouteTimeout": "read with enableGatewayApi only",
    ".ingress.ingressClassName": "read with a domain only",
    ".ingress.ingressDomain": "nothing is published until someone names a domain",
    ".ingress.domainTemplate": "a cluster-local model's URL is its Service",
    ".ingress.disableIstioVirtualHost": "without Knative there is none",
    ".storageInitializer.ociModelMode": "the newer spelling of enableModelcar, beside it",
    ".inferenceService.serviceAnnotationDisallowedList": "empty; KServe's own list is added to it",
    ".inferenceService.serviceLabelDisallowedList": "empty; KServe's own list is added to it",
    ".logger.caBundle": "empty",
    ".logger.caCertFile": "empty",
    ".logger.tlsSkipVerify": "false",
    ".router.headers": "empty",
    ".router.imagePullSecrets": "empty",
    ".localModel.fsGroup": "the model cache is off",
    ".localModel.jobTTLSecondsAfterFinished": "the model cache is off",
    ".localModel.reconcilationFrequencyInSecs": "the model cache is off",
    ".localModel.disableVolumeManagement": "the model cache is off",
    ".multiNode": "empty",
    ".service": "false",
}


def source(path: str) -> str:
    """Text of KServe's own code."""
    return (CONFIG.parent / path).read_text()


def code(pattern: str, *folders: str) -> list[str]:
    """The names of the Go files (but tests and generated ones) that match."""
    return sorted(
        file.name
        for folder in folders
        for file in (CONFIG.parent / folder).rglob("*.go")
        if not file.name.startswith("zz_")
        and not file.name.endswith(("_test.go", "openapi_generated.go"))
        and re.search(pattern, file.read_text())
    )


def test_what_the_values_leave_out_is_read_nowhere():
    pods = "pkg/webhook/admission/pod"
    # The quantities of logger and batcher are parsed, in one place each; the sidecar has the agent's.
    for name in ("logger", "batcher"):
        parsed = rf"\b{name}Config\.(Cpu|Memory|Max)"
        assert len(code(parsed, pods)) == 1
        assert code(rf"ag\.{name}Config\.(Cpu|Memory|Max|Image)", pods) == []
    assert code(r"BatcherInjector\{", pods, "cmd") == []
    assert code(r"Batcher\.Timeout", "pkg", "cmd") == []
    # `fetch` is a known word, and nothing else: what is not native is a modelcar.
    assert code("OciModelModeFetch", "pkg", "cmd") == ["config.go", "configmap.go"]


def test_a_batch_is_as_big_and_waits_as_long_as_its_prose_says():
    agent = source("cmd/agent/main.go")
    batcher = find(values_schema(), ("models", "*", "batcher"))
    for flag, key in (("max-batchsize", "maxBatchSize"), ("max-latency", "maxLatency")):
        default = re.search(rf'flag\.String\("{flag}", "(\d+)"', agent)[1]
        assert f"by default {default}." in batcher["properties"][key]["description"]


def test_only_requests_of_the_protocol_v1_are_gathered():
    """Everybody else's path the agent passes on as it is."""
    (verb,) = re.findall(r"MustCompile\(`(.+)`\)", source("pkg/batcher/handler.go"))
    assert re.search(verb, "/v1/models/m:predict")
    assert not re.search(verb, "/v2/models/m/infer")


def test_the_config_is_upstreams():
    (theirs,) = upstream_objects("configmap/inferenceservice.yaml")
    parsed = {key: json.loads(text) for key, text in theirs["data"].items() if key != "_example"}
    found = differences(config(objects("default")), parsed)
    images = [path for path in found if path.endswith(("mage", "mageVersion"))]
    assert sorted(set(found) - set(images)) == sorted(CONFIG_DIFFERENCES)


def test_the_storage_container_is_upstreams():
    ours = rendering.only(objects("default"), "ClusterStorageContainer")
    (theirs,) = upstream_objects("storagecontainers/default.yaml")
    assert ours["metadata"]["name"] == theirs["metadata"]["name"]
    assert differences(without(ours["spec"], "image"), without(theirs["spec"], "image")) == [
        ".container.securityContext"
    ]


# --- roles ----------------------------------------------------------------------------------------


def permissions(rules: list[Object]) -> set[tuple[str, str, str]]:
    """Every (group, resource, verb) that rules allow."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_managers_role_is_upstreams_less_what_no_code_uses():
    theirs = permissions(rendering.only(upstream_objects("rbac/role.yaml"), "ClusterRole")["rules"])
    role = rendering.only(objects("default"), "ClusterRole", "kserve-manager-role")
    ours = permissions(role["rules"])
    assert ours - theirs == set()
    # A marker in a comment asks for these; nothing in the manager touches webhook configurations.
    assert {group for group, _, _ in theirs - ours} == {"admissionregistration.k8s.io"}
    source = CONFIG.parent
    calls = [
        file
        for folder in (
            "cmd/manager",
            "pkg/controller/v1beta1",
            "pkg/controller/v1alpha1",
            "pkg/webhook",
        )
        for file in Path(source / folder).rglob("*.go")
        if not file.name.endswith("_test.go") and "admissionregistration" in _code(file)
    ]
    assert calls == []


def _code(file: Path) -> str:
    return "".join(
        line for line in file.read_text().splitlines() if not line.lstrip().startswith("//")
    )


# --- webhooks -------------------------------------------------------------------------------------


def webhooks(them: list[Object]) -> dict[str, Object]:
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    return {
        webhook["name"]: webhook
        for them in rendering.of_kind(them, *kinds)
        for webhook in them["webhooks"]
    }


def test_the_webhooks_are_upstreams():
    ours = webhooks(objects("default"))
    theirs = webhooks(upstream_objects("webhook/manifests.yaml"))
    assert ours.keys() == theirs.keys()
    assert len(ours) == 7
    for name, webhook in ours.items():
        assert (
            webhook["clientConfig"]["service"]["path"]
            == theirs[name]["clientConfig"]["service"]["path"]
        )
        assert without(webhook["rules"], "scope") == theirs[name]["rules"]
        for key in ("failurePolicy", "sideEffects", "reinvocationPolicy"):
            if key in theirs[name]:
                assert webhook[key] == theirs[name][key]
        for key in ("namespaceSelector", "objectSelector"):
            if not name.endswith("servingruntime.kserve-webhook-server.validator"):
                assert webhook[key] == theirs[name].get(key, {})
