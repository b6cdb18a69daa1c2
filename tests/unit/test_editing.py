"""Changing a file of a user's in place: all or nothing, and nothing else about it changes."""

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from generator.errors import OutputError
from generator.importer import editing
from generator.importer.editing import edit
from tests.rendering import ROOT


def append(old: bytes) -> bytes:
    return old + b"more"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_bytes(b"text ")
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_gets_what_is_made_of_it(file):
    assert edit(file, append)
    assert file.read_bytes() == b"text more"
    assert names(file.parent) == ["my.yaml"]


def test_a_change_that_is_none_does_not_touch_the_file(file):
    before = file.stat()
    assert not edit(file, bytes)
    assert file.stat() == before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_its_mode_stays(file, mode):
    file.chmod(mode)
    edit(file, append)
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_link_stays_and_leads_to_what_is_changed(file):
    folder = file.parent / "elsewhere"
    folder.mkdir()
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to(file)
    edit(folder / "one", append)
    assert file.read_bytes() == b"text more"
    assert (folder / "one").readlink() == Path("two")
    assert names(folder) == ["one", "two"]
    assert names(file.parent) == ["elsewhere", "my.yaml"]


def test_its_attributes_stay(file):
    os.setxattr(file, "user.mine", b"value")
    edit(file, append)
    assert os.getxattr(file, "user.mine") == b"value"


def test_its_owner_stays_or_it_is_refused(file, monkeypatch):
    of_another = list(file.stat())
    of_another[stat.ST_UID] += 1
    draft = file.with_name("draft")
    draft.touch()
    if os.geteuid() == 0:
        editing._keep_owner(str(draft), os.stat_result(of_another), file)
        assert draft.stat().st_uid == of_another[stat.ST_UID]

        def refuse(*_arguments):
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "chown", refuse)
        of_another[stat.ST_UID] += 1
    with pytest.raises(OutputError, match=f"belongs to user {of_another[stat.ST_UID]}"):
        editing._keep_owner(str(draft), os.stat_result(of_another), file)


def test_what_is_no_file_of_ones_own_is_refused(file, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "null").symlink_to("/dev/null")
    before = names(tmp_path)
    for path, said in {
        tmp_path: "is a folder",
        tmp_path / "fifo": "is no regular file",
        tmp_path / "dangling": "is a link to .*, which is not there",
        tmp_path / "circle": "circle (is a link that leads to itself|cannot be changed)",
        tmp_path / "null": "is no regular file",
        Path("/dev/null"): "is no regular file",
        Path("/dev/stdout"): "is no regular file",
        tmp_path / "none" / "my.yaml": "there is no folder",
        tmp_path / "typo.yaml": "is not there; --create makes it",
        file / "below": "there is no folder|cannot be changed: Not a directory",
    }.items():
        create = path.name not in ("typo.yaml",)
        with pytest.raises(OutputError, match=said):
            edit(path, append, create=create)
    assert names(tmp_path) == before
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_standard_output_is_refused_even_where_it_is_a_file(tmp_path):
    out = tmp_path / "out"
    script = "from pathlib import Path; from generator.importer.editing import edit; edit(Path('/dev/stdout'), bytes.upper)"
    with out.open("w") as stream:
        stream.write("text")
        stream.flush()
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, stdout=stream, stderr=subprocess.PIPE, text=True, check=False
        )  # fmt: skip
    assert "is no regular file" in done.stderr
    assert out.read_text() == "text"


def test_a_file_of_two_names_is_refused(file):
    os.link(file, file.with_name("other.yaml"))
    with pytest.raises(OutputError, match="has 2 names"):
        edit(file, append)
    assert file.read_bytes() == b"text "


def test_a_file_is_made_on_request_with_the_mode_of_new_files(tmp_path):
    file = tmp_path / "new.yaml"
    assert edit(file, append, create=True)
    assert file.read_bytes() == b"more"
    (tmp_path / "touched").touch()
    assert file.stat().st_mode == (tmp_path / "touched").stat().st_mode
    assert names(tmp_path) == ["new.yaml", "touched"]


