"""Wrong InferenceServices (refusals.yaml): who refuses each, and with what words."""

import json
import re
from pathlib import Path

import pytest
import yaml

from codegen.operations import merge
from generator.errors import ToolFailed
from tests.cluster.harness import controller, iris
from tests.cluster.harness.status import condition

TABLE = yaml.safe_load(Path(__file__).with_name("refusals.yaml").read_text(encoding="utf-8"))
GOOD = TABLE.pop("good")
# What the API server refuses at once, by who does; the CRD is the API server's own.
REFUSED = {
    "crd": "",
    "defaulter": 'admission webhook "inferenceservice.kserve-webhook-server.defaulter" denied',
    "validator": 'admission webhook "inferenceservice.kserve-webhook-server.validator" denied',
}
NEVER_READY = ("status", "event", "silence", "container")
NO_POD = "Deployment does not have minimum availability."
DISABLED = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ServingRuntime",
    "metadata": {"name": "disabled"},
    "spec": {
        "disabled": True,
        "supportedModelFormats": [{"name": "sklearn"}],
        "containers": [{"name": "kserve-container", "image": "example.com/server:1"}],
    },
}


def entries(*layers):
    return [(layer, title) for layer in layers for title in TABLE[layer]]


def wrong(layer, title):
    """The InferenceService of an entry, named after it unless its name is what is wrong."""
    patch = {key: value for key, value in TABLE[layer][title].items() if key != "says"}
    name = re.sub(r"[^a-z0-9]+", "-", title.lower())
    return merge(merge(GOOD, {"metadata": {"name": name}}), patch)


@pytest.fixture(scope="module")
def namespace(cluster, platform):
    name = cluster.namespace("models")
    cluster.apply(DISABLED, namespace=name)
    return name


@pytest.fixture(scope="module")
def applied(cluster, namespace):
    """A good one, and all that are accepted, in one namespace."""
    accepted = [wrong(*entry) for entry in entries(*NEVER_READY, "ready")]
    cluster.apply(GOOD, *accepted, namespace=namespace)
    yield namespace
    cluster.kubectl("delete", "inferenceservices", "--all", "-n", namespace)


def readiness(cluster, namespace):
    """Whether each InferenceService is Ready: "True", "False", "Unknown", or "" without a status."""
    found = cluster.list("inferenceservices", namespace)
    return {service["metadata"]["name"]: condition(service, "Ready") for service in found}


def status(cluster, namespace, name):
    """What an InferenceService's status says is wrong."""
    found = cluster.get("inferenceservice", name, namespace).get("status", {})
    failure = found.get("modelStatus", {}).get("lastFailureInfo", {})
    said = [
        reported.get("message", "")
        for reported in found.get("conditions", [])
        if reported["status"] == "False"
    ]
    return "\n".join([*said, failure.get("message", "")])


# KServe had not yet seen what it wrote itself; it tries again, and the warning says nothing.
BEHIND = ("the object has been modified; please apply your changes", " already exists")


def events(cluster, namespace, name):
    """What the warnings about an InferenceService say that is of the InferenceService."""
    said = [
        event["message"]
        for event in cluster.list("events", namespace)
        if (event["involvedObject"]["kind"], event["involvedObject"].get("name"), event["type"])
        == ("InferenceService", name, "Warning")
    ]
    return "\n".join(each for each in said if not any(words in each for words in BEHIND))


def log(cluster, platform, name):
    """What the controller's log says about an InferenceService."""
    lines = controller.log(cluster, platform.namespace).splitlines()
    return "\n".join(line for line in lines if f'"{name}"' in line)


@pytest.mark.parametrize(("layer", "title"), entries(*REFUSED))
def test_it_is_refused_at_once(cluster, namespace, layer, title):
    with pytest.raises(ToolFailed) as refusal:
        iris.admitted(cluster, namespace, json.dumps(wrong(layer, title)))
    said = str(refusal.value)
    assert TABLE[layer][title]["says"] in said
    assert REFUSED[layer] in said
    assert ("admission webhook" in said) == (layer != "crd")


def test_a_good_one_is_ready(cluster, applied):
    name = GOOD["metadata"]["name"]
    cluster.wait("the good one is Ready", lambda: readiness(cluster, applied)[name] == "True")
    assert status(cluster, applied, name).strip() == ""
    assert events(cluster, applied, name) == ""


@pytest.mark.parametrize(("layer", "title"), entries("status", "event"))
def test_it_is_accepted_and_never_ready(cluster, applied, layer, title):
    name = wrong(layer, title)["metadata"]["name"]
    says = TABLE[layer][title]["says"]
    ask = {"status": status, "event": events}[layer]
    cluster.wait(f"{layer}: {says}", lambda: says in ask(cluster, applied, name))
    if layer == "event":
        # The event comes first.
        cluster.wait("a status", lambda: readiness(cluster, applied)[name])
        assert status(cluster, applied, name).strip() == ""


@pytest.mark.parametrize("title", TABLE["silence"])
def test_only_the_log_says_why_it_is_not_ready(cluster, platform, applied, title):
    name = wrong("silence", title)["metadata"]["name"]
    says = TABLE["silence"][title]["says"]
    cluster.wait(f"the log: {says}", lambda: says in log(cluster, platform, name))
    assert status(cluster, applied, name).strip() == ""
    assert events(cluster, applied, name) == ""


@pytest.mark.parametrize("title", TABLE["container"])
def test_only_a_container_says_why_it_is_not_ready(cluster, applied, title):
    name = wrong("container", title)["metadata"]["name"]
    says = TABLE["container"][title]["says"]
    pods = ("-l", f"serving.kserve.io/inferenceservice={name}", "--all-containers")
    cluster.wait(f"a log: {says}", lambda: says in cluster.kubectl("logs", "-n", applied, *pods))
    cluster.wait(NO_POD, lambda: set(status(cluster, applied, name).split("\n")) == {NO_POD, ""})
    assert events(cluster, applied, name) == ""


@pytest.mark.parametrize("title", TABLE["ready"])
def test_nothing_refuses_it(cluster, applied, title):
    name = wrong("ready", title)["metadata"]["name"]
    cluster.wait(f"{name} is Ready", lambda: readiness(cluster, applied)[name] == "True")


def test_no_other_is_ready(cluster, applied):
    accepted = {wrong(*entry)["metadata"]["name"] for entry in entries("ready")}
    found = {name for name, is_ready in readiness(cluster, applied).items() if is_ready == "True"}
    assert found == accepted | {GOOD["metadata"]["name"]}
