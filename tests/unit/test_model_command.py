"""`model` and `routes` through the front door: standard input, pipes, exit codes, many at once."""

import json
import os
import subprocess
import sys
import threading

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from tests.rendering import CASES, ROOT

ENTRY = {"format": "sklearn", "storageUri": "s3://m/one", "preStopSleepSeconds": 0}

LEFT_OUT = (
    "Pod is left out: it is not an InferenceService; apply it by itself, and leave it out here"
)


def run(*arguments: object, given: str | None = None):
    return subprocess.run(
        [sys.executable, "-m", "generator", *map(str, arguments)],
        cwd=ROOT, input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip


def service(name="m", **metadata):
    return json.dumps(
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": name, **metadata},
            "spec": {"predictor": {"sklearn": {"storageUri": "s3://m/one"}}},
        }
    )


@pytest.mark.parametrize("source", ["-", "/dev/stdin"])
def test_a_manifest_comes_from_standard_input(source):
    done = run("model", source, given=service())
    assert (done.returncode, done.stderr) == (0, "")
    assert yaml.safe_load(done.stdout) == {"models": {"m": ENTRY}}


def test_a_manifest_comes_from_a_pipe_with_a_name(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_text, args=(service(),))
    writer.start()
    done = run("routes", "-f", CASES["istio-models"], tmp_path / "fifo")
    writer.join()
    assert (done.returncode, done.stderr) == (0, "")
    kinds = {manifest["kind"] for manifest in yaml.safe_load_all(done.stdout)}
    assert kinds >= {"Service", "VirtualService"}


def test_what_is_wrong_with_standard_input_is_said_of_it():
    done = run("model", "-", given="kind: Pod\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"standard input:1:1: {LEFT_OUT}\n"


def test_an_object_that_is_left_out_is_exit_1_and_the_others_are_printed():
    done = run("model", "-", given=f"{service()}\n---\nkind: Pod\n")
    assert done.returncode == 1
    assert yaml.safe_load(done.stdout) == {"models": {"m": ENTRY}}
    assert done.stderr == f"standard input:3:1: {LEFT_OUT}\n"


NEEDED = ("ConfigMap", "Namespace", "PersistentVolumeClaim", "Secret", "ServiceAccount")


def test_what_a_model_merely_needs_is_named_and_stops_nothing(tmp_path):
    """As KServe's example of S3 has it: Secret, ServiceAccount and InferenceService in a file."""
    others = [{"apiVersion": "v1", "kind": kind, "metadata": {"name": "s3"}} for kind in NEEDED]
    with_account = json.loads(service())
    with_account["spec"]["predictor"]["serviceAccountName"] = "s3"
    entry = ENTRY | {"serviceAccountName": "s3"}
    given = "\n---\n".join(map(json.dumps, [*others, with_account]))
    file = tmp_path / "my.yaml"
    file.write_text("# mine\n")
    done = run("model", "-", "--apply-to", file, given=given)
    assert done.returncode == 0
    assert yaml.safe_load(file.read_text()) == {"models": {"m": entry}}
    said = done.stderr.splitlines()
    assert said[:-1] == [
        f"not in the values: standard input:{2 * line + 1}:1: {kind} s3 is no model; "
        "apply it by itself"
        for line, kind in enumerate(NEEDED)
    ]
    printed = run("model", "-", given=given)
    assert (printed.returncode, yaml.safe_load(printed.stdout)) == (0, {"models": {"m": entry}})
    alone = run("model", "-", given=json.dumps(others[0]))
    assert (alone.returncode, alone.stdout) == (1, "")
    assert alone.stderr == "standard input:1:1: holds no InferenceService\n"


def test_what_has_values_of_its_own_stops_apply_to_and_says_where_it_goes(tmp_path):
    graph = {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "InferenceGraph"}
    given = f"{service()}\n---\n{json.dumps(graph | {'metadata': {'name': 'vote'}})}"
    file = tmp_path / "my.yaml"
    file.write_text("# mine\n")
    done = run("model", "-", "--apply-to", file, given=given)
    assert (done.returncode, file.read_text()) == (1, "# mine\n")
    assert "write it under graphs.vote, and leave it out here" in done.stderr


def test_a_namespace_alone_is_a_comment_and_exit_0():
    done = run("model", "-", given=service(namespace="fraud"))
    assert (done.returncode, done.stderr) == (0, "")
    assert '    # Left out: metadata.namespace: "fraud"; ' in done.stdout
    assert yaml.safe_load(done.stdout) == {"models": {"m": ENTRY}}


def test_an_entry_goes_into_a_file_once(tmp_path):
    file, source = tmp_path / "my.yaml", tmp_path / "source.yaml"
    source.write_text(service())
    command = ("model", source, "--apply-to", file)
    refused = run(*command)
    assert (refused.returncode, refused.stderr) == (1, f"{file} is not there; --create makes it\n")
    made = run(*command, "--create")
    assert (made.returncode, made.stderr, made.stdout) == (0, f"+ {file}: models.m\n", "")
    again = run(*command)
    assert (again.returncode, again.stderr) == (
        0,
        f"= {file}: models.m is there already, unchanged\n",
    )
    source.write_text(service().replace("one", "two"))
    assert (
        "my.yaml:2:3: models.m: is there already, with another storageUri" in run(*command).stderr
    )
    replaced = run(*command, "--replace")
    assert (replaced.returncode, replaced.stderr) == (0, f"~ {file}: models.m\n")
    assert yaml.safe_load(file.read_text()) == {
        "models": {"m": ENTRY | {"storageUri": "s3://m/two"}}
    }


def test_nothing_is_written_when_something_is_left_out(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("platform: openshift\n")
    done = run("model", "-", "--apply-to", file, given=f"{service()}\n---\nkind: Pod\n")
    assert done.returncode == 1
    assert done.stderr.endswith(f"{file} was left as it is, since not all entries can be added\n")
    assert file.read_text() == "platform: openshift\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("model", "-", "--replace"),
        ("model", "-", "--create"),
        ("model", "-", "--apply-to", "-"),
        ("routes", "-", "-"),
        ("routes", "-f", "-", "-"),
        ("model", "not-there.yaml"),
    ],
)
def test_wrong_usage_is_exit_2(arguments):
    done = CliRunner().invoke(cli, arguments, input=service())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr


def test_of_six_models_at_once_none_is_lost(tmp_path):
    file = tmp_path / "my.yaml"
    commands = [
        [sys.executable, "-m", "generator", "model", "-", "--create", "--apply-to", str(file)]
        for _ in range(6)
    ]
    processes = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, text=True, stderr=subprocess.PIPE
        )
        for command in commands
    ]
    for number, process in enumerate(processes):
        process.stdin.write(service(f"m{number}"))
        process.stdin.close()
    for process in processes:
        *_, said = process.stderr.read().splitlines()  # Perhaps after "waiting for another run".
        process.stderr.close()
        assert (process.wait(timeout=60), said[:1]) == (0, "+")
    assert yaml.safe_load(file.read_text()) == {
        "models": {f"m{number}": ENTRY for number in range(6)}
    }
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]
