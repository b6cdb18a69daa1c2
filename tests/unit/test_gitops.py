"""`manifests --gitops`: what Argo CD or Flux is given beside the objects."""

import json
import re
from datetime import datetime

import pytest
import yaml

from generator import tools
from generator.errors import GeneratorError
from generator.gitops.handover import Handover
from generator.gitops.names import name_of
from generator.gitops.repository import Repository
from generator.manifests import layout, parsing, rendering
from generator.manifests.kubeconform import check
from generator.release import DEFAULT, Release
from generator.teams import read_teams
from generator.values.check import read
from tests.rendering import CASES, ROOT, through_door_two
from tests.unit.test_cli import run

URL = "https://git.example.com/fleet.git"
REPOSITORY = Repository(URL, "main", "clusters/prod")
TOOLS = ("argocd", "flux")
PLACE = ("--repository", URL, "--path", "clusters/prod")
MODEL = "{format: sklearn, storageUri: s3://a/b}"


def folder(tool, manifests, release=DEFAULT, teams=(), repository=REPOSITORY):
    return Handover(tool, repository).folder(manifests, release, teams)


def beside(tool, *arguments, **more):
    """The objects that the tool is given, by name; kustomize's files are none."""
    tree = folder(tool, *arguments, **more)
    found = {}
    for path, text in tree.items():
        if path.startswith(f"{tool}/") and not path.endswith("/kustomization.yaml"):
            data = yaml.safe_load(text)
            found[data["metadata"]["name"], data["kind"]] = data
    return found


def with_teams(folder, platform="{}", release=DEFAULT, **teams):
    files = {}
    for name, text in {"platform": platform, **teams}.items():
        files[name] = str(folder / f"{name}.yaml")
        (folder / f"{name}.yaml").write_text(text)
    values = read([files.pop("platform")])
    found = rendering.render(values, release, read_teams(files, values, release))
    return found, tuple(files)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("case", CASES)
def test_its_own_definitions_know_every_field(case, tool):
    """The schemas are derived from the CRDs of Argo CD and Flux, and know no other field."""
    tree = folder(tool, through_door_two(case))
    texts = [
        text
        for path, text in tree.items()
        if path.startswith(f"{tool}/") and not path.endswith("/kustomization.yaml")
    ]
    report = check([parsing.manifest(text) for text in texts])
    assert (report.valid, report.problems) == (len(texts), ())
    assert len(texts) >= 3


@pytest.mark.parametrize("tool", TOOLS)
def test_the_objects_are_the_same_with_and_without(tool):
    plain = {
        path: text
        for path, text in folder(tool, through_door_two("models-every-key")).items()
        if not path.startswith(f"{tool}/")
    }
    assert plain == layout.folder(through_door_two("models-every-key"))


@pytest.mark.parametrize("tool", TOOLS)
def test_every_folder_that_it_is_sent_to_is_there(tool, tmp_path):
    objects, teams = with_teams(
        tmp_path, f"models: {{a: {MODEL}}}", fraud=f"models: {{a: {MODEL}}}", ads="models: {}"
    )
    tree = folder(tool, objects, teams=teams)
    found = beside(tool, objects, teams=teams).values()
    if tool == "argocd":
        paths = [each["spec"]["source"]["path"] for each in found if each["kind"] == "Application"]
    else:
        paths = [each["spec"]["path"] for each in found if each["kind"] == "Kustomization"]
        assert all(path.startswith("./") for path in paths)
    within = [path.removeprefix("./").removeprefix("clusters/prod/") for path in paths]
    assert all(f"{path}/kustomization.yaml" in tree for path in within)
    spaces = {path.partition("/")[2] for path in within if path.startswith("30-models/")}
    # A team without models has an empty folder: what it had is pruned, and nobody fails.
    assert spaces == {"default", "fraud", "ads"}
    assert yaml.safe_load(tree["30-models/ads/kustomization.yaml"])["resources"] == []


def test_everything_that_kustomize_names_is_there(tmp_path):
    objects, teams = with_teams(tmp_path, ads="models: {}")
    for tool in TOOLS:
        tree = folder(tool, objects, teams=teams)
        for path, text in tree.items():
            if not path.endswith("kustomization.yaml"):
                continue
            if not path.startswith("flux/kustomization-"):
                for name in yaml.safe_load(text)["resources"]:
                    parts = [*path.split("/")[:-1], *name.split("/")]
                    while ".." in parts:
                        at = parts.index("..")
                        del parts[at - 1 : at + 1]
                    target = "/".join(parts)
                    assert target in tree or f"{target}/kustomization.yaml" in tree, target


