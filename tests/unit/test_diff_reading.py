"""What `diff` reads: YAML as Kubernetes reads it, charts of others, and what is no object."""

import copy
import json
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import process, tools
from generator.comparison import report
from generator.comparison.change import between
from generator.comparison.risks import risks
from generator.comparison.sides import Side, Text
from generator.errors import ValuesError
from generator.yaml.document import parse
from generator.yaml.kubernetes import KubernetesReader
from tests.unit.test_cli import run
from tests.unit.test_diff import (
    HARMLESS,
    SEEDED,
    allowed,
    asked,
    authentication,
    binding,
    choosing,
    diff,
    excepted,
    folder,
    model,
    network_policy,
    of,
    on,
    runtime,
    serving,
    sides,
)

# What YAML 1.1, YAML 1.2 and Go read otherwise, or what JSON writes otherwise.
SCALARS = """\
y n yes No ON off True FALSE null ~ Null nULL yEs
0 1 -1 +1 007 0644 08 019 0o17 0x1F 0XfF 0b101 -0b11 1_000 _1 1__0 0_7 0x_f 12:30 1:30:00
1e3 1E3 1e+3 1.5e-7 1.0 1. .5 -.5 +.5 .5e1 -1. 1e 1.2.3 1e21 123e18 0.1 -0.5 1_0.5 ._5
9007199254740991 2026-01-01 2026-01-01T00:00:00Z = << a-b -- - +
"""


def read(text):
    return parse(text, "a.yaml", reader=KubernetesReader).data


def helm_reads(tmp_path, text):
    """What Helm's own parser makes of values, as JSON."""
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: reading\nversion: 0.1.0\n")
    (chart / "templates" / "all.yaml").write_text("all: {{ toJson .Values }}\n")
    (tmp_path / "values.yaml").write_text(text)
    helm = str(tools.find("helm"))
    said = process.run([helm, "template", "a", str(chart), "-f", str(tmp_path / "values.yaml")])
    return json.loads(said.partition("all: ")[2])


def test_scalars_are_read_as_go_reads_them(tmp_path):
    plain = [each for each in SCALARS.split() if each not in ("-", "<<")]
    lines = [f"k{number}: {scalar}" for number, scalar in enumerate(plain)]
    text = "\n".join([*lines, "keys: {1: a, yes: b, 1.5: c, 0x10: d, a: 1, a: 2}", "s: !!str yes"])
    ours, helms = (
        json.dumps(each, sort_keys=True) for each in (read(text), helm_reads(tmp_path, text))
    )
    assert ours == helms


@given(st.text("0123456789abefonxyEX_+-.:", min_size=1, max_size=6))
def test_no_scalar_ends_in_a_mistake(text):
    try:
        json.dumps(read(f"a: {text}"), allow_nan=False)
    except ValuesError as error:
        assert error.problems


