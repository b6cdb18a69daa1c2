"""A fleet: each cluster's folder is what `manifests` writes, whatever becomes of the others."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from generator import tools
from generator.chart import cache
from generator.errors import GeneratorError, ValuesError
from generator.fleet import batch, discovery
from generator.manifests import rendering
from generator.output import journal, record
from generator.release import DEFAULT
from generator.teams import Team
from generator.values.check import read
from generator.values.load import Values
from tests import golden
from tests.interruption import state
from tests.rendering import CASES, ROOT
from tests.unit.test_cli import run

MODEL = "models: {iris: {format: sklearn, storageUri: s3://a/b}}\n"
BASE = "routing: {mode: virtualService, domain: example.com}\n"


def laid_out(folder, **files):
    """Files of values by their paths below `folder`, `__` for a slash."""
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def grounds(tmp_path):
    """A folder with a base, three clusters, and one with two teams."""
    laid_out(
        tmp_path,
        base=BASE,
        clusters__a="routing: {domain: a.example.com}\n",
        clusters__b="controller: {replicas: 2}\n",
        clusters__c="",
        clusters__lab__platform="routing: {domain: lab.example.com}\n",
        clusters__lab__teams__fraud=MODEL,
        clusters__lab__teams__ads=MODEL,
    )
    return tmp_path


def fleet(folder, *more, environment=None):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    words = ("fleet", "-f", "base.yaml", "clusters/", "-o", "out", *more)
    done = run(*words, cwd=folder, environment=environment)
    assert "Traceback" not in done.stderr
    return done


def files(folder):
    """The files of a folder with their contents."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_every_case_is_what_manifests_writes(tmp_path):
    for name, file in CASES.items():
        laid_out(tmp_path, **{f"clusters__{name}": file.read_text()})
    laid_out(tmp_path, base="{}")
    done = fleet(tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"out: {len(CASES)} clusters: {len(CASES)} new\n" in done.stderr
    for name in CASES:
        found = files(tmp_path / "out" / name)
        listed = record.parse(found.pop(record.NAME).decode())
        assert listed.inputs == ("base.yaml", f"clusters/{name}.yaml")
        assert listed.files == {path: record.digest(text) for path, text in found.items()}
        objects = {
            path: text.decode()
            for path, text in found.items()
            if not path.endswith("kustomization.yaml") and "customresourcedefinition-" not in path
        }
        assert objects == golden.rendered(name), name


def test_a_folder_is_byte_for_byte_that_of_manifests(grounds):
    assert fleet(grounds).returncode == 0
    alone = {
        "a": ["-f", "clusters/a.yaml"],
        "lab": [
            *("-f", "clusters/lab/platform.yaml", "--team", "ads=clusters/lab/teams/ads.yaml"),
            *("--team", "fraud=clusters/lab/teams/fraud.yaml"),
        ],
    }
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name, words in alone.items():
        argv = ("manifests", "-f", "base.yaml", *words, "-o", "alone")
        done = run(*argv, "--force", cwd=grounds, environment=environment)
        assert done.returncode == 0, done.stderr
        assert files(grounds / "alone") == files(grounds / "out" / name)


GITOPS = ("--repository", "https://git.example.com/fleet.git", "--path", "fleet")


@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_for_a_gitops_tool_too(tool, grounds):
    laid_out(grounds, clusters__lab__teams__ads="models: {}")
    assert fleet(grounds, "--gitops", tool, *GITOPS).returncode == 0
    words = (
        *("manifests", "-f", "base.yaml", "-f", "clusters/lab/platform.yaml"),
        *("--team", "ads=clusters/lab/teams/ads.yaml"),
        *("--team", "fraud=clusters/lab/teams/fraud.yaml"),
        *("--gitops", tool, *GITOPS[:-1], "fleet/lab", "-o", "alone"),
    )
    done = run(*words, cwd=grounds, environment={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    found = files(grounds / "out" / "lab")
    assert files(grounds / "alone") == found
    assert "30-models/ads/kustomization.yaml" in found
    # What was rendered for a tool, and how, is what a cluster is passed over by.
    assert "4 current" in fleet(grounds, "--gitops", tool, *GITOPS).stderr
    assert "4 changed" in fleet(grounds, "--gitops", tool, *GITOPS, "--revision", "dev").stderr
    assert fleet(grounds).returncode == 0
    assert not (grounds / "out" / "lab" / tool).exists()


def test_what_a_tool_does_not_take_is_said_once(grounds):
    done = fleet(grounds, "--gitops", "flux", *GITOPS, "--revision", "HEAD")
    assert (done.returncode, done.stderr.count("name the branch")) == (1, 1)
    assert not (grounds / "out").exists()


ODD = """\
global: {labels: {a: "on", b: "1e3", c: "012", e: "2024-01-01"}}
controller: {nodeSelector: {"y": "n"}, replicas: 0x2}
extraObjects:
  one:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: one}
    data: {text: "a\\n b\\n\\n", braces: "{{ .Values.x }} é 😀", tilde: "~", number: "1_000"}
  two:
    apiVersion: example.com/v1
    kind: Odd
    metadata: {name: two}
    spec: {float: 1.5, large: 9007199254740991, small: 0.00001, round: 2.0, list: [1, [], {}], "1": 2}
"""


@pytest.mark.parametrize("more", ["", "    nothing: null\n"], ids=["values", "null"])
def test_helm_reads_the_same_in_a_batch(more, tmp_path):
    laid_out(tmp_path, odd=ODD + more, plain="{}", models=MODEL)
    given = [read([tmp_path / f"{name}.yaml"]) for name in ("odd", "plain", "odd", "models")]
    wanted = [one for values in given for one in rendering.installations(values, DEFAULT)]
    teams = [Team(name, given[3]) for name in ("ads", "fraud")]
    wanted += rendering.installations(given[1], DEFAULT, teams)
    with batch.renderer() as renderer:
        found = renderer.render(wanted)
    for one, objects in zip(wanted, found, strict=True):
        assert list(objects) == list(rendering.split(rendering.text(one)))


def test_an_error_in_a_batch_is_its_own(tmp_path):
    """The message is that of a run alone, with the place in the file; the others are rendered."""
    laid_out(tmp_path, bad="controller: {podDisruptionBudget: {enabled: true}}\n")
    given = [Values.parsed([tmp_path / "bad.yaml"]), *[read([CASES["gke"]])] * 4]
    wanted = [rendering.installations(values, DEFAULT)[0] for values in given]
    with batch.renderer() as renderer:
        bad, *good = renderer.render([*wanted[1:3], wanted[0], *wanted[3:]])[2::-1]
    with pytest.raises(GeneratorError) as alone:
        rendering.text(wanted[0], charts=cache.folder)
    assert str(bad) == str(alone.value)
    assert "bad.yaml:" in str(bad)
    assert all(list(each) == list(good[0]) for each in good)


WRONG = {
    "controler: {}\n": "clusters/bad.yaml:1:1: controler: unknown key; did you mean controller?",
    "controller: [\n": "clusters/bad.yaml:2:1: not valid YAML",
    # What only the templates refuse.
    "controller: {podDisruptionBudget: {enabled: true}}\n": "; set controller.replicas=2\n",
}


@pytest.mark.parametrize("text", WRONG)
def test_one_that_is_wrong_keeps_its_folder_and_the_others_are_written(text, grounds):
    laid_out(grounds, clusters__bad="{}")
    assert fleet(grounds).returncode == 0
    before = state(grounds / "out" / "bad")
    laid_out(grounds, clusters__bad=text, clusters__b="controller: {replicas: 3}\n")
    done = fleet(grounds, "--check")
    assert done.returncode == 2
    done = fleet(grounds)
    assert done.returncode == 1
    assert WRONG[text] in done.stderr
    assert "failed: cluster bad, whose folder stays as before\n" in done.stderr
    assert "out: 5 clusters: 1 changed, 3 current, 1 failed\n" in done.stderr
    assert state(grounds / "out" / "bad") == before
    assert b"replicas: 3" in b"".join(files(grounds / "out" / "b").values())
    answer = json.loads(fleet(grounds, "--problems", "json").stderr)
    assert {"clusters/bad.yaml"} == {each["file"] for each in answer if each["line"]}


def test_what_is_wrong_with_the_base_is_said_once(grounds):
    laid_out(grounds, base="controler: {}\n")
    done = fleet(grounds)
    assert done.returncode == 1
    assert done.stderr.count("base.yaml:1:1: controler") == 1
    assert "failed: 4 clusters: a, b, c, lab, whose folders stay as before\n" in done.stderr
    assert not list((grounds / "out").rglob("*")) if (grounds / "out").exists() else True


@pytest.fixture
def calls(tmp_path):
    """The environment of a Helm that writes down what it is called for; and that list."""
    file, folder = tmp_path / "calls", tmp_path / "bin"
    folder.mkdir()
    program = folder / "helm"
    program.write_text(f'#!/bin/sh\necho "$1" >> {file}\nexec {tools.find("helm")} "$@"\n')
    program.chmod(0o755)

    def made():
        words = file.read_text().split() if file.exists() else []
        file.unlink(missing_ok=True)
        return words.count("template")

    return {"PATH": f"{folder}:{os.environ['PATH']}"}, made


def test_what_is_as_the_last_run_left_it_is_passed_over(grounds, calls):
    environment, made = calls
    assert fleet(grounds, environment=environment).returncode == 0
    # Two batches of two: each the platforms, and the models of each namespace.
    assert 2 <= made() <= 8
    for more in ([], ["--check"]):
        done = fleet(grounds, *more, environment=environment)
        assert (done.returncode, made()) == (0, 0)
        assert "out: 4 clusters: 4 current\n" in done.stderr
    file = grounds / "out" / "b" / "kustomization.yaml"
    os.utime(file)
    assert fleet(grounds, environment=environment).returncode == 0
    assert made() == 1
    laid_out(grounds, clusters__b="controller: {replicas: 3}\n")
    assert fleet(grounds, environment=environment).returncode == 0
    assert made() == 1
    # What the release is called is part of what comes out.
    done = fleet(grounds, "-n", "ml", environment=environment)
    assert (done.returncode, "take it over with --force" in done.stderr) == (1, True)


def test_one_run_of_helm_renders_many(grounds, calls):
    environment, made = calls
    laid_out(grounds, **{f"clusters__n{count}": "{}" for count in range(14)})
    (grounds / "clusters" / "lab" / "teams").rename(grounds / "teams")
    assert fleet(grounds, "--jobs", "1", environment=environment).returncode == 0
    assert len(list((grounds / "out").iterdir())) == 18
    assert made() == 2


def test_check_reads_what_a_run_passes_over(grounds):
    assert fleet(grounds).returncode == 0
    file = grounds / "out" / "a" / "kustomization.yaml"
    status, text = file.stat(), file.read_text()
    file.write_text(text.replace("Kustomization", "Kustomisation"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fleet(grounds).returncode == 0
    done = fleet(grounds, "--check")
    assert done.returncode == 1
    assert (
        "out/a/kustomization.yaml: was changed since it was written; --force gives the change up\n"
        in done.stderr
    )
    assert "out: 4 clusters: 1 changed, 3 current\n" in done.stderr
    assert "out is not current; mend that\n" in done.stderr
    assert json.loads(fleet(grounds, "--check", "--format", "json").stdout)["changed"] == ["a"]
    os.utime(file)
    done = fleet(grounds, "--dry-run")
    assert done.returncode == 1
    assert "failed: cluster a, whose folder stays as before\n" in done.stderr
    laid_out(grounds, clusters__bad="controler: {}\n")
    done = fleet(grounds, "--check")
    assert done.returncode == 2, "of one cluster it cannot be told"
    (grounds / "clusters" / "bad.yaml").unlink()
    assert fleet(grounds, "--force").returncode == 0
    assert fleet(grounds, "--check").returncode == 0


def test_check_and_dry_run_write_nothing(grounds):
    assert fleet(grounds, "--check").returncode == 1
    assert not (grounds / "out").exists()
    assert fleet(grounds).returncode == 0
    before = state(grounds / "out")
    laid_out(grounds, base=BASE + "controller: {replicas: 3}\n")
    done = fleet(grounds, "--check")
    assert done.returncode == 1
    assert "out is not current; run the same command without --check\n" in done.stderr
    done = fleet(grounds, "--dry-run")
    assert done.returncode == 0
    assert done.stdout == (
        "3 clusters: a, c, lab\n"
        "  ~ Deployment/kserve-controller-manager -n kserve\n"
        "      spec.replicas: 1 → 3\n"
    )
    assert state(grounds / "out") == before
    assert fleet(grounds, "--check", "--dry-run").returncode == 2


def test_equal_changes_are_told_once_and_as_json(grounds):
    assert fleet(grounds).returncode == 0
    laid_out(
        grounds,
        base=BASE + "controller: {logging: {level: debug}}\n",
        clusters__c="controller: {replicas: 2}\n",
        clusters__new="{}",
    )
    done = fleet(grounds, "--format", "json")
    answer = json.loads(done.stdout)
    assert (answer["folder"], answer["written"], answer["new"]) == ("out", True, ["new"])
    assert answer["changed"] == ["a", "b", "c", "lab"]
    many, one = answer["changes"]
    assert (many["clusters"], one["clusters"]) == (["a", "b", "c", "lab"], ["c"])
    (change,), (other,) = many["objects"], one["objects"]
    assert change["object"] == "Deployment/kserve-controller-manager -n kserve"
    assert {field["new"] for field in change["fields"]} == {"--zap-log-level=debug"}
    assert [field["path"] for field in other["fields"]] == ["spec.replicas"]


def test_clusters_that_are_gone_are_told_and_removed_on_request(grounds):
    assert fleet(grounds).returncode == 0
    root = grounds / "out"
    laid_out(root, mine__mine="a: b\n", b__mine="a: b\n")
    run("manifests", "-o", root / "other", environment={**os.environ, "PYTHONPATH": str(ROOT)})
    for name in ("a", "b"):
        (grounds / "clusters" / f"{name}.yaml").unlink()
    before = state(root)
    done = fleet(grounds)
    assert done.returncode == 0
    assert (
        "out/a: its cluster is no longer in clusters; --prune-clusters removes it\n" in done.stderr
    )
    assert "out/other: holds the manifests of another run" in done.stderr
    assert fleet(grounds, "--check").returncode == 0
    assert fleet(grounds, "--check", "--prune-clusters").returncode == 1
    assert state(root) == before
    done = fleet(grounds, "--prune-clusters")
    assert done.returncode == 0
    assert "removed: 2 clusters: a, b\n" in done.stderr
    assert sorted(path.name for path in root.iterdir()) == ["b", "c", "lab", "mine", "other"]
    assert list(files(root / "b")) == ["mine.yaml"]
    assert fleet(grounds, "--check", "--prune-clusters").returncode == 0


def test_a_cluster_that_is_gone_keeps_what_was_changed(grounds):
    assert fleet(grounds).returncode == 0
    (grounds / "clusters" / "a.yaml").unlink()
    file = grounds / "out" / "a" / "kustomization.yaml"
    file.write_text("mine")
    before = state(grounds / "out")
    done = fleet(grounds, "--check", "--prune-clusters")
    assert done.returncode == 1
    assert "removed: cluster a\n" in done.stderr
    assert "out is not current; mend that\n" in done.stderr
    done = fleet(grounds, "--prune-clusters")
    assert done.returncode == 1
    assert "kustomization.yaml: was changed since it was written" in done.stderr
    assert state(grounds / "out") == before
    assert fleet(grounds, "--prune-clusters", "--force").returncode == 0
    assert not (grounds / "out" / "a").exists()


def test_what_another_run_wrote_is_never_pruned(grounds):
    """Whatever is called as a cluster would be, and however the folder of clusters is named."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert fleet(grounds).returncode == 0
    laid_out(grounds, elsewhere__platform="{}")
    file = grounds / "elsewhere" / "platform.yaml"
    own = ("manifests", "-f", file, "-o", "out/mine")
    assert run(*own, cwd=grounds, environment=environment).returncode == 0
    (grounds / "clusters" / "a.yaml").unlink()
    before = [state(grounds / "out" / name) for name in ("a", "mine")]
    words = ("fleet", "-f", "base.yaml", grounds / "clusters", "-o", "out")
    done = run(*words, "--prune-clusters", cwd=grounds, environment=environment)
    assert done.returncode == 2
    assert "name a folder below" in done.stderr
    done = run(*words, cwd=grounds, environment=environment)
    assert "out/mine: holds the manifests of another run" in done.stderr
    assert [state(grounds / "out" / name) for name in ("a", "mine")] == before


def test_a_cluster_of_another_release_is_not_pruned(grounds):
    assert fleet(grounds).returncode == 0
    (grounds / "clusters" / "a.yaml").unlink()
    before = state(grounds / "out" / "a")
    done = fleet(grounds, "--prune-clusters", "-n", "ml")
    assert done.returncode == 1
    assert "out/a/SHA256SUMS: belongs to `manifests" in done.stderr
    assert state(grounds / "out" / "a") == before


def test_a_pruning_that_was_killed_is_put_right(grounds):
    assert fleet(grounds).returncode == 0
    root = grounds / "out" / "a"
    (grounds / "clusters" / "a.yaml").unlink()
    whole = files(root)
    steps = [journal.Step(path, record.digest(text), None) for path, text in whole.items()]
    steps.sort(key=lambda step: (record.is_record(step.path), step.path))
    (root / journal.JOURNAL).mkdir()
    journal._stage(root, steps, {})
    (root / record.NAME).unlink()
    (root / "kustomization.yaml").unlink()
    done = fleet(grounds)
    assert done.returncode == 0
    assert files(root) == whole
    assert "out/a: its cluster is no longer in clusters" in done.stderr
    assert fleet(grounds, "--prune-clusters").returncode == 0
    assert not root.exists()


def test_an_output_is_no_cluster_and_no_clusters_folder(grounds):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    laid_out(grounds, out__in__in="{}")
    before = state(grounds / "out")
    done = run("fleet", "out/in", "-o", "out", cwd=grounds, environment=environment)
    assert (done.returncode, state(grounds / "out")) == (2, before)
    assert run("manifests", "-o", "one", cwd=grounds, environment=environment).returncode == 0
    done = run("fleet", "clusters/", "-o", "one", cwd=grounds, environment=environment)
    assert done.returncode == 1
    assert "one: holds the objects of one cluster" in done.stderr


def test_a_folder_that_cannot_be_read_ends_its_cluster_alone(grounds):
    """A loop of links stands for one that may not be read: for root there is no other."""
    folder = grounds / "clusters" / "lab" / "teams"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.symlink_to("teams")
    done = fleet(grounds)
    assert done.returncode == 1
    assert "clusters/lab/teams" in done.stderr
    assert "out: 4 clusters: 3 new, 1 failed\n" in done.stderr


LAYOUTS = {
    "one__platform two__platform": (["one", "two"], ""),
    "one two__platform .hidden README": (["README", "one", "two"], ""),
    "one one__platform": ([], "clusters/one.yaml:1:1: is cluster one, and so is clusters/one; leave"),
    "": ([], "holds no cluster; put a file of values into it, such as prod.yaml"),
    "one__teams__a": (["one"], "one/platform.yaml:1:1: is missing; add it"),
    "one__platfrom": (["one"], "one/platfrom.yaml:1:1: belongs to nothing: a cluster's folder has "
                      "platform.yaml and teams/; did you mean platform?"),
    "one__platform one__team__a": (["one"], "one/team:1:1: belongs to nothing: a cluster's folder "
                                   "has platform.yaml and teams/; did you mean teams?"),
    "one__platform one__teams__A_b": (["one"], 'A_b.yaml:1:1: "A_b" is no name for a namespace'),
    "one__platform one__teams__ads__m": (["one"], "teams/ads:1:1: is no file of a team's models"),
}  # fmt: skip


@pytest.mark.parametrize("names", LAYOUTS)
def test_what_is_a_cluster(names, tmp_path):
    wanted, message = LAYOUTS[names]
    folder = tmp_path / "clusters"
    folder.mkdir()
    laid_out(folder, **dict.fromkeys(names.split(), "{}"))
    (folder / "README.md").write_text("# Clusters\n")
    (folder / "notes.txt").write_text("mine\n")
    try:
        found = discovery.find(folder)
    except GeneratorError as error:
        said = str(error).replace(f"{tmp_path}/", "")
        assert (wanted, message in said) == ([], True), said
        return
    assert [each.name for each in found.clusters] == wanted
    assert [path.name for path in found.ignored] == ["notes.txt"]
    problems = "\n".join(str(one) for each in found.clusters for one in each.problems)
    assert message in problems
    assert bool(message) == bool(problems)


def test_output_is_no_cluster(grounds):
    for where in ("clusters", "clusters/out"):
        words = ("fleet", "clusters", "-o", where)
        done = run(*words, cwd=grounds, environment={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == 2
        assert "whose clusters are read; name another" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_leaves_each_folder_before_or_after(number, grounds):
    laid_out(grounds, **{f"clusters__n{count}": "{}" for count in range(8)})
    assert fleet(grounds).returncode == 0
    root = grounds / "out"
    before = {folder.name: files(folder) for folder in root.iterdir()}
    laid_out(
        grounds, base=BASE + "controller: {logging: {level: debug}}\nglobal: {labels: {a: b}}\n"
    )
    start = time.monotonic()
    done = fleet(grounds, "-o", "whole")
    took = time.monotonic() - start
    assert done.returncode == 0
    after = {folder.name: files(folder) for folder in (grounds / "whole").iterdir()}
    argv = [sys.executable, "-m", "generator", "fleet", "-f", "base.yaml", "clusters/", "-o", "out"]
    # What is killed cannot tidy up.
    (grounds / "tmp").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(grounds / "tmp")}
    dice = random.Random(16)
    found = set()
    for _ in range(6):
        with subprocess.Popen(
            argv, cwd=grounds, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            time.sleep(took * dice.uniform(0.3, 1))
            os.killpg(process.pid, number)
        found.add(process.returncode)
        for name, earlier in before.items():
            if number != signal.SIGKILL or not journal.is_pending(root / name):
                assert files(root / name) in (earlier, after[name])
    # Before it has read its own modules, Python ends by the signal itself.
    assert found <= {0, -number, 130 if number == signal.SIGINT else -number}
    assert fleet(grounds).returncode == 0
    assert {folder.name: files(folder) for folder in root.iterdir()} == after


def test_nothing_in_a_clusters_folder_is_passed_over_in_silence(tmp_path):
    laid_out(tmp_path, one__platform="{}", one__teams__a="{}")
    folder = tmp_path / "one"
    (folder / "platform.yml").write_text("{}")
    (folder / "teams" / "ads.YAML").write_text("{}")
    laid_out(tmp_path, two__platform="{}")
    (tmp_path / "two" / "teams").write_text("{}")
    one, two = discovery.find(tmp_path).clusters
    assert [problem.message for problem in one.problems] == [
        "is no file of a team's models, such as teams/fraud.yaml; move it away",
        f"and {folder / 'platform.yaml'} are both there; leave one out",
    ]
    assert "belongs to nothing" in two.problems[0].message


def test_a_pipe_among_the_clusters_does_not_hang(tmp_path):
    laid_out(tmp_path, one="{}")
    os.mkfifo(tmp_path / "two.yaml")
    found = discovery.find(tmp_path)
    assert [cluster.name for cluster in found.clusters] == ["one"]
    assert found.ignored == (tmp_path / "two.yaml",)


@pytest.mark.parametrize("name", ["a, b", "a\nb", "-a", "é"])
def test_a_cluster_has_a_name_that_can_be_listed(tmp_path, name):
    laid_out(tmp_path, one="{}")
    (tmp_path / f"{name}.yaml").write_text("{}")
    with pytest.raises(ValuesError, match="a cluster's name is of letters"):
        discovery.find(tmp_path)


def test_a_folder_that_cannot_be_written_ends_its_cluster_alone(grounds):
    """A loop of links stands for one that may not be written to: for root there is no other."""
    (grounds / "out").mkdir()
    (grounds / "out" / "a").symlink_to("a")
    done = fleet(grounds)
    assert done.returncode == 1
    assert "out/a" in done.stderr
    assert "3 new, 1 failed" in done.stderr
