"""The gates close: each law's check is run on a chart that breaks the law, and must see it."""

import json
import random
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from generator import CHART
from generator.errors import OutputError, ToolFailed
from generator.manifests import parsing
from generator.manifests.kubeconform import check
from generator.output import journal, mirror, record, writing
from generator.values.check import read
from generator.values.load import Values
from generator.values.sources import Source, opened
from tests import flips, rendering
from tests.laws import (
    test_01_parity,
    test_01_specialised,
    test_02_purity,
    test_03_no_dead_value,
    test_05_config_is_data,
    test_06_namespace,
    test_07_one_registry,
    test_08_first_install,
    test_09_nothing_is_lost,
    test_10_kserve_braces,
    test_11_one_reading,
    test_12_restricted,
    test_14_explicit_defaults,
    test_15_small,
    test_16_files_are_safe,
    test_17_promises,
    test_18_waiting,
    test_19_read_once,
)
from tests.laws.test_19_read_once import spy  # noqa: F401
from tests.rendering import STOCK, Object


@pytest.fixture
def broken(tmp_path):
    """Break the chart: replace text in one of its files, and render it."""

    def break_chart(path: str, old: str, new: str) -> Path:
        folder = tmp_path / "kserve-lite"
        shutil.copytree(STOCK, folder)
        file = folder / path
        text = file.read_text()
        assert old in text, f"{path} does not say {old!r}"
        file.write_text(text.replace(old, new))
        return folder

    return break_chart


def objects(folder: Path, *arguments: str) -> list[Object]:
    return rendering.parse(rendering.helm_template(folder, more=arguments))


def test_there_is_a_check_for_every_law():
    here = Path(__file__)
    laws = {file.stem[5:7] for file in here.parent.glob("test_[0-9]*.py")}
    gates = set(re.findall(r"^def test_gate_(\d\d)_", here.read_text("utf-8"), re.MULTILINE))
    assert laws == gates == {f"{number:02}" for number in range(1, 20)}


def test_gate_01_an_object_that_differs(broken):
    folder = broken("templates/controller/deployment.yaml", "kind: Deployment", "kind: StatefulSet")
    assert len(test_01_parity.differences(objects(STOCK), objects(folder))) == 2
    other = objects(STOCK)
    rendering.only(other, "Deployment")["spec"]["replicas"] = 7
    assert len(test_01_parity.differences(objects(STOCK), other)) == 1


def test_gate_01_a_change_that_a_specialised_chart_has_no_files_for(tmp_path):
    folder = rendering.write_chart("default", tmp_path)
    change = {"routing": {"mode": "none"}}
    assert "is specialised for ingress" in test_01_specialised.refused(folder, change, "helm")
    check = folder / "templates" / "_specialised.tpl"
    check.write_text(check.read_text().replace('ne .Values.routing.mode "ingress"', "false"))
    with pytest.raises(pytest.fail.Exception):
        test_01_specialised.refused(folder, change, "helm")


@pytest.mark.parametrize(
    "action",
    [
        '{{ lookup "v1" "Secret" "a" "b" }}',
        "{{ now }}",
        "{{ $ca := genCA `ca` 1 }}",
        "{{ uuidv4 }}",
        "{{ randAlphaNum 5 }}",
        '{{ if .Capabilities.APIVersions.Has "x/v1" }}{{ end }}',
    ],
)
def test_gate_02_an_impure_function(action):
    assert len(test_02_purity.impurities({"templates/a.yaml": action})) == 1
    assert (
        test_02_purity.impurities(
            {"templates/a.yaml": '{{ .now }} {{ "lookup" }} {{- /* now */ -}}'}
        )
        == []
    )


def test_gate_02_a_hook():
    assert test_02_purity.impurities(
        {"templates/a.yaml": "annotations:\n  helm.sh/hook: pre-install\n"}
    )


