"""`generator model` and `generator routes`: what people have, taken in."""

import errno
import json
import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.errors import ValuesError
from generator.importer.entries import Models, add, read_models
from generator.importer.folder import from_folder
from generator.importer.inferenceservice import from_manifest
from generator.importer.leftovers import comments
from generator.manifests.rendering import models as render_models
from generator.manifests.routes import render
from generator.values.check import read
from generator.yaml.path import dotted
from tests import rendering

AT_ONCE = {"preStopSleepSeconds": 0}  # What an InferenceService without a sleep says of it.
ENTRY = {"format": "sklearn", "storageUri": "s3://m/one", **AT_ONCE}
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def service(**spec: object) -> dict:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m"},
        "spec": spec,
    }


# --- an InferenceService --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predictor", "entry"),
    [
        ({"sklearn": {"storageUri": "s3://m"}}, {"format": "sklearn", "storageUri": "s3://m"}),
        (
            {"model": {"modelFormat": {"name": "onnx", "version": "1"}, "protocolVersion": "grpc-v2",
                       "ports": [{"containerPort": 9000, "name": "h2c", "protocol": "TCP"}]}},
            {"format": "onnx", "formatVersion": "1", "protocol": "grpc-v2"},
        ),
        (
            {"containers": [{"name": "kserve-container", "image": "a/b:1", "env": [
                {"name": "STORAGE_URI", "value": "s3://m"}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}]},
            {"image": "a/b:1", "securityContext": {}, "storageUri": "s3://m", "env": {"A": {"valueFrom": {"fieldRef": {"fieldPath": "x"}}}}},
        ),
        (
            {"model": {"modelFormat": {"name": "sklearn"}, "storage": {"key": "k"}}, "minReplicas": 0, "scaleMetric": "cpu"},
            {"format": "sklearn", "minReplicas": 0, "autoscaling": {"metric": "cpu"},
             "spec": {"predictor": {"model": {"storage": {"key": "k"}}}}},
        ),
        # KServe never reads the batcher's timeout, and the entry has no key for it.
        (
            {"model": {"modelFormat": {"name": "sklearn"}}, "batcher": {"maxBatchSize": 8, "timeout": 9}},
            {"format": "sklearn", "batcher": {"maxBatchSize": 8}, "spec": {"predictor": {"batcher": {"timeout": 9}}}},
        ),
        # Two variables of which one refers to the other keep their order.
        (
            {"model": {"modelFormat": {"name": "sklearn"}, "env": [{"name": "B", "value": "1"}, {"name": "A", "value": "$(B)"}]}},
            {"format": "sklearn", "spec": {"predictor": {"model": {"env": [
                {"name": "B", "value": "1"}, {"name": "A", "value": "$(B)"}]}}}},
        ),
    ],
)  # fmt: skip
def test_an_inference_service_becomes_an_entry(predictor, entry):
    assert from_manifest(service(predictor=predictor)) == entry | AT_ONCE


def test_its_annotations_and_labels_become_keys():
    manifest = service(predictor={"sklearn": {}})
    manifest["metadata"] |= {
        "annotations": {
            "serving.kserve.io/deploymentMode": "RawDeployment",
            "serving.kserve.io/autoscalerClass": "keda",
            "serving.kserve.io/storageSecretName": "bucket",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "example.com/note": "kept",
        },
        "labels": {"networking.kserve.io/visibility": "cluster-local", "team": "ml"},
    }
    assert from_manifest(manifest) == {
        "format": "sklearn",
        "deploymentMode": "Standard",
        "autoscaling": {"class": "keda"},
        "credentials": {"secretName": "bucket"},
        "clusterLocal": True,
        **AT_ONCE,
        "labels": {"team": "ml"},
        "annotations": {"example.com/note": "kept"},
    }


@pytest.mark.parametrize("case", rendering.WITH_MODELS)
def test_what_the_chart_renders_becomes_the_entry_that_it_was(case, tmp_path):
    """There and back: every model of every case, rendered, read and rendered again."""
    values = rendering.values_of(case)
    services = {
        manifest["metadata"]["name"]: manifest
        for manifest in rendering.of_kind(
            rendering.objects(case, chart=rendering.MODELS), "InferenceService"
        )
    }
    again = {name: from_manifest(manifest) for name, manifest in services.items()}
    for name, model in again.items():
        # What a manifest cannot say: which store a Secret comes from.
        credentials = values["models"][name].get("credentials")
        if credentials:
            model["credentials"] = credentials
            model.get("annotations", {}).pop("serving.kserve.io/secretName", None)
    file = tmp_path / "again.yaml"
    file.write_text(json.dumps(values | {"models": again}))
    text = rendering.helm_template(
        rendering.CHARTS[rendering.MODELS],
        rendering.Values.parsed([file]),
        release="kserve-lite-models",
        namespace="default",
        more=(),
    )
    for manifest in rendering.of_kind(rendering.parse(text), "InferenceService"):
        assert manifest == services[manifest["metadata"]["name"]]


