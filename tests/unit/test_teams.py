"""Teams: a namespace and a file each, and what is rendered of them."""

import json
import os
import re

import pytest

from generator import MODELS
from generator.errors import GeneratorError, ValuesError
from generator.manifests import layout, rendering
from generator.release import DEFAULT, Release
from generator.teams import read_teams
from generator.values.check import read
from generator.values.load import DECLARED, Values
from tests.rendering import CASES, CHARTS, ROOT, by_identity, helm, parse
from tests.unit.test_cli import run

MODEL = "{format: sklearn, storageUri: s3://a/b}"
NAMESPACED = {
    "InferenceService", "InferenceGraph", "TrainedModel", "Service", "ExternalSecret", "VirtualService",
    "DestinationRule", "AuthorizationPolicy", "PeerAuthentication", "HTTPRoute", "GRPCRoute",
}  # fmt: skip


def written(folder, **files):
    """Files of values, by the name that each has."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return {name: str(folder / f"{name}.yaml") for name in files}


def rendered(folder, platform="{}", release=DEFAULT, **teams):
    values = read([written(folder, platform=platform)["platform"]])
    return rendering.render(values, release, read_teams(written(folder, **teams), values, release))


def refused(folder, platform="{}", release=DEFAULT, **teams):
    with pytest.raises(GeneratorError) as caught:
        rendered(folder, platform, release, **teams)
    return str(caught.value).replace(f"{folder}/", "")


def apart(case):
    """The values of a case as two texts: the platform's, and those that a team may have."""
    merged = Values.parsed([CASES[case]]).merged
    own = {key: value for key, value in merged.items() if key in DECLARED}
    return json.dumps({key: merged[key] for key in merged.keys() - own.keys()}), json.dumps(own)


@pytest.mark.parametrize(
    "case", ["models-every-key", "istio-models", "gateway-routes", "models-by-host", "ensemble"]
)
def test_a_teams_folder_is_what_helm_makes_of_both_files(case, tmp_path):
    platform, own = apart(case)
    # Where the label decides on the host, they have hosts of their own.
    other = re.sub(r'"team": "(\w+)"', r'"team": "other-\1"', own)
    found = rendered(tmp_path, platform, fraud=own, a123=other)
    for team in ("fraud", "a123"):
        files = ("-f", tmp_path / "platform.yaml", "-f", tmp_path / f"{team}.yaml")
        argv = ("template", "kserve-lite-models", CHARTS[MODELS], "-n", team, *files)
        ours = [each for each in found if each.chart == MODELS and each.namespace == team]
        helms = parse(helm(*map(str, argv)))
        assert by_identity(helms)
        assert by_identity(parse("---\n".join(one.text for one in ours))) == by_identity(helms)
        # Nothing of a team is outside its namespace, and so nothing of it is the cluster's.
        assert {each.kind for each in ours} <= NAMESPACED
    assert {each.namespace for each in found if each.chart == MODELS} == {"fraud", "a123"}
    tree = layout.folder(found)
    names = [path for path in tree if path.startswith("30-models/fraud/")]
    assert len(names) == 1 + len(helms)
    assert [path.replace("fraud", "a123", 1) for path in names] == [
        path for path in tree if path.startswith("30-models/a123/")
    ]


def test_the_platform_is_the_same_with_and_without_teams(tmp_path):
    platform, own = apart("istio-models")
    with_team = rendered(tmp_path, platform, fraud=own)
    alone = {each for each in with_team if each.chart != MODELS and each.name != "fraud"}
    assert alone == set(rendered(tmp_path, platform))


def test_a_namespace_is_rendered_once_and_default_is_not(tmp_path):
    own = f"models: {{m: {MODEL}}}"
    namespace = "extraObjects: {a: {apiVersion: v1, kind: Namespace, metadata: {name: ads}}}"
    release = Release(models="own")
    found = rendered(
        tmp_path, f"{namespace}\n{own}", release, fraud=own, ads=own, kserve=own, default=own
    )
    names = [each.name for each in found if each.kind == "Namespace"]
    assert sorted(names) == ["ads", "fraud", "kserve", "own"]
    phases = {each.phase for each in found if each.kind == "Namespace"}
    assert phases == {"00-crds"}


def test_models_of_the_platforms_values_are_not_a_teams(tmp_path):
    found = rendered(tmp_path, f"models: {{ours: {MODEL}}}", fraud=f"models: {{theirs: {MODEL}}}")
    services = [(each.namespace, each.name) for each in found if each.kind == "InferenceService"]
    assert services == [("default", "ours"), ("fraud", "theirs")]