def test_gate_03_a_value_without_effect(broken, tmp_path, monkeypatch):
    """A template that stops reading a value leaves it without effect; nothing else does."""
    name = "controller.priorityClassName"
    (leaf,) = [leaf for leaf in test_03_no_dead_value.LEAVES if leaf.name == name]
    monkeypatch.setitem(flips.ORDER, CHART, ["default"])
    changes, texts = test_03_no_dead_value.measure(leaf, tmp_path)
    assert changes
    assert test_03_no_dead_value.DIGITS in "".join(texts)
    folder = broken("templates/controller/deployment.yaml", ".priorityClassName", ".dead")
    monkeypatch.setitem(rendering.CHARTS, CHART, folder)
    # Past its cache, which knows the chart by its name.
    monkeypatch.setattr(rendering, "template", rendering.template.__wrapped__)
    assert test_03_no_dead_value.measure(leaf, tmp_path) == ({}, [])


def test_gate_04_an_open_schema(broken):
    typo = ("--set", "controller.replica=2")
    with pytest.raises(ToolFailed, match="'replica' not allowed"):
        objects(STOCK, *typo)
    folder = broken(
        "values.schema.json", '"additionalProperties":false', '"additionalProperties":true'
    )
    assert objects(folder, *typo)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"ingressGateway" $gateway', '"ingressGateway" ""'),
        ('"ingressGateway" $gateway', '"ingressGateway" "knative-serving/knative-ingress-gateway"'),
        ('"disableIstioVirtualHost" (eq', '"disableIstioVirtualHost" (ne'),
        ('"cpuLimit" (include', '"cpuLimits" (include'),
        ('"router"\n', ""),
        ('"logger" ', ""),
    ],
)
def test_gate_05_a_config_that_kserve_chokes_on(broken, old, new):
    folder = broken("templates/config/_config.tpl", old, new)
    assert test_05_config_is_data.faults(objects(STOCK), "Standard") == []
    assert test_05_config_is_data.faults(objects(folder), "Standard") != []


def test_gate_05_text_that_is_not_json(broken):
    folder = broken("templates/config/configmap.yaml", "toPrettyJson $config", "toYaml $config")
    assert len(test_05_config_is_data.faults(objects(folder), "Standard")) > 10


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("templates/_helpers.tpl", "{{ .Release.Namespace }}", "kserve"),
        ("templates/webhook/_webhook.tpl", 'printf "%s.%s.svc"', 'printf "%s.kserve.svc-%s"'),
        (
            "templates/controller/clusterrolebinding.yaml",
            '{{ include "kserve-lite.namespace" . | quote }}',
            "kserve",
        ),
    ],
)
def test_gate_06_a_namespace_written_down(broken, path, old, new):
    folder = broken(path, old, new)
    text = rendering.helm_template(folder, namespace="elsewhere", more=())
    assert test_06_namespace.elsewhere(rendering.parse(text), "elsewhere") != []


def test_gate_07_an_image_past_the_registry(broken):
    image = (
        '{{ include "kserve-lite.image" (dict "root" . "image" .Values.controller.image) | quote }}'
    )
    folder = broken(
        "templates/controller/deployment.yaml", image, "docker.io/kserve/kserve-controller:v1"
    )
    found = test_07_one_registry.images(
        objects(folder, "--set", "global.imageRegistry=r.example.com")
    )
    assert [image for image in found if not image.startswith("r.example.com/")] == [
        "docker.io/kserve/kserve-controller:v1"
    ]


def test_gate_08_a_runtime_that_waits_for_its_webhook(broken):
    folder = broken("templates/webhook/_webhook.tpl", "operator: NotIn", "operator: In")
    assert len(test_08_first_install.waiting(objects(folder))) == 1


def test_gate_09_a_crd_that_an_uninstall_takes(broken):
    folder = broken("templates/NOTES.txt", "", "")
    shutil.move(folder / "crds", folder / "templates" / "crds")
    assert len(test_09_nothing_is_lost.lost(objects(folder))) == 6


def test_gate_09_a_tenant_that_an_uninstall_takes(broken, tmp_path):
    folder = broken("templates/tenants/_tenants.tpl", '"helm.sh/resource-policy" "keep"', "")
    values = tmp_path / "tenants.yaml"
    values.write_text("tenants: {fraud: {}}\n")
    found = test_09_nothing_is_lost.lost(objects(folder, "-f", str(values)))
    assert found == ["Namespace fraud"]


