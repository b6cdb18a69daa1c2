"""`images`: the list is what both charts' objects name and what KServe makes of that."""

import json
import re

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from generator import CHART, MODELS
from generator.cli.images import images as command
from generator.images.inventory import escapes, gaps, images
from generator.images.lock import FILL, pin
from generator.images.usage import repository, within
from generator.values.check import read
from generator.yaml.embedded import opened
from generator.yaml.writer import dump
from tests.images import listed, named
from tests.rendering import CASES, WITH_MODELS, both_charts, given, objects, parse, walk
from tests.unit.test_cli import run

# A text that can be nothing but an image: a registry, a path, and a tag or a digest.
IMAGE = re.compile(
    r"(?:oci://)?((?:[a-z0-9-]+\.)+[a-z0-9-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)+"
    r"(?::[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64}))"
)


def everything(case):
    return [
        data
        for chart in (CHART, MODELS)
        if chart == CHART or case in WITH_MODELS
        for data in objects(case, chart=chart)
    ]


@pytest.mark.parametrize("case", CASES)
def test_the_list_is_what_helm_renders_field_by_field(case):
    assert listed(given(case)) == set(named(everything(case)))


@pytest.mark.parametrize("case", CASES)
def test_no_text_that_is_an_image_is_missing_from_the_list(case):
    """By the form of the text alone, wherever it stands, without what finds images here."""
    texts = [text for data in everything(case) for _, text in walk(opened(data))]
    found = {
        match[1] for text in texts if isinstance(text, str) and (match := IMAGE.fullmatch(text))
    }
    assert found - {image.reference for image in images(given(case))} == set()


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
    storageUri: s3://m
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
    found = set(named(parse(both_charts(read([rich]).merged, tmp_path))))
    assert listed(read([rich])) == found
    assert {use[:2] for use in listed(read([rich]), derived=True)} == DERIVED
    # One of each kind, lest both sides miss the same.
    names = {image for image, *_ in found}
    own = ["side", "warm", "x", "proxy", "volume", "own", "env", "transformer", "server", "init"]
    assert names >= {f"registry.example.com/{name}:1" for name in own}
    assert names >= {"busybox:1.36", "nginx:1.27", "registry.example.com/models/image:1"}
    assert names >= {f"{M}/kserve/art-explainer:v9", "registry.example.com/agent:9"}
    assert names >= {"registry.example.com/a@sha256:" + "ab" * 32}
    assert not names & {"224", "data/images", "Always"}


DIGEST = "sha256:" + "cd" * 32


def images_of(*arguments):
    """What the command does, in this process."""
    return CliRunner().invoke(command, [*map(str, arguments)])


def locked(values, folder, digest=DIGEST):
    """A lock of all images of some values, each with one digest."""
    done = images_of("-f", values, "--format=lock")
    assert done.exit_code == 0, done.output
    file = folder / "images.lock"
    file.write_text(re.sub(r': ""$', f': "{digest}"', done.stdout, flags=re.MULTILINE))
    return file


def test_the_report_says_what_uses_each_image(rich):
    done = images_of("-f", rich)
    assert done.exit_code == 0
    (block,) = [block for block in done.stdout.split("\n\n") if "server:v0.20.0-gpu" in block]
    assert block.splitlines() == [
        "mirror.example.com/kserve/kserve/huggingfaceserver:v0.20.0-gpu",
        "  copied from  docker.io/kserve/huggingfaceserver:v0.20.0-gpu",
        "  platforms    linux/amd64",
        "  used by      ClusterServingRuntime kserve-huggingfaceserver: spec.containers[0].image, "
        "for a model that asks for a GPU",
    ]


def test_json_has_all_of_the_report(rich):
    done = images_of("-f", rich, "--output=json")
    every = {image["image"]: image for image in json.loads(done.stdout)["images"]}
    assert every.keys() == {image.reference for image in images(read([rich]))}
    agent = every[f"{M}/kserve/agent:v0.20.0"]
    assert agent["source"] == "docker.io/kserve/agent:v0.20.0"
    assert "linux/arm64" in agent["platforms"]
    assert {use["field"] for use in agent["usedBy"]} == {"data.batcher.image", "data.logger.image"}
    assert {use["value"] for use in agent["usedBy"]} == {"inference.agent.image"}
    (use,) = every["registry.example.com/own:1-gpu"]["usedBy"]
    assert use["derived"] == "for a model that asks for a GPU"


