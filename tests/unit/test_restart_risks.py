"""Which edits restart a model and which do not, as `diff` tells it: one case per fact of KServe."""

import json

import pytest

from tests.unit.test_diff import diff, folder, in_mode, model, of, runtime

KNATIVE = in_mode("Knative")


def risks(path, old, new):
    """What `diff` says of two lists of objects: the risks, in order."""
    return diff(folder(path / "old", *old), folder(path / "new", *new))[1]["risks"]


def restarted(path, old, new):
    """The fields of InferenceServices that restart them, each with its object's name."""
    found = risks(path, old, new)
    assert {each["risk"] for each in found} <= {"model-restart"}
    named = [(each["object"].partition(" -n ")[0], each["field"]) for each in found]
    return [(name.removeprefix("InferenceService/"), field) for name, field in named]


def spoken(base, **predictor):
    return base | {"spec": {"predictor": predictor}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("minReplicas", 2),
        ("maxReplicas", 3),
        ("scaleTarget", 5),
        ("scaleMetric", "rps"),
        ("timeout", 90),
        ("containerConcurrency", 4),
    ],
)
def test_a_revision_of_knative_is_made_of_how_it_scales(tmp_path, field, value):
    edited = spoken(KNATIVE, **{field: value})
    assert restarted(tmp_path, [KNATIVE], [edited]) == [("iris", "spec.predictor")]


@pytest.mark.parametrize(
    ("field", "value"), [("minReplicas", 1), ("maxReplicas", 0), ("canaryTrafficPercent", 10)]
)
def test_what_makes_no_revision_restarts_nothing(tmp_path, field, value):
    assert restarted(tmp_path, [KNATIVE], [spoken(KNATIVE, **{field: value})]) == []


@pytest.mark.parametrize("component", ["transformer", "explainer"])
def test_workers_of_other_components_are_in_their_arguments(tmp_path, component):
    def limited(concurrency, replicas):
        own = {"containerConcurrency": concurrency, "minReplicas": replicas}
        return model() | {"spec": {"predictor": own, component: own}}

    found = restarted(tmp_path, [limited(1, 1)], [limited(2, 2)])
    assert found == [("iris", f"spec.{component}")]


@pytest.mark.parametrize(("default", "count"), [("Knative", 1), ("Standard", 0)])
def test_the_mode_of_a_model_may_be_the_clusters(tmp_path, default, count):
    data = {"deploy": f'{{"defaultDeploymentMode": "{default}"}}'}
    config = of("ConfigMap", "inferenceservice-config", data=data)
    old, new = spoken(in_mode(""), minReplicas=1), spoken(in_mode(""), minReplicas=2)
    assert len(restarted(tmp_path, [old, config], [new, config])) == count


FORMAT = {"modelFormat": {"name": "sklearn"}}
STABLE = {"model": {**FORMAT, "storageUri": "s3://a/1"}, "minReplicas": 2}


def canary(own, name="next", percent=10, **predictor):
    made = {"name": name, "model": FORMAT | own, **predictor}
    return {"predictor": made, "trafficPercent": percent}


def with_canaries(*canaries, **stable):
    spec = {"predictor": STABLE | stable, "canary": list(canaries)}
    return in_mode("Standard") | {"spec": spec}


CANARY = canary({"storageUri": "s3://a/2"})


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        (CANARY, canary({"storageUri": "s3://a/3"}), ["spec.canary[next].predictor"]),
        (
            CANARY,
            canary({"storageUri": "s3://a/2", "args": ["a"]}),
            ["spec.canary[next].predictor"],
        ),
        (CANARY, canary({}), ["spec.canary[next].predictor"]),
        # Only what is put over the predictor counts.
        (canary({}), canary({"storageUri": "s3://a/1"}), []),
        (CANARY, canary({"storageUri": "s3://a/2"}, percent=50), []),
        (CANARY, canary({"storageUri": "s3://a/2"}, minReplicas=1), []),
        (CANARY, canary({"storageUri": "s3://a/3"}, name="other"), []),
    ],
)
def test_a_canarys_pods_are_made_of_it_over_the_predictor(tmp_path, old, new, fields):
    found = restarted(tmp_path, [with_canaries(old)], [with_canaries(new)])
    assert found == [("iris", field) for field in fields]


