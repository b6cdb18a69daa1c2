"""`make release`: what is released, from which commits, and that it is the same every time."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from distribution import versions
from generator import CHART, MODELS
from generator.errors import GeneratorError, ValuesError
from tests import rendering
from tests.rendering import ROOT

PARTS = (
    "pyproject.toml",
    "setup.py",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    ".gitignore",
    ".gitattributes",
)
FOLDERS = ("generator", "distribution", "charts", "tools", "values")
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)[1]


def git(clone, *arguments):
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "gc.auto=0")
    subprocess.run(["git", *who, *arguments], cwd=clone, check=True, capture_output=True)


def release(clone, output="dist", **environment):
    argv = [sys.executable, "-m", "distribution", "-o", str(output)]
    return subprocess.run(
        argv, cwd=clone, env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What is shipped and how, as it is in the working tree, committed and ready to be released."""
    clone = tmp_path_factory.mktemp("clone")
    for name in PARTS:
        shutil.copy(ROOT / name, clone)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    changelog = clone / "CHANGELOG.md"
    dated = re.sub(r"^(## \S+) \(.*\)$", r"\1 (2026-01-02)", changelog.read_text(), flags=re.M)
    changelog.write_text(dated)
    git(clone, "init", "--quiet")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message=Release")
    return clone


@pytest.fixture(scope="module")
def released(clone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases") / "first"
    done = release(clone, folder, TZ="Asia/Tokyo")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def changed(clone, tmp_path):
    """A copy of the clone, to commit something wrong into."""
    git(tmp_path, "clone", "--quiet", str(clone), "copy")
    return tmp_path / "copy"


@pytest.fixture
def stated(clone, tmp_path):
    """The files that state the version, and nothing else."""
    for statement in versions.statements(clone):
        (tmp_path / statement.file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clone / statement.file, tmp_path / statement.file)
    assert versions.problems(tmp_path) == []
    return tmp_path


def test_a_release_has_both_charts_the_wheel_the_source_and_checksums(released):
    wheel = f"kserve_lite-{VERSION}-py3-none-any.whl"
    files = {f"{CHART}-{VERSION}.tgz", f"{MODELS}-{VERSION}.tgz", wheel}
    files.add(f"kserve_lite-{VERSION}.tar.gz")
    assert {file.name for file in released.iterdir()} == files | {"SHA256SUMS"}
    listed = dict(
        reversed(line.split("  ")) for line in (released / "SHA256SUMS").read_text().splitlines()
    )
    assert listed == {
        name: hashlib.sha256((released / name).read_bytes()).hexdigest() for name in files
    }
    assert not list(released.parent.glob(".*"))


def test_the_same_commit_gives_the_same_bytes(clone, released):
    second = released.parent / "second"
    done = release(clone, second, TZ="UTC", PYTHONHASHSEED="1")
    assert done.returncode == 0, done.stderr
    assert (second / "SHA256SUMS").read_bytes() == (released / "SHA256SUMS").read_bytes()


@pytest.mark.parametrize("program", ["helm", "helm3"])
@pytest.mark.parametrize("chart", [CHART, MODELS])
def test_a_packaged_chart_renders_what_its_folder_renders(released, chart, program):
    file = released / f"{chart}-{VERSION}.tgz"
    options = (
        "--kube-version=1.34",
        "--values",
        str(ROOT / "examples" / "models" / "sklearn-iris.yaml"),
    )
    said = [
        rendering.helm("template", "a", str(of), *options, program=program)
        for of in (file, rendering.CHARTS[chart])
    ]
    assert said[0] == said[1]
    assert len(said[0]) > 300
    metadata = yaml.safe_load(rendering.helm("show", "chart", str(file), program=program))
    assert metadata["version"] == VERSION


def test_archives_hold_nothing_of_the_machine_that_made_them(released):
    for file in released.glob("*.t*gz"):
        with tarfile.open(file) as archive:
            members = archive.getmembers()
        assert len({member.mtime for member in members}) == 1
        assert {(member.uid, member.uname, member.gname) for member in members} == {(0, "", "")}


@pytest.mark.parametrize(
    ("file", "line", "instead", "said"),
    [
        ("pyproject.toml", f'version = "{VERSION}"', 'version = "9.9.9"', "says .* 9.9.9; make"),
        ("generator/__init__.py", f'"{VERSION}"', '"9.9.9"', "says 9.9.9, and pyproject.toml"),
        ("charts/kserve-lite/Chart.yaml", f"version: {VERSION}", "version: 9.9.9", "says 9.9.9"),
        ("CHANGELOG.md", "(2026-01-02)", "(unreleased)", "has no date"),
        ("CHANGELOG.md", "# Changelog", "# Changelog\n\n## 9.9.9 (2026-01-03)", "says 9.9.9"),
        ("CHANGELOG.md", f"## {VERSION} (", f"### {VERSION} (", "states no version; write"),
    ],
)
def test_a_version_that_is_not_the_same_everywhere_is_a_problem(stated, file, line, instead, said):
    text = (stated / file).read_text()
    assert line in text
    (stated / file).write_text(text.replace(line, instead, 1))
    try:
        problems = versions.problems(stated)
    except ValuesError as error:
        problems = error.problems
    assert problems
    assert all(re.match(rf"\S+:[0-9]+:1: {said}", str(problem)) for problem in problems)


def test_problems_with_the_version_end_a_release(changed):
    text = (changed / "CHANGELOG.md").read_text()
    (changed / "CHANGELOG.md").write_text(text.replace("(2026-01-02)", "(unreleased)"))
    git(changed, "commit", "--quiet", "--all", "--message=Too early")
    done = release(changed)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"ERROR: CHANGELOG\.md:[0-9]+:1: has no date for .*\n", done.stderr)
    assert not (changed / "dist").exists()


