"""Formats: each reads alike in Go and Python, has its examples, and belongs to a field that exists."""

import json
import re
import subprocess
from functools import cache

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from generator import DATA, tools
from generator.values.consistency import RULES
from generator.values.formats import TEXT, describe, expand, kubernetes, slip
from generator.values.kubernetes import check_fields
from generator.values.schema import values_schema
from generator.values.validator import Validator

FORMATS = yaml.safe_load((DATA / "formats.yaml").read_text())["formats"]
DEFINITIONS = json.loads((DATA / "schemas" / "definitions.json").read_text())["$defs"]

# By format: what it takes, and what it does not.
EXAMPLES = {
    "CIDR": (["10.0.0.0/8", "::/0", "fd00::/8", "10.1.2.3/32"], ["banana", "10.0.0.0", "300.0.0.0/8", "10.0.0.0/33", "::/129", ":::/64"]),
    "api group": (["", "gateway.networking.k8s.io"], ["A", "a b", ".a"]),
    "annotation key": (["a", "Example.com/a.b_c"], ["a b", "/a", "a/b/c", "a" * 64]),
    "annotations": ([{}, {"a": "b c"}], [{"a b": "c"}, {"a": 1}]),
    "controller name": (["istio.io/ingress-controller"], ["istio", "a b/c"]),
    "count": ([0, 2147483647], [-1, 2147483648, 1.5, "1", True]),
    "positive count or percentage": ([1, "1%", "100%"], [0, "0%", "101%", "1", -1]),
    "count or percentage": ([0, "0%", "100%"], ["101%", "1", -1, "5 %"]),
    "data key": (["ca.crt", "AWS_KEY"], ["", "a/b", "a b"]),
    "digest": (["sha256:" + "0" * 64], ["sha256:0", "0" * 64, "sha256:" + "0" * 65]),
    "domain": (["a", "a.b", "models.example.com"], ["", "A.b", "*.a.b", "a..b", "https://a.b", "a.b:80", "a.b."]),
    "domain template": (["{{ .Name }}.{{.IngressDomain}}", "{{- .Labels.team -}}.x", '{{ index .Annotations "a.b/c" }}'], ["", "{{ .Name }", "{{ .Nmae }}", "{{ .Labels.a-b }}", "https://{{ .Name }}"]),
    "duration": (["0s", "60s", "5m", "1h", "250ms"], ["", "60", "1m30s", "5 m", "1d", "-1s", "60s\n"]),
    "entry name": (["a", "my-model"], ["", "A", "1a", "a-", "a.b", "on", "null", "a\n"]),
    "env var name": (["A", "_a.b-c"], ["", "1A", "A B", "A=B"]),
    "file mode": ([0, 420, 511], [512, -1, "0644"]),
    "host": (["a", "minio.storage.svc:9000"], ["", "https://a", "a/b", "a b"]),
    "http url": (["http://a", "https://a.b:80/c?d#e"], ["a", "ftp://a", "http://", "http://a b", "http:///a"]),
    "image": (["x", "a/b:1", "localhost:5000/a:v1", "a.b/c@sha256:" + "0" * 64], ["", "a b", "https://a/b", "A/b:", "a:b:c", "a/B", "a..b", "a./b", "a/b/"]),
    "interval": (["1s", "30s"], ["0s", "30"]),
    "kind": (["Issuer"], ["issuer", "", "A b"]),
    "label key": (["a", "example.com/a.b_c"], ["", "a b", "/a", "a/", "a/b/c", "A.b/c", "a" * 64, "b/" + "a" * 64]),
    "label name": (["a", "0-a"], ["", "A", "a.b", "-a", "a" * 64]),
    "label value": (["", "a", "A_b.c-d"], ["a b", "-a", "a" * 64, "é"]),
    "labels": ([{}, {"a": "b"}], [{"a b": "c"}, {"a": "b c"}, {"a": 1}, []]),
    "lifetime": (["2160h", "1h30m"], ["90d", "", "0h", "1ms"]),
    "milliseconds": ([1, 500], [0, "500ms", 0.5]),
    "model format": (["sklearn", "scikit-learn", "my.format_2"], ["", "1", "a b"]),
    "namespace pattern": (["*", "shop", "shop-*", "*-shop"], ["", "a b", "A", "a.b"]),
    "namespaced name": (["a/b", "istio-system/my.gateway"], ["a", "/a", "a/", "a/b/c", "A/b"]),
    "object name": (["a", "a.b-c", "1"], ["", "A", "a b", "a_b", ".a", "a..b", "a" * 254]),
    "path": (["/", "/etc/ssl"], ["", "etc", "/a b", "/a:b"]),
    "path template": (["/", "/serving/{{ .Namespace }}/{{ .Name }}"], ["", "serving", "/{{ .Nam }}", "/{{ .Name }", "/a b"]),
    "percentage": (["0%", "25%", "100%"], ["25", "101%", "-1%", 25]),
    "percentage of requests": ([0, 100], [-1, 101, "10"]),
    "port": ([1, 65535], [0, 65536, "80", 80.5]),
    "port or name": ([80, "http", "a1"], [0, 65536, "80", "HTTP", "a" * 16]),
    "positive count": ([1], [0, -1]),
    "positive seconds": ([1], [0, "60s"]),
    "principal": (["*", "cluster.local/ns/a/sa/b", "cluster.local/ns/a/*"], ["", "spiffe://a/ns/b/sa/c", "a b"]),
    "quantity": (["500m", "2", "4Gi", "1e3", "0.5", ".5", "+1", 0, 2, 0.5], ["-1", -1, "", "2GB", "1.2.3", "4 Gi", "1K", "1eX", True]),
    "quantity of a custom resource": (["500m", "0.5", 2], [0.5, -1, "-1", "4gb"]),
    "quota resource": (["pods", "requests.cpu", "requests.nvidia.com/gpu", "count/deployments.apps", "services.loadbalancers", "requests.hugepages-2Mi"], ["", "request.cpu", "gpu", "requests.pods", "services.nodeport", "limits.storage"]),
    "region": (["eu-west-1", "RegionOne"], ["", "a b", "a/b"]),
    "registry": (["docker.io", "localhost:5000", "a.b/c/d"], ["", "https://a.b", "a.b/", "a b", "a.b/C", "a.b/c..d"]),
    "relative path": (["a", "certs/ca.crt", "..a"], ["", "/a", "../a", "a/..", "a b"]),
    "repository": (["kserve/agent", "a.b_c/d--e"], ["", "a..b", "a._b", "A", "a/b:1", "/a", "a/"]),
    "resource name": (["cpu", "memory", "nvidia.com/gpu", "hugepages-2Mi"], ["mem", "", "gpu", "a b/c"]),
    "seconds": ([0, 60], [-1, "60s", 1.5]),
    "storage uri of an object": (["s3://a/b", "/mnt/models"], ["", "s3:/a/b", "./a", "a/b", "file:///a"]),
    "storage uri": (["s3://a/b", "hf://org/model", "pvc://a", "oci+native://a/b:1"], ["", "/mnt/x", "s3:/a/b", "./a", "s3://a b", "s3://", "s3:///a", "a/b", "S3://a"]),
    "tag": (["v1", "1.10", "_a"], ["", "not a tag!", ":v1", "-a", "a" * 129]),
    "target label": (["__meta_x", "a1"], ["", "1a", "a-b"]),
    "text": (["", "a\n\tb\r\n", "\u00e9 \u00a0\ufeff"], ["a\x85b", "\u2028", "\u2029\n", "\x00", "\x1b[0m", "\x7f", "\x9f", "\ufffe", 1]),
    "url": (["http://a", "s3://bucket/logs", "kafka+tls://a:9"], ["", "a", "not a url", "://a"]),
    "user": ([0, 65534], [-1, 2**31]),
}  # fmt: skip


