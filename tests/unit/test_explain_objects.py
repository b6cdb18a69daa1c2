"""`explain KIND/NAME`: each field with its value, the line that prints it, and what changes it."""

import json
import re

import pytest
import yaml

from generator import CHART, MODELS
from generator.errors import GeneratorError
from generator.explanation import listing as listing_module
from generator.explanation import trace
from generator.explanation.influence import steps
from generator.explanation.kinds import kind_of
from generator.explanation.labels import known_objects
from generator.explanation.objects import explain
from generator.manifests import rendering
from generator.values.check import read
from generator.yaml.document import parse
from generator.yaml.fields import leaves
from generator.yaml.kubernetes import KubernetesReader
from tests.rendering import CASES, ROOT, given, through_door_two
from tests.unit.test_cli import run

MANAGER = "Deployment/kserve-controller-manager"
CONTAINER = "spec.template.spec.containers[manager]"
IRIS = ROOT / "examples" / "models" / "sklearn-iris.yaml"


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies")
    return {name: trace.copy(name, folder) for name in (CHART, MODELS)}


def parsed(manifest):
    return yaml.load(manifest.text, Loader=yaml.CSafeLoader)


def prints(line, key, value):
    """Whether a line of a template may print a field: it names it, or prints more than one."""
    whole = "toYaml" in line or "nindent" in line or "{{ quote $" in line or line.endswith("- |")
    return whole or f"{key}:" in line or f"- {value}" in line or "- {{" in line or "- --" in line


def wrong_origins(manifest):
    """The fields of a marked object whose line in the template can not have printed them."""
    found = trace.Trace(manifest)
    positions = lines_of(manifest)
    for path, key, value in leaves(parsed(manifest)):
        where = key
        while where not in positions:
            where = where[:-1]
        origin = found.origin(positions[where])
        line = (ROOT / "charts" / origin.file).read_text().splitlines()[origin.line - 1]
        if not prints(line, key[-1], value) and not re.search(r"[\[{].*[\]}]", line):
            yield f"{manifest.kind}/{manifest.name} {path}: {origin}: {line}"


def lines_of(manifest):
    document = parse(manifest.text, "text", reader=KubernetesReader)
    return {key: line for key, (line, _) in document.positions.items()}


@pytest.mark.parametrize("case", CASES)
def test_marks_change_no_object_and_lead_to_the_line_that_prints_a_field(case, copies):
    plain = through_door_two(case)
    with_marks = rendering.render(given(case), charts=copies.__getitem__)
    assert list(map(parsed, with_marks)) == list(map(parsed, plain))
    assert [(each.kind, each.name) for each in with_marks] == [(e.kind, e.name) for e in plain]
    own = [each for each in with_marks if each.source.startswith("templates/")]
    assert len(own) > 10
    assert [wrong for each in own for wrong in wrong_origins(each)] == []


def test_every_field_is_explained():
    (listing,) = explain(MANAGER)
    (manifest,) = (each for each in through_door_two("default") if each.kind == "Deployment")
    fields = {field.path: field.value for field in listing.fields}
    assert fields == {path: value for path, _, value in leaves(parsed(manifest))}
    assert len(fields) > 60
    assert all(field.origin for field in listing.fields)


def values_of(listing, path):
    (field,) = (each for each in listing.fields if each.path == path)
    return [setter.path for setter in field.setters]


def test_a_field_names_the_values_that_change_it():
    (listing,) = explain(MANAGER)
    assert values_of(listing, "spec.replicas") == ["controller.replicas"]
    assert values_of(listing, f"{CONTAINER}.args[1]") == ["webhook.port"]
    assert values_of(listing, f"{CONTAINER}.args[0]") == []
    assert values_of(listing, f"{CONTAINER}.image") == [
        "global.imageRegistry",
        *(f"controller.image.{key}" for key in ("registry", "repository", "tag", "digest")),
    ]
    memory = f"{CONTAINER}.resources.limits.memory"
    assert values_of(listing, memory) == [memory.replace(CONTAINER, "controller")]
    assert values_of(listing, 'metadata.labels["app.kubernetes.io/name"]') == []


