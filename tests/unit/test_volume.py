"""What the files of a pod's volumes hold, in the test cluster."""

import base64

import pytest

from tests.cluster.harness import volume
from tests.cluster.harness.api import Refused

POD = {
    "metadata": {"namespace": "models", "name": "pod-0", "uid": "1"},
    "spec": {"serviceAccountName": "default"},
}
SECRET = {"data": {"tls.crt": base64.b64encode(b"certificate").decode()}}
CONFIG = {"data": {"a": "1", "b": "2"}, "binaryData": {"c": base64.b64encode(b"\0").decode()}}


class Api:
    """An API server with one Secret and one ConfigMap, which keeps what it is asked for."""

    def __init__(self):
        self.posted = []

    def get(self, path):
        core = "/api/v1/namespaces/models"
        found = {f"{core}/secrets/tls": SECRET, f"{core}/configmaps/config": CONFIG}
        if path not in found:
            raise Refused(404, b"not found")
        return found[path]

    def post(self, path, body):
        self.posted.append((path, body))
        return {"status": {"token": "secret"}}


def files(spec, api=None):
    return volume.files(spec, POD, api or Api(), {"metadata.name": "pod-0"}.__getitem__)


def test_secrets_and_config_maps():
    assert files({"secret": {"secretName": "tls"}}) == {"tls.crt": b"certificate"}
    assert files({"configMap": {"name": "config"}}) == {"a": b"1", "b": b"2", "c": b"\0"}


def test_some_items_under_other_names():
    items = [{"key": "b", "path": "renamed"}]
    assert files({"configMap": {"name": "config", "items": items}}) == {"renamed": b"2"}


@pytest.mark.parametrize("spec", [{"secret": {"secretName": "x"}}, {"configMap": {"name": "x"}}])
def test_one_that_is_missing_is_refused_unless_it_may_be(spec):
    with pytest.raises(Refused):
        files(spec)
    ((kind, source),) = spec.items()
    assert files({kind: {**source, "optional": True}}) == {}


def test_projected_are_all_of_their_sources():
    field = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}
    sources = [{"secret": {"name": "tls"}}, {"downwardAPI": {"items": [field]}}]
    assert files({"projected": {"sources": sources}}) == {
        "tls.crt": b"certificate",
        "name": b"pod-0",
    }


def test_a_token_is_for_its_audience_and_bound_to_the_pod():
    api = Api()
    wanted = {"path": "token", "expirationSeconds": 600, "audience": "istio-ca"}
    assert files({"serviceAccountToken": wanted}, api) == {"token": b"secret"}
    ((path, body),) = api.posted
    assert path == "/api/v1/namespaces/models/serviceaccounts/default/token"
    assert body["spec"]["audiences"] == ["istio-ca"]
    assert body["spec"]["boundObjectRef"]["name"] == "pod-0"


def test_labels_are_a_line_each_and_quoted():
    assert volume.text({"b": "2", "a": 'say "1"'}) == 'a="say \\"1\\""\nb="2"'
    assert volume.text("pod-0") == "pod-0"


def test_files_are_replaced_at_one_stroke(tmp_path):
    volume.write(tmp_path, {"a": b"1"})
    volume.write(tmp_path, {"a": b"2"})
    assert (tmp_path / "a").read_bytes() == b"2"
    assert len(list(tmp_path.glob("..[0-9]*"))) == 1