def test_what_is_not_committed_is_not_released(changed):
    (changed / "charts" / CHART / "values.yaml").write_text("# mine\n")
    done = release(changed)
    assert (done.returncode, done.stdout) == (1, "")
    said = f"ERROR: charts/{CHART}/values.yaml: not as committed; commit it, or stash it\n"
    assert done.stderr == said
    (changed / "more.txt").touch()
    assert f"{CHART}/values.yaml (and 1 more): not as committed" in release(changed).stderr


def test_a_version_is_released_once(changed):
    git(changed, "tag", f"v{VERSION}")
    assert versions.checked_version(changed) == VERSION
    git(changed, "commit", "--quiet", "--allow-empty", "--message=More")
    with pytest.raises(
        GeneratorError, match=rf"^v{VERSION} is the tag of [0-9a-f]{{12}}; raise the version$"
    ):
        versions.checked_version(changed)


def test_a_folder_that_holds_something_is_left_alone(changed):
    (changed / "dist").mkdir()
    (changed / "dist" / "mine.txt").write_text("mine")
    done = release(changed)
    assert done.returncode == 1
    assert "dist is there already; remove it, or name another folder: -o" in done.stderr
    assert [file.name for file in (changed / "dist").iterdir()] == ["mine.txt"]


def test_a_wheel_that_cannot_render_the_charts_is_not_released(changed):
    """Its data left out, as package-data that nobody updated leaves it out."""
    settings = changed / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"data/templates/**/.*"', '"nothing"'))
    assert '"nothing"' in settings.read_text()
    git(changed, "commit", "--quiet", "--all", "--message=Wrong")
    done = release(changed)
    assert done.returncode == 1
    assert "does not render charts/; `make charts`" in done.stderr
    assert not (changed / "dist").exists()
    assert not list(changed.glob(".release-*"))


def test_this_version_is_the_same_everywhere():
    """But for the date: between releases the changelog's first version is unreleased."""
    found = [problem for problem in versions.problems(ROOT) if "has no date" not in problem.message]
    assert found == []
    assert {statement.version for statement in versions.statements(ROOT)} == {VERSION}
    assert len(list(versions.statements(ROOT))) == 6


def test_a_file_without_a_version_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ValuesError, match=r"^pyproject\.toml:1:1: states no version"):
        versions.problems(tmp_path)
    with pytest.raises(ValuesError, match=r"^pyproject\.toml:1:1: is missing"):
        versions.problems(Path(tmp_path / "nowhere"))
