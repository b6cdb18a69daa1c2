"""What a command says on standard error: --problems json and --quiet, which every command has."""

import json
import re

import pytest

from generator.cli.command import CODES
from generator.cli.main import cli
from generator.errors import GeneratorError, Problem, ToolFailed, ValuesError
from tests.rendering import CASES, ROOT
from tests.unit.test_cli import run

FIELDS = ["severity", "file", "line", "column", "path", "message", "remedy"]
UNKNOWN = {"message": "unknown key", "remedy": "did you mean controller.replicas?"}
SERVICE = ROOT / "examples" / "inferenceservices" / "flowers.yaml"
WRONG = {
    "build": ["-f", "my.yaml", "-o", "out"],
    "chart": ["-f", "my.yaml", "-o", "out"],
    "diff": ["my.yaml", "my.yaml"],
    "doctor": ["--release", "No!"],
    "explain": ["controller.replica"],
    "fleet": ["clusters", "-f", "my.yaml", "-o", "out"],
    "graph": ["-f", "my.yaml"],
    "images": ["-f", "my.yaml"],
    "manifests": ["-f", "my.yaml", "-o", "out"],
    "migrate": ["my.yaml", "missing.yaml"],
    "model": ["my.yaml"],
    "routes": [SERVICE, "-f", "my.yaml"],
    "validate": ["-f", "my.yaml"],
}


@pytest.fixture
def values(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    file = tmp_path / "my.yaml"
    file.write_text("controller:\n  replica: 2\n")
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "prod.yaml").touch()
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
    assert data.returncode == (2 if command in ("diff", "doctor") else 1)
    assert {entry["severity"] for entry in entries(data)} == {"error"}
    for entry in entries(data):
        assert entry["message"] in text.stderr
        assert (entry["remedy"] or "") in text.stderr
    if command not in ("doctor", "explain", "migrate", "model"):
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


def test_what_changes_in_a_folder_is_a_document_on_request(values):
    values.write_text("models: {iris: {format: sklearn, storageUri: s3://a/b}}\n")
    words = ("chart", "-o", "out", "-f", values, "--format", "json", "-q")

    def changes(*more):
        done = run(*words, *more, cwd=values.parent)
        document = json.loads(done.stdout)
        assert document["folder"] == "out"
        return done, document

    done, planned = changes("--dry-run")
    assert (done.returncode, planned["written"], planned["current"]) == (0, False, False)
    assert not (values.parent / "out").exists()
    done, found = changes("--check", "--problems", "json")
    assert found == planned
    assert done.returncode != 0
    assert entries(done)[-1]["severity"] == "error"
    done, written = changes()
    assert done.stderr == ""
    assert written == {**planned, "written": True}
    assert "kserve-lite/Chart.yaml" in written["added"]
    assert all((values.parent / "out" / path).is_file() for path in written["added"])
    (values.parent / "out" / "kserve-lite" / "own.txt").touch()
    _, again = changes()
    assert (again["current"], again["added"], again["changed"], again["removed"]) == (
        True,
        [],
        [],
        [],
    )


@pytest.mark.parametrize("command", ["build", "manifests"])
def test_a_result_that_is_json_is_nothing_else(command, values):
    values.write_text(
        "extraObjects: {a: {apiVersion: example.org/v1, kind: Thing, metadata: {name: a}}}\n"
    )
    done = run(command, "-f", values, "-o", "out", "--format", "json", "-q", cwd=values.parent)
    assert done.returncode == 0
    added = json.loads(done.stdout)["added"]
    assert [path for path in added if path.endswith("/thing-a.yaml")]
    assert done.stderr.startswith("not checked: Thing a: ") == (command == "build")


@pytest.mark.parametrize(
    "words",
    [
        ("diff", CASES["ha"], CASES["gke"]),
        ("explain", "routing.mode"),
        ("graph",),
        ("images",),
        ("validate",),
    ],
    ids=lambda words: words[0],
)
def test_a_report_is_json_on_request(words):
    done = run(*words, "--output", "json")
    assert done.returncode == (words[0] == "diff")
    assert json.loads(done.stdout)


def test_validate_answers_in_json():
    text = run("validate", "-f", CASES["ha"]).stdout
    answer = json.loads(run("validate", "-f", CASES["ha"], "--output", "json").stdout)
    assert text == "{valid} objects are valid for Kubernetes {kubernetes}\n".format(**answer)
    assert answer["unchecked"] == []


@pytest.mark.parametrize("command", sorted(set(cli.commands) - {"doctor", "explain", "migrate"}))
def test_what_a_command_reads_may_come_from_standard_input(command, values):
    words = list(WRONG[command])
    words[words.index("my.yaml")] = "-"
    done = run(command, *words, cwd=values.parent, stdin=values.read_text())
    assert done.returncode == (2 if command == "diff" else 1)
    assert "standard input:" in done.stderr


def test_a_lock_may_come_from_standard_input():
    done = run("images", "--digests", "-", "--format", "values", stdin="nonsense: 1\n")
    assert done.returncode == 1
    assert done.stderr.startswith("standard input:")


def test_the_page_has_every_exit_code():
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    _, _, table = page.partition("| code |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].replace(" ", "") for row in rows] == list(map(str, CODES))


def test_the_exit_code_tells_what_differs_from_trouble(values):
    values.write_text("{}\n")
    other, wrong = values.with_name("other.yaml"), values.with_name("wrong.yaml")
    other.write_text("controller: {replicas: 2}\n")
    wrong.write_text("controller: {replica: 2}\n")
    assert run("chart", "-f", values, "-o", "out", cwd=values.parent).returncode == 0
    for file, code in ((values, 0), (other, 1), (wrong, 2)):
        check = ("chart", "-f", file, "-o", "out", "--check")
        assert run(*check, cwd=values.parent).returncode == code
        assert run("diff", values, file).returncode == code
    assert run("chart", "-f", wrong, "-o", "out", cwd=values.parent).returncode == 1