def test_what_others_fill_in_is_ignored_unless_the_values_set_it():
    def ignored(case):
        return beside("argocd", through_door_two(case))["kserve-lite-platform", "Application"][
            "spec"
        ].get("ignoreDifferences", [])

    rules = ignored("default")
    assert {rule["kind"] for rule in rules} == {
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    }
    for rule in rules:
        assert rule["jqPathExpressions"] == [".webhooks[]?.clientConfig.caBundle"]
    assert ignored("cert-manager") == rules
    assert ignored("existing-certificate") == []


def checked(tmp_path, models, platform="", more=""):
    """What Flux waits for, of models in the platform's values."""
    objects, _ = with_teams(tmp_path, f"{platform}\nmodels: {{{models}}}\n{more}")
    found = beside("flux", objects)["kserve-lite-models-default", "Kustomization"]
    return [tuple(each.values()) for each in found["spec"].get("healthChecks", [])]


def test_flux_waits_for_what_the_controller_makes_of_models(tmp_path):
    custom = "{containers: [{name: kserve-container, image: a}]}"
    spec = f"spec: {{transformer: {custom}, explainer: {custom}}}"
    graph = "graphs: {vote: {nodes: {root: {type: Sequence, steps: [{model: a}]}}}}"
    found = checked(tmp_path, f"a: {{format: sklearn, storageUri: s3://a/b, {spec}}}", more=graph)
    names = ("a-predictor", "a-transformer", "a-explainer", "vote")
    assert {*found} == {("apps/v1", "Deployment", name, "default") for name in names}


def test_flux_does_not_wait_for_what_is_stopped(tmp_path):
    stop = 'annotations: {serving.kserve.io/stop: "true"}'
    assert checked(tmp_path, f"a: {{format: sklearn, storageUri: s3://a/b, {stop}}}") == []


def test_flux_waits_for_knatives_services(tmp_path):
    api = ("serving.knative.dev/v1", "Service")
    assert checked(tmp_path, f"a: {MODEL}", "deploymentMode: Knative") == [
        (*api, "a-predictor", "default")
    ]


@pytest.mark.parametrize("tool", TOOLS)
def test_names_fit_into_a_label(tool, tmp_path):
    release = Release("r" * 46, "platform", "m" * 63)
    objects, teams = with_teams(
        tmp_path, f"models: {{a: {MODEL}}}", release, **{"m" * 62: "models: {}"}
    )
    found = beside(tool, objects, release, teams)
    names = [name for name, kind in found if kind in ("Application", "Kustomization")]
    assert len(names) == len(set(names)) and all(len(name) <= 63 for name in names)
    assert name_of(release, "models", "a" * 60) != name_of(release, "models", "a" * 61)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("git@host.com:org/repo.git", "write ssh://git@host.com/org/repo.git"),
        ("host:org/repo.git", "write ssh://host/org/repo.git"),
        ("https://user:secret@host/repo.git", "has credentials in it"),
        ("https://token@host/repo.git", "has credentials in it"),
        ("file:///tmp/repo.git", "no address with http, https or ssh"),
        ("/tmp/repo.git", "no address with http, https or ssh"),
        ("https://host", "no address"),
        ("https:///repo.git", "no address"),
        ("", "no address"),
        ("https://host/a b", "no address"),
    ],
)
def test_an_address_that_a_tool_would_not_take_is_refused(url, says):
    with pytest.raises(GeneratorError, match=re.escape(says)) as caught:
        Repository(url, "main", ".")
    assert "secret" not in str(caught.value) and "token" not in str(caught.value)


@pytest.mark.parametrize("url", [URL, "ssh://git@host/org/repo.git", "ssh://git@host:22/r", "http://127.0.0.1:8080/r.git"])  # fmt: skip
def test_an_address_that_both_take(url):
    assert Repository(url, "main", ".").url == url


@pytest.mark.parametrize("revision", ["", " main", "a b", "a..b", "-a", "/a", "a/", "a.lock", "v1.*", "a~1", "a\n"])  # fmt: skip
def test_a_revision_that_git_does_not_know_is_refused(revision):
    with pytest.raises(GeneratorError, match="--revision"):
        Repository(URL, revision, ".")


@pytest.mark.parametrize(
    "path", ["", " ", "/clusters", "..", "a/../../b", "C:\\a", "a\\b", "a\nb", "a "]
)
def test_a_path_out_of_the_repository_is_refused(path):
    with pytest.raises(GeneratorError, match="--path"):
        Repository(URL, "main", path)


@pytest.mark.parametrize(
    ("revision", "reference"),
    [
        ("main", {"branch": "main"}),
        ("release/1.0", {"branch": "release/1.0"}),
        ("refs/tags/v1", {"name": "refs/tags/v1"}),
        ("a" * 40, {"commit": "a" * 40}),
    ],
)
def test_flux_is_told_what_a_revision_is(revision, reference):
    repository = Repository(URL, revision, ".")
    found = beside("flux", through_door_two("default"), repository=repository)
    assert found["kserve-lite", "GitRepository"]["spec"]["ref"] == reference
    assert found["kserve-lite", "Kustomization"]["spec"]["path"] == "./flux"