def test_a_team_without_models_has_a_namespace_and_no_folder(tmp_path):
    tree = layout.folder(rendered(tmp_path, fraud="# None yet.\n", ads="models: {}\n"))
    assert {"00-crds/namespace-fraud.yaml", "00-crds/namespace-ads.yaml"} < tree.keys()
    assert [path for path in tree if path.startswith("30-models")] == []


def test_any_other_key_is_refused_with_file_and_line_in_every_file(tmp_path):
    bad = f"models: {{m: {MODEL}}}\ncontroller: {{replicas: 2}}\n"
    worse = "model: {}\nxyz: 1\nmodels: {m: {format: sklearn}}\n"
    has = "a team's file has models, graphs, trainedModels"
    assert refused(tmp_path, fraud=bad, ads=worse).splitlines() == [
        "ads.yaml:1:1: model: unknown key; did you mean models?",
        f"ads.yaml:2:1: xyz: unknown key; {has}",
        f"fraud.yaml:2:1: controller: is the platform's, and {has}; move it to a file of -f",
    ]


def test_what_is_wrong_with_a_model_is_said_of_its_teams_file(tmp_path):
    model = "models:\n  m: {format: xgboost, storageUri: s3://a/b}\n"
    said = refused(tmp_path, fraud=model)
    assert said.startswith("fraud.yaml:2:7: models.m.format: no runtime that is on serves xgboost")
    # It is the platform's values that say which are on.
    assert rendered(tmp_path, "runtimes: {xgboost: {enabled: true}}", fraud=model)


def test_a_name_that_a_template_refuses_is_said_of_its_teams_file(tmp_path):
    said = refused(tmp_path, fraud=f"models:\n  A b: {MODEL}\n")
    assert said.startswith("fraud.yaml:2:3: models")