def test_what_changes_meanwhile_is_not_lost(file):
    def change(old):
        file.write_bytes(b"somebody else's")
        return append(old)

    with pytest.raises(OutputError, match="was changed meanwhile"):
        edit(file, change)
    assert file.read_bytes() == b"somebody else's"

    def save_as_editors_do(old):
        file.with_suffix(".new").write_bytes(old)
        file.with_suffix(".new").replace(file)
        return append(old)

    with pytest.raises(OutputError, match="was changed meanwhile"):
        edit(file, save_as_editors_do)
    assert names(file.parent) == ["my.yaml"]


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_run_that_is_interrupted_leaves_the_file_and_nothing_else(file, call, error, monkeypatch):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises((OutputError, KeyboardInterrupt), match=r"No space left|^$"):
        edit(file, append)
    assert file.read_bytes() == b"text "
    assert names(file.parent) == ["my.yaml"]


def test_a_folder_that_cannot_be_written_is_said(file, monkeypatch):
    def refuse(**_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(editing.tempfile, "mkstemp", refuse)
    with pytest.raises(OutputError, match=r"my\.yaml cannot be changed: Permission denied"):
        edit(file, append)


def test_a_full_disk_leaves_the_file_and_nothing_else(file):
    script = f"""
import resource
from pathlib import Path
from generator.importer.editing import edit
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
edit(Path({str(file)!r}), lambda old: old * 1000)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "my.yaml cannot be changed: File too large" in done.stderr
    assert file.read_bytes() == b"text "
    assert names(file.parent) == ["my.yaml"]


def test_a_run_that_is_told_to_end_leaves_the_file_and_nothing_else(file):
    script = f"""
import os, signal, sys, time
from pathlib import Path
from generator.importer.editing import edit
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
os.replace = lambda *_: (print("now", flush=True), [time.sleep(0.05) for _ in range(1200)])
edit(Path({str(file)!r}), lambda old: old * 2)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "now\n"
        assert len(names(file.parent)) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
    assert file.read_bytes() == b"text "
    assert names(file.parent) == ["my.yaml"]


def test_a_lock_that_is_not_given_up_is_said(file, monkeypatch):
    monkeypatch.setattr(editing, "_PATIENCE", 0.1)
    refused = pytest.raises(OutputError, match="by another run; try again")
    with file.open() as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with refused:
            edit(file, append)


def test_a_lock_on_the_file_of_before_does_not_count(file, monkeypatch):
    flock = fcntl.flock

    def lock_too_late(descriptor, operation):
        monkeypatch.setattr(fcntl, "flock", flock)
        file.with_suffix(".new").write_bytes(b"another run's ")
        file.with_suffix(".new").replace(file)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_too_late)
    assert edit(file, append)
    assert file.read_bytes() == b"another run's more"


def test_a_file_system_without_locks_is_no_reason_to_refuse(file, monkeypatch):
    def refuse(*_arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert edit(file, append)
    assert file.read_bytes() == b"text more"


def test_a_file_that_another_run_makes_first_is_added_to(tmp_path):
    file = tmp_path / "new.yaml"

    def change(old):
        if not file.exists():
            file.write_bytes(b"another run's ")
        return append(old)

    assert edit(file, change, create=True)
    assert file.read_bytes() == b"another run's more"
    assert names(tmp_path) == ["new.yaml"]


def test_of_six_at_once_none_is_lost(tmp_path):
    """Twenty rounds; in every other one the file has to be made first."""
    rounds = [tmp_path / f"{number}.yaml" for number in range(20)]
    for file in rounds[::2]:
        file.touch()
    script = f"""
import sys
from pathlib import Path
from generator.importer.editing import edit
print("ready", flush=True)
sys.stdin.readline()
for number in range({len(rounds)}):
    file = Path({str(tmp_path)!r}, f"{{number}}.yaml")
    edit(file, lambda old: old + sys.argv[1].encode(), create=True)
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, letter],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for letter in "abcdef"
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.close()
    for process in processes:
        assert process.wait(timeout=120) == 0
        process.stdout.close()
    assert [sorted(file.read_text()) for file in rounds] == [list("abcdef")] * len(rounds)
    assert names(tmp_path) == sorted(file.name for file in rounds)