# --- a model folder -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "My_Sklearn.Model"
    path.mkdir()
    (path / "model.joblib").write_bytes(b"")
    (path / "sklearnserver.yaml").write_text("modelFormat: sklearn\nmodelUri: s3://m/iris\n")
    return path


def test_a_model_folder_becomes_an_entry(folder):
    assert from_folder(folder) == (
        "my-sklearn-model",
        {"format": "sklearn", "storageUri": "s3://m/iris"},
        [],
    )
    (folder / "sklearnserver.yaml").write_text(
        'modelFormat: {name: sklearn, version: "1"}\nmodelUri: s3://m/iris\n'
    )
    assert from_folder(folder)[1]["formatVersion"] == "1"


def test_what_the_runtime_would_not_find_is_said(folder):
    (folder / "model.joblib").rename(folder / "model.bin")
    with pytest.raises(ValuesError) as caught:
        from_folder(folder)
    assert str(caught.value) == (
        f"{folder}/sklearnserver.yaml:1:1: modelFormat: the sklearn runtime looks for one file like "
        "*.joblib or *.pkl or *.pickle; found none"
    )
    (folder / "a.pkl").touch()
    (folder / "b.pkl").touch()
    with pytest.raises(ValuesError, match=r"found a\.pkl, b\.pkl"):
        from_folder(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modelUri: s3://m\n", "modelFormat: is missing"),
        ("modelFormat: sklearn\n", "modelUri: is missing"),
        ("[]\n", "is not a mapping with modelFormat and modelUri"),
        ("", "is not a mapping with modelFormat and modelUri"),
        ("a: 1\n---\nb: 2\n", "is not a mapping with modelFormat and modelUri"),
        ("\udcff", "is not UTF-8 text; save it as UTF-8"),
        ("a: [\n", "not valid YAML"),
        ("modelFormat: [a]\nmodelUri: s3://m\n", "1:1: modelFormat: is missing"),
        (
            "modelFormat: {name: sklearn, version: [1]}\nmodelUri: s3://m\n",
            "modelFormat.version: is not text",
        ),
        ("modelFormat: sklearn\nmodelUri: 7\n", "2:1: modelUri: is missing"),
        ("modelFormat: tensorflow\nmodelUri: s3://m\n", "missing: [0-9]*/saved_model.pb"),
        (
            "modelFormat: pytorch\nmodelUri: s3://m\n",
            "missing: model-store/*.mar, config/config.properties",
        ),
    ],
)
def test_what_the_description_lacks_is_said(folder, text, said):
    (folder / "sklearnserver.yaml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValuesError) as caught:
        from_folder(folder)
    assert said in str(caught.value)


def test_other_keys_of_the_description_are_said_in_comments(folder):
    (folder / "sklearnserver.yaml").write_text(
        "modelFormat: {name: sklearn, extra: [1]}\nmodelUri: s3://m\nowner: me\n"
    )
    text = str(read_models(folder))
    assert "    # Left out: modelFormat.extra: [1]; an entry has no key for it.\n" in text
    assert '    # Left out: owner: "me"; an entry has no key for it.\n' in text
    assert list(yaml.safe_load(text)["models"]["my-sklearn-model"]) == ["format", "storageUri"]


def test_a_folder_without_a_description_is_refused(tmp_path):
    with pytest.raises(ValuesError, match="found none"):
        from_folder(tmp_path)
    (tmp_path / "sklearnserver.yaml").mkdir()
    with pytest.raises(ValuesError, match=r"sklearnserver\.yaml:1:1: is a folder"):
        from_folder(tmp_path)


def test_a_description_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / "sklearnserver.yaml").symlink_to("nothing")
    with pytest.raises(ValuesError, match=r"server\.yaml:1:1: cannot be read: No such file"):
        from_folder(tmp_path)

    def refuse(_folder):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ValuesError, match="cannot be read: Permission denied"):
        from_folder(tmp_path)


def test_a_folder_whose_name_has_no_letters_needs_a_name(folder):
    nameless = folder.rename(folder.with_name("模型"))
    with pytest.raises(ValuesError, match="use --name"):
        read_models(nameless)
    assert list(read_models(nameless, "mine").entries) == ["mine"]


# --- what else a manifest holds -------------------------------------------------------------------


def written(tmp_path, *objects):
    file = tmp_path / "source.yaml"
    file.write_text(yaml.safe_dump_all(objects, sort_keys=False))
    return file


