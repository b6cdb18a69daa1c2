"""What GitHub reads: workflows, forms and updates. Nothing here can run them; they are read closely."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from generator import process, tools
from tests.rendering import ROOT

FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
FORMS = sorted(file for file in (FOLDER / "ISSUE_TEMPLATE").glob("*.yml") if file.stem != "config")
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def load(file: Path):
    """A file of GitHub's; `on` is a word there, as in YAML 1.2."""
    return yaml.load(file.read_text(), Loader=yaml.BaseLoader)


def lint(*files: Path) -> str:
    argv = [str(tools.build("actionlint")), "-shellcheck=", "-pyflakes=", "-no-color"]
    return process.run([*argv, *map(str, files)], cwd=ROOT, accept=(0, 1))


def steps(workflow: Path):
    return [step for job in load(workflow)["jobs"].values() for step in job["steps"]]


def test_actionlint_finds_nothing_in_the_workflows():
    assert [file.stem for file in WORKFLOWS] == ["check", "cluster", "kind"]
    assert lint(*WORKFLOWS) == ""


def test_actionlint_finds_a_mistake(tmp_path):
    text = WORKFLOWS[0].read_text()
    assert "matrix.python" in text
    broken = tmp_path / "broken.yml"
    broken.write_text(text.replace("matrix.python", "matrix.pyton"))
    assert 'property "pyton" is not defined' in lint(broken)


def test_make_check_lints_the_workflows(tmp_path):
    """The line of the Makefile, in a repository with a workflow that is wrong."""
    (line,) = [line.strip() for line in MAKEFILE.splitlines() if "tools actionlint" in line]
    command = line.replace("$$", "$").replace("$(BIN)/python", sys.executable)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    workflow = tmp_path / ".github" / "workflows" / "a.yml"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    codes = []
    for text in (WORKFLOWS[0].read_text(), "on: push\njobs: {}\n"):
        workflow.write_text(text)
        codes.append(
            subprocess.run(
                command, shell=True, cwd=tmp_path, env=environment, check=False, capture_output=True
            ).returncode
        )
    assert codes == [0, 1]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_take_what_they_use_at_a_commit_and_may_only_read(workflow):
    loaded = load(workflow)
    assert loaded["permissions"] == {"contents": "read"}
    used = re.findall(r"uses: (.*)", workflow.read_text())
    assert used
    assert all(
        re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+", action)
        for action in used
    )
    assert all(job["timeout-minutes"] for job in loaded["jobs"].values())


def test_workflows_use_one_version_of_each_action():
    used = {action for file in WORKFLOWS for action in re.findall(r"uses: (\S+)", file.read_text())}
    assert len(used) == len({action.partition("@")[0] for action in used})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_call_what_is_there(workflow):
    commands = "\n".join(step["run"] for step in steps(workflow) if "run" in step)
    assert set(re.findall(r"\bmake ([a-z-]+)", commands)) <= TARGETS
    for path in re.findall(r"(?<![\w/$~])(\.ci/\w+|charts/\S+)", commands):
        assert (ROOT / path).exists(), path
    for step in steps(workflow):
        for key in ("go-version-file", "cache-dependency-path"):
            assert list(ROOT.glob(step.get("with", {}).get(key, "Makefile")))


