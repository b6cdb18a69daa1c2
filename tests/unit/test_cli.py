"""The command line, through the front door: `python -m generator …` as a process."""

import json
import os
import re
import subprocess
import sys

import pytest

from generator import MODELS, tools
from generator.values.load import Values
from tests import rendering
from tests.interruption import state
from tests.rendering import CASES, CHARTS, ROOT, helm_template


def listing(folder):
    return sorted(path for path, (_, text) in state(folder).items() if text)


def run(*arguments: object, cwd=ROOT, environment: dict[str, str] | None = None, stdin=None):
    return subprocess.run(
        [sys.executable, "-m", "generator", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "",
        "chart",
        "diff",
        "doctor",
        "explain",
        "graph",
        "images",
        "manifests",
        "validate",
        "build",
        "model",
        "routes",
    ],
)
def test_help_teaches(command):
    done = run(*filter(None, [command]), "--help")
    assert done.returncode == 0
    assert "Usage: python -m generator" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())
    _, _, codes = done.stdout.partition("\nExit codes:\n")
    assert re.findall(r"^  (\S+) +[A-Z].*", codes, re.MULTILINE) == ["0", "1", "2", "128+N"]


@pytest.mark.parametrize("word", ["--help", "--no-such-option"])
def test_what_pip_installs_calls_itself_by_its_name(word, tmp_path):
    program = tmp_path / "kserve-lite"
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    ((module, function),) = re.findall(r'^kserve-lite = "(.+):(.+)"', text, re.MULTILINE)
    program.write_text(f"from {module} import {function}\n\n{function}()\n")
    done = subprocess.run(
        [sys.executable, program, word],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert said.startswith("Usage: kserve-lite [OPTIONS] COMMAND")
    assert "python -m" not in said
    assert ("  kserve-lite manifests -f my.yaml -o gitops/" in said) == (word == "--help")


def test_the_stock_chart_is_current():
    done = run("chart", "-o", "charts", "--check")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_chart_that_is_not_current_is_told(tmp_path):
    assert run("chart", "-o", tmp_path).returncode == 0
    file = tmp_path / "kserve-lite" / "values.yaml"
    file.write_text(file.read_text() + "# edited\n")
    done = run("chart", "-o", tmp_path, "--check")
    assert done.returncode == 1
    assert f"~ {file}" in done.stderr
    # Without --check the run would be refused, so the remedy is another.
    assert "--force gives the change up" in done.stderr
    assert "without --check" not in done.stderr
    assert file.read_text().endswith("# edited\n")


def test_a_chart_of_other_values_is_told(tmp_path):
    assert run("chart", "-o", tmp_path).returncode == 0
    done = run("chart", "-o", tmp_path, "-f", CASES["gke"], "--check")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}: the values are from gke.yaml; those of the run ")
    assert done.stderr.endswith("is not current; run the same command without --check\n")


def test_a_wrong_value_writes_nothing(tmp_path):
    values = tmp_path / "my.yaml"
    values.write_text("controller:\n  replica: 2\n")
    for command in ("chart", "manifests", "build"):
        done = run(command, "-f", values, "-o", tmp_path / "out")
        assert done.returncode == 1
        assert done.stderr == (
            f"{values}:2:3: controller.replica: unknown key; did you mean controller.replicas?\n"
        )
        assert not (tmp_path / "out").exists()
        # That it could not be checked is something else than that it differs.
        checked = run(command, "-f", values, "-o", tmp_path / "out", "--check")
        assert (checked.returncode, checked.stderr) == (2, done.stderr)
    assert run("validate", "-f", values).returncode == 1


