"""storage.s3, from the values to the bucket: whom upstream's storage initializer asks, and how.

KServe makes the pod of a model; its init container is then run here, with upstream's own storage
initializer, and finds S3 services on loopback.
"""

import base64
import json
import os
import subprocess

import pytest

from codegen import upstream
from tests.cluster.harness import bucket, modelserver
from tests.cluster.harness.cluster import installed
from tests.cluster.test_kinds import pod

ENTRYPOINT = "/storage-initializer/scripts/initializer-entrypoint"
URI = "s3://models/iris"


@pytest.fixture(scope="module")
def services():
    """Two S3 services: the one of the values, and the one of a Secret."""
    with bucket.serving() as common, bucket.serving() as own:
        yield common, own


@pytest.fixture(scope="module")
def platform(cluster, services, tmp_path_factory):
    s3 = {"endpoint": services[0].endpoint, "region": "eu-common-1", "useHttps": False}
    values = tmp_path_factory.mktemp("values") / "values.json"
    values.write_text(json.dumps({"storage": {"s3": {**s3, "useAnonymousCredential": True}}}))
    with installed(cluster, "-f", str(values)) as release:
        yield release


def secret(**annotations):
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "bucket",
            "annotations": {f"serving.kserve.io/{key}": text for key, text in annotations.items()},
        },
        "stringData": {"AWS_ACCESS_KEY_ID": "OWN-KEY", "AWS_SECRET_ACCESS_KEY": "x"},
    }


ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "models"},
    "secrets": [{"name": "bucket"}],
}


def model(uri=URI, **predictor):
    served = {"modelFormat": {"name": "sklearn"}, "storageUri": uri}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m"},
        "spec": {"predictor": {"model": served, **predictor}},
    }


def fetch(cluster, namespace, folder, uri=URI):
    """Run the init container of the model's pod."""
    if not modelserver.environment().is_dir():
        pytest.skip("upstream's storage initializer needs Python 3.10, 3.11 or 3.12")
    (initializer,) = pod(cluster, namespace, "m-predictor")["initContainers"]
    program = upstream.folder(upstream.KSERVE) / "python" / ENTRYPOINT.removeprefix("/")
    ours = [str(modelserver.python()), str(program)]
    # The charts' command is a shell's; one without has the image's.
    command = [
        word.replace(ENTRYPOINT, " ".join(ours)) for word in initializer.get("command", ())
    ] or ours
    source, target = initializer["args"]
    assert (source, target) == (uri, "/mnt/models")
    environment = {
        variable["name"]: value(cluster, namespace, variable)
        for variable in initializer.get("env", ())
    }
    subprocess.run(
        [*command, source, str(folder)],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        check=True,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,  # To import the initializer takes a minute on a busy machine.
    )
    return (folder / "model.joblib").read_bytes()


def value(cluster, namespace, variable):
    """The value of a pod's variable, from its Secret if it has one."""
    if "value" in variable:
        return variable["value"]
    reference = variable["valueFrom"]["secretKeyRef"]
    data = cluster.get("secret", reference["name"], namespace)["data"]
    return base64.b64decode(data[reference["key"]]).decode()


def test_a_model_without_credentials_asks_the_service_of_the_values(
    cluster, platform, models, services, tmp_path
):
    common, own = services
    common.asked.clear()
    cluster.apply(model(), namespace=models)
    assert fetch(cluster, models, tmp_path) == bucket.CONTENT
    assert set(common.asked) == {("", "")}
    assert own.asked == []


def test_what_a_secret_says_wins(cluster, platform, models, services, tmp_path):
    common, own = services
    common.asked.clear()
    annotations = {
        "s3-endpoint": own.endpoint,
        "s3-region": "us-own-1",
        "s3-useanoncredential": "false",
    }
    account = model(serviceAccountName="models")
    cluster.apply(secret(**annotations), ACCOUNT, account, namespace=models)
    assert fetch(cluster, models, tmp_path) == bucket.CONTENT
    assert set(own.asked) == {("OWN-KEY", "us-own-1")}
    assert common.asked == []
    own.asked.clear()


def test_what_a_secret_does_not_say_comes_from_the_values(
    cluster, platform, models, services, tmp_path
):
    common, own = services
    common.asked.clear()
    annotations = {"s3-useanoncredential": "false"}
    account = model(serviceAccountName="models")
    cluster.apply(secret(**annotations), ACCOUNT, account, namespace=models)
    assert fetch(cluster, models, tmp_path) == bucket.CONTENT
    assert set(common.asked) == {("OWN-KEY", "eu-common-1")}
    assert own.asked == []


def test_a_path_is_nothing_that_is_fetched(cluster, platform, tmp_path):
    """So the charts refuse it. KServe has its own init container look, which has no such path; in a
    namespace that enforces "restricted", that container is refused before.
    """
    namespace = cluster.namespace("models", enforce="baseline")
    cluster.apply(model("/opt/iris"), namespace=namespace)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        fetch(cluster, namespace, tmp_path, "/opt/iris")
    assert "Cannot recognize storage type for /opt/iris" in failed.value.stderr
