"""`explain`: every value has an answer, and a misspelt one the value that was meant."""

import json
import re

import pytest

from generator.errors import GeneratorError
from generator.explanation import effects
from generator.explanation.answer import explain
from generator.explanation.labels import known_objects
from tests.flips import DIGITS, LEAVES, WHOLE
from tests.unit.test_cli import run


def test_every_leaf_has_a_type_prose_and_effects():
    for leaf in LEAVES:
        found = explain(leaf.name)
        assert found.name == leaf.name.replace("*", "NAME")
        assert found.type
        assert found.default == leaf.schema.get("default")
        assert found.effects == effects.measured()[leaf.name]
        text = "\n".join(found.as_text())
        assert text.startswith(f"{found.name}: {found.type}")
        assert all(field in text for fields in found.effects.values() for field in fields)


@pytest.mark.parametrize("name", ["models.*.format", "models.NAME.format", "models.iris.format"])
def test_any_word_stands_for_the_name_of_an_entry(name):
    assert explain(name).name == "models.NAME.format"


def test_no_name_of_a_test_is_told():
    """What the cases call their entries, and what a trial called a thing, is NAME to a user."""
    labels = {label.partition("/")[2] for label in known_objects()}
    entries = {
        name
        for case in WHOLE.values()
        for section in ("models", "graphs", "trainedModels", "customRuntimes", "tenants")
        for name in case[section]
    }
    # What our own objects are called, too.
    entries -= {"default"}
    assert entries > {"iris", "search"}
    assert [
        label for label in labels if re.search(rf"flipped|{DIGITS}", label, re.IGNORECASE)
    ] == []
    words = re.compile(rf"(?<![\w-])(?:kserve-)?(?:{'|'.join(entries)})(?![\w-])")
    assert sorted(filter(words.search, labels)) == []


def test_a_value_that_routes_lists_the_routes():
    routes = {
        "GRPCRoute/NAME.host",
        "HTTPRoute/NAME.host",
        "HTTPRoute/NAME.path",
        "VirtualService/NAME",
    }
    assert routes <= explain("routing.domain").effects.keys()
    found = explain("tenants.x.gateway.domain").effects
    assert routes | {"Gateway/kserve-NAME"} <= found.keys()
    assert "spec.listeners[http].hostname" in found["Gateway/kserve-NAME"]
    assert "spec.hostnames[0]" in found["HTTPRoute/NAME.host"]
    text = "\n".join(explain("routing.domain").as_text())
    assert "    the whole object\n    spec.hostnames[0]" in text


def test_a_branch_lists_what_is_below_it():
    found = explain("routing.gateway")
    names = [name for name, _ in found.children]
    assert "tls" in names
    lines = list(found.as_text())
    assert lines[0] == "routing.gateway: object"
    assert not any(line.startswith("changes:") for line in lines)
    assert next(name for name, _ in explain("models").children).startswith("NAME.")


def test_the_words_of_a_choice_are_listed():
    found = json.loads(explain("routing.mode").as_json())
    assert found["allowed"] == ["ingress", "gatewayApi", "virtualService", "none"]
    assert found["default"] == "ingress"
    assert "ConfigMap/inferenceservice-config" in found["effects"]


def test_the_example_is_shown():
    assert "storageUri: s3://models/churn/1" in "\n".join(explain("models").as_text())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("routin", "routin: there is no such value; did you mean routing?"),
        ("routing.gatway", "routing.gatway: there is no such value; did you mean gateway?"),
        ("models.iris.namespace", "models.NAME.namespace: there is no such value; it is that of the "),
        ("models.iris.formt", "models.NAME.formt: there is no such value; did you mean format?"),
        ("controller.resources.limits", "controller.resources.limits: what is below "
         "controller.resources is ResourceRequirements, and is not explained here"),
        ("models.iris.spec.predictor", "models.NAME.spec.predictor: what is below models.NAME.spec is "
         "InferenceServiceSpec, and is not explained here"),
        ("routing..mode", "routing..mode: a dot stands between two names; "),
        ("routing.", "routing.: a dot stands between two names; "),
        (".", ".: a dot stands between two names; "),
        ("inference.batcher", "inference.batcher: KServe reads none of its keys; "
         "set models.NAME.batcher"),
        ("models.iris.batcher.timeout", "models.NAME.batcher.timeout: KServe v0.20.0 reads it nowhere; remove it"),
    ],
)  # fmt: skip
def test_a_path_that_is_none(path, message):
    with pytest.raises(GeneratorError) as error:
        explain(path)
    assert str(error.value).startswith(message)


def test_the_command():
    done = run("explain", "routing.domain")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('routing.domain: string, "" by default\n\n')
    refused = run("explain", "routing.domian")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "did you mean domain?" in refused.stderr
    two = run("explain", "routing", "domain")
    assert (two.returncode, "takes a -f" in two.stderr) == (2, False)
    assert {"routing", "models"} <= set(
        json.loads(run("explain", "--output", "json").stdout)["values"]
    )
