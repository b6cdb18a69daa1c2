"""One of each sort of what KServe serves (kinds.yaml): what becomes of it, and what is refused."""

import json
from pathlib import Path

import pytest
import yaml

from codegen.operations import merge
from generator.errors import ToolFailed
from tests.cluster.harness import controller, iris, waiting
from tests.rendering import of_kind, only

OBJECTS = list(yaml.safe_load_all(Path(__file__).with_name("kinds.yaml").read_text("utf-8")))
SERVED = of_kind(OBJECTS, "InferenceService", "InferenceGraph", "TrainedModel")
TAG = "v0.20.0"


@pytest.fixture(scope="module")
def namespace(cluster, platform):
    # Containers of one's own say nothing of security, and not all that KServe adds say enough.
    name = cluster.namespace("models", enforce="baseline")
    cluster.apply(*OBJECTS, namespace=name)
    yield name
    cluster.kubectl("delete", "trainedmodels,inferencegraphs", "--all", "-n", name)
    cluster.kubectl("delete", "inferenceservices", "--all", "-n", name)


def pod(cluster, namespace, service):
    """The spec of a pod behind a Service, as the pod webhook changed it."""
    selector = f"app=isvc.{service}"
    found = cluster.wait(f"a pod of {service}", lambda: cluster.list("pods", namespace, selector))
    return found[0]["spec"]


def container(pod, name):
    """A container of a pod, its environment as a map."""
    every = (*pod.get("initContainers", ()), *pod["containers"])
    (found,) = (one for one in every if one["name"] == name)
    return found | {"env": {variable["name"]: variable for variable in found.get("env", ())}}


def ports(cluster, namespace, service):
    """A Service's ports, and where each leads to."""
    found = cluster.get("service", service, namespace)["spec"]["ports"]
    return {port["port"]: port["targetPort"] for port in found}


@pytest.mark.parametrize(
    "manifest", SERVED, ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata']['name']}"
)
def test_it_becomes_ready(cluster, namespace, manifest):
    what = f"{manifest['kind']}/{manifest['metadata']['name']}"
    waiting.until_ready(cluster, what, namespace, timeout="2m")


def test_a_serviceaccount_brings_the_keys_of_its_bucket(cluster, namespace):
    environment = container(pod(cluster, namespace, "private-predictor"), "storage-initializer")[
        "env"
    ]
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert environment[key]["valueFrom"]["secretKeyRef"] == {"name": "bucket", "key": key}
    assert environment["AWS_ENDPOINT_URL"]["value"] == "http://minio.example.com:9000"
    assert environment["AWS_DEFAULT_REGION"]["value"] == "eu-west-1"


def test_a_key_of_storage_config_says_bucket_and_keys(cluster, namespace):
    initializer = container(pod(cluster, namespace, "keyed-predictor"), "storage-initializer")
    assert initializer["args"] == ["s3://models/iris", "/mnt/models"]
    source = initializer["env"]["STORAGE_CONFIG"]["valueFrom"]["secretKeyRef"]
    assert source == {"name": "storage-config", "key": "minio"}


def test_a_volume_is_mounted_and_nothing_fetched(cluster, namespace):
    found = pod(cluster, namespace, "volume-predictor")
    assert "initContainers" not in found
    (volume,) = (volume for volume in found["volumes"] if "persistentVolumeClaim" in volume)
    assert volume["persistentVolumeClaim"]["claimName"] == "models"
    mount = {
        "name": volume["name"],
        "mountPath": "/mnt/models",
        "subPath": "iris",
        "readOnly": True,
    }
    assert mount in container(found, "kserve-container")["volumeMounts"]


def test_a_transformer_stands_before_its_predictor(cluster, namespace):
    args = container(pod(cluster, namespace, "chain-transformer"), "kserve-container")["args"]
    assert ["--predictor_host", f"chain-predictor.{namespace}"] == args[2:4]
    assert ports(cluster, namespace, "chain-transformer") == {80: 8080}
    autoscaler = cluster.get("horizontalpodautoscaler", "chain-transformer", namespace)
    assert autoscaler["spec"]["minReplicas"] == 2
    address = cluster.get("inferenceservice", "chain", namespace)["status"]["address"]["url"]
    assert address == f"http://chain-transformer.{namespace}.svc.cluster.local"


@pytest.mark.parametrize(
    ("name", "image"),
    [("chain", "example.com/explainer:1"), ("art", f"docker.io/kserve/art-explainer:{TAG}")],
)
def test_an_explainer_stands_beside_its_predictor(cluster, namespace, name, image):
    found = container(pod(cluster, namespace, f"{name}-explainer"), "kserve-container")
    assert found["image"] == image
    host = found["args"].index("--predictor_host")
    assert found["args"][host + 1] == f"{name}-predictor.{namespace}"

    def url():
        """There once the explainer is ready, for which the InferenceService does not wait."""
        status = cluster.get("inferenceservice", name, namespace)["status"]
        return status["components"].get("explainer", {}).get("url")

    said = cluster.wait("the URL of the explainer", url)
    assert said == f"http://{name}-explainer.{namespace}.svc.cluster.local"


