"""Which edits the API server and KServe's webhook refuse, as `diff` tells it."""

import pytest

from tests.unit.test_diff import diff, folder, of


def refused(path, old, new):
    """The fields for which `diff` says that the apply fails."""
    beside = of("ConfigMap", "beside")
    old, new = (folder(path / n, each, beside) for n, each in (("old", old), ("new", new)))
    risks = diff(old, new)[1]["risks"]
    return [each["field"] for each in risks if each["risk"] == "immutable-field"]


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
