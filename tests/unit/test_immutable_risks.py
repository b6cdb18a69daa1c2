"""Which edits the API server and KServe's webhook refuse, as `diff` tells it."""

import pytest

from tests.unit.test_diff import diff, folder, of


def refused(path, old, new):
    """The fields for which `diff` says that the apply fails."""
    beside = of("ConfigMap", "beside")
    old, new = (folder(path / n, each, beside) for n, each in (("old", old), ("new", new)))
    risks = diff(old, new)[1]["risks"]
    found = [each["field"] for each in risks if each["risk"] == "immutable-field"]
    # What is refused restarts nothing.
    assert not found or len(risks) == len(found)
    return found


def spec(kind, **more):
    return of(kind, "a", spec=more)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (of("Secret", "a"), of("Secret", "a", type="kubernetes.io/tls"), "type"),
        (of("Secret", "a", type="kubernetes.io/tls"), of("Secret", "a"), "type"),
        (of("Secret", "a"), of("Secret", "a", type="Opaque"), None),
        (spec("Service"), spec("Service", clusterIP="None"), "spec.clusterIP"),
        (spec("Service", clusterIP=""), spec("Service", clusterIP="None"), "spec.clusterIP"),
        (spec("Service", clusterIP="10.0.0.1"), spec("Service", clusterIP="10.0.0.2"), "spec.clusterIP"),
        # The API server keeps what there was, and an external name has no address.
        (spec("Service", clusterIP="None"), spec("Service"), None),
        (spec("Service", type="ExternalName"), spec("Service", clusterIP="None"), None),
        # It may be the address that was given.
        (spec("Service"), spec("Service", clusterIP="10.0.0.1"), None),
        (spec("StatefulSet"), spec("StatefulSet", serviceName="a"), "spec.serviceName"),
        (spec("StatefulSet"), spec("StatefulSet", serviceName=""), None),
        (spec("StatefulSet"), spec("StatefulSet", volumeClaimTemplates=[{"a": "b"}]), "spec.volumeClaimTemplates"),
        (spec("StatefulSet"), spec("StatefulSet", volumeClaimTemplates=[]), None),
        (spec("Job"), spec("Job", completionMode="Indexed"), "spec.completionMode"),
        (spec("Job"), spec("Job", completionMode="NonIndexed"), None),
        (spec("Job"), spec("Job", selector={"matchLabels": {"a": "b"}}), None),
        (spec("PersistentVolumeClaim"), spec("PersistentVolumeClaim", storageClassName="a"), None),
    ],
)  # fmt: skip
def test_a_field_that_was_absent_had_a_value_all_the_same(tmp_path, old, new, field):
    assert refused(tmp_path, old, new) == ([field] if field else [])


@pytest.mark.parametrize(
    ("old", "new", "refuses"),
    [("1Gi", "2Gi", True), ("1Gi", "1024Mi", False), ("1.0Gi", "1Gi", False), ("1", 1, False)],
)
def test_kserve_refuses_other_memory_of_a_trained_model(tmp_path, old, new, refuses):
    old, new = (spec("TrainedModel", model={"memory": each}) for each in (old, new))
    assert refused(tmp_path, old, new) == ["spec.model.memory"] * refuses


def own_server(name, uri):
    env = [{"name": "STORAGE_URI", "value": uri}]
    container = {"name": "kserve-container", "image": "docker.io/a/b:v1", "env": env}
    predictor = {"name": name, "containers": [container]}
    return of("InferenceService", "iris", spec={"predictor": predictor})


def named(name, uri, form="model", **metadata):
    predictor = {"name": name, form: {"storageUri": uri}}
    return of("InferenceService", "iris", spec={"predictor": predictor}, metadata=metadata)


@pytest.mark.parametrize(
    ("old", "new", "refuses"),
    [
        (named("", "s3://a"), named("v2", "s3://a"), True),
        (named("v1", "s3://a"), named("v2", "s3://a"), True),
        (named("v1", "s3://a", "sklearn"), named("v2", "s3://a", "sklearn"), True),
        (named("v1", "s3://a", "sklearn"), named("v2", "s3://b", "sklearn"), False),
        (named("v1", "s3://a"), named("v2", "s3://b"), False),
        (own_server("v1", "s3://a"), own_server("v2", "s3://a"), True),
        (own_server("v1", "s3://a"), own_server("v2", "s3://b"), False),
        (named("v1", "s3://a"), named("v1", "s3://a", labels={"a": "b"}), False),
    ],
)  # fmt: skip
def test_kserve_refuses_another_name_of_the_same_model(tmp_path, old, new, refuses):
    assert refused(tmp_path, old, new) == ["spec.predictor.name"] * refuses