def test_a_canary_that_comes_restarts_nothing(tmp_path):
    assert restarted(tmp_path, [with_canaries()], [with_canaries(CANARY)]) == []


def test_what_differs_in_the_predictor_is_told_once(tmp_path):
    old, new = with_canaries(CANARY), with_canaries(CANARY, serviceAccountName="other")
    assert restarted(tmp_path, [old], [new]) == [("iris", "spec.predictor")]


def test_a_runtime_that_only_a_canary_names_restarts_it(tmp_path):
    one = with_canaries(canary({"runtime": "sklearn"}), model=FORMAT | {"runtime": "mlserver"})
    found = restarted(tmp_path, [one, runtime()], [one, runtime("docker.io/a/b:v2")])
    assert found == [
        ("ClusterServingRuntime/sklearn", "spec"),
        ("iris", "spec.canary[next].predictor"),
    ]


HOLD = "serving.kserve.io/disable-auto-update"
HELD = f'metadata.annotations["{HOLD}"]'


def held(data, value="true"):
    annotations = data["metadata"].get("annotations", {}) | {HOLD: value}
    return data | {"metadata": data["metadata"] | {"annotations": annotations}}


SKLEARN = model(model=FORMAT | {"runtime": "sklearn"})


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        (held(SKLEARN), held(SKLEARN), []),
        (held(SKLEARN, "false"), held(SKLEARN, "false"), ["spec.predictor"]),
        (SKLEARN, SKLEARN, ["spec.predictor"]),
        # It is applied when the runtime may have been taken up already.
        (SKLEARN, held(SKLEARN), ["spec.predictor"]),
        (held(SKLEARN), SKLEARN, [HELD, "spec.predictor"]),
    ],
)
def test_a_model_that_is_left_alone_keeps_its_pods_when_its_runtime_differs(
    tmp_path, old, new, fields
):
    found = restarted(tmp_path, [old, runtime()], [new, runtime("docker.io/a/b:v2")])
    assert sorted(field for name, field in found if name == "iris") == fields


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        (model(), held(model()), []),
        (held(model()), model(), [HELD]),
        (held(model()), held(model(serviceAccountName="a")), []),
        (model(), held(model(serviceAccountName="a")), []),
        (held(model()), model(serviceAccountName="a"), [HELD, "spec.predictor"]),
        (model(), held(model(), "false"), ["metadata.annotations"]),
    ],
)
def test_what_is_edited_of_a_model_that_is_left_alone_restarts_nothing(tmp_path, old, new, fields):
    assert restarted(tmp_path, [old], [new]) == [("iris", field) for field in fields]


def annotated(*keys):
    annotations = dict.fromkeys(keys, "a")
    return model() | {"metadata": model()["metadata"] | {"annotations": annotations}}


KEPT_BACK = [
    "autoscaling.knative.dev/min-scale",
    "autoscaling.knative.dev/max-scale",
    "internal.serving.kserve.io/storage-initializer-sourceuri",
    "kubectl.kubernetes.io/last-applied-configuration",
    "modelFormat",
]


@pytest.mark.parametrize("key", KEPT_BACK)
def test_annotations_that_no_pod_carries_restart_nothing(tmp_path, key):
    old = [annotated(), model("of-a-component")]
    new = [annotated(key), model("of-a-component", annotations={key: "a"})]
    assert restarted(tmp_path, old, new) == []


def test_annotations_are_kept_from_pods_by_the_configmap_too(tmp_path):
    def keeping_back(*keys):
        data = {"inferenceService": json.dumps({"serviceAnnotationDisallowedList": keys})}
        return of("ConfigMap", "inferenceservice-config", data=data)

    old, new = annotated("example.com/a"), annotated("example.com/a", "example.com/b")
    kept = keeping_back("example.com/b")
    for name, (before, after), found in (
        ("kept", (kept, kept), []),
        ("kept from now on", (keeping_back(), kept), []),
        ("others", (keeping_back("c"), keeping_back("c")), [("iris", "metadata.annotations")]),
    ):
        (tmp_path / name).mkdir()
        assert restarted(tmp_path / name, [old, before], [new, after]) == found


