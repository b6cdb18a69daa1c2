"""How a run ends whose output nobody takes, or that is interrupted before it has begun."""

import os
import signal
import subprocess
import sys

import pytest

from tests.rendering import ROOT

GENERATOR = f"{sys.executable} -m generator"


@pytest.fixture
def values(tmp_path):
    """A folder with values that are right and values that are wrong."""
    (tmp_path / "right.yaml").write_text("{}\n")
    (tmp_path / "wrong.yaml").write_text("controller: {replica: 2}\n")
    return tmp_path


def shell(command, folder):
    """What a shell makes of a command, in which GENERATOR is the program."""
    command = command.replace("GENERATOR", GENERATOR)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def unread(words, folder, stream):
    """A run whose `stream` is a pipe that was closed at its other end before it began."""
    reading, writing = os.pipe()
    os.close(reading)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writing}
    try:
        return subprocess.run(
            [sys.executable, "-m", "generator", *words.split()],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
            check=False,
            **streams,
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    "words",
    [
        "diff right.yaml right.yaml",
        "diff right.yaml right.yaml --output json",
        "validate -f right.yaml",
        "explain Deployment/kserve-controller-manager",
        "explain",
        "graph",
        "graph --problems json",
        "chart -o out --dry-run --format json",
        "--help",
        "--version",
        "graph --help",
    ],
)
def test_a_pipe_that_nobody_reads_ends_a_run_as_sigpipe_does(words, values):
    done = unread(words, values, "stdout")
    assert (done.returncode, done.stderr) == (141, "[]\n" if "--problems" in words else "")


@pytest.mark.parametrize("words", ["validate -f wrong.yaml", "validate --no-such", "chart -o out"])
def test_so_it_is_where_errors_and_notes_go_into_the_pipe(words, values):
    done = unread(words, values, "stderr")
    assert (done.returncode, done.stdout) == (141, "")


@pytest.mark.parametrize(
    ("words", "code"),
    [("graph", 1), ("--version", 1), ("validate --help", 1), ("diff right.yaml right.yaml", 2)],
)
def test_a_result_that_has_nowhere_to_go_is_an_error(words, code, values):
    done = shell(f"GENERATOR {words} >&-", values)
    assert (done.returncode, done.stderr) == (code, "standard output: Bad file descriptor\n")
    # Nor does it land in a file that happens to be opened as the first.
    assert shell(f"GENERATOR {words} <&- >&- 2>&-", values).returncode == code


def test_a_run_that_prints_nothing_misses_no_stream(values):
    assert shell("GENERATOR chart -o out -q >&- 2>&-", values).returncode == 0
    assert (values / "out" / "kserve-lite" / "Chart.yaml").is_file()
    done = shell("GENERATOR validate -f right.yaml 2>&-", values)
    assert (done.returncode, done.stdout) == (0, shell("GENERATOR validate", values).stdout)


@pytest.mark.parametrize(
    "program", ["-m generator", "-c 'from generator.__main__ import main; main()'"]
)
def test_ctrl_c_during_the_imports_prints_no_traceback(program, tmp_path):
    (tmp_path / "click.py").write_text("print(flush=True)\nwhile True:\n    pass\n")
    process = subprocess.Popen(
        ["bash", "-c", f"exec {sys.executable} {program}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
        # What a shell tells as 130.
        assert process.returncode == -signal.SIGINT
    finally:
        process.kill()


def test_ctrl_c_is_ignored_where_it_was_before():
    script = "from generator.signals import *; import signal; end_at_once(); end_in_order()"
    script += "; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    ignoring = f"trap '' INT; {sys.executable} -c '{script}'"
    assert shell(ignoring, ROOT).stdout == "True\n"
