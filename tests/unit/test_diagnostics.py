"""What a command says on standard error: --problems json and --quiet, which every command has."""

import json
import re

import pytest

from generator.cli.main import cli
from generator.errors import GeneratorError, Problem, ToolFailed, ValuesError
from tests.rendering import ROOT
from tests.unit.test_cli import run

FIELDS = ["severity", "file", "line", "column", "path", "message", "remedy"]
UNKNOWN = {"message": "unknown key", "remedy": "did you mean controller.replicas?"}
SERVICE = ROOT / "examples" / "inferenceservices" / "flowers.yaml"
WRONG = {
    "build": ["-f", "my.yaml", "-o", "out"],
    "chart": ["-f", "my.yaml", "-o", "out"],
    "diff": ["my.yaml", "my.yaml"],
    "explain": ["controller.replica"],
    "graph": ["-f", "my.yaml"],
    "images": ["-f", "my.yaml"],
    "manifests": ["-f", "my.yaml", "-o", "out"],
    "model": ["my.yaml"],
    "routes": [SERVICE, "-f", "my.yaml"],
    "validate": ["-f", "my.yaml"],
}


@pytest.fixture
def values(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    file = tmp_path / "my.yaml"
    file.write_text("controller:\n  replica: 2\n")
    return file


def entries(done):
    found = json.loads(done.stderr)
    assert all(list(entry) == FIELDS for entry in found)
    return found


@pytest.mark.parametrize("command", cli.commands)
def test_a_problem_is_data_on_request(command, values):
    words = (command, *WRONG[command])
    text = run(*words, cwd=values.parent)
    data = run(*words, "--problems", "json", cwd=values.parent)
    assert (data.returncode, data.stdout) == (text.returncode, text.stdout)
    assert data.returncode == (2 if command == "diff" else 1)
    assert {entry["severity"] for entry in entries(data)} == {"error"}
    for entry in entries(data):
        assert entry["message"] in text.stderr
        assert (entry["remedy"] or "") in text.stderr
    if command not in ("explain", "model"):
        where = {"file": "my.yaml", "line": 2, "column": 3, "path": "controller.replica"}
        assert entries(data)[0] == {"severity": "error", **where, **UNKNOWN}


@pytest.mark.parametrize("words", [("--problems", "json"), ("--problems=json",)])
def test_wrong_usage_is_data_too_wherever_click_finds_it(words):
    for wrong in (("validate", "--no-such"), ("no-such",), ("chart",)):
        done = run(*wrong, *words)
        assert done.returncode == 2
        (entry,) = entries(done)
        assert entry["severity"] == "error"
        assert entry["message"].rstrip(".") in run(*wrong).stderr
    assert "'xml' is not one of 'text', 'json'" in run("validate", "--problems", "xml").stderr


def test_notes_are_data_and_progress_is_not(values):
    done = run("chart", "-o", "out", "--problems", "json", cwd=values.parent)
    (entry,) = entries(done)
    assert (entry["severity"], entry["file"]) == ("note", "out")
    assert entry["message"].endswith(" new, 0 changed, 0 removed")
    # Nothing to say is a document too, which a program can read.
    assert entries(run("graph", "--problems", "json")) == []


def test_a_run_that_is_quiet_leaves_out_progress_and_notes_only(values):
    done = run("chart", "-o", "out", "--quiet", cwd=values.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (values.parent / "out" / "kserve-lite" / "Chart.yaml").is_file()
    assert entries(run("chart", "-o", "out", "-q", "--problems=json", cwd=values.parent)) == []
    assert "unknown key" in run("validate", "-q", "-f", values).stderr
    assert run("graph", "-q").stdout == run("graph").stdout != ""


def test_a_warning_is_not_left_out(values):
    values.write_text(
        "extraObjects: {a: {apiVersion: example.org/v1, kind: Thing, metadata: {name: a}}}\n"
    )
    warned = run("validate", "-f", values, "-q")
    assert warned.returncode == 0
    assert warned.stderr.startswith("not checked: Thing a: ")
    (entry,) = entries(run("validate", "-f", values, "--problems", "json"))
    assert entry["severity"] == "warning"
    assert entry["message"].startswith("not checked: Thing a: ")


def test_what_model_adds_is_noted_with_its_file_and_path(values):
    values.unlink()
    words = ("model", SERVICE, "--apply-to", values, "--create")
    added = entries(run(*words, "--problems", "json"))
    assert {(entry["severity"], entry["message"]) for entry in added} == {("note", "was added")}
    assert all(entry["path"].startswith("models.") for entry in added)
    again = entries(run(*words, "--problems", "json"))
    assert {entry["message"] for entry in again} == {"is there already, unchanged"}
    assert run(*words, "--quiet").stderr == ""


def test_each_file_that_is_in_the_way_is_an_entry(values):
    for name in ("Chart.yaml", "README.md"):
        file = values.parent / "out" / "kserve-lite" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("somebody's\n")
    done = run("chart", "-o", "out", "--problems", "json", cwd=values.parent)
    assert done.returncode == 1
    files = [entry["file"] for entry in entries(done)]
    assert files == ["out/kserve-lite/Chart.yaml", "out/kserve-lite/README.md", None]
    assert entries(done)[-1]["message"] == "nothing was written"


@pytest.mark.parametrize(
    ("message", "fact", "remedy"),
    [
        ("a fact", "a fact", None),
        ("a fact; a remedy", "a fact", "a remedy"),
        ("a fact; its reason; a remedy", "a fact; its reason", "a remedy"),
        ('"a; b" is not a number', '"a; b" is not a number', None),
        ('1 is not text; put it in quotes: "a; b"', "1 is not text", 'put it in quotes: "a; b"'),
        ("two lines\nof Helm; or so", "two lines\nof Helm; or so", None),
    ],
)
def test_the_remedy_is_what_follows_the_last_semicolon(message, fact, remedy):
    found = Problem.plain(message).as_json()
    assert (found["message"], found["remedy"]) == (fact, remedy)


def test_the_words_of_another_program_hold_no_remedy():
    (problem,) = ToolFailed("helm: no; not that").problems
    assert problem.as_json()["remedy"] is None
    assert str(problem) == "helm: no; not that"


def test_an_error_is_its_problems_a_line_for_each():
    problems = [Problem("b.yaml", 2, 3, "x.y", "no"), Problem.output("a", "is full")]
    assert str(GeneratorError(*problems, "end")) == "b.yaml:2:3: x.y: no\na: is full\nend"
    assert str(ValuesError([*problems, *problems], "end")) == "a: is full\nb.yaml:2:3: x.y: no\nend"


def test_the_page_shows_what_is_printed(values):
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    (shown,) = re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    done = run("validate", "-f", "my.yaml", "--problems", "json", cwd=values.parent)
    assert done.stderr == shown