BY_NAME = FORMAT | {"runtime": "sklearn"}
FORMATS = [{"name": "sklearn", "autoSelect": True}]


@pytest.mark.parametrize(
    ("predictor", "old", "new", "restarts"),
    [
        ({"model": BY_NAME | {"runtimeVersion": "v9"}}, "a:v1", "a:v2", False),
        ({"model": BY_NAME | {"runtimeVersion": "v9"}}, "a", "a:v2", False),
        ({"sklearn": {"runtimeVersion": "v9"}}, "a:v1", "a:v2", False),
        ({"model": BY_NAME}, "a:v1", "a:v2", True),
        ({"model": BY_NAME | {"runtimeVersion": "v9"}}, "a:v1", "b:v1", True),
        ({"model": BY_NAME | {"runtimeVersion": "v9"}}, "a:v1", "a@sha256:0", True),
        ({"model": BY_NAME | {"runtimeVersion": "v9"}}, "a@sha256:0", "a@sha256:1", True),
    ],
)
def test_a_runtime_version_of_its_own_is_the_images_tag(tmp_path, predictor, old, new, restarts):
    one = model(**predictor)
    before, after = (
        # The port is no tag.
        runtime(f"host:5000/{image}", supportedModelFormats=FORMATS)
        for image in (old, new)
    )
    found = restarted(tmp_path, [one, before], [one, after])
    assert [name for name, _ in found] == ["ClusterServingRuntime/sklearn", "iris"][: 1 + restarts]


def test_a_runtime_version_is_no_tag_of_other_containers(tmp_path):
    def beside(tag):
        containers = [
            {"name": "kserve-container", "image": f"docker.io/a:{tag}"},
            {"name": "proxy", "image": f"docker.io/b:{tag}"},
        ]
        return runtime(containers=containers)

    one = model(model=BY_NAME | {"runtimeVersion": "v9"})
    found = risks(tmp_path, [one, beside("v1")], [one, beside("v2")])
    assert found[1]["reason"] == "its runtime sklearn differs: containers[proxy].image"


def explained(**art):
    spec = {"predictor": {}, "explainer": {"art": {"type": "SquareAttack", **art}}}
    return model() | {"spec": spec}


def explaining(image, tag="v1"):
    data = {"explainers": json.dumps({"art": {"image": image, "defaultImageVersion": tag}})}
    return of("ConfigMap", "inferenceservice-config", data=data)


@pytest.mark.parametrize(
    ("one", "config", "fields"),
    [
        (explained(), explaining("docker.io/ours/art"), ["spec.explainer"]),
        (explained(runtimeVersion="v9"), explaining("docker.io/ours/art"), ["spec.explainer"]),
        (explained(image="docker.io/a/b"), explaining("docker.io/ours/art"), []),
        (held(explained()), explaining("docker.io/ours/art"), []),
        (model(), explaining("docker.io/ours/art"), []),
        # KServe's webhook has written the version into the model.
        (explained(), explaining("docker.io/kserve/art", "v2"), []),
    ],
)
def test_an_explainers_image_is_that_of_the_configmap(tmp_path, one, config, fields):
    old = [one, runtime(), explaining("docker.io/kserve/art")]
    found = restarted(tmp_path, old, [one, runtime(), config])
    assert found == [("iris", field) for field in fields]


def test_values_that_choose_the_explainers_image_restart_its_models(tmp_path):
    iris = {
        "format": "sklearn",
        "storageUri": "s3://models/iris",
        "explainer": {"art": {"type": "SquareAttack"}},
    }
    files = [tmp_path / "old.yaml", tmp_path / "new.yaml"]
    for file, image in zip(files, ({}, {"repository": "ours/art"}), strict=True):
        values = {"models": {"iris": iris}, "inference": {"artExplainer": {"image": image}}}
        file.write_text(json.dumps(values))
    found = [(each["risk"], each["field"]) for each in diff(*files)[1]["risks"]]
    assert ("model-restart", "spec.explainer") in found
