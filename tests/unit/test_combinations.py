"""Values that are right one by one, and together ask for what does not come true."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from generator import CHART, MODELS
from generator.errors import ValuesError
from generator.manifests.rendering import models
from generator.values.check import read
from generator.values.load import merge
from tests import rendering
from tests.rendering import CASES, CHARTS, FLAVOURS, STOCK, WITH_MODELS, Object, only

MODEL = {"format": "sklearn", "storageUri": "s3://m"}
ISTIO = {"routing": {"mode": "virtualService", "domain": "a.b"}}
VERSION = {"next": {"storageUri": "s3://n", "trafficPercent": 10}}
GPU = {"format": "huggingface", "storageUri": "hf://a/b", "gpus": 1}
WORKERS = {"predictor": {"workerSpec": {"tensorParallelSize": 2}}}
MULTINODE = {"runtimes": {"huggingfaceMultinode": {"enabled": True}}}
OWN = {"image": "r.example.com/a:1"}
CONTAINER = {"containers": [{"name": "kserve-container", **OWN}]}
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}
QUERIED = {
    "type": "External",
    "external": {
        "metric": {"backend": "prometheus", "serverAddress": "http://p", "query": "q"},
        "target": {"value": "2"},
    },
}
BY_CPU = {"autoScaling": {"metrics": [CPU]}}
KEDA = {"models": {"m": {"autoscaling": {"class": "keda"}, "spec": {"predictor": BY_CPU}}}}


def one(*also: dict, **changes: object) -> dict:
    """Values of one model, merged with others."""
    values = {"models": {"m": {**MODEL, **changes}}}
    for more in also:
        values = merge(values, more)
    return values


def trained(**changes: object) -> dict:
    """Values of a server of several models, and of one that it loads."""
    server = {"format": "triton", "protocol": "v2", "resources": {"limits": {"memory": "2Gi"}}}
    loaded = {"inferenceService": "m", "framework": "f", "memory": "1Gi", **changes}
    on = {"triton": {"enabled": True}}
    return {"runtimes": on, "models": {"m": server}, "trainedModels": {"t": loaded}}


def routing(**changes: object) -> dict:
    return {"routing": changes}


def write(values: dict, folder: Path) -> Path:
    file = folder / "values.yaml"
    file.write_text(json.dumps(values))
    return file


REFUSED = [
    (one(ISTIO, canary=VERSION, spec={"transformer": CONTAINER}), "models.m.canary", "past the split"),
    (one(ISTIO, canary=VERSION, minReplicas=0, autoscaling={"class": "none"}), "models.m.canary.next", "gets 10 percent of the requests, and no pod"),
    (one(ISTIO, canary={"next": {**VERSION["next"], "minReplicas": 0}}, annotations={"serving.kserve.io/autoscalerClass": "none"}), "models.m.canary.next", "and no pod"),
    (one(ISTIO, canary=VERSION, logger={}), "models.m.canary", "remove logger"),
    (one(ISTIO, canary=VERSION, logger={}, batcher={}), "models.m.canary", "remove batcher and logger"),
    (one({"runtimes": {"mlserver": {"enabled": True}}}, protocol="v2", batcher={"maxBatchSize": 8}), "models.m.batcher", "the model speaks v2; remove it"),
    (one(routing(domain="a.b"), transformer=OWN, explainer=OWN), "models.m.explainer", "set routing.mode=gatewayApi or virtualService"),
    (one({"deploymentMode": "Knative"}, autoscaling={"class": "keda"}), "models.m.autoscaling.class", "Knative scales its models itself"),
    (one({"runtimes": {"huggingface": {"enabled": True}}}, **GPU, runtimeVersion="v0.21.0"), "models.m.runtimeVersion", "set it to v0.21.0-gpu"),
    (one(MULTINODE, **GPU), "models.m.format", "no runtime that is on serves huggingface"),
    (one(MULTINODE, **GPU, runtime="kserve-huggingfaceserver-multinode"), "models.m.runtime", "waits for workers"),
    (one(**GPU, runtime="kserve-huggingfaceserver-multinode"), "models.m.runtime", "waits for workers"),
    (one(MULTINODE, format="huggingface", storageUri="pvc://m", spec=WORKERS), "models.m.spec.predictor.workerSpec", "serve the model from one node"),
    (one(format="huggingface", storageUri="pvc://m", spec=WORKERS, autoscaling={"class": "none"}), "models.m.spec.predictor.workerSpec", "serve the model from one node"),
    (one(runtime="one-of-the-namespace", format="x", storageUri="oci://m", spec=WORKERS), "models.m.spec.predictor.workerSpec", "serve the model from one node"),
    (one(autoscaling={"class": "keda"}), "models.m.spec.predictor.autoScaling.metrics", "there are none; set them"),
    (one(annotations={"serving.kserve.io/autoscalerClass": "keda"}), "models.m.spec.predictor.autoScaling.metrics", "there are none; set them"),
    (one(autoscaling={"class": "keda"}, spec={"predictor": {"autoScaling": {}}}), "models.m.spec.predictor.autoScaling.metrics", "there are none; set them"),
    (one(KEDA, autoscaling={"target": 70}), "models.m.autoscaling", "and not by target; remove target"),
    (one(KEDA, autoscaling={"metric": "cpu"}), "models.m.autoscaling", "and not by metric; remove metric"),
    ({**one(), "global": {"annotations": {"serving.kserve.io/autoscalerClass": "keda"}}}, "models.m.spec.predictor.autoScaling.metrics", "there are none; set them"),
    (one(autoscaling={"class": "keda"}, spec={"predictor": {"autoScaling": {"metrics": []}}}), "models.m.spec.predictor.autoScaling.metrics", "there are none"),
    (one(spec={"predictor": {"autoScaling": {"metrics": [QUERIED]}}}), "models.m.spec.predictor.autoScaling.metrics", "set models.m.autoscaling.class=keda"),
    (one(autoscaling={"target": 70}, spec={"predictor": BY_CPU}), "models.m.autoscaling", "and not target; remove target"),
    (one(autoscaling={"class": "hpa", "target": 150}), "models.m.autoscaling.target", "KServe takes 1 to 100"),
    (one(KEDA, transformer=OWN), "models.m.spec.transformer.autoScaling.metrics", "scales the transformer by these"),
    (one(KEDA, explainer=OWN), "models.m.spec.explainer.autoScaling.metrics", "scales the explainer by these"),
    (one(KEDA, spec={"transformer": CONTAINER}), "models.m.spec.transformer.autoScaling.metrics", "scales the transformer by these"),
    (one(KEDA, minReplicas=0), "models.m.minReplicas", "by cpu and memory alone"),
    (one(KEDA, minReplicas=1, spec={"predictor": {"minReplicas": 0}}), "models.m.spec.predictor.minReplicas", "by cpu and memory alone"),
    (one(KEDA, transformer={**OWN, "minReplicas": 0}, spec={"transformer": BY_CPU}), "models.m.transformer.minReplicas", "by cpu and memory alone"),
    (one(KEDA, ISTIO, canary=VERSION), "models.m.canary", "nothing to scale a version by; remove it"),
    (one(autoscaling={"metric": "memory"}), "models.m.autoscaling.target", "without one KServe scales by CPU"),
    (one({"deploymentMode": "Knative"}, autoscaling={"metric": "memory", "target": 70}), "models.m.autoscaling.metric", "set it to concurrency or rps"),
    ({**ISTIO, "models": {"m": {**OWN, "canary": {"next": {**OWN, "trafficPercent": 5}}}}}, "models.m.canary", "give the model a storageUri"),
    ({**ISTIO, "models": {"m": {**OWN, "spec": {"canary": [{"trafficPercent": 5, "predictor": {"name": "next", **CONTAINER}}]}}}}, "models.m.spec.canary", "give the model a storageUri"),
    ({**ISTIO, "models": {"m": {"canary": VERSION, "spec": {"predictor": CONTAINER}}}}, "models.m.canary", "give the model a storageUri"),
    (one(explainer={"art": {"type": "SquareAttack"}, "storageUri": "ftp://a/b"}), "models.m.explainer.storageUri", "nothing fetches ftp://"),
    (one(storageUri="file://models/m"), "models.m.storageUri", "nothing fetches file://"),
    (trained(storageUri="hf://a/b"), "trainedModels.t.storageUri", "from s3://, gs://, https:// and http://"),
    *(
        (one({"customRuntimes": {"x": {"spec": {"supportedModelFormats": [{"name": "spacy", "autoSelect": True}], **CONTAINER, **aside}}}}, format="spacy"), "models.m.format", "no runtime that is on serves spacy")
        for aside in ({"disabled": True}, {"multiModel": True}, {"workerSpec": {"containers": [{"name": "worker-container", **OWN}]}})
    ),
    (one(formatVersion="1.3"), "models.m.formatVersion", "set it to 1, or remove it"),
    (one({"runtimes": {"mlserver": {"enabled": True}}}, protocol="v2", formatVersion="2"), "models.m.formatVersion", "set it to 0 or 1, or remove it"),
    (one(ISTIO, canary={"next": {**VERSION["next"], "formatVersion": "7"}}), "models.m.canary.next.formatVersion", "set it to 1"),
    (one(runtime="kserve-sklearnserver", format="xgboost"), "models.m.runtime", "serves sklearn, and not xgboost"),
    (one(runtime="kserve-sklearnserver", protocol="grpc-v2"), "models.m.protocol", "set it to v1 or v2"),
    (one(runtime="kserve-sklearnserver", formatVersion="0"), "models.m.formatVersion", "set it to 1, or remove it"),
    (one({"customRuntimes": {"x": {"spec": {"supportedModelFormats": [{"name": "spacy"}], **CONTAINER}}}}, runtime="x"), "models.m.runtime", "x serves spacy, and not sklearn"),
    (one({"customRuntimes": {"x": {"spec": {"supportedModelFormats": [{"name": "spacy", "autoSelect": True}], **CONTAINER}}}}, format="spacy", formatVersion="3"), "models.m.formatVersion", "in version 3; remove it"),
    ({"models": {"a": MODEL, "b": MODEL}, **merge(ISTIO, routing(pathTemplate="/s"))}, "models.b", "has the path /s of models.a"),
    ({"models": {"a": MODEL, "b": MODEL}, **merge(ISTIO, routing(pathTemplate="/"))}, "models.b", "has the path / of models.a"),
    (one(ISTIO, routing(pathTemplate="/{{ .Labels.team }}")), "models.m", "routing.pathTemplate asks for {{.Labels.team}}"),
    (one(routing(mode="gatewayApi", domain="a.b", additionalDomains=["a.b"])), "routing.additionalDomains", "a.b is in routing.domain already"),
    (one(ISTIO, routing(additionalDomains=["c.d", "c.d"])), "routing.additionalDomains", "c.d is in routing.additionalDomains already"),
    (one(routing(domain="a.b", ingressClass={"name": "gce"})), "routing.ingressClass.name", "GKE acts on the annotation"),
    (one(routing(domain="a.b", ingressAnnotations={"kubernetes.io/ingress.class": "gce"})), "routing.ingressAnnotations", "set routing.ingressClass.create=false"),
    (one(routing(domain="a.b", ingressClass={"name": "nginx"}, ingressAnnotations={"kubernetes.io/ingress.class": "gce"})), "routing.ingressAnnotations", "remove routing.ingressClass.name"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "path", "said"), REFUSED)
def test_what_would_not_come_true_is_refused(values, path, said, tmp_path):
    with pytest.raises(ValuesError) as caught:
        rendering.both_charts(values, tmp_path)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.message
    assert "; " in problem.message  # A remedy after the fact.
    assert problem.line == 1


@pytest.mark.parametrize(
    "values",
    [
        one(ISTIO, canary=VERSION, minReplicas=2),
        one(ISTIO, canary=VERSION, minReplicas=0),
        one(ISTIO, canary=VERSION, minReplicas=2, autoscaling={"class": "none"}),
        one(ISTIO, canary={"next": {**VERSION["next"], "trafficPercent": 0}}, minReplicas=0),
        one(batcher={"maxBatchSize": 8}, logger={}),
        one(routing(domain="a.b"), transformer=OWN, explainer=OWN, clusterLocal=True),
        one(routing(mode="gatewayApi", domain="a.b"), transformer=OWN, explainer=OWN),
        one(transformer=OWN, explainer=OWN),
        one({"runtimes": {"huggingface": {"enabled": True}}}, **GPU, runtimeVersion="v0.21.0-gpu"),
        one(runtimeVersion="v0.19.0", gpus=1),
        # Which of the two serves it is not known here, and one of them has no -gpu tag.
        one({"runtimes": {"tensorflow": {"enabled": True}, "openvino": {"enabled": True}}}, format="tensorflow", gpus=1, runtimeVersion="2.7"),
        one(KEDA),
        one(autoscaling={"target": 150}),
        one(autoscaling={"metric": "memory"}, spec={"predictor": {"scaleTarget": 70}}),
        one(autoscaling={"class": "external", "metric": "cpu", "target": 200}),
        {**ISTIO, "models": {"m": {**OWN, "canary": {"next": {**OWN, "trafficPercent": 5}}, "spec": {"predictor": {"containers": [{**CONTAINER["containers"][0], "env": [{"name": "STORAGE_URI", "value": "s3://m"}]}]}}}}},
        one(KEDA, minReplicas=1, transformer=OWN, spec={"transformer": BY_CPU}),
        one(minReplicas=0, autoscaling={"class": "keda"}, spec={"predictor": {"autoScaling": {"metrics": [QUERIED]}}}),
        one(autoscaling={"metric": "memory", "target": 70}),
        one(autoscaling={"class": "none"}, minReplicas=0),
        one({"deploymentMode": "Knative"}, autoscaling={"metric": "rps"}, minReplicas=0),
        one({"deploymentMode": "Knative"}, autoscaling={"metric": "cpu"}, annotations={"autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev"}),
        {**ISTIO, "models": {"m": {**OWN, "storageUri": "s3://m", "canary": {"next": {**OWN, "trafficPercent": 5}}}}},
        trained(storageUri="https://models.example.com/m.zip"),
        one(ISTIO, routing(pathTemplate="/{{ .Name }}", additionalDomains=["c.d"])),
        one(ISTIO, routing(pathTemplate="/s"), clusterLocal=True),
        one(formatVersion="1"),
        one({"runtimes": {"mlserver": {"enabled": True}}}, protocol="v2", formatVersion="0"),
        one({"runtimes": {"predictive": {"enabled": True}}}, runtime="kserve-predictiveserver", format="lightgbm", formatVersion="4"),
        one(runtime="one-of-the-namespace", formatVersion="17", protocol="grpc-v1"),
        one({"customRuntimes": {"x": {"spec": {"supportedModelFormats": [{"name": "spacy", "version": "3"}], **CONTAINER}}}}, runtime="x", format="spacy", formatVersion="3", protocol="v2"),
        one(routing(domain="a.b", ingressClass={"create": False}, ingressAnnotations={"kubernetes.io/ingress.class": "gce"})),
        one(routing(domain="a.b", ingressClass={"name": "nginx"}, ingressAnnotations={"kubernetes.io/ingress.class": "nginx"})),
    ],
)  # fmt: skip
def test_what_comes_true_is_taken(values, tmp_path):
    assert only(rendering.parse(rendering.both_charts(values, tmp_path)), "InferenceService")


def port(number: int, name: str = "http1") -> dict:
    return {"ports": [{"containerPort": number, "name": name}]}


SAID_TWICE = [
    ({"transformer": OWN}, {"transformer": CONTAINER}),
    ({"transformer": {**OWN, "port": 9090}}, {"transformer": {"containers": [{**CONTAINER["containers"][0], **port(9090)}]}}),
    ({"explainer": OWN}, {"explainer": CONTAINER}),
    ({"logger": {}}, {"predictor": {"logger": {"mode": "all"}}}),
    ({"batcher": {}}, {"predictor": {"batcher": {}}}),
    ({"format": "triton", "protocol": "grpc-v2"}, {"predictor": {"model": {"protocolVersion": "grpc-v2"}}}),
    ({"format": "triton", "protocol": "grpc-v2"}, {"predictor": {"model": port(9000, "h2c")}}),
    ({"timeout": 7}, {"predictor": {"timeout": 7}}),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "spec"), SAID_TWICE)
def test_a_spec_is_routed_as_the_same_in_keys_is(keys, spec, tmp_path):
    """The Service and the routes lead to what runs, whichever of the two says that it does."""
    on = {"runtimes": {"triton": {"enabled": True}}}
    more = {
        "routing": {"virtualService": {"trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}}
    }
    own = {"format": keys.get("format", "sklearn")}

    def routes(values: dict) -> list[Object]:
        found = rendering.parse(models(read([write(values, tmp_path)])))
        return [each for each in found if each["kind"] != "InferenceService"]

    by_key = routes(one(on, ISTIO, more, **(own | keys)))
    plain = one(on, ISTIO, more, **own)
    plain["models"]["m"] |= {"protocol": "v2"} if own["format"] == "triton" else {}
    assert by_key != routes(plain)
    plain["models"]["m"]["spec"] = spec
    assert routes(plain) == by_key


def test_a_path_may_end_in_a_slash_and_use_any_label(tmp_path):
    template = '/{{ index .Labels "a.b/team" }}/{{- .Name -}}/'
    hosts = '{{ .Name }}.{{ index .Annotations "x/y" }}.{{ .IngressDomain }}'
    named = {"labels": {"a.b/team": "blue"}, "annotations": {"x/y": "green"}}
    values = one(ISTIO, routing(pathTemplate=template, domainTemplate=hosts), **named)
    spec = only(rendering.parse(models(read([write(values, tmp_path)]))), "VirtualService")["spec"]
    assert spec["hosts"] == ["m.green.a.b", "a.b"]
    assert spec["http"][0]["match"][0]["uri"] == {"prefix": "/blue/m/"}


def test_the_whole_domain_may_be_one_models(tmp_path):
    values = one(ISTIO, routing(pathTemplate="/"))
    route = only(rendering.parse(models(read([write(values, tmp_path)]))), "VirtualService")["spec"]
    (match,) = route["http"][0]["match"]
    assert match == {"authority": {"exact": "a.b"}, "uri": {"prefix": "/"}}


def commands(text: str) -> str:
    """What NOTES tell to run: the indented lines, and the ends of what is read in place."""
    parts = [
        line.removeprefix("   ")
        for line in text.splitlines()
        if line.startswith("   ") or line == "YAML"
    ]
    return "\n".join(parts)  # fmt: skip


def notes(chart: Path, *arguments: str) -> str:
    said = rendering.helm("install", "r", str(chart), "-n", "ml", "--dry-run=client", *arguments)
    return said.partition("\nNOTES:\n")[2]


@pytest.mark.parametrize(("chart", "case"), [(CHART, case) for case in FLAVOURS] + [(MODELS, case) for case in WITH_MODELS])  # fmt: skip
def test_a_shell_reads_every_command_of_the_notes(chart, case):
    script = commands(notes(CHARTS[chart], "-f", str(CASES[case])))
    assert script.count("<<'YAML'") == script.count("\nYAML")
    read_by_shell = subprocess.run(["bash", "-n", "-c", script], capture_output=True, check=False)
    assert (read_by_shell.returncode, read_by_shell.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (one(), "curl http://m.ml.svc.cluster.local/v1/models/m:predict"),
        (one({"runtimes": {"huggingface": {"enabled": True}}}, **GPU), "curl http://m.ml.svc.cluster.local/openai/v1/completions"),
        (one({"runtimes": {"torchserve": {"enabled": True}}}, format="pytorch"), "the server knows it by that one"),
        (one({"runtimes": {"mlserver": {"enabled": True}}}, protocol="v2", runtime="kserve-mlserver"), "the server knows it by that one"),
        (one({"runtimes": {"vllm": {"enabled": True}}}, format="vLLM"), "curl http://m.ml.svc.cluster.local/v1/completions"),
        (
            {
                "runtimes": {"triton": {"enabled": True}},
                "models": {"m": {"format": "triton", "protocol": "v2", "resources": {"limits": {"memory": "2Gi"}}}},
                "trainedModels": {"t": {"inferenceService": "m", "framework": "f", "storageUri": "s3://x", "memory": "1Gi"}},
            },
            "curl http://m.ml.svc.cluster.local/v2/models/t/infer",
        ),
    ],
)  # fmt: skip
def test_the_notes_ask_a_model_where_it_answers(values, said, tmp_path):
    text = notes(CHARTS[MODELS], "-f", str(write(values, tmp_path)))
    assert said in text
    assert not re.search(r"[^\n]\nTo ask", text)
    if "vLLM" in json.dumps(values):
        assert ":predict" not in text


def test_the_notes_know_a_service_without_an_address():
    """A headless Service has no port of its own to turn into the pods'."""
    asked = "sklearn-iris-predictor.default.svc.cluster.local:8080/v1"
    assert asked in notes(STOCK, "--set", "inference.headlessService=true")
    assert asked not in notes(STOCK)
    assert ":8080/v1" not in notes(
        STOCK, "--set", "inference.headlessService=true", "--set", "deploymentMode=Knative"
    )