@pytest.mark.parametrize("tool", ["Argo CD", "Flux", "Helm"])
def test_gate_09_a_crd_that_a_tool_prunes(broken, tool):
    """Each protection is taken out of one CRD; the others do not stand in for it."""
    annotation = {
        "Argo CD": "Prune=false,Delete=false",
        "Flux": "prune: disabled",
        "Helm": "resource-policy: keep",
    }[tool]
    half = {"Argo CD": "Delete=false", "Flux": "prune: enabled", "Helm": "resource-policy: x"}[tool]
    folder = broken("crds/serving.kserve.io_trainedmodels.yaml", annotation, half)
    them = rendering.of_kind(objects(folder, "--include-crds"), "CustomResourceDefinition")
    assert list(test_09_nothing_is_lost.pruned(them)) == [
        ("CustomResourceDefinition/trainedmodels.serving.kserve.io", tool)
    ]


def test_gate_09_a_namespace_that_a_tool_prunes(monkeypatch):
    monkeypatch.setattr("generator.manifests.rendering.KEEP", {})
    namespace = rendering.only(test_09_nothing_is_lost.through_door_two("default"), "Namespace")
    assert [tool for _, tool in test_09_nothing_is_lost.pruned([namespace])] == [
        "Argo CD",
        "Flux",
        "Helm",
    ]


def test_gate_10_braces_that_helm_eats(broken):
    folder = broken("templates/runtimes/sklearn.yaml", '{{ "{{.Name}}" }}', "{{ .Release.Name }}")
    runtime = rendering.only(objects(folder), "ClusterServingRuntime")
    assert test_10_kserve_braces.braces(runtime) != test_10_kserve_braces.braces(
        rendering.only(objects(STOCK), "ClusterServingRuntime")
    )


def test_gate_11_a_number_with_an_exponent(broken):
    folder = broken(
        "templates/webhook/selfSigned/_job.tpl",
        "int .Values.webhook.certificate.generation",
        ".Values.webhook.certificate.generation",
    )
    values = folder.parent / "values.yaml"
    values.write_text("webhook: {certificate: {generation: 1000000}}\n")
    texts = [
        rendering.helm_template(chart, Values.parsed([values]), more=())
        for chart in (STOCK, folder)
    ]
    assert not test_11_one_reading.EXPONENT.search(texts[0])
    assert test_11_one_reading.EXPONENT.search(texts[1])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"allowPrivilegeEscalation" false',
            '"allowPrivilegeEscalation" true',
            "allowPrivilegeEscalation",
        ),
        ('(list "ALL")', '(list "CHOWN")', "capabilities"),
        ('"privileged" false', '"privileged" true', "privileged"),
        ('set $context "runAsNonRoot" true', 'set $context "runAsNonRoot" false', "runAsNonRoot"),
        ('set $context "seccompProfile"', 'set $context "seccomp"', "seccompProfile"),
    ],
)
def test_gate_12_a_container_that_is_not_restricted(broken, old, new, said):
    folder = broken("templates/_helpers.tpl", old, new)
    found = test_12_restricted.violations(objects(folder))
    assert f"ClusterServingRuntime kserve-sklearnserver/kserve-container: {said}" in found
    assert f"ClusterStorageContainer default/storage-initializer: {said}" in found


def test_gate_13_an_object_that_is_not_valid(broken):
    folder = broken("templates/controller/role.yaml", "apiGroups: [coord", "apiGroup: [coord")
    report = check(list(parsing.split(rendering.helm_template(folder, more=()))))
    assert len(report.problems) == 1


@pytest.mark.parametrize("field", ["matchPolicy: Equivalent\n", "sideEffects: None\n"])
def test_gate_14_a_default_left_out(broken, field):
    folder = broken("templates/webhook/_webhook.tpl", field, "")
    assert len(test_14_explicit_defaults.left_out(objects(folder))) == 7


def test_gate_15_crds_that_are_too_big(broken):
    """What upstream's have in each field is enough: a description."""
    name = "serving.kserve.io_inferenceservices.yaml"
    described = f"{{type: string, description: {'What it is. ' * 10}}}"
    folder = broken(f"crds/{name}", "{type: string}", described)
    assert test_15_small.too_big(folder) == [name, "all together"]
    # One more of the same size as the largest: each is small, all together are not.
    shutil.copy(STOCK / "crds" / name, folder / "crds" / name)
    shutil.copy(STOCK / "crds" / name, folder / "crds" / "another.yaml")
    assert test_15_small.too_big(folder) == ["all together"]