def takes(name: str, value: object) -> bool:
    return not list(Validator(expand({"x-format": name})).refusals(value))


def test_every_format_has_examples():
    assert EXAMPLES.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_format_takes_what_it_is_for_and_nothing_else(name):
    good, bad = EXAMPLES[name]
    assert [value for value in good if not takes(name, value)] == []
    assert [value for value in bad if takes(name, value)] == []


@pytest.mark.parametrize("name", [name for name in FORMATS if "is" in FORMATS[name]])
def test_the_example_in_the_sentence_is_one(name):
    """People copy it. A sentence without an example says the whole of it."""
    sentence = describe(name)
    assert sentence
    examples = re.findall(r'such as (?:"(.+)"|([^ ,]+))', sentence)
    for quoted, plain in examples:
        text = quoted or plain
        assert takes(name, text) or takes(name, int(text)), text
    assert examples or name in ("count", "positive count", "digest")


@pytest.mark.parametrize("name", [name for name in FORMATS if "slips" in FORMATS[name]])
def test_a_slip_is_about_what_the_format_refuses(name):
    _, bad = EXAMPLES[name]
    good, _ = EXAMPLES[name]
    for value in good:
        assert not (isinstance(value, str) and re.search("did you mean", slip(name, value) or ""))
    assert any(slip(name, value) for value in bad), "no example of a slip"


