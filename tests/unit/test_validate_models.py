"""The models chart's validate.yaml: mistakes that KServe would report late, or never."""

import json

import pytest

from generator import MODELS
from generator.chart.rendering import protocols
from generator.errors import ValuesError
from generator.manifests.rendering import models
from generator.values.check import read
from generator.values.load import Values
from tests.rendering import CHARTS, helm_template

MODEL = {"format": "sklearn", "storageUri": "s3://m"}
PUBLISHED = {"routing": {"mode": "virtualService", "domain": "a.b"}}


def one(**changes: object) -> dict:
    return {"models": {"m": {**MODEL, **changes}}}


def graph(**nodes: object) -> dict:
    return {"models": {"m": MODEL}, "graphs": {"g": {"nodes": nodes}}}


def steps(kind: str, *them: dict) -> dict:
    return {"type": kind, "steps": list(them)}


TRAINED = {"inferenceService": "m", "framework": "f", "storageUri": "s3://x", "memory": "1Gi"}

REFUSED = [
    (one(format="xgboost"), "models.m.format: no runtime that is on serves xgboost; set runtimes.xgboost.enabled=true"),
    (one(format="onnx"), "set runtimes.openvino.enabled=true"),
    (one(format="cobol"), "add one to customRuntimes, or name a ServingRuntime"),
    (one(protocol="grpc-v2"), "models.m.protocol: no runtime that is on speaks grpc-v2 for sklearn; set it to v1 or v2"),
    (one(runtime="kserve-mlserver"), "models.m.runtime: kserve-mlserver is off; set runtimes.mlserver.enabled=true"),
    ({**one(format="vllm"), "runtimes": {"vllm": {"enabled": True}}}, "models.m.format: KServe tells vllm from vLLM"),
    (one(format="vllm"), "set runtimes.vllm.enabled=true"),
    (one(format="SKLearn"), "set it to sklearn"),
    ({**one(args=["--workers=2"], protocol="v2"), "runtimes": {"mlserver": {"enabled": True}}}, "models.m.args: in kserve-mlserver they replace"),
    ({**one(args=["--workers=2"], runtime="kserve-mlserver"), "runtimes": {"mlserver": {"enabled": True}}}, "start them with mlserver, start and /mnt/models"),
    (one(image="x"), "format and image exclude each other"),
    ({"models": {"m": {}}}, "models.m: neither format nor image"),
    (one(port=80), "models.m.port: belongs to image"),
    (one(command=["x"]), "models.m.command: belongs to image"),
    ({"models": {"m": {"format": "sklearn"}}}, "set models.m.storageUri"),
    (one(storageUri="ftp://x"), "models.m.storageUri: nothing fetches ftp://"),
    ({**one(storageUri="oci://x"), "storage": {"ociModels": {"mode": "disabled"}}}, "set storage.ociModels.mode=modelcar"),
    ({"models": {"m" * 47: {**MODEL, "transformer": {"image": "x"}}}}, "the name has 47 characters, and 46 are allowed"),
    (one(minReplicas=3, maxReplicas=2), "models.m.minReplicas: is more than maxReplicas"),
    (one(autoscaling={"metric": "rps"}), "models.m.autoscaling.metric: rps is Knative's"),
    (one(autoscaling={"class": "keda", "metric": "cpu"}), "and not by metric; remove metric"),
    (one(credentials={"externalSecret": {"store": "s", "key": "k"}}), "set models.m.credentials.secretName"),
    (one(credentials={"secretName": "s", "externalSecret": {"store": "s"}}), "wants a store and a key"),
    (one(transformer={"args": ["x"]}), "set models.m.transformer.image"),
    (one(explainer={"image": "x", "art": {"type": "SquareAttack"}}), "models.m.explainer: image and art exclude"),
    (one(env={"PYTHONPATH": "x"}), "models.m.env.PYTHONPATH: KServe refuses"),
    (one(transformer={"image": "x", "env": {"PYTHONPATH": "x"}}), "models.m.transformer.env.PYTHONPATH"),
    ({**one(canary={"v": {"trafficPercent": 10}})}, "in routing.mode ingress nothing splits the requests"),
    ({**one(canary={"v": {"trafficPercent": 10}}), "deploymentMode": "Knative"}, "set models.m.deploymentMode=Standard"),
    ({**one(canary={"v": {}}), **PUBLISHED}, "set models.m.canary.v.trafficPercent"),
    ({**one(canary={"v": {"trafficPercent": 60}, "w": {"trafficPercent": 50}}), **PUBLISHED}, "the parts add up to 110"),
    ({**one(canary={"v": {"trafficPercent": 6}}, transformer={"image": "x"}), **PUBLISHED}, "past the split"),
    ({**one(canary={"v": {"trafficPercent": 6, "minReplicas": 2}}), **PUBLISHED}, "raise models.m.minReplicas"),
    ({**one(canary={"v": {"trafficPercent": 6, "storageUri": "x://y"}}), **PUBLISHED}, "models.m.canary.v.storageUri: nothing fetches"),
    ({"models": {"m" * 40: {**MODEL, "canary": {"v" * 10: {"trafficPercent": 1}}}}, **PUBLISHED}, "label takes 47; shorten one"),
    ({"models": {"a": MODEL, "b": MODEL}, "routing": {"mode": "gatewayApi", "domain": "a.b", "domainTemplate": "x.{{ .IngressDomain }}"}}, "models.b: has the host x.a.b of models.a"),
    (graph(start=steps("Sequence", {"model": "m"})), "add graphs.g.nodes.root"),
    (graph(root={"steps": [{"model": "m"}]}), "graphs.g.nodes.root: has no type"),
    (graph(root=steps("Sequence", {"model": "x"})), "graphs.g.nodes.root.steps[0].model: there is no model x"),
    (graph(root=steps("Sequence", {"model": "m"}, {"node": "x"})), "graphs.g.nodes.root.steps[1].node: there is no node x"),
    (graph(root=steps("Sequence", {"model": "m", "node": "root"})), "leads to one of model, node and url"),
    (graph(root=steps("Splitter", {"model": "m", "weight": 60})), "the weights add up to 60"),
    ({"models": {"m": MODEL}, "graphs": {"m": {"nodes": {"root": steps("Sequence", {"model": "m"})}}}}, "models.m wants the Service m too"),
    ({"trainedModels": {"t": {"inferenceService": "x", "framework": "f", "storageUri": "s3://x", "memory": "1Gi"}}}, "there is no model x"),
    ({"models": {"m": MODEL}, "trainedModels": {"t": {"inferenceService": "m"}}}, "set trainedModels.t.memory"),
    ({"models": {"m": MODEL}, "trainedModels": {"t": TRAINED}}, "remove models.m.storageUri"),
    ({"models": {"m": {"format": "sklearn"}}, "trainedModels": {"t": TRAINED}}, "set models.m.resources.limits.memory"),
    (graph(root=steps("Sequence", {"node": "a"}), a=steps("Sequence", {"node": "b"}), b=steps("Switch", {"model": "m"}, {"node": "a"})), "graphs.g.nodes.b: its steps lead in a circle, from b to a to b"),
    ({"models": {"m": MODEL, "m-predictor": MODEL}}, "models.m-predictor: models.m wants the Service m-predictor too"),
    ({"models": {"m": {**MODEL, "explainer": {"image": "x"}}, "m-explainer": MODEL}}, "models.m wants the Service m-explainer too"),
    (one(autoscaling={"class": "hpa", "metric": "memory", "target": 800}), "models.m.autoscaling.target: with the class hpa KServe takes 1 to 100"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_mistake_is_refused_with_its_place_and_a_remedy(values, said, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(json.dumps(values))
    values = read([file])
    with pytest.raises(ValuesError) as caught:
        models(values)
    message = str(caught.value)
    assert said in message
    assert all("; " in problem.message for problem in caught.value.problems)
    assert all(problem.column > 1 for problem in caught.value.problems)


@pytest.mark.parametrize(
    "values",
    [
        {"models": {"m": {"format": "huggingface", "args": ["--model_id=x"], "protocol": "v2"}}, "runtimes": {"huggingface": {"enabled": True}}},
        one(runtime="one-of-the-namespace", format="cobol"),
        {"models": {"m": {"image": "x"}}},
        {"models": {"m": {"format": "triton", "protocol": "v2", "resources": {"limits": {"memory": "2Gi"}}}},
         "runtimes": {"triton": {"enabled": True}}, "trainedModels": {"t": TRAINED}},
        {**one(autoscaling={"metric": "rps", "target": 800}), "deploymentMode": "Knative"},
        {**one(format="spacy"), "customRuntimes": {"x": {"spec": {"supportedModelFormats": [{"name": "spacy", "autoSelect": True}], "containers": []}}}},
        {"models": {"m" * 48: MODEL}},
        # A runtime that lists no protocol is chosen for any.
        *({**one(format="vLLM", protocol=protocol), "runtimes": {"vllm": {"enabled": True}}} for protocol in protocols()),
        *({**one(format="spacy", protocol=protocol), "customRuntimes": {"x": {"spec": {"supportedModelFormats": [{"name": "spacy", "autoSelect": True}], "containers": []}}}} for protocol in protocols()),
        # KServe's own server is chosen for v1, and takes arguments.
        {**one(args=["--workers=2"]), "runtimes": {"mlserver": {"enabled": True}}},
        {**one(args=["mlserver", "start", "/mnt/models"], protocol="v2"), "runtimes": {"mlserver": {"enabled": True}}},
        {**one(args=["--workers=2"], protocol="v2"), "runtimes": {"mlserver": {"enabled": True, "extraArgs": ["mlserver", "start"]}}},
        # Nothing else wants the Services m-transformer and m-predictor-x.
        {"models": {"m": MODEL, "m-transformer": MODEL, "m-predictor-x": MODEL}},
        # Two ways to one node are no circle.
        graph(root=steps("Ensemble", {"node": "a"}, {"node": "b"}), a=steps("Sequence", {"node": "b"}), b=steps("Sequence", {"model": "m"})),
    ],
)  # fmt: skip
def test_what_kserve_would_serve_is_accepted(values, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(json.dumps(values))
    assert "kind: InferenceService" in models(read([file]))


def test_a_custom_runtime_without_a_spec_serves_nothing(tmp_path):
    """The generator refuses it before, and the platform's chart; Helm with the models chart must not crash."""
    file = tmp_path / "my.yaml"
    file.write_text(json.dumps({**one(format="spacy"), "customRuntimes": {"x": {}}}))
    with pytest.raises(ValuesError, match=r"models\.m\.format: no runtime that is on serves spacy"):
        helm_template(CHARTS[MODELS], Values.parsed([file]), more=())


def test_one_wrong_model_among_a_thousand_is_named(tmp_path):
    many = {f"m{number}": MODEL for number in range(1000)}
    many["m500"] = MODEL | {"storageUri": "ftp://x"}
    file = tmp_path / "my.yaml"
    file.write_text(json.dumps({"models": many}, indent=1))
    with pytest.raises(ValuesError) as caught:
        models(read([file]))
    (problem,) = caught.value.problems
    assert problem.path == "models.m500.storageUri"
    assert '"ftp://x"' in file.read_text().splitlines()[problem.line - 1]
