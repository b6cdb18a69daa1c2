"""A folder of manifests, applied by hand: the commands that `manifests` prints, one after another."""

import re

import pytest

from generator import CONTROLLER
from generator.errors import ToolFailed
from generator.gitops.handover import Handover
from generator.gitops.repository import Repository
from generator.manifests import layout
from generator.output import mirror
from generator.release import DEFAULT
from tests.cluster.harness import controller, iris, waiting
from tests.rendering import CASES, by_identity, parse, through_door_two
from tests.unit.test_cli import run


def commands(done):
    """The commands that a run of `manifests` prints."""
    assert done.returncode == 0, done.stderr
    return re.findall(r"^  (kubectl .*)$", done.stdout, re.MULTILINE)


@pytest.fixture
def apart(cluster, tmp_path):
    """Namespaces of their own for platform and models; all of a folder is deleted afterwards."""
    cluster.empty()
    where = ("-n", cluster.namespace("kserve"), "--models-namespace", cluster.namespace("models"))
    yield where
    for phase in ("30-models", "20-runtimes", "10-platform"):
        if (tmp_path / phase).exists():
            cluster.kubectl("delete", "-k", str(tmp_path / phase), "--ignore-not-found")
    cluster.reset()


def test_the_phases_applied_in_order_serve_a_model(cluster, apart, tmp_path):
    _, namespace, _, models = apart
    lines = commands(run("manifests", "-f", CASES["sklearn-iris"], "-o", tmp_path, *apart))
    # The last phase is what the first ones are for: without them nobody knows its kinds. kubectl says
    # so, or the API server does where kubectl has the kinds of the tests before in its cache.
    unknown = 'no matches for kind "InferenceService"|could not find the requested resource'
    with pytest.raises(ToolFailed, match=unknown):
        cluster.bash(lines[-1])
    for line in lines:
        cluster.bash(line)
    waiting.until_ready(cluster, f"inferenceservice/{iris.NAME}", models)
    model = cluster.get("inferenceservice", iris.NAME, models)
    assert model["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert cluster.get("deployment", CONTROLLER, namespace)["status"]["availableReplicas"] == 1
    assert controller.forbidden(cluster, namespace) == []
    # What is applied once more changes nothing, not even what webhooks and controllers filled in.
    again = "".join(map(cluster.bash, lines))
    applied = [
        line for line in again.splitlines() if not re.search("condition met|rolled out", line)
    ]
    assert len(applied) == len(through_door_two("sklearn-iris")) + 1  # The Namespace of the models.
    assert [line for line in applied if not line.endswith(" unchanged")] == []
    # A model that is taken out of the values is out of the folder; kubectl does not prune.
    for line in commands(run("manifests", "-o", tmp_path, *apart)):
        cluster.bash(line)
    assert not (tmp_path / "30-models").exists()
    assert cluster.get("inferenceservice", iris.NAME, models)


def test_a_team_applies_its_own_folder_and_no_others(cluster, apart, tmp_path):
    teams = [cluster.namespace("fraud"), cluster.namespace("ads")]
    platform = tmp_path / "platform.yaml"
    extra = "{apiVersion: v1, kind: ConfigMap, metadata: {name: of-no-namespace}}"
    platform.write_text(f"extraObjects: {{extra: {extra}}}\n")
    named = ["-f", platform]
    for team in teams:
        file = tmp_path / f"{team}.yaml"
        file.write_text(f"models: {{iris: {{format: sklearn, storageUri: {iris.URI}}}}}\n")
        named += ["--team", f"{team}={file}"]
        grant = ("--clusterrole=edit", f"--user={team}", "-n", team)
        cluster.kubectl("create", "rolebinding", "edit", *grant)
    *before, last = commands(run("manifests", *named, "-o", tmp_path, *apart))
    assert last.endswith("/30-models")
    for line in before:
        cluster.bash(line)
    for team, other in (teams, reversed(teams)):
        # Kubernetes adds the chart's rules to its own role, and looks at them, a moment later.
        may = ("auth", "can-i", "create", "inferenceservices", "-n", team, f"--as={team}")
        cluster.wait(f"{team} may apply models", lambda may=may: cluster.kubectl(*may))
        cluster.bash(f"{last}/{team} --as={team}")
        waiting.until_ready(cluster, "inferenceservice/iris", team)
        with pytest.raises(ToolFailed, match="forbidden"):
            cluster.bash(f"{last}/{other} --as={team}")
    assert not re.search("created|configured", cluster.bash(last))
    assert cluster.get("configmap", "of-no-namespace", "default")


@pytest.mark.parametrize(
    "case", ["everything-on", "awkward-scalars", "models-every-key", "istio-models"]
)
def test_kustomize_changes_no_object(cluster, case, tmp_path):
    rendered = through_door_two(case)
    mirror.write(layout.folder(rendered), tmp_path)
    tops = [folder for folder in (tmp_path, tmp_path / "30-models") if folder.exists()]
    built = "\n---\n".join(cluster.kubectl("kustomize", str(folder)) for folder in tops)
    objects = [one for manifest in rendered for one in parse(manifest.text)]
    assert by_identity(parse(built)) == by_identity(objects)


@pytest.mark.parametrize("case", ["default", "everything-on", "awkward-scalars"])
def test_waves_of_argo_cd_are_on_the_objects_and_nowhere_else(cluster, case, tmp_path):
    rendered = through_door_two(case)
    repository = Repository("https://git.example.com/fleet.git", "main", ".")
    mirror.write(Handover("argocd", repository).folder(rendered, DEFAULT, ()), tmp_path)
    built = parse(cluster.kubectl("kustomize", str(tmp_path / "argocd" / "platform")))
    waves = {each.phase: int(each.phase[:2]) for each in rendered}
    phases = {(each.kind, each.name, each.namespace): each.phase for each in rendered}
    for each in built:
        metadata = each["metadata"]
        phase = phases[each["kind"], metadata["name"], metadata.get("namespace")]
        assert metadata["annotations"].pop("argocd.argoproj.io/sync-wave") == str(waves[phase])
        kept = metadata["annotations"].pop("argocd.argoproj.io/compare-options", None)
        assert kept == ("IgnoreExtraneous" if phase == "00-crds" else None)
        if not metadata["annotations"]:
            del metadata["annotations"]
    objects = [one for each in rendered if each.phase != "30-models" for one in parse(each.text)]
    assert by_identity(built) == by_identity(objects)
