"""Law 11: every parser reads the same in what we write: YAML 1.1, YAML 1.2, Go's."""

import json
import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from generator import CHART, MODELS
from generator.chart.rendering import render
from generator.errors import ValuesError
from generator.yaml import document, writer
from tests import rendering
from tests.rendering import CHART_CASES, CHARTS, ROOT, WITH_MODELS, config, helm_template, objects

TORTURE = [
    "y", "n", "Y", "N", "yes", "No", "on", "OFF", "true", "null", "~", "", " ", "1e3", "1E5", "12e03",
    "0o17", "017", "08", "0x1f", "0b1", "1_000", "12:30", "1:20:30", ".inf", "-.INF", ".nan", "1.", ".5",
    "+1", "-0", "1.5e3", "2024-01-31", "2024-01-31T10:00:00Z", "=", "<<", "a: b", "a #b", "# a", "- a", "-",
    "--flag", "-x", "*a", "&a", "!a", "%a", "@a", "`a", "{a", "[a", "a]", "|", ">", "'a", '"a', "a'b", 'a"b',
    "a\nb", "a\n", "\na", "a\tb", "{{ .X }}", "tab\t", "trail ", "é", "\u2028", "1000000", "0.1", "key:", ":", "?",
    "? a", "---", "...", "sha256:12", "1234567e12345", "deadbeef", "1e10", "0.0.0.0", "v1", "10%", "<none>",
]  # fmt: skip


EXPONENT = re.compile(r"\b[0-9.]+e\+[0-9]+\b")


def readings(text: str) -> list[object]:
    """`text` as PyYAML (1.1) and ruamel (1.2) read it."""
    return [yaml.safe_load(text), YAML(typ="safe", pure=True).load(text)]


READ = [(CHART, case) for case in ("default", "everything-on", "awkward-scalars", "all-runtimes")]
READ += [(MODELS, case) for case in WITH_MODELS]


@pytest.mark.parametrize(("chart", "case"), READ)
def test_the_rendered_objects_read_the_same(chart, case):
    ruamel = YAML(typ="safe", pure=True)
    text = rendering.template(case, chart=chart)
    assert rendering.parse(text) == [loaded for loaded in ruamel.load_all(text) if loaded]


def test_the_charts_own_yaml_reads_the_same():
    for chart in CHARTS:
        files = render(chart=chart)
        for path in ("values.yaml", "Chart.yaml"):
            one, other = readings(files[path])
            assert one == other, path