def test_what_art_is_told(cluster, namespace):
    found = pod(cluster, namespace, "art-explainer")
    assert container(found, "storage-initializer")["args"][0] == "s3://models/art-explainer"
    args = container(found, "kserve-container")["args"]
    assert args[-4:] == ["--adversary_type", "SquareAttack", "--nb_classes", "10"]


def test_a_container_of_ones_own_gets_its_model(cluster, namespace):
    found = pod(cluster, namespace, "custom-predictor")
    assert container(found, "storage-initializer")["args"] == ["s3://models/custom", "/mnt/models"]
    assert container(found, "kserve-container")["env"]["STORAGE_URI"]["value"] == "/mnt/models"
    assert ports(cluster, namespace, "custom-predictor") == {80: 9090}


def test_the_agent_logs_and_batches_before_the_server(cluster, namespace):
    found = container(pod(cluster, namespace, "agent-predictor"), "agent")
    assert found["image"] == f"docker.io/kserve/agent:{TAG}"
    said = " ".join(found["args"])
    for part in ("--enable-batcher --max-batchsize 16 --max-latency 200", "--log-url http://sink.default", "--log-mode request"):  # fmt: skip
        assert part in said
    assert ports(cluster, namespace, "agent-predictor") == {80: 9081}


def test_a_runtime_of_the_namespace_is_chosen_by_its_format(cluster, namespace):
    status = cluster.get("inferenceservice", "sales", namespace)["status"]
    assert status["servingRuntimeName"] == "prophet"
    assert "clusterServingRuntimeName" not in status
    found = container(pod(cluster, namespace, "sales-predictor"), "kserve-container")
    assert found["args"] == ["--model=sales", "--dir=/mnt/models"]


def test_the_agent_pulls_trained_models(cluster, namespace):
    found = pod(cluster, namespace, "shared-predictor")
    assert "--enable-puller" in container(found, "agent")["args"]
    (volume,) = (volume for volume in found["volumes"] if "configMap" in volume)

    def models():
        data = cluster.get("configmap", volume["configMap"]["name"], namespace)["data"]
        return json.loads(data["models.json"])

    def url():
        status = cluster.get("trainedmodel", "first", namespace)["status"]
        return status.get("address", {}).get("url")

    # KServe writes both after it has called the TrainedModel Ready.
    (model,) = cluster.wait("the agent is told of a model", models)
    assert (model["modelName"], model["modelSpec"]["storageUri"]) == ("first", "s3://models/first")
    inside = f"http://shared-predictor.{namespace}.svc.cluster.local"
    assert cluster.wait("its address", url) == f"{inside}/v1/models/first:predict"


def test_a_router_gets_the_graph_with_its_urls(cluster, namespace):
    deployment = cluster.get("deployment", "graph", namespace)
    (router,) = deployment["spec"]["template"]["spec"]["containers"]
    assert router["image"] == f"docker.io/kserve/router:{TAG}"
    nodes = json.loads(router["args"][1])["nodes"]
    kinds = {name: node["routerType"] for name, node in nodes.items()}
    assert kinds == {
        "root": "Sequence",
        "choose": "Switch",
        "both": "Ensemble",
        "split": "Splitter",
    }
    inside = f"{namespace}.svc.cluster.local/v1/models"
    # Where a transformer stands before a model, the graph asks the transformer.
    assert (
        nodes["root"]["steps"][1]["serviceUrl"]
        == f"http://chain-transformer.{inside}/chain:predict"
    )
    assert (
        nodes["both"]["steps"][1]["serviceUrl"]
        == f"http://custom-predictor.{inside}/custom:predict"
    )
    assert [step["weight"] for step in nodes["split"]["steps"]] == [60, 40]
    assert ports(cluster, namespace, "graph") == {80: 8080}


def steps(*them, node="root"):
    return {"spec": {"nodes": {node: {"steps": list(them)}}}}


def formats(*them):
    return {"metadata": {"name": "another"}, "spec": {"supportedModelFormats": list(them)}}


def of_container(fields):
    return {"metadata": {"name": "another"}, "spec": {"containers": [{"name": "kserve-container", **fields}]}}  # fmt: skip


A, B = {"serviceName": "a", "weight": 60}, {"serviceName": "b", "weight": 60}
PROPHET = {"name": "prophet", "version": "1", "autoSelect": True}