def test_a_list_is_what_the_cluster_pulls(rich):
    lines = images_of("-f", rich, "--format=list").stdout.splitlines()
    assert sorted(lines) == sorted({image.reference for image in images(read([rich]))})


def test_check_finds_what_escapes_where_the_values_say_so(tmp_path):
    file = tmp_path / "my.yaml"
    model = "{image: 'mirror.example.com/kserve-evil/server:1'}"
    file.write_text(
        f"global: {{imageRegistry: mirror.example.com/kserve}}\nmodels:\n  a: {model}\n"
    )
    done = run("images", "-f", file, "--check")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{file}:3:7: models.a.image: mirror.example.com/kserve-evil/server:1 is not from "
        "mirror.example.com/kserve; copy it there and name that"
    ]
    file.write_text(file.read_text().replace("-evil", ""))
    assert run("images", "-f", file, "--check").returncode == 0
    file.write_text("{}")
    done = run("images", "-f", file, "--check")
    assert (done.returncode, "global.imageRegistry: is empty" in done.stderr) == (1, True)


@pytest.mark.parametrize("case", CASES)
def test_check_agrees_with_the_rendered_objects(case):
    registry = given(case).whole["global"]["imageRegistry"]
    escaped = {image for image, *_ in named(everything(case)) if not within(registry, image)}
    found = list(escapes(given(case)))
    assert {problem.message.partition(" is not")[0] for problem in found if registry} == (
        escaped if registry else set()
    )
    assert bool(found) == bool(escaped or not registry)


def test_a_model_of_a_runtime_that_others_install_is_said_not_to_be_known(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("models:\n  a: {format: sklearn, storageUri: 's3://m', runtime: theirs}\n")
    done = run("images", "-f", file, "--format=list")
    assert done.returncode == 0
    assert done.stderr == (
        f"not listed: {file}:2:46: models.a.runtime: no runtime of these values serves a, so the "
        "image of its server is not known\n"
    )


def test_a_model_of_an_unknown_format_is_found_where_the_format_is_written(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(
        "models:\n  spec: {format: own, storageUri: 's3://m'}\n"
        "  a: {spec: {predictor: {model: {modelFormat: {name: own}, storageUri: 's3://m'}}}}\n"
    )
    said = [str(gap) for gap in gaps(read([file]))]
    assert sorted(line.partition(": no runtime")[0] for line in said) == [
        f"{file}:2:10: models.spec.format",
        f"{file}:3:34: models.a.spec.predictor.model.modelFormat",
    ]


def test_what_kserve_derives_for_a_service_in_extra_objects_is_not_listed(tmp_path):
    model = {"modelFormat": {"name": "sklearn"}, "runtimeVersion": "v0.18.0"}
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "a"},
        "spec": {"predictor": {"model": model}},
    }
    entry = {"format": "sklearn", "runtimeVersion": "v0.18.0", "storageUri": "s3://m"}
    for values, there in (
        ({"extraObjects": {"a": service}}, False),
        ({"models": {"a": entry}}, True),
    ):
        file = tmp_path / "my.yaml"
        file.write_text(dump(values))
        found = {image.reference for image in images(read([file]))}
        assert ("docker.io/kserve/sklearnserver:v0.18.0" in found) == there


def test_two_images_of_one_name_in_the_mirror_are_said(tmp_path):
    file = tmp_path / "my.yaml"
    own = "{registry: quay.io, repository: kserve/agent, tag: v0.20.0}"
    runtimes = f"runtimes: {{sklearn: {{image: {own}}}}}\n"
    file.write_text(runtimes)
    assert not [*gaps(read([file]))]
    file.write_text(f"{runtimes}global: {{imageRegistry: mirror.example.com}}\n")
    (gap,) = gaps(read([file]))
    assert str(gap).startswith(
        f"{file}:1:22: runtimes.sklearn.image: quay.io/kserve/agent:v0.20.0 has the same name in "
        "the mirror as docker.io/kserve/agent:v0.20.0"
    )


def test_options_that_say_two_things_are_refused():
    for options, why in (
        (["--format=list", "--output=json"], "leave --format out"),
        (["--check", "--format=list"], "leave --format and --output out"),
        (["--format=values"], "--format lock makes one"),
        (["-f", "-", "--digests", "-"], "name - once"),
    ):
        done = images_of(*options)
        assert (done.exit_code, why in done.output) == (2, True), options