def test_yaml_that_values_may_not_have_is_compared(tmp_path):
    def role(mode, flag):
        head = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a: b, a: b}}\n"
        return f"{head}spec: {{defaultMode: {mode}, on: {flag}}}\n"

    for name, text in (("old", role("0644", "yes")), ("new", role("420", "true"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(text)
    assert diff(tmp_path / "old", tmp_path / "new")[0] == 0
    (tmp_path / "new" / "a.yaml").write_text(role("0600", "true"))
    _, said = diff(tmp_path / "old", tmp_path / "new")
    assert said["changes"][0]["fields"] == [{"path": "spec.defaultMode", "old": 420, "new": 384}]


def test_a_chart_of_others(tmp_path):
    """Flow style, lists, quotes, numbers of the old kind; and values that are no values of ours."""
    for name, mode in (("old", "0644"), ("new", "0600")):
        templates = tmp_path / name / "templates"
        templates.mkdir(parents=True)
        (tmp_path / name / "Chart.yaml").write_text(
            "apiVersion: v2\nname: theirs\nversion: 0.1.0\nappVersion: 2026-01-01\n"
        )
        (tmp_path / name / "values.yaml").write_text("theirs: no\n")
        (templates / "all.yaml").write_text(
            '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "flow"}}\n---\n'
            "kind: 'Pod'\napiVersion: v1\nmetadata:\n    name: pod\n"
            f"spec: {{mode: {mode}, theirs: {{{{ .Values.theirs }}}}}}\n---\n# nothing\n---\n"
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n"
            "  metadata: {name: item}\n"
        )
    values = tmp_path / "theirs.yaml"
    values.write_text("theirs: yes\nmore: 1_000\n")
    _, said = diff(tmp_path / "old", tmp_path / "new", "-f", values)
    (change,) = said["changes"]
    assert change["object"] == "Pod/pod"
    assert change["fields"] == [{"path": "spec.mode", "old": 420, "new": 384}]


MALFORMED = [
    (of("ClusterRole", "a", rules="all"), "rules: is text, where a list belongs, in ClusterRole a"),
    (of("ClusterRole", "a", rules=[{"verbs": [1]}]), "rules[0].verbs[0]: is a number, where text belongs"),
    (of("RoleBinding", "a", subjects=["me"]), "subjects[0]: is text, where a mapping belongs"),
    (of("MutatingWebhookConfiguration", "a", webhooks={}), "webhooks: is a mapping, where a list belongs"),
    (of("CustomResourceDefinition", "a", spec={"versions": [[]]}), "spec.versions[0]: is a list, where a mapping belongs"),
    (of("Ingress", "a", spec={"rules": [{"host": {}}]}), "spec.rules[0].host: is a mapping, where text belongs"),
    (of("InferenceService", "a", spec={"predictor": []}), "spec.predictor: is a list, where a mapping belongs"),
    (of("ServingRuntime", "a", spec=1), "spec: is a number, where a mapping belongs"),
    (of("ConfigMap", "a", data=True), "data: is true or false, where a mapping belongs"),
    (of("Anything", "a", metadata={"labels": "a"}), "metadata.labels: is text, where a mapping belongs"),
    (of("Anything", "a", metadata={"labels": {"b": True}}), "metadata.labels.b: is true or false, where text belongs"),
    (of("Anything", "a", metadata={"annotations": {"b": {}}}), "metadata.annotations.b: is a mapping, where text belongs"),
    (of("Anything", "a", apiVersion=None), "is no object: it does not say apiVersion, in Anything a"),
    (of("Anything", "a", apiVersion=1), "apiVersion: is a number, where text belongs, in Anything a"),
    (of("Anything", 1), "metadata.name: is read as the number 1; quote it"),
    (of("Anything", {}), "is no object: it does not say kind and metadata.name"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "said"), MALFORMED, ids=lambda value: str(value)[:40])
def test_an_object_that_is_not_made_as_its_kind_is_trouble(tmp_path, bad, said):
    old, new = sides(tmp_path, of("ConfigMap", "c"), bad)
    for pair in ((old, new), (new, old)):
        done = run("diff", *pair)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"{new}/all.yaml:")
        assert said in done.stderr


def test_a_name_that_kubernetes_reads_as_a_boolean_is_named(tmp_path):
    file = tmp_path / "all.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\n")
    done = run("diff", tmp_path, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said = "metadata.name: is read as the boolean false; quote it"
    assert done.stderr == f"{tmp_path}/all.yaml:3:12: {said}\n"


# Of each kind the object with most in it.
EXAMPLES = {
    each["kind"]: each
    for each in sorted(
        filter(None, [*(each for _, *pair, _ in SEEDED for each in pair), *chain(*HARMLESS)]),
        key=lambda each: len(json.dumps(each)),
    )
}
# Those with parts that the shortest of their kind have not.
EXAMPLES |= {
    "port": network_policy(on(80, endPort=90)),
    "portLevelMtls": authentication("STRICT", _8080="DISABLE"),
    "operation": allowed(methods=["GET"], notPaths=["/a*"]),
    "when": asked({"values": ["a"]}, {"notValues": ["b"]}),
    "notNamespaces": excepted("a"),
    "allowedRoutes": choosing("x", team="a"),
    "servers": serving({"mode": "SIMPLE"}),
}
JUNK = (None, True, 1, "a", [], [None], ["a"], [[]], [{}], {}, {"a": None}, {"a": 1})


def spoilt(data):
    """An object, over and over, with something else in each of its parts, and what."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        for junk in JUNK:
            made = copy.copy(data)
            made[key] = junk
            yield made
        if isinstance(value, (dict, list)):
            for part in spoilt(value):
                made = copy.copy(data)
                made[key] = part
                yield made


@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_object_ends_in_a_mistake(kind):
    good = Side("good", (Text(json.dumps(EXAMPLES[kind]), "good.yaml"),))
    refused = 0
    for bad in spoilt(EXAMPLES[kind]):
        other = Side("bad", (Text(json.dumps(bad), "bad.yaml"),))
        for old, new in ((good, other), (other, good)):
            try:
                change = between(old, new, "kserve")
            except ValuesError:
                refused += 1
            else:
                assert list(report.as_text(risks(change), report.entries(change)))
    assert refused


def test_the_same_object_twice_is_seen_where_one_is_like_the_other_side(tmp_path):
    one, other = of("ConfigMap", "c", data={"a": "1"}), of("ConfigMap", "c", data={"a": "2"})
    old = folder(tmp_path / "old", one)
    for name, objects in (("new", [one, other]), ("turned", [other, one])):
        done = run("diff", old, folder(tmp_path / name, *objects))
        assert (done.returncode, done.stdout) == (2, "")
        where = f"{tmp_path}/{name}/all.yaml"
        assert f"{where}:9:1: ConfigMap c is there already, in {where}:1" in done.stderr
    done = run("diff", tmp_path / "new", tmp_path / "new")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_file_of_powershell(tmp_path):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"
    for name, encoding in (("old", "utf-8"), ("new", "utf-16")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_bytes(text.encode(encoding))
    assert diff(tmp_path / "old", tmp_path / "new")[0] == 0


def test_the_models_of_a_runtime_that_differs_are_named(tmp_path):
    def form(name, form, **more):
        return model(name, model={"modelFormat": {"name": form}, **more})

    served = [
        form("named", "other", runtime="sklearn"),
        form("by-format", "sklearn"),
        model("of-old", sklearn={"storageUri": "s3://a"}),
    ]
    others = [
        form("other-runtime", "sklearn", runtime="mlserver"),
        form("not-automatic", "xgboost"),
        form("other-format", "onnx"),
    ]
    formats = [{"name": "sklearn", "autoSelect": True}, {"name": "xgboost"}]
    v1, v2 = (
        runtime(f"docker.io/kserve/sklearnserver:{tag}", supportedModelFormats=formats)
        for tag in ("v1", "v2")
    )
    new_model = form("new", "sklearn")
    old = folder(tmp_path / "old", v1, *served, *others)
    new = folder(tmp_path / "new", v2, *served, *others, new_model)
    risks = diff(old, new)[1]["risks"]
    assert {each["risk"] for each in risks} == {"model-restart"}
    reasons = {each["object"]: each["reason"] for each in risks}
    assert reasons == {
        "ClusterServingRuntime/sklearn -n kserve": "every model that it serves restarts: containers[kserve-container].image",
        "InferenceService/named -n kserve": "its runtime sklearn differs: containers[kserve-container].image",
        **{
            f"InferenceService/{name} -n kserve": "ClusterServingRuntime sklearn, which its format sklearn may choose, differs: containers[kserve-container].image"
            for name in ("by-format", "of-old")
        },
    }


def test_a_runtime_of_a_namespace_serves_no_models_of_others(tmp_path):
    def of_namespace(image, namespace):
        made = runtime(image)
        return made | {
            "kind": "ServingRuntime",
            "metadata": {"name": "sklearn", "namespace": namespace},
        }

    there = model("there", model={"modelFormat": {"name": "sklearn"}, "runtime": "sklearn"})
    for name, namespace, restarted in (("a", "kserve", 2), ("b", "elsewhere", 1)):
        old, new = (
            folder(
                tmp_path / f"{name}-{tag}", of_namespace(f"docker.io/a/b:{tag}", namespace), there
            )
            for tag in ("v1", "v2")
        )
        assert len(diff(old, new)[1]["risks"]) == restarted


def test_null_where_a_list_is_expected_is_nothing(tmp_path):
    empty = binding() | {"subjects": None, "roleRef": None}
    assert diff(*sides(tmp_path, empty, binding()))[0] == 1
