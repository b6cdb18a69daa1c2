"""What a container of the test cluster gets as its environment."""

import os

import pytest

from tests.cluster.harness import environment


def variables(*env, limits=None):
    container = {"env": list(env), "resources": {"limits": limits or {}}}
    return environment.variables(container, {"metadata.name": "pod-0"}.__getitem__)


def limit(name, divisor="0"):
    reference = {"resource": f"limits.{name}", "divisor": divisor}
    return {"name": "LIMIT", "valueFrom": {"resourceFieldRef": reference}}


def test_values_fields_and_references_to_what_came_before():
    field = {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    found = variables(field, {"name": "HOST", "value": "$(POD).svc"}, {"name": "EMPTY"})
    assert found == {"POD": "pod-0", "HOST": "pod-0.svc", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$(A)-$(A)", "1-1"), ("$(B)", "$(B)"), ("$$(A)", "$(A)"), ("$A", "$A"), ("5$", "5$")],
)
def test_references_are_replaced_as_kubernetes_does(text, expected):
    assert environment.expand(text, {"A": "1"}) == expected


@pytest.mark.parametrize(
    ("name", "written", "divisor", "expected"),
    [
        ("cpu", "1500m", "0", "2"),
        ("cpu", "500m", "1m", "500"),
        ("memory", "1Gi", "1", str(2**30)),
        ("memory", "128M", "1Ki", "125000"),
    ],
)
def test_a_limit_in_units_of_its_divisor_rounded_up(name, written, divisor, expected):
    assert variables(limit(name, divisor), limits={name: written}) == {"LIMIT": expected}


def test_without_a_limit_it_is_the_machine():
    assert variables(limit("cpu")) == {"LIMIT": str(os.cpu_count())}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "pod-0"),
        ("metadata.labels", {"app.kubernetes.io/name": "envoy"}),
        ("metadata.labels['app.kubernetes.io/name']", "envoy"),
        ("metadata.labels['zone']", ""),
        ("metadata.annotations['topology.kubernetes.io/zone']", ""),
    ],
)
def test_a_field_of_a_pod_by_its_path(path, expected):
    labels = {"app.kubernetes.io/name": "envoy"}
    assert environment.field({"metadata": {"name": "pod-0", "labels": labels}}, path) == expected


def test_a_field_that_no_pod_has_is_an_error():
    with pytest.raises(KeyError):
        environment.field({"metadata": {}}, "metadata.nam")