def test_a_namespace_is_one_teams(tmp_path):
    own = f"models: {{m: {MODEL}}}"
    assert refused(tmp_path, f"graphs: {{}}\n{own}", default=own) == (
        "platform.yaml:2:1: models: is for namespace default, which is a team's; "
        "move it to default.yaml, or name another with --models-namespace"
    )
    assert refused(tmp_path, **{"A": own}).startswith('--team "A" is not a name: ')
    done = run("manifests", "--team", "a=x", "--team", "a=y", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "Invalid value for '--team': a is named twice" in done.stderr
    for word in ("a", "=a", "a="):
        assert "is not NAMESPACE=FILE" in run("manifests", "--team", word, "-o", "x").stderr


def test_an_object_of_a_team_cannot_be_declared_again(tmp_path):
    extra = (
        "extraObjects:\n  x: {apiVersion: v1, kind: Service, metadata: {name: m, namespace: fraud}}"
    )
    said = refused(tmp_path, extra, fraud=f"models: {{m: {MODEL}}}")
    assert said.startswith("platform.yaml:2:3: extraObjects.x: Service m is rendered twice, by ")


def test_what_is_wrong_in_a_file_is_said_beside_another_that_is_missing(tmp_path):
    files = written(tmp_path, fraud="model: {}") | {"ads": "nowhere.yaml"}
    with pytest.raises(ValuesError) as caught:
        read_teams(files, Values.made({}))
    assert [each.message for each in caught.value.problems] == [
        "unknown key; did you mean models?",
        "cannot be read: No such file or directory",
    ]


def test_a_pipe_is_one_teams():
    read_end, write_end = os.pipe()
    os.write(write_end, f"models: {{m: {MODEL}}}".encode())
    os.close(write_end)
    with pytest.raises(ValuesError, match="was read already"):
        read_teams({"a": f"/dev/fd/{read_end}", "b": f"/dev/fd/{read_end}"}, Values.made({}))
    os.close(read_end)


def test_a_file_that_is_missing_and_standard_input_named_twice_are_refused(tmp_path):
    with pytest.raises(ValuesError, match=r"none\.yaml:1:1: cannot be read: No such file"):
        read_teams({"a": "none.yaml"}, Values())
    done = run("manifests", "-f", "-", "--team", "a=-", "-o", tmp_path)
    assert (done.returncode, "can be read once" in done.stderr) == (2, True)


def test_a_teams_file_is_never_written_to_and_stands_in_the_record(tmp_path):
    folder = tmp_path / "30-models" / "fraud"
    folder.mkdir(parents=True)
    file = folder / "inferenceservice-m.yaml"
    file.write_text(f"models: {{m: {MODEL}}}\n")
    done = run("manifests", "--team", f"fraud={file}", "-o", tmp_path, "--force")
    assert (done.returncode, "the run's own values files" in done.stderr) == (1, True)
    done = run("manifests", "--team", f"fraud={file}", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    record = (tmp_path / "out" / "SHA256SUMS").read_text()
    assert "# from: inferenceservice-m.yaml\n" in record


def test_the_commands_of_the_page_run(tmp_path):
    page = (ROOT / "docs" / "teams.md").read_text("utf-8")
    command, template, apply = re.findall(r"^```console\n(.*)\n```", page, re.MULTILINE)
    platform, _, own = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    written(tmp_path, my=platform, fraud=own, ads=own)
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    words = command.removeprefix("python -m generator ").split()
    done = run(*words, cwd=tmp_path, environment={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    folder = tmp_path / apply.removeprefix("kubectl apply -k ")
    texts = [file.read_text() for file in folder.glob("*-*.yaml")]
    words = [
        str(tmp_path / word) if "/" in word or "yaml" in word else word for word in template.split()
    ]
    assert by_identity(parse("---\n".join(texts))) == by_identity(parse(helm(*words[1:])))
    assert all('cost-center: "4711"' in text for text in texts)


def test_a_run_without_a_team_removes_its_folder_and_says_whose_values_are_missing(tmp_path):
    own = f"models: {{m: {MODEL}}}\n"
    files = written(tmp_path, fraud=own, ads=own)
    fraud, ads = ([f"--team={name}={file}", "-o", tmp_path / "out"] for name, file in files.items())
    assert run("manifests", fraud[0], *ads).returncode == 0
    done = run("manifests", *ads)
    assert "the values are from ads.yaml; those of the run before, from fraud.yaml, ads.yaml" in (
        done.stderr
    )
    assert [path.name for path in (tmp_path / "out" / "30-models").iterdir() if path.is_dir()] == [
        "ads"
    ]
    assert not (tmp_path / "out" / "00-crds" / "namespace-fraud.yaml").exists()


ONE = f"models: {{iris: {MODEL}}}"


@pytest.mark.parametrize(
    ("mode", "routing"),
    [
        ("ingress", "domainTemplate: '{{ .Name }}.{{ .IngressDomain }}'"),
        ("virtualService", "domainTemplate: '{{ .Name }}.{{ .IngressDomain }}'"),
        ("virtualService", "pathTemplate: '/serve/{{ .Name }}'"),
    ],
)
def test_two_namespaces_have_no_address_in_common(mode, routing, tmp_path):
    platform = f"routing: {{mode: {mode}, domain: example.com, {routing}}}"
    key = routing.partition(":")[0]
    clash = (
        "ads.yaml:1:10: models.iris has the address of models.iris ({}:1); "
        f"make routing.{key} tell them apart, or rename one"
    )
    said = refused(tmp_path, platform, fraud=ONE, ads=ONE)
    assert said.replace(": models.iris: ", ": models.iris ") == clash.format("fraud.yaml")
    said = refused(tmp_path, f"{{{platform}, {ONE}}}", ads=ONE)
    assert said.replace(": models.iris: ", ": models.iris ") == clash.format("platform.yaml")


@pytest.mark.parametrize(
    "platform",
    [
        "{}",
        "routing: {domain: example.com}",
        "routing: {mode: none, domainTemplate: '{{ .Name }}.{{ .IngressDomain }}'}",
        "routing: {mode: virtualService, domain: example.com, pathTemplate: '/{{ .Namespace }}/{{ .Name }}'}",
    ],
)
def test_names_in_common_are_none_of_it_where_addresses_differ(platform, tmp_path):
    assert rendered(tmp_path, platform, fraud=ONE, ads=ONE)


def test_namespaces_and_labels_are_compared_as_they_are_filled_in(tmp_path):
    said = refused(
        tmp_path,
        "routing: {domain: example.com}",
        **{"b-c": f"models: {{a: {MODEL}}}", "c": f"models: {{a-b: {MODEL}}}"},
    )
    assert "models.a-b: has the address of models.a (b-c.yaml:1)" in said
    platform = "routing: {domain: example.com, domainTemplate: '{{ .Name }}.{{ index .Labels \"example.com/team\" }}.{{ .IngressDomain }}'}"
    labelled = {
        team: f"models: {{iris: {{labels: {{example.com/team: {team}}}, {MODEL[1:]}}}"
        for team in ("fraud", "ads")
    }
    assert rendered(tmp_path, platform, **labelled)
    assert "has the address" in refused(
        tmp_path, platform, fraud=labelled["ads"], ads=labelled["ads"]
    )


def test_models_without_a_route_have_no_address(tmp_path):
    platform = "routing: {domain: example.com, domainTemplate: '{{ .Name }}.{{ .IngressDomain }}'}"
    local = f"models: {{iris: {{clusterLocal: true, {MODEL[1:]}}}"
    assert rendered(tmp_path, platform, fraud=ONE, ads=local)