def as_go_reads(text: str, folder) -> object:
    """`text` as Helm's parser reads it."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: reader\nversion: 0.1.0\n")
    (folder / "text.yaml").write_text(text, encoding="utf-8")
    (folder / "templates" / "out.yaml").write_text(
        'out: {{ .Files.Get "text.yaml" | fromYaml | toJson | quote }}\n'
    )
    rendered = rendering.helm("template", "x", str(folder))
    return json.loads(yaml.safe_load(rendered)["out"])


def test_what_we_dump_reads_the_same_everywhere(tmp_path):
    data = {
        "strings": TORTURE,
        "keys": {text: "v" for text in TORTURE if text},
        "numbers": [0, 1, -1, 1000000, 12345678901, 0.5],
        "others": [True, False, None, [], {}],
    }
    text = writer.dump(data)
    for reading in [*readings(text), as_go_reads(text, tmp_path / "chart")]:
        assert reading == data


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), whitelist_characters="\n"), max_size=12
    )
)
def test_any_text_survives_a_dump(text):
    for reading in readings(writer.dump({"key": text, "list": [text]})):
        assert reading == {"key": text, "list": [text]}


@pytest.mark.parametrize(
    "text",
    [
        "y",
        "on",
        "Off",
        "012",
        "08",
        "0o17",
        "1e3",
        "12:30",
        "1_000",
        "2024-01-31",
        "0b1",
        "1.",
        "=",
    ],
)
def test_a_scalar_that_parsers_disagree_on_is_refused(text):
    with pytest.raises(ValuesError, match="parsers read"):
        document.parse(f"key: {text}\n", "my.yaml")
    with pytest.raises(ValuesError):
        document.parse(f"{text}: value\n", "my.yaml")
    assert document.parse(f'key: "{text}"\n', "my.yaml").data == {"key": text}


@pytest.mark.parametrize(
    "text",
    ["true", "1", "-1", "0", "1.5", "1.5e+3", "null", "text", "v1.2", "10%", "1.2.3", "0x1f"],
)
def test_a_scalar_that_parsers_agree_on_is_accepted(text):
    one, other = readings(f"key: {text}\n")
    assert one == other == document.parse(f"key: {text}\n", "my.yaml").data


def test_awkward_values_arrive_as_they_are():
    them = objects("awkward-scalars")
    labels = rendering.only(them, "Service", "kserve-webhook-server-service")["metadata"]["labels"]
    assert (
        labels
        | {"on": "yes", "version": "012", "commit": "1e10", "date": "2024-01-31", "empty": ""}
        == labels
    )
    manager = rendering.only(them, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    environment = {variable["name"]: variable.get("value") for variable in manager["env"]}
    assert environment["SEXAGESIMAL"] == "12:30"
    assert environment["LINES"] == "one\ntwo\n"
    assert manager["args"][-2:] == ["--note=yes", "off"]
    assert manager["securityContext"]["runAsUser"] == 1000660000
    assert config(them)["storageInitializer"]["uidModelcar"] == 1000660000
    assert config(them)["storageInitializer"]["memoryModelcar"] == "1000000"
    assert config(them)["newKey"] == {"big": 12345678, "yes": "yes"}
    assert config(them)["inferenceService"]["resource"]["memoryRequest"] == "1000000000"
    assert config(them)["credentials"]["s3"]["s3Region"] == "no"
    assert rendering.only(them, "ConfigMap", "numbers")["data"] == {
        "on": "1_000", "big": "1000000", "less": "a < b && c > d",
    }  # fmt: skip


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_no_number_is_written_with_an_exponent(chart, case):
    assert not EXPONENT.search(rendering.template(case, chart=chart))


# Names that Kubernetes and Helm take and that some reader of YAML takes for something else.
DIGITS = st.from_regex(r"[0-9]([-.]?[0-9eEx]){0,4}", fullmatch=True).map(str.lower)
AWKWARD = st.sampled_from(
    ["123", "012", "0x1f", "0b1", "0o17", "1e3", "2024-01-31", "null", "true", "y", "no", "on"]
)
NAMED = [(CHART, case) for case in ("everything-on", "cert-manager", "istio-both", "openshift")]
NAMED += [(MODELS, case) for case in ("models-every-key", "istio-models", "private-bucket")]


def misread(text: str, name: str) -> int:
    """How often `text` says `name` without quotes, where some reader takes it for something else."""
    if readings(name) == [name, name]:
        return 0
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    scalars = (event for event in events if isinstance(event, yaml.ScalarEvent))
    return sum(not scalar.style and scalar.value == name for scalar in scalars)


@settings(max_examples=4, deadline=None)
@given(name=AWKWARD | DIGITS)
@pytest.mark.parametrize(("chart", "case"), NAMED)
def test_a_release_and_a_namespace_may_be_named_like_a_number(chart, case, name):
    text = named(chart, case, release=name, namespace=name.replace(".", "-"))
    # What is there under any name: `true`, port 80.
    plain = named(chart, case, release="release", namespace="namespace")
    for word in (name, name.replace(".", "-")):
        assert misread(text, word) == misread(plain, word)
    labels = [manifest["metadata"].get("labels", {}) for manifest in rendering.parse(text)]
    instances = {label.get("app.kubernetes.io/instance", name) for label in labels}
    assert instances == {name}


@pytest.mark.parametrize(("chart", "case"), NAMED)
def test_no_object_takes_a_namespace_of_digits_for_a_number(chart, case):
    text = named(chart, case, release="1e3", namespace="123")
    assert misread(text, "1e3") == misread(text, "123") == 0
    # Every namespaced object says it.
    assert len(re.findall(r"namespace: [\"']123[\"']", text)) > 2


def named(chart: str, case: str, *, release: str, namespace: str) -> str:
    """What a chart renders for a case under some release's name in some namespace."""
    return helm_template(
        CHARTS[chart], rendering.given(case), release=release, namespace=namespace, more=()
    )


def test_committed_files_end_with_a_newline_and_have_no_carriage_returns():
    for file in (ROOT / "charts").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert data.endswith(b"\n"), file
            assert b"\r" not in data, file
