"""`images`: the list is what both charts' objects name and what KServe makes of that."""

import re

import pytest

from generator import CHART, MODELS
from generator.images.inventory import images
from generator.images.mention import mentions
from generator.images.usage import repository
from generator.values.check import read
from generator.yaml.embedded import opened
from generator.yaml.path import dotted
from generator.yaml.writer import dump
from tests.rendering import CASES, WITH_MODELS, both_charts, given, objects, parse, walk

# A text that can be nothing but an image: a registry, a path, and a tag or a digest.
IMAGE = re.compile(
    r"(?:oci://)?((?:[a-z0-9-]+\.)+[a-z0-9-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)+"
    r"(?::[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64}))"
)


def uses(values):
    """Every use, as (image, object, field), and whether KServe derives it."""
    return {
        (image.reference, use.object, use.field, bool(use.derived))
        for image in images(values)
        for use in image.uses
    }


def rendered(manifests):
    """What objects name: (image, object, field). The Job's name ends in a hash."""
    for data in manifests:
        name = re.sub(
            r"(?<=^kserve-webhook-certificate-)[0-9a-f]{8}$", "*", data["metadata"]["name"]
        )
        for path, image in mentions(opened(data)):
            yield image, f"{data['kind']} {name}", dotted(path), False


def everything(case):
    return [
        data
        for chart in (CHART, MODELS)
        if chart == CHART or case in WITH_MODELS
        for data in objects(case, chart=chart)
    ]


@pytest.mark.parametrize("case", CASES)
def test_the_list_is_what_helm_renders_field_by_field(case):
    listed = {use for use in uses(given(case)) if not use[-1]}
    assert listed == set(rendered(everything(case)))


@pytest.mark.parametrize("case", CASES)
def test_no_text_that_is_an_image_is_missing_from_the_list(case):
    """By the form of the text alone, wherever it stands, without what finds images here."""
    texts = [text for data in everything(case) for _, text in walk(opened(data))]
    found = {
        match[1] for text in texts if isinstance(text, str) and (match := IMAGE.fullmatch(text))
    }
    listed = {image.reference for image in images(given(case))}
    assert {repository(image) for image in found} <= {repository(image) for image in listed}
    assert found - listed == set()


RICH = """
global: {imageRegistry: mirror.example.com/kserve}
deploymentMode: Standard
routing: {mode: virtualService, domain: example.com}
controller:
  extraArgs: ["--side-image", "registry.example.com/side:1", "--image-pull-policy=Always"]
  extraEnv: {HELPER_IMAGE: "busybox:1.36", IMAGE_SIZE: "224", IMAGE_DIR: data/images}
storage:
  initializer: {env: {RELATED_IMAGE_A: "registry.example.com/a@sha256:@@"}}
  ociModels: {mode: modelcar}
runtimes:
  huggingface: {enabled: true, env: {WARM_IMAGE: "registry.example.com/warm:1"}}
  xgboost: {enabled: true, extraArgs: ["--image=registry.example.com/x:1"]}
  tensorflow: {enabled: true, image: {digest: "sha256:@@"}}
configOverrides:
  agent: {image: "registry.example.com/agent:9"}
  explainers: {art: {defaultImageVersion: v9}}
extraObjects:
  job:
    apiVersion: batch/v1
    kind: Job
    metadata: {name: warm}
    spec: {template: {spec: {containers: [{name: a, image: "nginx:1.27"}],
      volumes: [{name: v, image: {reference: "registry.example.com/volume:1"}}]}}}
  settings:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: settings}
    data: {proxy: '{"proxyImage": "registry.example.com/proxy:1"}'}
customRuntimes:
  own:
    annotations: {serving.kserve.io/server-type: huggingfaceserver}
    spec:
      supportedModelFormats: [{name: own, version: "1", autoSelect: true}]
      protocolVersions: [v1]
      containers: [{name: kserve-container, image: "registry.example.com/own:1"}]
models:
  plain: {format: sklearn, storageUri: "s3://m"}
  old: {format: xgboost, storageUri: "oci://registry.example.com/models/old:1", runtimeVersion: v0.19.0}
  pinned: {format: tensorflow, storageUri: "s3://m", runtime: kserve-tensorflow-serving, runtimeVersion: 2.5.0}
  custom: {format: own, storageUri: "s3://m"}
  image:
    image: registry.example.com/server:1
    storageUri: oci://registry.example.com/models/image:1
    env: {SIDE_IMAGE: "registry.example.com/env:1"}
    transformer: {image: "registry.example.com/transformer:1"}
  versions:
    image: registry.example.com/server:1
    canary: {b: {trafficPercent: 10, image: "registry.example.com/server:2"}}
  art:
    format: sklearn
    storageUri: s3://m
    explainer: {art: {type: SquareAttack}}
    spec: {explainer: {art: {runtimeVersion: v8}}}
  several:
    format: sklearn
    storageUri: s3://m
    canary: {a: {trafficPercent: 10, runtimeVersion: v0.18.0}}
    spec: {predictor: {initContainers: [{name: i, image: "registry.example.com/init:1"}]}}
""".replace("@@", "ab" * 32)

M = "mirror.example.com/kserve"
DERIVED = {
    (f"{M}/kserve/huggingfaceserver:v0.20.0-gpu", "ClusterServingRuntime kserve-huggingfaceserver"),
    ("registry.example.com/own:1-gpu", "ClusterServingRuntime own"),
    (f"{M}/kserve/xgbserver:v0.19.0", "InferenceService old"),
    (f"{M}/kserve/art-explainer:v8", "InferenceService art"),
    (f"{M}/kserve/sklearnserver:v0.18.0", "InferenceService several"),
}


@pytest.fixture
def rich(tmp_path):
    file = tmp_path / "rich.yaml"
    file.write_text(RICH)
    return file


def test_every_way_to_name_an_image_is_listed(rich, tmp_path):
    found = set(rendered(parse(both_charts(read([rich]).merged, tmp_path))))
    listed = uses(read([rich]))
    assert {use for use in listed if not use[-1]} == found
    assert {use[:2] for use in listed if use[-1]} == DERIVED
    # One of each kind, lest both sides miss the same.
    names = {image for image, *_ in found}
    own = "side warm x proxy volume own env transformer server init".split()
    assert names >= {f"registry.example.com/{name}:1" for name in own}
    assert names >= {"busybox:1.36", "nginx:1.27", "registry.example.com/models/image:1"}
    assert names >= {f"{M}/kserve/art-explainer:v9", "registry.example.com/agent:9"}
    assert names >= {"registry.example.com/a@sha256:" + "ab" * 32}
    assert not names & {"224", "data/images", "Always"}
