"""The command line, through the front door: `python -m generator …` as a process."""

import subprocess
import sys

import pytest

from tests.rendering import CASES, ROOT


def run(*arguments: object, cwd=ROOT, environment: dict[str, str] | None = None):
    return subprocess.run(
        [sys.executable, "-m", "generator", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["", "chart", "manifests", "validate", "build"])
def test_help_teaches(command):
    done = run(*filter(None, [command]), "--help")
    assert done.returncode == 0
    assert "Usage: python -m generator" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


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
    assert "run the same command without --check" in done.stderr
    assert file.read_text().endswith("# edited\n")


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


def test_wrong_usage_is_exit_2():
    assert run("chart").returncode == 2
    assert run("nonsense").returncode == 2
    assert "No such command" in run("nonsense").stderr


def test_validate_says_what_it_checked():
    done = run("validate", "-f", CASES["ha"])
    assert done.returncode == 0
    assert done.stdout.endswith("objects are valid for Kubernetes 1.34.0\n")


def test_manifests_prune_what_is_no_longer_rendered(tmp_path):
    run("manifests", "-f", CASES["all-runtimes"], "-o", tmp_path)
    mine = tmp_path / "kustomization.yaml"
    mine.write_text("resources: []\n")
    assert len(list((tmp_path / "20-runtimes").iterdir())) == 16
    done = run("manifests", "-f", CASES["default"], "-o", tmp_path)
    assert done.returncode == 0
    assert len(list((tmp_path / "20-runtimes").iterdir())) == 2
    assert mine.exists()


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
    assert done.stderr == (
        "left out: the manifests and their validation: helm 3.18.5 or later is missing; "
        "run `python -m generator.tools helm`, or install it and put it on PATH\n"
    )
    assert (tmp_path / "out" / "kserve-lite" / "Chart.yaml").is_file()
    assert not (tmp_path / "out" / "manifests").exists()


def test_a_file_in_the_way_is_not_overwritten(tmp_path):
    (tmp_path / "kserve-lite").mkdir()
    (tmp_path / "kserve-lite" / "Chart.yaml").write_text("name: somebody-elses\n")
    done = run("chart", "-o", tmp_path)
    assert done.returncode == 1
    assert "is in the way and was not generated" in done.stderr
    assert [it.name for it in (tmp_path / "kserve-lite").iterdir()] == ["Chart.yaml"]