def test_a_value_of_ones_own_is_named_with_its_file_and_line(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(
        "controller:\n"
        "  extraEnv: {FOO: bar}\n"
        "  extraArgs: [--x=1]\n"
        "  podSecurityContext: {runAsUser: 7}\n"
        "  serviceAccount: {name: mine}\n"
        "extraObjects:\n"
        "  own:\n"
        "    {apiVersion: v1, kind: Secret, metadata: {name: own}, stringData: {key: hidden}}\n"
    )
    values = read([file])
    (listing,) = explain(MANAGER, "spec", values=values)
    found = {
        field.path: {each.path: each.said for each in field.setters} for field in listing.fields
    }
    assert found[f"{CONTAINER}.env[FOO].value"] == {"controller.extraEnv.FOO": f"{file}:2"}
    assert found[f"{CONTAINER}.args[6]"] == {"controller.extraArgs": f"{file}:3"}
    user = "spec.template.spec.securityContext.runAsUser"
    own = {"controller.podSecurityContext.runAsUser": f"{file}:4"}
    assert found[user] == own | {"platform": None}
    (account,) = explain("ServiceAccount/mine", "metadata.name", values=values)
    assert values_of(account, "metadata.name") == ["controller.serviceAccount.name"]
    (secret,) = explain("secret/own", "stringData", values=values)
    assert [each.path for each in secret.presence] == ["extraObjects.own"]
    assert values_of(secret, "stringData.key") == ["extraObjects.own.stringData.key"]
    assert "hidden" not in "\n".join([*secret.as_text(), listing_module.as_json([secret])])


def test_the_entry_that_makes_an_object_is_named():
    (listing,) = explain("InferenceService/sklearn-iris", values=read([IRIS]))
    assert [str(each) for each in listing.presence] == [f"models.sklearn-iris ({IRIS}:3)"]
    assert values_of(listing, "spec.predictor.model.modelFormat.name")[0] == (
        "models.sklearn-iris.format"
    )
    (service,) = explain("Service/sklearn-iris", "spec.ports[0].targetPort", values=read([IRIS]))
    assert "models.sklearn-iris.port" in values_of(service, "spec.ports[http].targetPort")


ROUTES = """\
routing: {mode: gatewayApi, domain: a.example.com, gatewayApi: {writeRoutes: true}}
models: {iris: {format: sklearn, storageUri: "s3://m/iris"}}
tenants: {default: {createNamespace: false}}
"""
MESH = """\
routing: {mode: virtualService, domain: a.example.com}
models: {iris: {format: sklearn, storageUri: "s3://m/iris"}}
"""


@pytest.mark.parametrize(
    ("given", "thing", "field", "expected"),
    [
        (ROUTES, "HTTPRoute/iris.host", "spec.hostnames", {"routing.domain", "routing.domainTemplate",
         "tenants.default.gateway.domain"}),
        (ROUTES, "HTTPRoute/iris.host", "spec.rules[0].timeouts", {"models.iris.timeout"}),
        (ROUTES, "HTTPRoute/iris.host", "spec.parentRefs[0].name", {"routing.gateway.name"}),
        (MESH, "VirtualService/iris", "spec.http[predict].timeout", {"models.iris.timeout"}),
        (MESH, "Gateway/kserve-ingress-gateway", "spec.servers[0].hosts", {"routing.domain"}),
        (MESH, "Service/iris", "spec.selector.app", {"models.iris.transformer.image"}),
    ],
)  # fmt: skip
def test_a_field_of_a_route_names_the_values_that_change_it(
    tmp_path, given, thing, field, expected
):
    (tmp_path / "my.yaml").write_text(given)
    (listing,) = explain(thing, field, values=read([tmp_path / "my.yaml"]))
    setters = {each.path for found in listing.fields for each in found.setters}
    assert expected <= setters


def test_a_route_comes_and_goes_with_its_model(tmp_path):
    (tmp_path / "my.yaml").write_text(ROUTES)
    (listing,) = explain("HTTPRoute/iris.host", values=read([tmp_path / "my.yaml"]))
    presence = {each.path for each in listing.presence}
    assert {
        "models.iris",
        "routing.mode",
        "routing.domain",
        "routing.gatewayApi.writeRoutes",
    } <= presence


@pytest.mark.parametrize(
    "field", ["containers[0].image", "containers[manager].image", 'containers["manager"]["image"]']
)
def test_a_field_is_found_however_people_write_an_item(field):
    (listing,) = explain(MANAGER, f".spec.template.spec.{field}")
    assert [each.path for each in listing.fields] == [f"{CONTAINER}.image"]


def test_the_json_of_a_config_map_is_opened():
    (listing,) = explain("configmap/inferenceservice-config", "data.ingress.ingressDomain")
    (field,) = listing.fields
    assert field.value == "svc.cluster.local"
    assert "routing.domain" in [each.path for each in field.setters]
    assert str(field.origin) == "kserve-lite/templates/config/configmap.yaml:11"


def test_a_crd_is_printed_as_it_stands():
    name = "CustomResourceDefinition/inferenceservices.serving.kserve.io"
    (listing,) = explain(name, "spec.names.kind")
    (field,) = listing.fields
    text = (ROOT / "charts" / field.origin.file).read_text().splitlines()
    assert "kind: InferenceService," in text[field.origin.line - 1]


def test_a_namespace_has_no_template():
    (listing,) = explain("Namespace/kserve", "kind")
    assert listing.fields[0].origin is None
    assert "--create-namespace" in "\n".join(listing.as_text())


def test_objects_of_one_name_are_told_apart_by_their_namespace(tmp_path):
    file = tmp_path / "my.yaml"
    twice = "{apiVersion: v1, kind: ConfigMap, metadata: {name: same, namespace: %s}}"
    file.write_text(f"extraObjects:\n  a: {twice % 'one'}\n  b: {twice % 'two'}\n")
    done = run("explain", "ConfigMap/same", "kind", "-f", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    heads = [line for line in done.stdout.splitlines() if line.startswith("ConfigMap/")]
    assert heads == ["ConfigMap/same -n one (v1)", "ConfigMap/same -n two (v1)"]


@pytest.mark.parametrize(
    ("thing", "field", "message"),
    [
        ("Deployment/kserve-controler-manager", "", "Deployment/kserve-controler-manager: these "
         f"values render no such object; did you mean {MANAGER}?"),
        ("PodDisruptionBudget/kserve-controller-manager", "", "PodDisruptionBudget/kserve-controller-"
         "manager: is not rendered with these values; see controller.podDisruptionBudget.enabled"),
        ("isvc/iris", "", "InferenceService/iris: these values render no such object; the kinds are "),
        ("InferenceService/kserve-webhook-server-service", "", "InferenceService/kserve-webhook-server-"
         "service: these values render no such object; the kinds are "),
        ("deploy/kserve-controler-manager", "", "Deployment/kserve-controler-manager: these "
         f"values render no such object; did you mean {MANAGER}?"),
        ("Nothing/xyzzy", "", "Nothing/xyzzy: these values render no such object; the kinds are "),
        ("Job/kserve-webhook-certificate-00000000", "", "Job/kserve-webhook-certificate-00000000: these "
         "values render no such object; did you mean Job/kserve-webhook-certificate-"),
        ("Job/xyzzy", "", "Job/xyzzy: these values render no such object; there is Job/kserve-webhook-"),
        (MANAGER, "spec.replica", f"{MANAGER} -n kserve: spec.replica: there is no such field; "
         "did you mean spec.replicas?"),
        (MANAGER, "spec.template.spec.nodeSelector", f"{MANAGER} -n kserve: spec.template.spec."
         "nodeSelector is not set with these values; controller.nodeSelector sets it"),
        (MANAGER, "spec.[", "spec.[: is no field; write a.b, a.b[0] or a.b[name]"),
    ],
)  # fmt: skip
def test_what_is_not_there(thing, field, message):
    with pytest.raises(GeneratorError) as error:
        explain(thing, field)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("thing", "head"),
    [
        ("deploy/kserve-controller-manager", MANAGER),
        ("Deployments/kserve-controller-manager", MANAGER),
        ("deployment.apps/kserve-controller-manager", MANAGER),
        ("deployments.v1.apps/kserve-controller-manager", MANAGER),
        ("cm/inferenceservice-config", "ConfigMap/inferenceservice-config"),
        ("svc/kserve-webhook-server-service", "Service/kserve-webhook-server-service"),
        ("isvc/sklearn-iris", "InferenceService/sklearn-iris"),
        ("inferenceservice.serving.kserve.io/sklearn-iris", "InferenceService/sklearn-iris"),
        (
            "crds/inferencegraphs.serving.kserve.io",
            "CustomResourceDefinition/inferencegraphs.serving.kserve.io",
        ),
    ],
)
def test_a_kind_may_be_named_as_for_kubectl(thing, head):
    (listing,) = explain(thing, values=read([IRIS]))
    assert next(iter(listing.as_text())).startswith(f"{head} ")


def test_a_group_that_is_another_names_another_kind():
    said = "is of apps, not of example.org; leave the group out"
    with pytest.raises(GeneratorError, match=f"^{MANAGER}: {said}$"):
        explain("deployment.example.org/kserve-controller-manager")


def test_every_kind_has_a_plural_and_short_names_are_kubectls():
    known = {each.partition("/")[0] for each in known_objects()}
    for plural, kind in {
        "networkpolicies": "NetworkPolicy",
        "ingressclasses": "IngressClass",
        "gateways": "Gateway",
        "priorityclasses": "PriorityClass",
    }.items():
        assert kind_of(plural, known) == (kind, "")
    for file in (ROOT / "generator" / "data" / "crds").glob("*.yaml"):
        names = yaml.safe_load(file.read_text())["spec"]["names"]
        for name in (names["plural"], names["singular"], *names.get("shortNames", [])):
            assert kind_of(name, known | {names["kind"]}) == (names["kind"], "")


def test_the_command_for_objects():
    done = run("explain", MANAGER, "spec.replicas", "--output", "json")
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)["objects"]
    (field,) = found["fields"]
    assert (found["kind"], found["namespace"], field["value"]) == ("Deployment", "kserve", 1)
    assert field["values"] == [{"path": "controller.replicas"}]
    assert field["template"] == "kserve-lite/templates/controller/deployment.yaml"
    refused = run("explain", "Deployment/nothing")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert run("explain", "routing", "domain").returncode == 2
    assert "-f is for KIND/NAME" in run("explain", "routing", "-f", "my.yaml").stderr