def named(name, **metadata):
    manifest = service(predictor={"sklearn": {"storageUri": "s3://m/one"}})
    manifest["metadata"] = {"name": name, **metadata}
    return manifest


def listed(*items):
    return {
        "apiVersion": "v1",
        "kind": "List",
        "metadata": {"resourceVersion": ""},
        "items": list(items),
    }


def test_what_kubectl_prints_becomes_entries(tmp_path):
    live = named("a", uid="u", resourceVersion="1", generation=2, creationTimestamp="2026-01-01T00:00:00Z",
                 managedFields=[{"manager": "kubectl"}], finalizers=["inferenceservice.finalizers"],
                 annotations={"modelFormat": "sklearn", "kubectl.kubernetes.io/last-applied-configuration": "{}",
                              "internal.serving.kserve.io/localmodel-pvc-name": "x"})  # fmt: skip
    live["status"] = {"conditions": []}
    live["spec"]["predictor"]["sklearn"]["name"] = ""
    typed = listed(
        *(
            {"metadata": manifest["metadata"], "spec": manifest["spec"]}
            for manifest in (named("c"), named("d"))
        )
    )
    typed |= {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceServiceList"}
    found = read_models(written(tmp_path, listed(live, named("b")), typed, None, named("e")))
    assert found == Models(dict.fromkeys("abcde", ENTRY), {name: [] for name in "abcde"}, [])
    assert yaml.safe_load(str(found)) == {"models": dict.fromkeys("abcde", ENTRY)}


def test_json_and_utf_16_are_read_as_well(tmp_path):
    file = tmp_path / "source"
    for text, encoding in (
        (json.dumps(listed(named("m")), indent=2), "utf-8"),
        (yaml.safe_dump(named("m")), "utf-8-sig"),
        (yaml.safe_dump(named("m")).replace("\n", "\r\n"), "utf-16"),
    ):
        file.write_bytes(text.encode(encoding))
        assert read_models(file).entries == {"m": ENTRY}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}}, "8:1: Job j is left out: it is not an InferenceService; apply it by itself, and leave it out here"),
        ({"apiVersion": "v2", "kind": "Secret", "metadata": {"name": "s"}}, "8:1: Secret s is left out"),
        ({"kind": "InferenceGraph", "metadata": {"name": "g"}}, "InferenceGraph g is left out: it is not an InferenceService; write it under graphs.g, and leave it out here"),
        ({"kind": "TrainedModel"}, "TrainedModel is left out: it is not an InferenceService; write it under trainedModels.NAME, and leave it out here"),
        ("text", "8:1: is left out: it is not an object"),
        ([1], "8:1: is left out: it is not an object"),
        ({"a": 1}, "8:1: is left out: it is not an object with a kind"),
        ({"kind": ["a"]}, "8:1: is left out: it is not an object with a kind"),
        (named("o") | {"apiVersion": "serving.kubeflow.org/v1alpha2"},
         "8:1: apiVersion: InferenceService o is of serving.kubeflow.org/v1alpha2; KServe takes serving"),
        ({**service(), "metadata": {"generateName": "g-"}}, "metadata: InferenceService is left out: it has only a generateName"),
        ({**service(), "metadata": {}}, "metadata: InferenceService is left out: it has no name; set metadata.name"),
        ({**service(), "metadata": [1]}, "it has no name"),
        ({**service(), "metadata": {"name": 7}}, "it has no name"),
        (named("o") | {"spec": "hello"}, "spec: InferenceService o is left out: it has no spec.predictor"),
        (named("o") | {"spec": {"predictor": {}}}, "it has no spec.predictor"),
        (named("o") | {"spec": {"predictor": ["a"]}}, "spec.predictor: a list is not a mapping"),
        (named("o") | {"spec": {"predictor": {"sklearn": None}}}, "spec.predictor.sklearn: null is not a mapping"),
        (named("o") | {"spec": {"predictor": {"sklearn": {"env": ["a"]}}}}, 'spec.predictor.sklearn.env[0]: "a" is not a mapping'),
        (named("o") | {"spec": {"predictor": {"sklearn": {"env": [{"value": "a"}]}}}}, "sklearn.env[0]: name is missing"),
        (named("o") | {"spec": {"predictor": {"sklearn": {"storageURI": "a"}}}}, "did you mean storageUri?"),
        (named("o", labels={"a": 1}), "metadata.labels.a: is not text; quote it"),
        (named("o", annotations=[1]), "metadata.annotations: is not a mapping"),
        (named("o", namespace=["a"]), "metadata.namespace: is not text"),
        (named("Upper"), '8:1: models.Upper: the name "Upper"'),
        (listed() | {"metadata": {"continue": "abc"}}, "metadata.continue: the server has more items"),
    ],
)  # fmt: skip
def test_an_object_that_is_left_out_is_named_and_the_others_are_taken(wrong, said, tmp_path):
    file = tmp_path / "source.yaml"
    one = "{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: %s},\n"
    one += "spec: {predictor: {sklearn: {storageUri: s3://m/one}}}}\n"
    file.write_text(
        f"---\n{one % 'a'}---\n\n---\n{'# comment' if wrong else ''}\n"
        f"{yaml.safe_dump(wrong, sort_keys=False).removesuffix('...' + chr(10))}---\n{one % 'b'}"
    )
    found = read_models(file)
    assert found.entries == {"a": ENTRY, "b": ENTRY}
    assert len(found.left_out) == 1
    assert said in str(found.left_out[0])
    assert str(found.left_out[0]).startswith(f"{file}:")
    assert found.left_out[0].line in range(8, 8 + len(yaml.safe_dump(wrong).splitlines()))