# Of those tools, which no package has for us, we know the types that they read: closed schemas.
NAMES = {"type": "array", "minItems": 1, "items": {
    "type": "object", "required": ["name"], "additionalProperties": False,
    "properties": {"name": {"type": "string", "pattern": r"^\S+/\S+[:@]\S+$|^[a-z]+:\S+$"}},
}}  # fmt: skip
SCHEMAS = {
    # openshift/oc-mirror 855b64a3, 2026-08-21: internal/pkg/config/load.go refuses unknown fields;
    # internal/pkg/api/v2alpha1/type_config.go has these.
    "oc-mirror": {
        "apiVersion": {"const": "mirror.openshift.io/v2alpha1"},
        "kind": {"const": "ImageSetConfiguration"},
        "mirror": {
            "type": "object",
            "required": ["additionalImages"],
            "additionalProperties": False,
            "properties": {"additionalImages": NAMES},
        },
    },
    # hauler-dev/hauler 923a92d8, 2026-08-19: pkg/apis/hauler.cattle.io/v1/image.go.
    "hauler": {
        "apiVersion": {"const": "content.hauler.cattle.io/v1"},
        "kind": {"const": "Images"},
        "metadata": {"properties": {"name": {"type": "string"}}},
        "spec": {
            "type": "object",
            "required": ["images"],
            "additionalProperties": False,
            "properties": {"images": NAMES},
        },
    },
}


def names_in(form, text):
    """The images in a document of one of the tools, which its schema takes."""
    data = yaml.safe_load(text)
    fields = SCHEMAS[form]
    schema = {"required": list(fields), "additionalProperties": False, "properties": fields}
    jsonschema.validate(data, schema)
    images = data["spec"]["images"] if form == "hauler" else data["mirror"]["additionalImages"]
    return [image["name"] for image in images]


@pytest.mark.parametrize("form", SCHEMAS)
@pytest.mark.parametrize("case", ["airgap", "everything-on", "default", "custom-container"])
def test_a_tools_document_has_every_source_once(form, case):
    text = images_of("-f", CASES[case], f"--format={form}").stdout
    names = names_in(form, text)
    assert names == sorted({image.source for image in images(given(case))})


