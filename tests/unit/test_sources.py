"""Where values come from: files, pipes, standard input; each read once."""

import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator.errors import GeneratorError, ValuesError
from generator.values.sources import Source, opened, read_sources


@pytest.fixture
def pipe(tmp_path):
    """A function that makes a named pipe, into which somebody writes some bytes."""
    writers = []

    def make(name: str, content: bytes):
        path = tmp_path / name
        os.mkfifo(path)
        writers.append(threading.Thread(target=path.write_bytes, args=(content,), daemon=True))
        writers[-1].start()
        return path

    yield make
    for writer in writers:
        writer.join(timeout=10)


@pytest.fixture
def stdin(monkeypatch):
    """A function that makes bytes what standard input holds, as a pipe."""
    kept = []

    def put(content: bytes):
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        saved = os.dup(0)
        os.dup2(reading, 0)
        os.close(reading)
        kept.append(saved)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.FileIO(0, closefd=False)))

    yield put
    for saved in kept:
        os.dup2(saved, 0)
        os.close(saved)


def test_files_and_pipes_are_read_in_order(tmp_path, pipe):
    file = tmp_path / "a file, with a comma.yaml"
    file.write_bytes(b"a: 1\n")
    fifo = pipe("fifo", b"b: 2\n")
    assert read_sources([file, fifo, str(file)]) == (
        Source(str(file), b"a: 1\n"),
        Source(str(fifo), b"b: 2\n"),
        Source(str(file), b"a: 1\n"),
    )


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_a_source(stdin, name):
    stdin(b"a: 1\n")
    (source,) = read_sources([name])
    assert source.content == b"a: 1\n"
    assert source.name == {"-": "standard input"}.get(name, name)


@pytest.mark.parametrize("names", [["-", "-"], ["-", "/dev/stdin"], ["/dev/stdin", "-"]])
def test_standard_input_is_read_only_once(stdin, names):
    stdin(b"a: 1\n")
    with pytest.raises(ValuesError, match="was read already, and can be read only once"):
        read_sources(names)


def test_a_file_as_standard_input_is_read_only_once_too(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_bytes(b"a: 1\n")
    saved = os.dup(0)
    descriptor = os.open(file, os.O_RDONLY)
    os.dup2(descriptor, 0)
    os.close(descriptor)
    try:
        with pytest.raises(ValuesError, match="standard input:1:1: was read already"):
            sys_stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.FileIO(0, closefd=False))
            try:
                read_sources(["-", "-"])
            finally:
                sys.stdin = sys_stdin
    finally:
        os.dup2(saved, 0)
        os.close(saved)


@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_a_pipe_that_brings_nothing_is_a_mistake_of_its_writer(pipe, content):
    with pytest.raises(ValuesError, match="ends without a value; did what writes it fail"):
        read_sources([pipe("fifo", content)])


def test_a_file_may_be_empty(tmp_path):
    (tmp_path / "empty.yaml").touch()
    sources = read_sources([tmp_path / "empty.yaml", os.devnull])
    assert [source.content for source in sources] == [b"", b""]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("https://example.com/my.yaml", "is a URL; fetch it and pipe it"),
        ("s3://bucket/my.yaml", "is a URL"),
        ("", "is not the name of a file; is a variable not set"),
        ("a\0b", "is not the name of a file"),
        ("nowhere/my.yaml", "cannot be read: No such file or directory"),
        (os.path.dirname(__file__), "is a folder; name the files in it"),  # noqa: PTH120
        ("x" * 5000, "cannot be read: File name too long"),
    ],
)
def test_what_cannot_be_read_is_named(name, said):
    with pytest.raises(ValuesError, match=said):
        read_sources([name])


def test_everything_that_cannot_be_read_is_told_at_once(tmp_path):
    with pytest.raises(ValuesError) as caught:
        read_sources([tmp_path / "a", tmp_path, tmp_path / "b"])
    assert [problem.file for problem in caught.value.problems] == [
        str(tmp_path), str(tmp_path / "a"), str(tmp_path / "b"),
    ]  # fmt: skip


def test_standard_input_that_is_closed_is_told(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ValuesError, match="standard input:1:1: is closed"):
        read_sources(["-"])


def test_a_terminal_is_told_to_be_read(monkeypatch, capsys):
    typed = SimpleNamespace(isatty=lambda: True, buffer=io.BytesIO(b"a: 1\n"))
    monkeypatch.setattr(sys, "stdin", typed)
    monkeypatch.setattr(os, "fstat", lambda _: Path(os.devnull).stat())
    assert read_sources(["-"])[0].content == b"a: 1\n"
    assert "Ctrl-D ends them" in capsys.readouterr().err


def test_what_is_handed_on_has_no_name_and_is_nobody_elses():
    contents = [b"a: 1\n", b"\xef\xbb\xbfb: 2\r\n", b""]
    with opened([Source("x", content) for content in contents]) as descriptors:
        for descriptor, content in zip(descriptors, contents, strict=True):
            status = os.fstat(descriptor)
            assert (status.st_nlink, status.st_mode & 0o077) == (0, 0)
            assert os.read(descriptor, 100) == content
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptors[0])


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_what_is_handed_on_is_no_standard_stream(stream):
    # A program that is given its own standard input for the values reads nothing.
    saved = os.dup(stream)
    os.close(stream)
    try:
        with opened([Source("x", b"a: 1\n")]) as descriptors:
            found, content = descriptors[0], os.read(descriptors[0], 100)
    finally:
        os.dup2(saved, stream)
        os.close(saved)
    assert (found > 2, content) == (True, b"a: 1\n")


def test_without_room_for_a_temporary_file_there_is_an_error(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    handed = opened([Source("x", b"a: 1\n")])
    with pytest.raises(GeneratorError, match="no temporary file for the values"), handed:
        pass