def test_values_that_do_not_go_together_are_told_as_helm_tells_them(tmp_path):
    values = tmp_path / "my.yaml"
    values.write_text("controller: {podDisruptionBudget: {enabled: true}}\n")
    done = run("manifests", "-f", values, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr == (
        f"{values}:1:14: controller.podDisruptionBudget: needs a second pod, "
        "or nodes cannot be drained; set controller.replicas=2\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_chart_that_would_never_install_is_not_written(tmp_path):
    values = tmp_path / "my.yaml"
    values.write_text("controller: {podDisruptionBudget: {enabled: true}}\n")
    done = run("chart", "-f", values, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"{values}:1:14: controller.podDisruptionBudget: needs a second pod"
    )
    assert not (tmp_path / "out").exists()
    # Without Helm nobody knows; that is said.
    nothing = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = run("chart", "-f", values, "-o", tmp_path / "out", environment=nothing)
    assert done.returncode == 0
    assert (
        "not checked: whether the chart's templates take these values: helm 3.18.5" in done.stderr
    )
    assert (tmp_path / "out" / "kserve-lite" / "Chart.yaml").is_file()


@pytest.mark.parametrize("command", ["validate", "manifests", "build", "routes"])
def test_a_name_that_nothing_can_have_is_refused(command, tmp_path):
    words = {"validate": [], "routes": ["examples/inferenceservices/flowers.yaml"]}
    words = words.get(command, ["-o", tmp_path / "out"])
    for option, name, said in (
        ("--release", "a b", 'error: --release "a b" is not a name: lower-case letters'),
        ("--release", "x" * 60, "has 60 characters, and 46 are allowed"),
        ("--namespace", "Kserve", '--namespace "Kserve" is not a name'),
        ("--models-namespace", "", '--models-namespace "" is not a name'),
    ):
        done = run(command, *words, option, name)
        assert done.returncode == 1
        assert said.removeprefix("error: ") in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_values_without_their_option_are_told_which():
    done = run("validate", "-f", CASES["ha"], CASES["kind"])
    assert done.returncode == 2
    assert done.stderr.endswith("Each file of values takes a -f of its own.\n")
    assert "-f" not in run("validate", "--no-such").stderr


def test_wrong_usage_is_exit_2():
    assert run("chart").returncode == 2
    assert run("nonsense").returncode == 2
    assert "No such command" in run("nonsense").stderr


def test_validate_says_what_it_checked():
    done = run("validate", "-f", CASES["ha"])
    assert done.returncode == 0
    assert done.stdout.endswith("objects are valid for Kubernetes 1.34.0\n")


@pytest.mark.parametrize("where", ["model", "transformer", "explainer"])
def test_a_variable_of_several_lines_reaches_the_model(where, tmp_path):
    entry = {"image": "a/b:1", "env": {"NOTE": "a\nb"}}
    model = entry if where == "model" else {"format": "sklearn", where: entry}
    values = tmp_path / "my.yaml"
    values.write_text(json.dumps({"models": {"iris": {"storageUri": "s3://a/b", **model}}}))
    done = run("manifests", "-f", values, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    texts = [file.read_text() for file in (tmp_path / "out" / "30-models").rglob("*.yaml")]
    for helm in ("helm", "helm3"):
        texts.append(helm_template(CHARTS[MODELS], Values.parsed([values]), helm=helm, more=()))
    found = [
        manifest["spec"]["predictor" if where == "model" else where]["containers"][0]["env"][0]
        for manifest in rendering.of_kind(
            rendering.parse("\n---\n".join(texts)), "InferenceService"
        )
    ]
    assert found == [{"name": "NOTE", "value": "a\nb"}] * 3


def test_manifests_prune_what_is_no_longer_rendered(tmp_path):
    run("manifests", "-f", CASES["all-runtimes"], "-o", tmp_path)
    own = tmp_path / "20-runtimes" / "mine.yaml"
    own.write_text("# A runtime of my own.\n")
    assert len(list((tmp_path / "20-runtimes").glob("cluster*.yaml"))) == 16
    done = run("manifests", "-f", CASES["default"], "-o", tmp_path)
    assert done.returncode == 0
    assert len(list((tmp_path / "20-runtimes").glob("cluster*.yaml"))) == 2
    assert own.exists()


def test_build_does_it_all_and_says_what_is_next(tmp_path):
    done = run("build", "-f", CASES["gke"], "-o", tmp_path / "out", "-n", "ml")
    assert done.returncode == 0
    assert "objects are valid" in done.stdout
    assert (
        f"helm install kserve-lite {tmp_path}/out/kserve-lite -n ml --create-namespace"
        in done.stdout
    )
    assert (tmp_path / "out" / "manifests" / "10-platform").is_dir()


def test_build_without_helm_renders_the_chart_and_says_what_it_left_out(tmp_path):
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = run("build", "-o", tmp_path / "out", environment=environment)
    assert done.returncode == 1
    assert done.stderr.endswith(
        "left out: the manifests and their validation: helm 3.18.5 or later is missing; "
        "run `python -m generator.tools helm`, or install it and put it on PATH\n"
    )
    # What has not been validated is not recommended.
    assert done.stdout == ""
    assert (tmp_path / "out" / "kserve-lite" / "Chart.yaml").is_file()
    assert not (tmp_path / "out" / "manifests").exists()


def test_build_without_helm_puts_no_new_chart_beside_old_objects(tmp_path):
    assert run("build", "-o", tmp_path / "out").returncode == 0
    before = state(tmp_path / "out")
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = run("build", "-f", CASES["gke"], "-o", tmp_path / "out", environment=environment)
    assert done.returncode == 1
    assert "manifests: are of an earlier run, and cannot be rendered anew: helm" in done.stderr
    assert state(tmp_path / "out") == before


def test_build_writes_all_or_nothing(tmp_path):
    assert run("build", "-o", tmp_path).returncode == 0
    before = state(tmp_path)
    values = tmp_path.with_suffix(".yaml")
    values.write_text("controller: {podDisruptionBudget: {enabled: true}}\n")
    assert run("build", "-f", values, "-o", tmp_path).returncode == 1
    assert state(tmp_path) == before
    # An object that only kubeconform refuses.
    values.write_text(
        "extraObjects: {a: {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {nodes: 1}}}\n"
    )
    assert run("build", "-f", values, "-o", tmp_path).returncode == 1
    assert state(tmp_path) == before
    changed = tmp_path / "manifests" / "10-platform" / "deployment-kserve-controller-manager.yaml"
    changed.write_text(changed.read_text() + "# mine\n")
    before = state(tmp_path)
    done = run("build", "-f", CASES["gke"], "-o", tmp_path)
    assert done.returncode == 1
    assert f"{changed}: was changed since it was written" in done.stderr
    assert state(tmp_path) == before


def test_build_and_the_commands_it_stands_for_go_on_from_each_other(tmp_path):
    assert run("build", "-f", CASES["gke"], "-o", tmp_path).returncode == 0
    assert run("chart", "-f", CASES["gke"], "-o", tmp_path, "--check").returncode == 0
    objects = tmp_path / "manifests"
    assert run("manifests", "-f", CASES["gke"], "-o", objects, "--check").returncode == 0
    assert run("manifests", "-f", CASES["eks"], "-o", objects).returncode == 0
    assert run("build", "-f", CASES["gke"], "-o", tmp_path, "--check").returncode == 1
    assert run("build", "-f", CASES["gke"], "-o", tmp_path).returncode == 0


def test_a_dry_run_lists_all_on_stdout_and_writes_nothing(tmp_path):
    assert run("chart", "-f", CASES["gke"], "-o", tmp_path).returncode == 0
    before = state(tmp_path)
    done = run("chart", "-o", tmp_path, "--dry-run")
    assert done.returncode == 0
    assert state(tmp_path) == before
    lines = done.stdout.splitlines()
    assert {line[:2] for line in lines} <= {"+ ", "~ ", "- "}
    assert run("chart", "-o", tmp_path).stderr.endswith(
        f"{tmp_path}: {sum(line[0] == '+' for line in lines)} new, "
        f"{sum(line[0] == '~' for line in lines)} changed, "
        f"{sum(line[0] == '-' for line in lines)} removed\n"
    )
    assert run("chart", "-o", tmp_path, "--dry-run").stdout == ""


def test_a_dry_run_of_what_would_be_refused_says_so(tmp_path):
    (tmp_path / "kserve-lite").mkdir()
    (tmp_path / "kserve-lite" / "Chart.yaml").write_text("name: somebody-elses\n")
    done = run("chart", "-o", tmp_path, "--dry-run")
    assert done.returncode == 1
    assert done.stderr.endswith("move it away\nnothing would be written\n")
    # There is no count of what is not going to be.
    assert len(done.stderr.splitlines()) == 2
    checked = run("chart", "-o", tmp_path, "--check")
    assert checked.returncode == 1
    assert checked.stderr.endswith(f"move it away\n{tmp_path} is not current; mend that\n")


def test_the_log_of_many_files_is_short(tmp_path):
    said = run("chart", "-o", tmp_path).stderr.splitlines()
    assert len(said) == 12
    assert said[10] == f"… and {len(listing(tmp_path)) - 11} more; --dry-run lists all"


def test_the_same_run_leaves_the_same_bytes_and_without_pruning_the_same_files(tmp_path):
    command = ("manifests", "-f", CASES["all-runtimes"], "-o")
    for folder in ("a", "b", "b"):
        assert run(*command, tmp_path / folder).returncode == 0
    assert state(tmp_path / "a") == state(tmp_path / "b")
    less = ("manifests", "-f", CASES["default"], "-o", tmp_path / "b", "--no-prune")
    assert run(*less).returncode == 0
    assert listing(tmp_path / "b") == listing(tmp_path / "a")
    assert run(*less, "--check").returncode == 0


@pytest.mark.parametrize(("folder", "said"), [("", "is empty"), ("-", "is standard output")])
@pytest.mark.parametrize("command", ["chart", "manifests", "build"])
def test_an_output_that_is_no_folder_is_wrong_usage(command, folder, said, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = run(command, "-o", folder, cwd=tmp_path, environment=environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert "name a folder" in done.stderr
    assert listing(tmp_path) == []


def test_a_cache_that_cannot_be_had_costs_time_only(tmp_path):
    helm = tools.find("helm")
    cache = {"XDG_CACHE_HOME": str(tmp_path / ("x" * 300)), "PATH": f"{helm.parent}:/usr/bin"}
    done = run("manifests", "-o", tmp_path / "out", environment={**os.environ, **cache})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_in_the_way_is_not_overwritten(tmp_path):
    (tmp_path / "kserve-lite").mkdir()
    (tmp_path / "kserve-lite" / "Chart.yaml").write_text("name: somebody-elses\n")
    done = run("chart", "-o", tmp_path)
    assert done.returncode == 1
    assert "Chart.yaml: is in the way, and no record says that kserve-lite wrote it" in done.stderr
    assert [file.name for file in (tmp_path / "kserve-lite").iterdir()] == ["Chart.yaml"]