@pytest.mark.parametrize(
    ("kind", "name", "patch", "by", "says"),
    [
        ("InferenceGraph", "graph", {"spec": {"nodez": {}}}, "crd", 'unknown field "spec.nodez"'),
        ("InferenceGraph", "graph", steps({"serviceNme": "a"}), "crd", 'unknown field "spec.nodes.root.steps[0].serviceNme"'),
        ("InferenceGraph", "graph", {"spec": {"nodes": {"root": {"routerType": "Chain"}}}}, "crd", 'spec.nodes.root.routerType: Unsupported value: "Chain"'),
        ("InferenceGraph", "graph", steps({**A, "dependency": "Strong"}), "crd", 'dependency: Unsupported value: "Strong"'),
        ("InferenceGraph", "graph", steps({**A, "weight": "60"}), "crd", "weight in body must be of type integer"),
        ("InferenceGraph", "graph", {"spec": {"nodes": {"root": None}}}, "webhook", "root node not found"),
        ("InferenceGraph", "graph", steps({"name": "one"}), "webhook", "does not specify an inference target"),
        ("InferenceGraph", "graph", steps({**A, "serviceUrl": "http://a"}), "webhook", "specifies more than one of nodeName, serviceName, serviceUrl"),
        ("InferenceGraph", "graph", steps({**A, "name": "one"}, {**B, "name": "one"}), "webhook", 'more than one step with name "one"'),
        ("InferenceGraph", "graph", steps(A, B, node="split"), "webhook", "the sum of traffic weights for all routing targets should be 100"),
        ("InferenceGraph", "graph", steps({"serviceName": "a"}, node="split"), "webhook", "missing the 'Weight'"),
        ("InferenceGraph", "graph", {"metadata": {"name": "1-graph"}}, "webhook", "must start with alphabetical character"),
        ("TrainedModel", "first", {"spec": {"model": {"storageUrl": "s3://a"}}}, "crd", 'unknown field "spec.model.storageUrl"'),
        ("TrainedModel", "first", {"spec": {"inferenceService": None}}, "crd", "spec.inferenceService: Required value"),
        ("TrainedModel", "first", {"spec": {"model": {"memory": None}}}, "crd", "spec.model.memory: Required value"),
        ("TrainedModel", "first", {"spec": {"model": {"memory": "2Gi"}}}, "webhook", "immutable"),
        ("TrainedModel", "first", {"spec": {"model": {"memory": "1GB"}}}, "webhook", "quantities must match"),
        ("TrainedModel", "first", {"spec": {"model": {"storageUri": "ftp://a"}}}, "webhook", "must start with one of the prefixes"),
        ("TrainedModel", "first", {"metadata": {"name": "first.model"}}, "webhook", "name must consist of alphanumeric characters"),
        ("ServingRuntime", "prophet", {"spec": {"supportedModelFormat": []}}, "crd", 'unknown field "spec.supportedModelFormat"'),
        ("ServingRuntime", "prophet", of_container({"imge": "a"}), "crd", 'unknown field "spec.containers[0].imge"'),
        ("ServingRuntime", "prophet", {"spec": {"protocolVersions": "v2"}}, "crd", "protocolVersions in body must be of type array"),
        ("ServingRuntime", "prophet", formats({**PROPHET, "priority": 0}), "crd", "priority in body should be greater than or equal to 1"),
        ("ServingRuntime", "prophet", formats({**PROPHET, "priority": 1}, {**PROPHET, "version": "2", "priority": 2}), "webhook", "different priorities assigned for the model format prophet"),
        ("ServingRuntime", "prophet", of_container({"image": "a", "env": [{"name": "PYTHONPATH", "value": "a"}]}), "webhook", "setting PYTHONPATH in container"),
    ],
    ids=lambda parameter: None if isinstance(parameter, dict) else parameter,
)  # fmt: skip
def test_it_is_refused(cluster, namespace, kind, name, patch, by, says):
    with pytest.raises(ToolFailed) as refusal:
        iris.admitted(cluster, namespace, json.dumps(merge(only(OBJECTS, kind, name), patch)))
    said = str(refusal.value)
    assert says in said
    assert (f"{kind.lower()}.kserve-webhook-server.validator" in said) == (by == "webhook")


def test_a_trained_model_of_a_server_of_one_never_goes(cluster, platform, namespace):
    """KServe looks for a ConfigMap that only a server of several has, and keeps its finalizer."""
    patch = {"metadata": {"name": "alone"}, "spec": {"inferenceService": "private"}}
    cluster.apply(merge(only(OBJECTS, "TrainedModel"), patch), namespace=namespace)
    target = ("trainedmodel", "alone", "-n", namespace)
    says = "Inference Service predictor is not configured for multi-model serving"
    cluster.wait(says, lambda: says in cluster.kubectl("describe", *target))
    with pytest.raises(ToolFailed, match="timed out"):
        cluster.kubectl("delete", *target, "--timeout=3s")
    # It looks for that only to let the model go.
    looked = 'configmaps \\"modelconfig-private-0\\" not found'
    cluster.wait("KServe has looked", lambda: looked in controller.log(cluster, platform.namespace))
    assert cluster.get("trainedmodel", "alone", namespace)
    cluster.kubectl(
        "patch", *target, "--type=merge", "--patch", '{"metadata": {"finalizers": null}}'
    )
