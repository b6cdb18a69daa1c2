"""What the documents show is so: commands run, files are there, no flavour is forgotten."""

import re
import shlex
import subprocess
import sys

import pytest

from generator import tools
from generator.catalog import catalog
from tests.rendering import FLAVOURS, ROOT

TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The lines of every fenced block of a language, in all pages; continued lines joined."""
    found = []
    for page in PAGES:
        for block in re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL
        ):
            found += block.replace("\\\n", " ").splitlines()
    return found


COMMANDS = [line for line in blocks("sh") if line.startswith("python -m generator")]
COMMANDS += [
    line for line in re.findall(r"`(python -m generator [^`]+)`", README) if "my.yaml" in line
]
# The wheel's command is the same command line under another name.
COMMANDS += [
    line.replace("kserve-lite", "python -m generator", 1)
    for line in blocks("console")
    if line.startswith("kserve-lite ")
]


# What Helm and kubectl print of an install of upstream's KServe: docs/migrate.md.
UPSTREAMS = {
    "kserve.yaml": "kserve: {controller: {deploymentMode: Standard}}\n",
    "runtimes.yaml": "kserve: {servingruntime: {enabled: true}}\n",
    "models.yaml": "{apiVersion: v1, kind: List, items: []}\n",
    "platform.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: inferenceservice-config}}\n",
}


@pytest.fixture
def readers(tmp_path):
    """What a reader has: values of their own, a trained model, and another KServe."""
    folder = tmp_path / "my-sklearn-model"
    folder.mkdir()
    (folder / "model.joblib").touch()
    (folder / "sklearnserver.yaml").write_text("modelFormat: sklearn\nmodelUri: s3://models/mine\n")
    clusters = tmp_path / "clusters"
    clusters.mkdir()
    (clusters / "prod.yaml").write_text("controller: {replicas: 2}\n")
    gke = str(ROOT / "values" / "gke.yaml")
    given = {
        "my.yaml": gke,
        "base.yaml": gke,
        folder.name: str(folder),
        "clusters/": str(clusters),
    }
    for name, text in UPSTREAMS.items():
        (tmp_path / name).write_text(text)
        given[name] = str(tmp_path / name)
    return given


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_runs(command, readers, tmp_path):
    assert len(COMMANDS) >= 8
    command, _, _ = command.partition(" > ")
    words = [readers.get(word, word) for word in shlex.split(command, comments=True)[1:]]
    words = [str(tmp_path) if words[i - 1] == "-o" else word for i, word in enumerate(words)]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == ("diff" in words), done.stderr  # 1 says that something differs.


def test_every_make_target_of_the_documents_is_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for page in PAGES
        for word in re.findall(r"`make ([a-z]+(?: [a-z]+)*)`", page.read_text())
    }
    named |= {line.split()[1] for line in blocks("sh") if line.startswith("make ")}
    assert named
    assert {word for words in named for word in words.split()} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_a_model_that_is_probed_every_second_is_missed_for_about_half_the_time():
    """As docs/models.md says, by the table that was measured."""
    table = (ROOT / "docs" / "reliability.md").read_text()

    def seconds(title):
        (found,) = re.findall(rf"^{title} +1 +none +\d+ +\d+ +([\d.]+)", table, re.MULTILINE)
        return float(found)

    usual = seconds("A model server is killed, as for want of memory")
    assert 0.3 < seconds("A model server that is probed every second is killed") / usual < 0.7


def test_every_flavour_is_in_the_readme_and_says_for_whom_it_is():
    for flavour in FLAVOURS:
        assert f"`{flavour}.yaml`" in README
        first = (ROOT / "values" / f"{flavour}.yaml").read_text().splitlines()[0]
        assert first.startswith("# For "), flavour


def test_the_readmes_model_is_the_example():
    example = (ROOT / "examples" / "models" / "sklearn-iris.yaml").read_text()
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert shown in example


def test_versions_are_said_in_one_place():
    kserve = catalog().versions.kserve
    pins = (ROOT / "tools" / "upstream" / "go.mod").read_text()
    assert f"github.com/kserve/kserve {kserve}" in pins
    assert (
        f"github.com/kserve/kserve {kserve}" in (ROOT / "tools" / "kserve" / "go.mod").read_text()
    )
    assert kserve in (ROOT / "CHANGELOG.md").read_text()
    assert catalog().versions.chart in (ROOT / "CHANGELOG.md").read_text()


def test_the_readme_asks_for_the_versions_that_are_asked_for():
    kubernetes = re.match(r">=([0-9]+\.[0-9]+)\.", catalog().versions.kubernetes)[1]
    helm = ".".join(map(str, tools.TOOLS["helm"].oldest))
    assert tools.TOOLS["helm"].newest == (5, 0, 0)
    project = (ROOT / "pyproject.toml").read_text()
    python = re.search(r'^requires-python = ">=(.+)"$', project, re.MULTILINE)[1]
    for said in (f"Kubernetes {kubernetes} or later", f"Helm {helm} or later (Helm 4 too)",
                 f"Python {python} or later; "):  # fmt: skip
        assert said in README, said


def test_no_file_names_a_registry_host_or_a_place_on_a_machine():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    wrong = re.compile(
        r"(?:proxy|sum)\.golang\.org|pypi\.org|registry\.npmjs|/root/|/home/[a-z]|/work/"
    )
    for name in listed.stdout.splitlines():
        file = ROOT / name
        if name in ("tests/unit/test_docs.py", "LICENSE") or not file.is_file():
            continue
        assert not wrong.search(file.read_text(encoding="utf-8", errors="ignore")), name