def test_gate_15_a_chart_that_is_too_big_for_its_secret():
    files = dict(test_15_small.FILES[CHART])
    assert test_15_small.release_secret(files, {}, "") < test_15_small.SECRET
    # Text that does not shrink, as a certificate or an image in a template would not.
    files["templates/big.yaml"] = random.Random(0).randbytes(test_15_small.SECRET // 2).hex()
    assert test_15_small.release_secret(files, {}, "") > test_15_small.SECRET


def test_gate_16_a_writer_that_goes_by_nothing(tmp_path):
    (tmp_path / "mine.txt").write_text("mine\n")
    (tmp_path / "a.yaml").write_text("# Generated by kserve-lite; do not edit.\n")
    before = test_16_files_are_safe.files(tmp_path)
    mirror.write({"a.yaml": "1\n"}, tmp_path)
    after = test_16_files_are_safe.files(tmp_path)
    assert test_16_files_are_safe.harm(before, after, {}) == ["mine.txt", "a.yaml"]
    digest = record.digest(before["a.yaml"].encode())
    assert test_16_files_are_safe.harm(before, after, {"a.yaml": digest}) == ["mine.txt"]
    assert test_16_files_are_safe.harm(before, after, {"a.yaml": "0" * 64}) == [
        "mine.txt",
        "a.yaml",
    ]


def test_gate_16_a_run_that_is_not_undone(tmp_path, monkeypatch):
    wanted = [writing.Tree({"a.yaml": "1\n", "b.yaml": "1\n"}, "chart")]
    monkeypatch.setattr(journal, "_undo", lambda *_: ())
    rename = Path.rename

    def fail(path, target):
        if Path(target).name == "b.yaml":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError):
        writing.write(writing.Output(tmp_path, wanted))
    assert test_16_files_are_safe.files(tmp_path) == {"a.yaml": "1\n"}


def test_gate_17_a_promise_that_nothing_vouches_for():
    page = """
# Every pod is served

Whatever comes in. All requests arrive (at once, too). docs/a.md says it of `a pod.`

| pods | image |
|---|---|
| one | an image |

```sh
kubectl get pods
```

- A pod
  restarts.
"""
    made = {
        text: ["a.md"]
        for text in test_17_promises.of_page(page)
        if test_17_promises.SUBJECT.search(text)
    }
    assert list(made) == [
        "All requests arrive (at once, too).",
        "docs/a.md says it of `a pod.`",
        "one | an image",
        "A pod restarts.",
    ]
    alone = test_17_promises.without_witness(made, set(made) - {"A pod restarts."})
    assert alone == ["a.md: A pod restarts."]
    # What is said otherwise now is vouched for no more, and the new sentence is pointed at.
    gone = test_17_promises.not_promised(
        made, {"a witness": ["A pod never restarts.", "one | an image"]}
    )
    assert gone == ["a witness: A pod never restarts.\n    now it says: A pod restarts."]


def test_gate_17_comments_and_descriptions_are_read():
    text = "# Of the\n# pods. Of b.\na: 1  # Of an image.\n# Of c: {d: '#'}\n"
    assert list(test_17_promises.of_comments(text)) == [
        "Of the pods.",
        "Of b.",
        "Of c: {d: '#'}",
        "Of an image.",
    ]
    places = {source for places in test_17_promises.promises().values() for source in places}
    for kind in (
        "README.md",
        "docs/",
        "values/",
        "examples/",
        "generator/data/values.schema.yaml",
        ".j2",
    ):
        assert [source for source in places if kind in source], kind


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("tests/laws/test_gates.py::test_there_is_a_check_for_every_law", True),
        ("tests/laws/test_gates.py::test_of_nothing", False),
        ("tests/laws/test_gates.py::broken", False),
        ("tests/laws/test_gates.py", False),
        ("tests/laws/test_nothing.py::test_there_is_a_check_for_every_law", False),
        ("generator/cli/options.py::main", False),
        ("source: KServe v0.20.0: pkg/a.go: words", True),
        ("source: KServe v0.20.0: pkg/a.go", True),
        ("source: KServe: pkg/a.go", False),
        ("source: KServe v0.20.0: somewhere", False),
        ("source: Red Hat 2026-11-25: https://docs.example.com/a", True),
        ("source: Red Hat: https://docs.example.com/a", False),
        ("somebody told me", False),
    ],
)
def test_gate_17_a_witness_that_is_not_there(name, good):
    assert test_17_promises.is_witness(name) == good