def test_what_the_mirror_has_of_its_own_is_not_copied(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("global: {imageRegistry: mirror.example.com}\n"
                    "models: {a: {image: 'mirror.example.com/own:1'}, b: {image: 'quay.io/x/b:1'}}\n")  # fmt: skip
    for form in SCHEMAS:
        text = images_of("-f", file, f"--format={form}").stdout
        assert "# Named from the mirror, so put there by you: mirror.example.com/own:1" in text
        names = names_in(form, text)
        assert "quay.io/x/b:1" in names
        assert not [name for name in names if name.startswith("mirror.example.com")]
    script = images_of("-f", file, "--format=skopeo").stdout.splitlines()
    assert (
        "# Named from mirror.example.com, so put there by you: mirror.example.com/own:1" in script
    )
    assert any(line.startswith("# Not copied") and "quay.io/x/b:1" in line for line in script)


def test_what_is_no_variable_names_no_image(tmp_path):
    """Objects of other kinds may have anything in a field `env`."""
    file = tmp_path / "my.yaml"
    own = {"apiVersion": "example.com/v1", "kind": "Task", "metadata": {"name": "task"}}
    env = ["WORD", ["LIST"], 3, None, {"name": "A_IMAGE", "value": "registry.example.com/a:1"}]
    values = {
        "extraObjects": {"task": {**own, "env": env}},
        "configOverrides": {"own": {"env": env}},
    }
    file.write_text(dump(values))
    (image,) = (each for each in images(read([file])) if each.name == "a")
    assert {use.field for use in image.uses} == {"env", "data.own.env"}


def test_a_text_that_is_no_image_is_in_no_list(tmp_path):
    """A ConfigMap's data may be called `image`; a line break in it would end a comment of sh."""
    no_images = {
        "image": "a\ntouch owned",
        "iconImage": "data:image/png;base64,AA==",
        "emptyImage": "",
        "sentenceImage": "not an image",
        "storageUri": "oci://a\nb",
        "mirrorImage": "mirror.example.com/z\nkind: other",
    }
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    own = {"settings": settings | {"data": no_images}}
    file = tmp_path / "my.yaml"
    file.write_text(dump({"global": {"imageRegistry": "mirror.example.com"}, "extraObjects": own}))
    assert not [image for image in images(read([file])) if "ConfigMap settings" in str(image.uses)]
    for form in ("list", "skopeo", "hauler", "lock"):
        done = images_of("-f", file, "--format", form).stdout
        assert not re.search("touch|^kind: other|data:image", done)


def test_a_script_needs_somewhere_to_copy_to():
    done = run("images", "--format=skopeo")
    assert done.returncode == 1
    # No file is named where none was given.
    assert done.stderr.startswith("global.imageRegistry: is empty, so nothing says where to copy")


def test_a_lock_has_each_image_and_the_digests_that_are_known(rich):
    done = images_of("-f", rich, "--format=lock")
    assert done.exit_code == 0
    digests = yaml.safe_load(done.stdout)
    assert digests.keys() == {image.source for image in images(read([rich]))}
    known = "sha256:" + "ab" * 32
    assert {digest for digest in digests.values() if digest} == {known}
    assert digests[f"docker.io/tensorflow/serving@{known}"] == known
    assert FILL in done.stdout


def test_a_lock_pins_what_can_be_pinned_and_says_what_cannot(rich, tmp_path):
    lock = locked(rich, tmp_path)
    done = images_of("-f", rich, "--digests", lock, "--format=values")
    assert done.exit_code == 0, done.output
    pinned = tmp_path / "digests.yaml"
    pinned.write_text(done.stdout)
    found = {
        image for image, *_ in named(parse(both_charts(read([rich, pinned]).merged, tmp_path)))
    }
    left = {image for image in found if "@sha256:" not in image}
    notes = dict(re.findall(r"^not pinned: (\S+) at \S+: (.+)$", done.stderr, re.MULTILINE))
    assert left <= notes.keys()
    assert f"{M}/kserve/agent@{DIGEST}" in found
    assert f"registry.example.com/server@{DIGEST}" in found
    assert f"registry.example.com/models/image@{DIGEST}" in found
    for image, why in (
        (f"{M}/kserve/huggingfaceserver:v0.20.0", "KServe chooses it by hardware"),
        (f"{M}/kserve/art-explainer:v9", "takes no digest"),
        (f"{M}/kserve/xgbserver:v0.20.0", "runtimeVersion"),
        ("nginx:1.27", "write the digest there"),
    ):
        assert why in notes[image], image
        assert image in left


@pytest.mark.parametrize("case", CASES)
def test_a_pinned_release_is_valid_and_runs_the_same_repositories(case, tmp_path):
    pinned = pin(given(case), str(locked(CASES[case], tmp_path)))
    file = tmp_path / "digests.yaml"
    file.write_text(dump(pinned.added))
    both = read([CASES[case], file])
    assert both.merged == pinned.values.merged
    old, new = (sorted(repository(image) for image, *_ in named(parse(both_charts(values.merged, tmp_path))))
                for values in (given(case), both))  # fmt: skip
    assert old == new
    # What KServe would run by hardware, or by a model's runtimeVersion, stays in the list.
    assert listed(given(case), derived=True) == listed(both, derived=True)


def test_a_lock_that_is_old_or_wrong_is_refused(rich, tmp_path):
    lock = locked(rich, tmp_path)
    lines = lock.read_text().splitlines()
    lines = [line for line in lines if not line.startswith("docker.io/kserve/router:")]
    lock.write_text("\n".join(lines).replace(DIGEST, "sha256:12", 1))
    done = run("images", "-f", rich, "--digests", lock, "--format=values")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "has no line for docker.io/kserve/router:v0.20.0; make it anew with --format lock"
        in done.stderr
    )
    assert re.search(r'images\.lock:\d+:\d+: .*"sha256:12" is not a digest', done.stderr)


def test_a_lock_without_digests_pins_nothing_and_says_so(rich, tmp_path):
    lock = locked(rich, tmp_path, digest="")
    done = images_of("-f", rich, "--digests", lock, "--format=values")
    assert (done.exit_code, done.stdout) == (0, "{}\n")
    assert (
        f"not pinned: {M}/kserve/router:v0.20.0 at inference.router.image: the lock has no digest"
        in done.stderr
    )