def test_of_two_of_one_name_neither_is_taken(tmp_path):
    file = written(
        tmp_path,
        named("m", namespace="a"),
        named("m", namespace="b"),
        named("p"),
        named("p"),
        named("o"),
    )
    found = read_models(file)
    assert list(found.entries) == ["o"]
    lines = [
        n for n, line in enumerate(file.read_text().splitlines(), 1) if line.startswith("  name: ")
    ]
    assert [problem.line for problem in found.left_out] == lines[:4]
    assert "a/m has the name of another (b/m in " in str(found.left_out[0])
    assert f"{file}:11)" in str(found.left_out[0])


def test_what_an_entry_has_no_key_for_is_said_in_a_comment(tmp_path):
    manifest = named(
        "m",
        namespace="fraud",
        finalizers=["inferenceservice.finalizers", "mine"],
        ownerReferences=[{"kind": "A"}],
        labels={"app.kubernetes.io/instance": "x", "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "c-1",
                "kustomize.toolkit.fluxcd.io/name": "k", "app.kubernetes.io/component": "kept"},
        annotations={"argocd.argoproj.io/tracking-id": "t", "argocd.argoproj.io/sync-wave": "3",
                     "helm.sh/resource-policy": "keep", "meta.helm.sh/release-name": "r\u2028\n"},
    ) | {"speck": {"a": 1}}  # fmt: skip
    found = read_models(written(tmp_path, manifest))
    kept = {
        "labels": {"app.kubernetes.io/component": "kept"},
        "annotations": {"argocd.argoproj.io/sync-wave": "3", "helm.sh/resource-policy": "keep"},
    }
    assert (found.entries, found.left_out) == ({"m": ENTRY | kept}, [])
    text = str(found)
    assert yaml.safe_load(text) == {"models": {"m": ENTRY | kept}}
    comments = [line.strip() for line in text.splitlines() if line.startswith("    # Left out: ")]
    tool = "it ties the object to the tool that applied it."
    assert comments == [
        f"# Left out: {line}"
        for line in (
            'metadata.namespace: "fraud"; the models chart\'s namespace takes its place.',
            'metadata.finalizers: ["inferenceservice.finalizers", "mine"]; an entry has no key for it.',
            'metadata.ownerReferences: [{"kind": "A"}]; an entry has no key for it.',
            'metadata.labels["app.kubernetes.io/instance"]: "x"; the models chart sets this label itself.',
            f'metadata.labels["helm.sh/chart"]: "c-1"; {tool}',
            f'metadata.labels["kustomize.toolkit.fluxcd.io/name"]: "k"; {tool}',
            f'metadata.annotations["argocd.argoproj.io/tracking-id"]: "t"; {tool}',
            f'metadata.annotations["meta.helm.sh/release-name"]: "r\\u2028\\n"; {tool}',
            'speck: {"a": 1}; an entry has no key for it.',
        )
    ]


KEYS = st.text("abc/.-_é\u2028", min_size=1, max_size=6) | st.sampled_from(
    [
        "helm.sh/hook",
        "app.kubernetes.io/name",
        "argocd.argoproj.io/tracking-id",
        "team",
        "modelFormat",
    ]
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.dictionaries(KEYS, st.text(max_size=4)),
        "annotations": st.dictionaries(KEYS, st.text(max_size=4)),
        "namespace": st.text("abc", min_size=1),
        "ownerReferences": st.lists(st.dictionaries(KEYS, st.text(max_size=4)), min_size=1),
        "deletionTimestamp": st.text(max_size=4),
    },
)


