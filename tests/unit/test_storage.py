"""How storage.s3 reaches a model: what the storage container's command makes of a pod's environment."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.values.load import Values
from tests import rendering
from tests.rendering import STOCK, helm_template, objects

ENTRYPOINT = "/storage-initializer/scripts/initializer-entrypoint"
# What storage.s3 makes of these, and what a Secret's annotations may make of it (pkg/credentials/s3).
S3 = {
    "endpoint": "minio.example.com:9000",
    "region": "eu-west-1",
    "useHttps": False,
    "verifySSL": False,
    "useVirtualBucket": True,
    "useAccelerate": True,
}
DEFAULTS = {
    "AWS_ENDPOINT_URL": "http://minio.example.com:9000",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "S3_VERIFY_SSL": "0",
    "S3_USER_VIRTUAL_BUCKET": "true",
    "S3_USE_ACCELERATE": "true",
}


def container(folder, **storage):
    """The container of the ClusterStorageContainer, for some values of `storage`."""
    file = folder / "values.json"
    file.write_text(json.dumps({"storage": storage}))
    them = rendering.parse(helm_template(STOCK, Values.parsed([file]), more=()))
    return rendering.only(them, "ClusterStorageContainer")["spec"]["container"]


def started(folder, container, own=()):
    """The environment that the storage initializer is started with in a pod with `own` variables.

    KServe merges `container` over the one it made, so its variables win.
    """
    program = folder / "entrypoint"
    program.write_text('#!/bin/sh\n[ "$*" = "s3://a/b c /mnt/models" ] && exec /usr/bin/env -0\n')
    program.chmod(0o755)
    command = [word.replace(ENTRYPOINT, str(program)) for word in container["command"]]
    assert command != container["command"]
    environment = {
        **dict(own),
        **{variable["name"]: variable["value"] for variable in container["env"]},
    }
    argv = [*command, "s3://a/b c", "/mnt/models"]
    run = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in run.stdout.split("\0") if line)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storage")
    return folder, container(folder, s3=S3)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(own=st.dictionaries(st.sampled_from(sorted(DEFAULTS)), st.sampled_from(["own", "1", ""])))
def test_a_setting_reaches_a_model_that_has_none_of_its_own(rendered, own):
    environment = started(*rendered, own.items())
    assert environment | DEFAULTS | own == environment


@pytest.mark.parametrize(
    ("own", "anonymous"),
    [
        ({}, "true"),
        # A Secret's annotation, keys, an IAM role, EKS Pod Identity, a key of storage-config.
        ({"awsAnonymousCredential": "false"}, "false"),
        ({"AWS_ACCESS_KEY_ID": "x"}, None),
        ({"AWS_ROLE_ARN": "x"}, None),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "x"}, None),
        ({"STORAGE_CONFIG": "{}"}, None),
    ],
)
def test_without_credentials_is_for_models_that_have_none(tmp_path, own, anonymous):
    environment = started(tmp_path, container(tmp_path, s3={"useAnonymousCredential": True}), own)
    assert environment.get("awsAnonymousCredential") == anonymous
    assert environment.items() >= own.items()


def test_a_ca_bundle_is_used_where_it_is_mounted(tmp_path):
    bundle = tmp_path / "cabundle.crt"
    initializer = container(tmp_path, s3={"caBundle": str(bundle)})
    assert "AWS_CA_BUNDLE" not in started(tmp_path, initializer)
    bundle.touch()
    assert started(tmp_path, initializer)["AWS_CA_BUNDLE"] == str(bundle)
    assert (
        started(tmp_path, initializer, {"AWS_CA_BUNDLE": "own"}.items())["AWS_CA_BUNDLE"] == "own"
    )


def test_an_endpoint_is_asked_by_https_unless_one_says_otherwise(tmp_path):
    initializer = container(tmp_path, s3={"endpoint": "minio:9000"})
    assert started(tmp_path, initializer)["AWS_ENDPOINT_URL"] == "https://minio:9000"


def test_without_settings_the_image_starts_itself():
    spec = rendering.only(objects("default"), "ClusterStorageContainer")["spec"]
    assert not {"command", "env"} & spec["container"].keys()


def test_the_initializer_takes_variables_and_a_security_context(tmp_path):
    env = {"HTTPS_PROXY": "http://proxy:3128", "HF_TOKEN": {"valueFrom": {"secretKeyRef": {"name": "hf", "key": "HF_TOKEN"}}}}  # fmt: skip
    initializer = container(
        tmp_path, initializer={"env": env, "securityContext": {"runAsUser": 1000}}
    )
    assert initializer["env"] == [
        {"name": "HF_TOKEN", **env["HF_TOKEN"]},
        {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
    ]
    assert initializer["securityContext"]["runAsUser"] == 1000
    assert initializer["securityContext"]["allowPrivilegeEscalation"] is False
    assert "command" not in initializer