def test_where_marks_go():
    text = (
        "{{- /* a: comment\nb: of two lines */ -}}\n"
        "  key: value\n"
        "{{- if .x }}\n"
        "- item\n"
        "  text: |\n"
        "    not: a key\n"
        "  {{- toYaml . | nindent 2 }}\n"
        "{{- $x := dict\n  | nindent 2 }}\n"
        "plain {{ .text }}\n"
    )
    marked = trace.marked(text, "chart/templates/a.yaml").splitlines()
    numbers = [line.split()[2] for line in marked if line.strip().startswith("# line")]
    assert numbers == ["3", "5", "6", "8"]
    # What an action trims is trimmed still.
    assert marked[marked.index("  # line 3 of chart/templates/a.yaml") + 1] == "key: value"
    assert trace.statement(text, 9) == "{{- $x := dict\n  | nindent 2 }}\n"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b[0].c", ("a", "b", "0", "c")),
        ('a["b.c/d"]', ("a", "b.c/d")),
        ("a[b.c/d]", ("a", "b.c/d")),
        ("", ()),
        ("a[", None),
        ("a]b", None),
    ],
)
def test_the_steps_of_a_path(path, expected):
    assert steps(path) == expected


def test_a_key_with_dots_is_suggested_as_it_is_written():
    """In brackets; quotes of both kinds are read."""
    thing = "Deployment/kserve-controller-manager"
    with pytest.raises(
        GeneratorError, match=r'did you mean metadata\.labels\["app\.kubernetes\.io/name"\]\?'
    ):
        explain(thing, "metadata.labels.app.kubernetes.io/name")
    (found,) = explain(thing, "metadata.labels['app.kubernetes.io/name']")
    assert [field.value for field in found.fields] == ["kserve-lite"]