def test_a_remedy_that_says_what_to_write_is_right():
    remedies = 0
    for name, (_, bad) in EXAMPLES.items():
        for value in bad:
            remedy = slip(name, value) or ""
            written = re.fullmatch(r"(?:write|did you mean) (\S+?)\??", remedy)
            if written:
                remedies += 1
                text = written[1]
                assert takes(name, text) or (text.isdigit() and takes(name, int(text))), remedy
    assert remedies > 10


def test_the_optional_form_takes_the_empty_text():
    for name, node in FORMATS.items():
        if "pattern" in node and node["type" if "type" in node else "pattern"] == "string":
            assert takes(f"{name}?", ""), name


def used(node: object) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(used, node))
    if not isinstance(node, dict):
        return set()
    own = {node["x-format"].removesuffix("?")} if isinstance(node.get("x-format"), str) else set()
    return own.union(*map(used, node.values()))


def test_every_format_is_used():
    fields = [field for own in kubernetes()["fields"].values() for field in own.values()]
    in_fields = {field.removeprefix("[]") for field in fields if isinstance(field, str)}
    everywhere = used(values_schema()) | used(kubernetes()) | in_fields | used(FORMATS) | {TEXT}
    assert FORMATS.keys() - everywhere == set()
    assert everywhere - FORMATS.keys() == set()


def test_every_narrowed_field_exists():
    for name, own in kubernetes()["fields"].items():
        types = DEFINITIONS.values() if name == "*" else [DEFINITIONS[name]]
        known = set().union(*(node.get("properties", {}) for node in types))
        assert own.keys() - known == set(), name


TEXTS = st.one_of(
    st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12),
    st.sampled_from([v for good, bad in EXAMPLES.values() for v in (*good, *bad) if isinstance(v, str)]),
).flatmap(lambda text: st.sampled_from([text, text + "\n", " " + text, text.upper(), text + "é"]))  # fmt: skip
PATTERNS = {name: node for name, node in FORMATS.items() if "pattern" in node}