@pytest.mark.usefixtures("spy")
def test_gate_19_values_that_are_written_anew(tmp_path, monkeypatch):
    file = tmp_path / "my.yaml"
    file.write_bytes(b"# A comment.\ncontroller: {replicas: 2}\n")
    values = read([file])
    assert test_19_read_once.received(values) == [file.read_bytes()]

    @contextmanager
    def anew(sources):
        texts = [yaml.safe_dump(source.document().data).encode() for source in sources]
        with opened([Source("x", text) for text in texts]) as descriptors:
            yield descriptors

    monkeypatch.setattr("generator.helm.opened", anew)
    assert test_19_read_once.received(values) == [b"controller:\n  replicas: 2\n"]


DEFINE = re.compile(r'define "([^"]+)"')


def test_every_define_is_ours_described_and_used():
    text = "".join(file.read_text() for file in (STOCK / "templates").rglob("*") if file.is_file())
    names = DEFINE.findall(text)
    assert len(names) == len(set(names)) > 20
    for name in names:
        assert re.fullmatch(r"kserve-lite\.[A-Za-z.]+", name)
        dynamic = re.fullmatch(r"kserve-lite\.(config\.[A-Za-z]+|[a-z]+\.check)", name)
        assert f'include "{name}"' in text or dynamic, name
    assert 'include (printf "kserve-lite.config.%s" .)' in text
    assert 'include (printf "kserve-lite.%s.check" .)' in text


@pytest.mark.parametrize(
    ("what", "times"),
    [
        (r"\.Release\.Namespace", 1),
        (r"\.Chart\.AppVersion", 1),
        (r"\{\{-? ?template ", 0),
        (r"\| ?indent ", 0),
        (r"\btpl\b", 0),
        (r"\bmerge\b", 0),  # A default would win over false, 0 and "".
    ],
)
def test_what_is_written_in_one_place_only(what, times):
    found = []
    for file in (STOCK / "templates").rglob("*"):
        if file.is_file():
            code = re.sub(r"\{\{-? /\*.*?\*/ -?\}\}", "", file.read_text(), flags=re.DOTALL)
            found += [file.name] * len(re.findall(what, code))
    assert len(found) == times, found


def test_the_schema_is_self_contained():
    schema = json.loads((STOCK / "values.schema.json").read_text())
    for path, value in rendering.walk(schema):
        if path[-1:] == ("$ref",):
            assert value.startswith("#/definitions/")
            assert value.rpartition("/")[2] in schema["definitions"]


def test_the_values_file_has_prose_for_every_top_level_key():
    text = (STOCK / "values.yaml").read_text()
    for key in yaml.safe_load(text):
        assert re.search(rf"^# -- .*(?:\n# .*)*\n{key}:", text, re.MULTILINE), key


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (""".status}'=True""", """.status}'=False"""),
        ("--for=jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}'=True", "--for=condition=Ready"),
        ("--timeout=10m ", ""),
        ("rollout status deployment/a-predictor --timeout=10m", "rollout status deployment/a-predictor"),
        ("'{.spec.replicas}'=1", "'{.spec.replicas}'"),
        ("-f a.yaml", "-f a.yaml --wait"),
        ("-f a.yaml", "--rollback-on-failure -f a.yaml"),
    ],
)  # fmt: skip
def test_gate_18_a_wait_that_hangs_or_ends_too_early(good, bad):
    text = """
    helm upgrade a charts/kserve-lite-models -n {{ .Release.Namespace }} -f a.yaml
    kubectl -n a wait isvc/a --timeout=10m \\
      --for=jsonpath='{.status.conditions[?(@.type=="Ready")].status}'=True
    kubectl wait deployment/a-predictor -n a --for=jsonpath='{.spec.replicas}'=1 --timeout=1m
    kubectl rollout status deployment/a-predictor --timeout=10m
    """
    assert test_18_waiting.faults(text) == []
    assert good in text
    assert len(test_18_waiting.faults(text.replace(good, bad))) == 1