def test_flux_takes_no_head():
    with pytest.raises(GeneratorError, match="name the branch"):
        folder("flux", through_door_two("default"), repository=Repository(URL, "HEAD", "."))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--gitops", "argocd"], "--gitops argocd reads from Git; give --repository and --path"),
        (["--gitops", "flux", "--path", "."], "--gitops flux reads from Git; give --repository"),
        (["--repository", URL], "--repository is for a GitOps tool; name one with --gitops"),
        (["--revision", "main"], "--revision is for a GitOps tool"),
        (["--gitops", "fleet", *PLACE], "'fleet' is not one of 'argocd', 'flux'"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(arguments, says, tmp_path):
    done = run("manifests", *arguments, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tool", TOOLS)
def test_a_run_says_what_comes_next_and_the_next_changes_nothing(tool, tmp_path):
    command = ("manifests", "--gitops", tool, *PLACE, "-o", tmp_path / "out")
    done = run(*command)
    assert done.returncode == 0, done.stderr
    first, *commands = re.findall(r"^  (.*)$", done.stdout, re.MULTILINE)
    assert first == f"commit {tmp_path / 'out'} and push it, to be clusters/prod in {URL}"
    for line in commands:
        (named,) = [word for word in re.split("[ =]", line) if word.startswith(str(tmp_path))]
        assert line.startswith(("kubectl apply ", "kubectl patch ")) and (tmp_path / named).exists()
    assert run(*command, "--check").returncode == 0
    # Without the option the folder of the tool goes, as everything that is no longer rendered.
    assert run("manifests", "-o", tmp_path / "out").returncode == 0
    assert not (tmp_path / "out" / tool).exists()


def test_a_wrong_address_ends_the_run_before_anything_is_written(tmp_path):
    done = run(
        "manifests",
        "--gitops",
        "flux",
        "--repository",
        "git@host:a/b",
        "--path",
        ".",
        "-o",
        tmp_path / "out",
        "--problems",
        "json",
    )
    assert done.returncode == 1
    (problem,) = json.loads(done.stderr)
    assert problem["remedy"] == "write ssh://git@host/a/b"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tool", TOOLS)
def test_what_the_pages_show_is_known_to_the_tools(tool):
    page = (ROOT / "docs" / f"gitops-{tool}.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    shown = [manifest for block in blocks for manifest in parsing.split(block)]
    report = check(shown)
    assert (report.valid, report.problems) == (len(shown), ())
    # In Flux with the ConfigMap of the values.
    assert len(shown) == {"flux": 3}.get(tool, 2)


def test_what_applies_applications_leaves_their_status_alone():
    found = beside("argocd", through_door_two("sklearn-iris"))
    options = found["kserve-lite", "Application"]["spec"]["syncPolicy"]["syncOptions"]
    assert options == ["ServerSideApply=true"]


def test_the_pages_name_the_argo_cd_that_is_tested():
    page = (ROOT / "docs" / "gitops-argocd.md").read_text("utf-8")
    assert f"This is tested with Argo CD {tools.TOOLS['argocd'].pinned[1:]}." in page
    engine = re.search(
        r"argoproj/gitops-engine v\S+-0\.(\d{6})",
        (tools.TOOLS["argocd"].source / "go.mod").read_text("utf-8"),
    )
    month = datetime.strptime(engine[1], "%Y%m").strftime("%B %Y")
    assert f"requires, of {month}." in (ROOT / "docs" / "cluster.md").read_text("utf-8")


def test_an_applicationset_has_what_the_applications_have():
    """But for names, cluster, and the back-off; one list of others' fields is for all of a group."""
    page = (ROOT / "docs" / "gitops-argocd.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    found = beside("argocd", through_door_two("sklearn-iris"))
    for name, shown in zip(("platform", "models-default"), yaml.safe_load_all(block), strict=True):
        ours = found[f"kserve-lite-{name}", "Application"]
        template = shown["spec"]["template"]
        for key in ("annotations", "finalizers"):
            assert template["metadata"][key] == ours["metadata"][key]
        del ours["spec"]["syncPolicy"]["retry"]["backoff"]
        assert template["spec"]["syncPolicy"] == ours["spec"]["syncPolicy"]
        theirs = {
            tuple(each["jqPathExpressions"])
            for each in template["spec"].get("ignoreDifferences", [])
        }
        assert theirs == {
            tuple(each["jqPathExpressions"]) for each in ours["spec"].get("ignoreDifferences", [])
        }