@UNHURRIED
@given(METADATA, st.dictionaries(st.text("abc", min_size=3), st.integers()))
def test_all_that_a_manifest_says_is_in_the_entry_or_in_a_comment(metadata, more):
    """Carried, or named: whatever keys there are, but for those that a server writes."""
    manifest = named("m") | more
    manifest["metadata"] |= metadata
    entry = from_manifest(manifest)
    said = comments(manifest)
    paths = list(more) + [
        f"metadata.{key}" for key in metadata if key not in ("labels", "annotations")
    ]
    assert [
        line for line in said if line.startswith(tuple(f"Left out: {path}: " for path in paths))
    ] == [
        line
        for line in said
        if not line.startswith(("Left out: metadata.labels", "Left out: metadata.annotations"))
    ]
    assert all(any(line.startswith(f"Left out: {path}: ") for line in said) for path in paths)
    for kind in ("labels", "annotations"):
        for key, value in metadata.get(kind, {}).items():
            written_by_kserve = kind == "annotations" and (key, value) == ("modelFormat", "sklearn")
            carried = entry.get(kind, {}).get(key) == value
            commented = any(
                line.startswith(f"Left out: {dotted(('metadata', kind, key))}: ") for line in said
            )
            assert (
                written_by_kserve
                or carried
                or commented
                or (key, value) == ("app.kubernetes.io/name", "m")
            )
            assert not (carried and commented)
    assert all(line.isprintable() for line in said)


@pytest.mark.parametrize(
    ("predictor", "entry"),
    [
        # What the values take is taken out of it; the models chart looks for both in the entry.
        ({"sklearn": {}, "logger": {"mode": "all", "metadataHeaders": ["a"]}, "batcher": {"maxBatchSize": 0}},
         {"format": "sklearn", "logger": {"mode": "all"}, "batcher": {},
          "spec": {"predictor": {"logger": {"metadataHeaders": ["a"]}, "batcher": {"maxBatchSize": 0}}}}),
        # No bound, to KServe; the values want one that is.
        ({"sklearn": {}, "maxReplicas": 0}, {"format": "sklearn", "spec": {"predictor": {"maxReplicas": 0}}}),
        # Both at once is for KServe to refuse; none of them is lost.
        ({"sklearn": {"storageUri": "s3://a"}, "model": {"modelFormat": {"name": "onnx"}}},
         {"format": "onnx", "spec": {"predictor": {"sklearn": {"storageUri": "s3://a"}}}}),
        ({"sklearn": {}, "volumes": [{"name": "a", "emptyDir": {}}], "dnsConfig": {}},
         {"format": "sklearn", "spec": {"predictor": {"volumes": [{"name": "a", "emptyDir": {}}], "dnsConfig": {}}}}),
        ({"sklearn": {"env": [{"name": "A"}]}},
         {"format": "sklearn", "spec": {"predictor": {"model": {"env": [{"name": "A"}]}}}}),
        ({"sklearn": {"env": None, "args": None}}, {"format": "sklearn"}),
    ],
)  # fmt: skip
def test_what_the_values_have_no_key_for_stays_in_the_spec(predictor, entry):
    assert from_manifest(service(predictor=predictor)) == entry | AT_ONCE