@pytest.fixture(scope="module")
def chart(tmp_path_factory):
    """A chart that takes a list of texts for each format."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: formats\nversion: 0.1.0\n")
    schema = {"properties": {
        name: {"items": {key: value for key, value in expand({"x-format": name}).items()
                         if key in ("pattern", "maxLength")}}
        for name in PATTERNS
    }}  # fmt: skip
    (folder / "values.schema.json").write_text(json.dumps(schema))
    return folder


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    # A run of Helm for each smaller example would take minutes.
    phases=[Phase.generate],
)
@given(texts=st.lists(TEXTS, min_size=40, max_size=60, unique=True))
def test_go_and_python_read_the_patterns_alike(chart, texts):
    values = chart / "my.yaml"
    values.write_text(json.dumps(dict.fromkeys(PATTERNS, texts)))
    # Not by rendering.helm, which shortens what Helm says.
    argv = [str(tools.find("helm")), "template", "x", str(chart), "-f", str(values)]
    said = subprocess.run(argv, capture_output=True, text=True, check=False).stderr
    theirs = set(re.findall(r"at '/([^/']+)/(\d+)'", said))
    ours = {
        (name, str(index))
        for name in PATTERNS
        for index, text in enumerate(texts)
        for found in Validator(expand({"x-format": name})).refusals(text)
        if found.keyword in ("pattern", "maxLength")
    }
    assert {(name, texts[int(index)]) for name, index in ours ^ theirs} == set()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("Probe", {"httpGet": {"port": 1}, "exec": {"command": ["x"]}}, "exclude each other"),
        ("SecurityContext", {"privileged": True, "allowPrivilegeEscalation": False}, "may escalate"),
        ("[]Toleration", [{"key": "a", "tolerationSeconds": 3}], "set effect: NoExecute"),
        ("LabelSelector", {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "takes no values"),
        ("Affinity", {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["b"]}]}]}}}, "wants one number"),
        ("[]NetworkPolicyPeer", [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}], "stands alone"),
        ("ResourceRequirements", {"requests": {"cpu": "1001m"}, "limits": {"cpu": 1}}, "more than the limit"),
        ("ResourceRequirements", {"requests": {"memory": "1025Mi"}, "limits": {"memory": "1Gi"}}, "more than the limit"),
    ],
)  # fmt: skip
def test_fields_that_do_not_go_together_are_refused(kind, value, said):
    (found,) = check_fields(kind, value, custom=False)
    assert said in found[1]
    assert "; " in found[1]


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
JSON = st.recursive(
    SCALARS,
    lambda child: st.one_of(st.lists(child), st.dictionaries(st.text(), child)),
    max_leaves=4,
)


LIKELY = st.one_of(
    JSON,
    st.sampled_from(["In", "Exists", "Gt", 5, True, "NoExecute", "Recreate", "10.0.0.0/8"]),
)


@cache
def written(rule: str) -> st.SearchStrategy[dict]:
    """What people write for a type; made once, not once for each example."""
    fields = sorted(DEFINITIONS[rule.rsplit(maxsplit=1)[-1]]["properties"])
    return st.dictionaries(st.sampled_from(fields), LIKELY, max_size=4)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_rule_takes_whatever_people_write(rule, data):
    """Of the wrong type, too: that is said elsewhere, and never ends in a traceback."""
    value = data.draw(written(rule))
    for path, message in RULES[rule](value):
        assert isinstance(path, tuple)
        assert "; " in message


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ResourceRequirements", {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": 1, "memory": "1Gi"}}),
        ("ResourceRequirements", {"requests": {"cpu": 0.5}, "limits": {"memory": "1Gi", "cpu": None}}),
        ("ResourceRequirements", {"requests": {"memory": "1e9"}, "limits": {"memory": "1G"}}),
        ("[]Toleration", [{"operator": "Exists"}, {"key": "a", "value": "", "effect": ""}]),
        ("SecurityContext", {"privileged": None, "runAsUser": None}),
        ("map[string]Volume", {"a": {}, "b": {"image": {"reference": "a/b:1"}}}),
        ("map[string]EnvVar", {"A": "plain", "B": {"value": ""}}),
    ],
)  # fmt: skip
def test_what_kubernetes_takes_is_taken(kind, value):
    assert list(check_fields(kind, value, custom=False)) == []