def test_the_first_workflow_runs_what_a_clean_clone_runs():
    """.ci/run, without the cluster, which is a workflow of its own."""
    listed = re.findall(r"^make \w+", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    run = [step["run"] for step in steps(FOLDER / "workflows" / "check.yml") if "run" in step]
    assert sorted(run) == sorted(command for command in listed if command != "make cluster")
    # Clusters are in the other, the same ones.
    clusters = re.compile(r"make cluster.*")
    text = (FOLDER / "workflows" / "cluster.yml").read_text()
    assert clusters.findall(text) == clusters.findall((ROOT / ".ci" / "run").read_text())


@pytest.mark.parametrize(
    "file", [ROOT / ".ci" / "run", FOLDER / "workflows" / "cluster.yml"], ids=lambda file: file.stem
)
def test_the_gateways_of_a_workflow_are_istios(file):
    """Envoy Gateway is compiled for minutes, for what asks for more than one case."""
    (arguments,) = re.findall(r"make cluster SUITE=gateways (.*)", file.read_text())
    # Below another make, as in `make test`, it would name its folder as well.
    make = ["make", "--dry-run", "--silent", "--no-print-directory"]
    dry = process.run([*make, "cluster", *arguments.split(), "SUITE=gateways"], cwd=ROOT)
    options = dry.split("tests/cluster/gateways", 1)[1].split()
    pytest_ = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/cluster/gateways"]
    collected = process.run([*pytest_, *options], cwd=ROOT)
    assert "test_v1[gatewayApi]" in collected
    assert "envoy-gateway" not in collected


def test_the_pythons_of_the_workflows_are_those_that_are_admitted():
    (oldest,) = re.findall(
        r'^requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text(), re.M
    )
    matrix = load(FOLDER / "workflows" / "check.yml")["jobs"]["check"]["strategy"]["matrix"]
    assert matrix["python"][0] == oldest


def test_kinds_node_is_the_kubernetes_that_is_tested():
    node = load(FOLDER / "workflows" / "kind.yml")["env"]["NODE"]
    (catalog,) = ROOT.glob("generator/**/catalog.yaml")
    tested = yaml.safe_load(catalog.read_text())["versions"]["tested"]
    assert re.fullmatch(rf"kindest/node:v{re.escape(tested)}@sha256:[0-9a-f]{{64}}", node)


# --- .ci/quickstart ---------------------------------------------------------------------------------


@pytest.fixture
def quickstart(tmp_path):
    """.ci/quickstart with programs that write down what they are asked; curl answers `answer`."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(answer, code=0):
        pid = tmp_path / "pid"
        said = {
            "helm": "",
            # A port-forward ends when it is killed.
            "kubectl": f'case "$*" in *port-forward*) echo $$ > {pid}; exec sleep 60;; esac',
            "curl": f"while ! test -s {pid}; do sleep 0.05; done; printf '%s' '{answer}'; exit {code}",
        }
        for name, script in said.items():
            lines = f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/asked\n{script}\n'
            (programs / name).write_text(lines)
            (programs / name).chmod(0o755)
        path = f"{programs}:{os.environ['PATH']}"
        done = subprocess.run(
            [ROOT / ".ci" / "quickstart"],
            env=os.environ | {"PATH": path},
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert not Path("/proc", pid.read_text().strip()).exists()
        return done.returncode, (tmp_path / "asked").read_text().splitlines()

    return run


def test_the_quick_start_is_the_readmes(quickstart):
    code, asked = quickstart('{"predictions":[1]}')
    assert code == 0
    block = re.search(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)[1]
    expected = [line for line in block.replace("\\\n", "").splitlines() if line]
    # The port-forward runs beside curl, and curl is given patience.
    assert sorted(command.split()[0] for command in asked) == sorted(
        command.split()[0] for command in expected
    )
    assert asked[:2] == expected[:2]
    assert any(command.startswith("kubectl -n default port-forward service/") for command in asked)
    assert any("localhost:8080/v1/models/sklearn-iris:predict" in command for command in asked)


@pytest.mark.parametrize(("answer", "code"), [("", 7), ('{"error": "Not Found"}', 0)])
def test_a_quick_start_without_a_prediction_fails(quickstart, answer, code):
    assert quickstart(answer, code)[0] != 0


# --- issues, pull requests, updates ----------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda file: file.stem)
def test_a_form_is_one_that_github_takes(form):
    """By its documentation: a name, a description, and elements that each have what its type wants."""
    loaded = load(form)
    assert set(loaded) <= {"name", "description", "title", "labels", "body"}
    assert loaded["name"] and loaded["description"]
    wanted = {
        "markdown": {"value"},
        "textarea": {"label"},
        "input": {"label"},
        "dropdown": {"label", "options"},
        "checkboxes": {"label", "options"},
    }
    for element in loaded["body"]:
        assert wanted[element["type"]] <= set(element["attributes"])
        assert ("id" in element) == (element["type"] != "markdown")
    ids = [field["id"] for field in loaded["body"] if "id" in field]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[\w-]+", name) for name in ids)


def test_there_is_a_form_for_a_defect_and_one_for_a_wish():
    assert [form.stem for form in FORMS] == ["defect", "wish"]
    choice = load(FOLDER / "ISSUE_TEMPLATE" / "config.yml")
    assert choice["blank_issues_enabled"] in ("true", "false")
    for link in choice["contact_links"]:
        assert set(link) == {"name", "url", "about"}


def test_every_go_module_is_kept_up_to_date_or_said_why_not():
    text = (FOLDER / "dependabot.yml").read_text()
    loaded = load(FOLDER / "dependabot.yml")
    assert loaded["version"] == "2"
    ecosystems = [update["package-ecosystem"] for update in loaded["updates"]]
    assert ecosystems == ["github-actions", "pip", "gomod"]
    updated = {folder for update in loaded["updates"] for folder in update.get("directories", [])}
    modules = {f"/{file.parent.relative_to(ROOT)}" for file in ROOT.glob("tools/*/go.mod")}
    left_out = set(re.findall(r"^  # - (/tools/\w+): \w+", text, re.MULTILINE))
    assert updated | left_out == modules
    assert not updated & left_out