def test_what_is_parted_between_keys_and_spec_renders_as_it_was(tmp_path):
    model = {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://m/one"}
    container = {"name": "kserve-container", "image": "a/b:1"}
    specs = [
        {"predictor": {"model": model, **more}}
        for more in (
            {"logger": {"mode": "request", "metadataHeaders": ["a"], "url": "http://sink"}},
            {
                "logger": {"mode": "all", "metadataAnnotations": ["a"]},
                "batcher": {"maxBatchSize": 3},
            },
            {"maxReplicas": 3, "minReplicas": 0, "scaleTarget": 70, "scaleMetric": "cpu"},
            {"volumes": [{"name": "a", "emptyDir": {}}], "dnsConfig": {}, "timeout": 9},
        )
    ]
    specs += [
        {"predictor": {"model": {**model, "env": [{"name": "A"}, {"name": "B", "value": ""}], "args": []}}},
        {"predictor": {"model": {**model, "storage": {"key": "k"}, "protocolVersion": "v2", "runtimeVersion": "1"}}},
        {"predictor": {"model": {**model, "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}}},
        {"predictor": {"containers": [{**container, "ports": [{"containerPort": 8080}]}]}},
        {"predictor": {"containers": [{**container, "volumeMounts": [{"name": "a", "mountPath": "/a"}], "securityContext": {}}]}},
        {"predictor": {"model": model},
         "transformer": {"containers": [{**container, "env": [{"name": "STORAGE_URI", "value": "x"}]}], "maxReplicas": 2}},
        {"predictor": {"model": model},
         "transformer": {"containers": [container | {"securityContext": {"runAsUser": 7}}], "maxReplicas": 2, "timeout": 5}},
    ]  # fmt: skip
    sleep = {"lifecycle": {"preStop": {"sleep": {"seconds": 7}}}}
    after = {"terminationGracePeriodSeconds": 37}
    own = {"lifecycle": {"preStop": {"exec": {"command": ["a"]}}}}
    specs += [
        {"predictor": {"model": model | sleep, **after}},
        {"predictor": {"model": model | sleep}},
        {"predictor": {"model": model | sleep, "terminationGracePeriodSeconds": 60}},
        {"predictor": {"model": model, **after}},
        {"predictor": {"model": model | own, **after}},
        {"predictor": {"model": model | {"lifecycle": sleep["lifecycle"] | {"postStart": {}}}, **after}},
        {"predictor": {"containers": [container | sleep], **after}},
        {"predictor": {"containers": [container | own]}},
        {"predictor": {"model": model | sleep, **after}, "transformer": {"containers": [container | sleep], **after}},
        {"predictor": {"model": model | sleep, **after}, "transformer": {"containers": [container]}},
        {"predictor": {"model": model}, "transformer": {"containers": [container | sleep], **after}},
        {"predictor": {"model": model}, "explainer": {"art": {"type": "SquareAttack", **sleep}, **after}},
    ]  # fmt: skip
    manifests = [
        service(**spec) | {"metadata": {"name": f"m{number}"}} for number, spec in enumerate(specs)
    ]
    source, file = tmp_path / "source.json", tmp_path / "values.json"
    source.write_text(json.dumps(listed(*manifests)))
    found = read_models(source)
    assert found.left_out == []
    file.write_text(json.dumps({"models": found.entries}))
    text = render_models(read([file]))
    rendered = {
        manifest["metadata"]["name"]: manifest
        for manifest in rendering.of_kind(rendering.parse(text), "InferenceService")
    }
    assert [rendered[f"m{number}"]["spec"] for number in range(len(specs))] == specs


def test_a_label_of_visibility_that_says_something_else_is_kept():
    manifest = named("m", labels={"networking.kserve.io/visibility": "public"})
    assert from_manifest(manifest)["labels"] == manifest["metadata"]["labels"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "holds no InferenceService"),
        (b"# nothing\n---\n", "holds no InferenceService"),
        (b"kind: List\nitems: []\n", "holds no InferenceService"),
        (b"\x80\x00", "is not UTF-8 text; save it as UTF-8"),
        (b"\xff\xfea", "is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_a_source_with_nothing_in_it_is_refused(text, said, tmp_path):
    file = tmp_path / "source"
    file.write_bytes(text)
    with pytest.raises(ValuesError) as caught:
        read_models(file)
    assert str(caught.value).startswith(f"{file}:1:1: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", r"4:1: not valid YAML"),
        ("a: !mine b", r"3:4: .*the tag !mine "),
        ("a: !!binary aaaa", r"3:4: .*the tag .*binary "),
        ("a: !!int x", r"\d:\d: .*int"),
        ("a: {<<: [1]}", r"3:\d+: .*mapping"),
        ("\x00", r"\d:1: not valid YAML: .* character"),
        ("a: &a [*a]", r"\d:\d: .*an anchor holds itself"),
        ("[" * 100_000, r"3:10\d: .* deep"),
        ("- " * 10_000, r"3:\d+: .* deep"),
        ("".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9 if n else 'x'}]\n" for n in range(40)), r"8:\d+: .*aliases stand for more"),
        ("a: " + "9" * 5000, r"\d:\d: .*(Exceeds the limit|is more than)"),
        ("a: 012", r"3:4: a: parsers read 012 differently"),
        ("a: 1\na: 2", r"4:1: a: the key is there already, in line 3"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_named_and_the_others_are_taken(text, said, tmp_path):
    file = tmp_path / "source.yaml"
    file.write_text(f"{json.dumps(named('m'))}\n---\n{text}\n---\n{json.dumps(named('o'))}\n")
    started = time.monotonic()
    found = read_models(file)
    assert time.monotonic() - started < 5
    assert list(found.entries) == ["m", "o"]
    (problem,) = found.left_out
    assert re.match(re.escape(f"{file}:") + said, str(problem))


def test_a_name_is_for_one(tmp_path):
    assert list(read_models(written(tmp_path, named("m")), "other").entries) == ["other"]
    with pytest.raises(ValuesError, match="has 2 InferenceServices, and --name is for one"):
        read_models(written(tmp_path, named("m"), named("p")), "other")


# --- into the values file -------------------------------------------------------------------------


def test_entries_are_added_all_or_none_and_the_rest_of_the_file_stays(tmp_path):
    file = tmp_path / "my.yaml"
    before = b"\xef\xbb\xbfplatform: openshift\r\nmodels:\r\n  b: {image: x}\r\n\r\n# end"
    file.write_bytes(before)
    found = read_models(written(tmp_path, named("m", namespace="a"), named("p")))
    assert add(file, found) == {"m": "+", "p": "+"}
    lines = str(found).encode().replace(b"models:\n", b"").replace(b"\n", b"\r\n")
    assert lines.count(b"Left out") == 1
    assert file.read_bytes() == before.replace(b"x}\r\n", b"x}\r\n" + lines)
    state = file.stat()
    assert add(file, found) == {"m": "=", "p": "="}
    assert file.stat() == state


@pytest.mark.parametrize("nothing", ["", " null", " ~"])
def test_a_file_with_no_model_yet_gets_its_first(nothing, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(f"models:{nothing}\n  # a: {{image: x}}\nplatform: openshift\n")
    add(file, Models({"m": ENTRY}, {}))
    entry = "  m:\n    format: sklearn\n    storageUri: s3://m/one\n    preStopSleepSeconds: 0\n"
    rest = "  # a: {image: x}\nplatform: openshift\n"
    assert file.read_text() == f"models:\n{entry}{rest}"


def test_a_byte_order_mark_stays_where_it_is(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_bytes(b"\xef\xbb\xbfmodels: {}  # none\n")
    add(file, Models({"m": ENTRY}, {}))
    entry = b"  m:\n    format: sklearn\n    storageUri: s3://m/one\n    preStopSleepSeconds: 0\n"
    assert file.read_bytes() == b"\xef\xbb\xbfmodels:  # none\n" + entry


def test_adding_refuses_what_is_there_or_wrong_and_leaves_the_file(tmp_path):
    file = tmp_path / "my.yaml"
    good = Models({"n": ENTRY}, {"n": []})
    for text, models, said in (
        ("models:\n  m: {image: x}\n", Models({"n": ENTRY, "m": ENTRY}, {}), "my.yaml:2:3: models.m: is there already"),
        ("models: {a: {image: x}}\n", good, "written with braces"),
        ("platform: openshif\n", good, "my.yaml:1:1: platform: .*openshif"),
        ("- a\n", good, "my.yaml:1:1: is a list; values are a mapping of keys"),
        ("a: b\n\udc80", good, "my.yaml:2:1: is not UTF-8 text; save it as UTF-8"),
        ("a: [", good, "not valid YAML"),
        ("a: !x b\n", good, "the tag !x"),
        ("[" * 100_000, good, " deep"),
        ("", Models({"Bad": ENTRY}, {}), 'the name "Bad"'),
    ):  # fmt: skip
        file.write_bytes(text.encode(errors="surrogateescape"))
        before = file.read_bytes()
        with pytest.raises(ValuesError, match=said):
            add(file, models)
        assert file.read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


def test_a_draft_of_a_run_that_was_killed_is_not_taken_for_the_file(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("platform: openshift\n")
    drafts = [tmp_path / ".my.yaml.kserve-lite", tmp_path / ".my.yaml.abcdefgh"]
    for draft in drafts:
        draft.write_text("platform: kubernetes\n")
    add(file, Models({"m": ENTRY}, {}))
    assert file.read_text().startswith("platform: openshift\n")
    assert sorted(tmp_path.iterdir()) == sorted([file, *drafts])


# --- routes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["istio-models", "models-by-host"])
def test_a_model_applied_by_hand_gets_the_routes_of_a_declared_one(case, tmp_path):
    graphs = rendering.given(case).whole["graphs"]
    declared = [
        manifest
        for manifest in rendering.objects(case, chart=rendering.MODELS)
        if manifest["metadata"]["name"] not in graphs
    ]
    file = tmp_path / "services.yaml"
    file.write_text(yaml.safe_dump_all(rendering.of_kind(declared, "InferenceService")))
    routes = [
        manifest
        for text in render([file], rendering.given(case))
        for manifest in rendering.parse(text)
    ]
    assert sorted(map(rendering.identity, routes)) == sorted(
        rendering.identity(manifest)
        for manifest in declared
        if manifest["kind"] != "InferenceService"
    )
    by_identity = rendering.by_identity(declared)
    assert all(route == by_identity[rendering.identity(route)] for route in routes)


def test_models_of_one_name_in_two_namespaces_have_routes_both(tmp_path):
    file = written(
        tmp_path, listed(named("m", namespace="a"), named("m", namespace="b"), named("m"))
    )
    routes = [
        manifest
        for text in render([file], rendering.given("istio-models"))
        for manifest in rendering.parse(text)
    ]
    services = rendering.of_kind(routes, "Service")
    assert [manifest["metadata"]["namespace"] for manifest in services] == ["a", "b", "default"]


def test_what_gets_no_route_is_named_and_the_others_get_theirs(tmp_path):
    file = written(
        tmp_path, named("m"), named("twice", namespace="default"), named("twice"),
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}, named("n" * 60),
    )  # fmt: skip
    texts = []
    with pytest.raises(ValuesError) as caught:
        texts.extend(render([file], rendering.given("istio-models")))
    routed = {manifest["metadata"]["name"] for text in texts for manifest in rendering.parse(text)}
    assert routed == {"m", "m-predictor"}
    said = [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]
    assert len(said) == 4
    assert "twice has the name of another (default/twice in" in "".join(said)
    assert "Secret s is no model; apply it by itself" in "".join(said)
    assert "has 60 characters" in "".join(said)


def manifest_text(name: str, *, more: str = "", predictor: str = "", spec: str = "") -> str:
    """An InferenceService as people write one, with some lines more."""
    return f"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
{more}
spec:
  predictor:
{predictor}
    model: {{modelFormat: {{name: sklearn}}, storageUri: "s3://a/b"}}
{spec}
"""


VERSION = "  - {{trafficPercent: {}, predictor: {{name: {}, sklearn: {{}}}}}}"
WRONG = [
    ({"more": "  annotations: {serving.kserve.io/deploymentMode: Serverless}"}, "serving.kserve.io/dep", 'metadata.annotations["serving.kserve.io/deploymentMode"]', "it runs on Knative"),
    ({"more": "  namespace: Bad_NS"}, "namespace", "metadata.namespace", '"Bad_NS" is not a namespace'),
    ({"more": "  labels: {team: a b}"}, "team", "metadata.labels.team", '"a b" is not a label'),
    ({"predictor": "    logger: {mode: foo}"}, "mode", "spec.predictor.logger.mode", "is not one of"),
    # What the chart refuses, and not the generator.
    ({"spec": "  canary:\n" + VERSION.format(60, "a") + "\n" + VERSION.format(60, "b")}, "canary:", "spec.canary", "add up to 120"),
    ({"spec": "  canary:\n" + VERSION.format(1, "c" * 21)}, "{trafficPercent", "spec.canary[0]", "has 21 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "at", "path", "said"), WRONG)
def test_what_is_wrong_with_a_model_is_said_where_it_is(parts, at, path, said, tmp_path):
    """And the model after it has its route."""
    file = tmp_path / "services.yaml"
    first = manifest_text("first", **parts)
    file.write_text(f"{first}---\n{manifest_text('second')}")
    texts = []
    with pytest.raises(ValuesError) as caught:
        texts.extend(render([file], rendering.given("istio-models")))
    (problem,) = caught.value.problems
    line = next(number for number, text in enumerate(first.splitlines(), 1) if at in text)
    assert (problem.file, problem.line, problem.path) == (str(file), line, path)
    assert problem.column == first.splitlines()[line - 1].index(at) + 1
    assert said in problem.message
    routed = {each["metadata"]["name"] for text in texts for each in rendering.parse(text)}
    assert routed == {"second", "second-predictor"}


def test_a_remedy_for_a_model_names_what_its_manifest_has(tmp_path):
    file = tmp_path / "services.yaml"
    canary = f"  canary:\n{VERSION.format(9, 'a')}\n  transformer: {{containers: [{{name: a, image: a}}]}}"
    mode = "  labels: {networking.kserve.io/visibility: cluster-local}"
    file.write_text(manifest_text("m", more=mode, spec=canary))
    with pytest.raises(ValuesError) as caught:
        list(render([file], rendering.given("istio-models")))
    assert len(caught.value.problems) == 2
    assert "models." not in str(caught.value)


def test_a_model_that_lacks_what_a_template_asks_for_is_named(tmp_path):
    values = tmp_path / "values.yaml"
    template = "{{ .Labels.team }}.{{ .IngressDomain }}"
    values.write_text(json.dumps({"routing": {"mode": "virtualService", "domain": "a.b", "domainTemplate": template}}))  # fmt: skip
    file = tmp_path / "services.yaml"
    file.write_text(manifest_text("m"))
    with pytest.raises(ValuesError) as caught:
        list(render([file], read([values])))
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.path) == (str(file), 4, "metadata.name")
    assert "which the model does not have" in problem.message


def test_a_folder_of_manifests_is_refused(tmp_path):
    with pytest.raises(ValuesError, match="is a folder; name the files in it"):
        list(render([tmp_path], rendering.given("istio-models")))


def test_routes_that_kserve_writes_are_not_written(tmp_path):
    file = tmp_path / "service.yaml"
    file.write_text(yaml.safe_dump(service(predictor={"sklearn": {}})))
    with pytest.raises(ValuesError, match=r"set routing\.mode=virtualService"):
        list(render([file], rendering.given("istio-gateway-api")))
