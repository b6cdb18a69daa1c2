"""Writing into a folder: what a run may touch there, and what it says of the rest."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from generator import __version__, signals
from generator.errors import OutputError
from generator.output import journal, record, writing
from generator.output.writing import Output, Tree
from tests.interruption import state
from tests.rendering import ROOT

OWNER = "manifests --release a --namespace b"


def write(root, files, owner=OWNER, **how):
    return writing.write(Output(root, [Tree(files, owner)], **how))


def compare(root, files, owner=OWNER, **how):
    return writing.compare(Output(root, [Tree(files, owner)], **how))


def listing(folder):
    return sorted(
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()
    )


def test_writing_adds_changes_and_prunes_what_was_written(tmp_path):
    first = write(tmp_path, {"a/x.yaml": "1\n", "b/y.yaml": "1\n"})
    assert first.added == ("a/x.yaml", "b/y.yaml")
    second = write(tmp_path, {"a/x.yaml": "2\n"})
    assert (second.added, second.changed, second.removed) == ((), ("a/x.yaml",), ("b/y.yaml",))
    assert listing(tmp_path) == ["SHA256SUMS", "a/x.yaml"]
    assert not (tmp_path / "b").exists()
    assert not write(tmp_path, {"a/x.yaml": "2\n"})


def test_the_record_is_one_that_sha256sum_checks(tmp_path):
    write(tmp_path, {"a/x y ü.yaml": "1\n", "b.yaml": ""}, inputs=[tmp_path / "my.yaml"])
    text = (tmp_path / "SHA256SUMS").read_text()
    assert text.startswith(f"# kserve-lite {__version__}: {OWNER}\n# from: my.yaml\n")
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "a/x y ü.yaml: OK\nb.yaml: OK\n"
    (tmp_path / "b.yaml").write_text("edited\n")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_a_record_is_read_as_it_was_written():
    written = record.Record(OWNER, {"b": "0" * 64, "a b": "f" * 64}, ("base.yaml", "my.yaml"))
    assert record.parse(written.text()) == written
    assert record.parse(record.Record("chart", {}).text()).command == "chart"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "hello\n",
        f"{'0' * 64}  a.yaml\n",
        f"# kserve-lite 0.1.0: {OWNER}",
        f"# kserve-lite 0.1.0: {OWNER}\nnonsense\n",
        f"# kserve-lite 0.1.0: {OWNER}\n{'0' * 64}  ../a.yaml\n",
        f"# kserve-lite 0.1.0: {OWNER}\n{'0' * 64}  /etc/passwd\n",
        f"# kserve-lite 0.1.0: {OWNER}\n{'0' * 64}  a/../../b\n",
        f"# kserve-lite 0.1.0: {OWNER}\n{'0' * 64}  a\n{'0' * 64}  a\n",
        f"# kserve-lite 0.1.0: {OWNER}\n{'0' * 64}  .kserve-lite-journal/plan.json\n",
    ],
)
def test_a_list_that_is_not_a_record_ends_the_run(text, tmp_path):
    (tmp_path / "SHA256SUMS").write_text(text)
    for force in (False, True):
        with pytest.raises(OutputError, match="SHA256SUMS: is not a record of kserve-lite's"):
            write(tmp_path, {"a.yaml": "1\n"}, force=force)
        assert compare(tmp_path, {"a.yaml": "1\n"}, force=force)
    assert listing(tmp_path) == ["SHA256SUMS"]


def test_a_record_with_a_merge_conflict_says_what_to_do(tmp_path):
    write(tmp_path, {"a.yaml": "1\n"})
    file = tmp_path / "SHA256SUMS"
    file.write_text(file.read_text() + "<<<<<<< mine\n=======\n>>>>>>> theirs\n")
    with pytest.raises(OutputError, match="merge conflict; take one side of this file whole"):
        write(tmp_path, {"a.yaml": "2\n"})


def test_a_record_with_windows_line_ends_says_where_they_come_from(tmp_path):
    write(tmp_path, {"a.yaml": "1\n"})
    file = tmp_path / "SHA256SUMS"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before = file.read_bytes()
    with pytest.raises(OutputError, match=r"Windows line ends.*\* -text.*\.gitattributes"):
        write(tmp_path, {"a.yaml": "2\n"})
    assert file.read_bytes() == before


def test_values_that_come_from_elsewhere_than_before_are_told(tmp_path):
    for names, notes in (
        ([], ()),
        (["a.yaml"], ("the values are from a.yaml; those of the run before, from the defaults",)),
        (["a.yaml"], ()),
        (["b", "c"], ("the values are from b, c; those of the run before, from a.yaml",)),
    ):
        inputs = [Path(name) for name in names]
        assert compare(tmp_path, {"x.yaml": "1\n"}, inputs=inputs).notes == notes
        assert write(tmp_path, {"x.yaml": "1\n"}, inputs=inputs).notes == notes


def test_the_names_of_inputs_hold_no_place_on_a_machine(tmp_path):
    names = ["my.yaml", "../base.yaml", str(tmp_path / "x.yaml"), "-", "/dev/fd/63", "a\nb"]
    assert record.name_inputs([type(tmp_path)(name) for name in names]) == (
        "my.yaml",
        "../base.yaml",
        "x.yaml",
        "standard input or a pipe",
        "standard input or a pipe",
        "a?b",
    )


def test_all_that_is_in_the_way_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "x.yaml").write_text("# Generated by kserve-lite; do not edit.\n")
    (tmp_path / "same.yaml").write_text("1\n")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe.yaml")
    files = dict.fromkeys(
        ["a.yaml", "x.yaml", "same.yaml", "folder.yaml", "file/b.yaml", "file/c.yaml", "pipe.yaml"],
        "1\n",
    )
    before = state(tmp_path / "folder.yaml"), listing(tmp_path)
    for force in (False, True):
        with pytest.raises(OutputError) as caught:
            write(tmp_path, files, force=force)
        assert str(caught.value).splitlines() == [
            f"{tmp_path}/file: is a file where a folder belongs; move it away",
            f"{tmp_path}/folder.yaml: is a folder, where a file belongs; move it away",
            f"{tmp_path}/pipe.yaml: is no regular file, where a file belongs; move it away",
            f"{tmp_path}/x.yaml: is in the way, and no record says that kserve-lite wrote it; move it away",
            "nothing was written",
        ]
    assert (state(tmp_path / "folder.yaml"), listing(tmp_path)) == before


def test_a_file_in_the_way_with_the_same_bytes_is_adopted(tmp_path):
    (tmp_path / "a.yaml").write_text("1\n")
    changes = write(tmp_path, {"a.yaml": "1\n", "b.yaml": "1\n"})
    assert (changes.added, changes.changed) == (("b.yaml",), ())
    assert write(tmp_path, {"b.yaml": "1\n"}).removed == ("a.yaml",)


@pytest.mark.parametrize("link", ["a/x.yaml", "a", "SHA256SUMS"])
@pytest.mark.parametrize("force", [False, True])
def test_nothing_is_written_through_a_symbolic_link(link, force, tmp_path):
    root, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    write(root, {"a/x.yaml": "1\n"})
    (root / link).rename(elsewhere)
    (root / link).symlink_to(elsewhere)
    before = state(tmp_path)
    for files in ({"a/x.yaml": "2\n"}, {"b.yaml": "2\n"}):
        with pytest.raises(OutputError, match="is a symbolic link, and not written through"):
            write(root, files, force=force)
        assert state(tmp_path) == before


def test_what_was_changed_since_is_given_up_by_force_only(tmp_path):
    write(tmp_path, {"a.yaml": "1\n", "b.yaml": "1\n", "c.yaml": "1\n", "d.yaml": "1\n"})
    for name in ("a.yaml", "b.yaml", "d.yaml"):
        (tmp_path / name).write_text("mine\n")
    (tmp_path / "c.yaml").unlink()
    wanted = {"a.yaml": "2\n", "c.yaml": "2\n", "d.yaml": "mine\n"}
    before = state(tmp_path)
    with pytest.raises(OutputError) as caught:
        write(tmp_path, wanted)
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/a.yaml: was changed since it was written; --force gives the change up",
        f"{tmp_path}/b.yaml: was changed since it was written; --force gives the change up",
        "nothing was written",
    ]
    assert state(tmp_path) == before
    changes = write(tmp_path, wanted, force=True)
    assert (changes.added, changes.changed, changes.removed) == (
        ("c.yaml",),
        ("a.yaml",),
        ("b.yaml",),
    )


def test_without_pruning_stale_files_stay_and_stay_listed(tmp_path):
    write(tmp_path, {"a.yaml": "1\n", "b.yaml": "1\n", "gone.yaml": "1\n"})
    (tmp_path / "gone.yaml").unlink()
    assert write(tmp_path, {"a.yaml": "2\n"}, prune=False).removed == ()
    assert listing(tmp_path) == ["SHA256SUMS", "a.yaml", "b.yaml"]
    subprocess.run(["sha256sum", "--check", "--status", "SHA256SUMS"], cwd=tmp_path, check=True)
    assert not compare(tmp_path, {"a.yaml": "2\n"}, prune=False)
    assert compare(tmp_path, {"a.yaml": "2\n"})
    assert write(tmp_path, {"a.yaml": "2\n"}).removed == ("b.yaml",)


def test_the_record_of_another_command_is_never_taken_over(tmp_path):
    write(tmp_path, {"a.yaml": "1\n"}, owner="chart")
    before = state(tmp_path)
    for force in (False, True):
        with pytest.raises(
            OutputError, match="SHA256SUMS: belongs to `chart`; choose another folder"
        ):
            write(tmp_path, {"b.yaml": "1\n"}, force=force)
    assert state(tmp_path) == before


def test_the_record_of_another_release_is_taken_over_by_force(tmp_path):
    write(tmp_path, {"a.yaml": "1\n"})
    other = "manifests --release a --namespace elsewhere"
    with pytest.raises(
        OutputError, match="belongs to `manifests --release a --namespace b`, and this"
    ):
        write(tmp_path, {"b.yaml": "1\n"}, owner=other)
    assert listing(tmp_path) == ["SHA256SUMS", "a.yaml"]
    assert write(tmp_path, {"b.yaml": "1\n"}, owner=other, force=True).removed == ("a.yaml",)


@pytest.mark.parametrize(("version", "taken"), [("0.0.9", True), ("9.9.9", False), ("0.10", False)])
def test_an_older_version_is_followed_and_a_newer_one_refused(version, taken, tmp_path):
    write(tmp_path, {"a.yaml": "1\n"})
    file = tmp_path / "SHA256SUMS"
    file.write_text(file.read_text().replace(__version__, version, 1))
    if not taken:
        with pytest.raises(OutputError, match=f"comes from kserve-lite {version}, which is newer"):
            write(tmp_path, {"a.yaml": "2\n"})
    assert write(tmp_path, {"a.yaml": "2\n"}, force=not taken)
    assert f"# kserve-lite {__version__}: " in file.read_text()


def test_check_sees_a_record_that_is_missing_or_of_other_values(tmp_path):
    files = {"a.yaml": "1\n"}
    write(tmp_path, files)
    assert not compare(tmp_path, files)
    assert compare(tmp_path, files, inputs=[tmp_path / "my.yaml"]).records
    (tmp_path / "SHA256SUMS").unlink()
    assert compare(tmp_path, files).records


def test_comparing_writes_nothing(tmp_path):
    changes = compare(tmp_path / "none", {"x.yaml": "1\n"})
    assert changes.added == ("x.yaml",)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("path", ["../x.yaml", "/x.yaml", "a//b", "a/./b", "a\nb", "a\\b", ""])
def test_a_name_that_leads_elsewhere_is_refused(path, tmp_path):
    root = tmp_path / "out"
    with pytest.raises(OutputError, match="is not a name for a file; rename the object"):
        write(root, {path: "1\n"})
    assert listing(tmp_path) == []


def test_modes_of_files_and_links_to_the_folder_stay(tmp_path):
    (tmp_path / "real").mkdir()
    root = tmp_path / "link"
    root.symlink_to("real")
    write(root, {"a.yaml": "1\n"})
    (root / "a.yaml").chmod(0o600)
    (tmp_path / "other").hardlink_to(root / "a.yaml")
    write(root, {"a.yaml": "2\n"})
    assert root.is_symlink()
    assert (root / "a.yaml").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "other").read_text() == "1\n"


def test_trees_are_written_together_or_not_at_all(tmp_path):
    def trees(text):
        return [Tree({"a.yaml": text}, "chart"), Tree({"b.yaml": text}, OWNER, "inner")]

    writing.write(Output(tmp_path, trees("1\n")))
    assert listing(tmp_path) == ["SHA256SUMS", "a.yaml", "inner/SHA256SUMS", "inner/b.yaml"]
    (tmp_path / "inner" / "b.yaml").write_text("mine\n")
    before = state(tmp_path)
    with pytest.raises(OutputError, match=r"inner/b\.yaml: was changed"):
        writing.write(Output(tmp_path, trees("2\n")))
    assert state(tmp_path) == before
    assert write(tmp_path, {"a.yaml": "2\n"}, owner="chart").changed == ("a.yaml",)
    assert write(tmp_path / "inner", {"b.yaml": "2\n"}, force=True).changed == ("b.yaml",)


def test_others_files_are_told_of_until_there_is_a_record(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.md").write_text("mine\n")
    write(tmp_path / "theirs", {"b.yaml": "1\n"})
    assert write(tmp_path, {"x.yaml": "1\n"}).foreign == ("mine/notes.md",)
    assert write(tmp_path, {"x.yaml": "2\n"}).foreign == ()


@pytest.mark.parametrize("name", ["note.txt", "new/3/x", "plan.json"])
def test_a_folder_with_the_journals_name_is_not_taken_for_one(name, tmp_path):
    file = tmp_path / record.JOURNAL / name
    file.parent.mkdir(parents=True)
    file.write_text('{"steps": [{"path": "../x", "old": null, "new": null}], "folders": []}')
    before = state(tmp_path), file.read_text()
    with pytest.raises(OutputError, match="is not a journal of kserve-lite's; move it away"):
        write(tmp_path, {"x.yaml": "1\n"})
    assert (state(tmp_path), file.read_text()) == before


def test_what_somebody_changed_after_a_crash_is_not_undone(tmp_path, monkeypatch):
    write(tmp_path, {"a.yaml": "1\n", "b.yaml": "1\n"})
    with monkeypatch.context() as crash:
        crash.setattr(journal, "settle", lambda _: ())
        write(tmp_path, {"a.yaml": "2\n", "b.yaml": "2\n"})
    journal_folder = tmp_path / record.JOURNAL
    (journal_folder / "done.json").rename(journal_folder / "plan.json")
    (tmp_path / "a.yaml").write_text("mine\n")
    with pytest.raises(OutputError) as caught:
        write(tmp_path, {"a.yaml": "2\n", "b.yaml": "2\n"})
    assert "a.yaml was changed since, and stays" in str(caught.value)
    assert (tmp_path / "a.yaml").read_text() == "mine\n"
    assert (tmp_path / "b.yaml").read_text() == "1\n"


@pytest.mark.parametrize("folder", ["/", "HOME", "repository", "repository/.git", "file", "broken"])
def test_a_folder_that_is_more_than_a_place_for_output_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "broken").symlink_to("nothing")
    root = tmp_path / ("home" if folder == "HOME" else folder)
    with pytest.raises(OutputError, match=r"choose|remove it"):
        write(root, {"a.yaml": "1\n"})
    assert listing(tmp_path) == ["broken", "file"]


@pytest.mark.parametrize("what", ["circle", "name"])
def test_a_folder_that_cannot_be_looked_at_is_told_in_words(what, tmp_path):
    folder = tmp_path / ("x" * 300 if what == "name" else "link")
    if what == "circle":
        folder.symlink_to(folder)
    with pytest.raises(OutputError) as caught:
        write(folder, {"a.yaml": "1\n"})
    said = str(caught.value).removeprefix(f"{folder}: ")
    assert said in (
        "cannot be read: File name too long",
        "cannot be read: its symbolic links lead in a circle",
        "is a symbolic link to nothing; remove it",  # What Python 3.13 and later find.
    )


def test_the_generators_own_folders_are_refused():
    package = writing.destination._PACKAGE
    for folder in (package, package / "templates"):
        with pytest.raises(OutputError, match="is kserve-lite's own; choose another folder"):
            compare(folder, {"a.yaml": "1\n"})
    with pytest.raises(OutputError, match="is where kserve-lite itself is; choose a folder in it"):
        compare(package.parent, {"a.yaml": "1\n"})


def test_a_folder_of_a_repository_is_a_place_for_output(tmp_path):
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    assert write(tmp_path / "gitops", {"a.yaml": "1\n"}).added == ("a.yaml",)


def test_a_folder_that_cannot_be_put_back_yet_is_put_back_by_the_next_run(tmp_path, monkeypatch):
    write(tmp_path, {"a.yaml": "1\n", "b.yaml": "1\n"})
    before = state(tmp_path)

    def fail(path, target):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path), None, str(target))

    with monkeypatch.context() as disk:
        disk.setattr(Path, "replace", fail)
        disk.setattr(Path, "unlink", lambda path, **_: fail(path, path))
        with pytest.raises(OutputError, match="cannot be put back"):
            write(tmp_path, {"b.yaml": "2\n"})
    with pytest.raises(OutputError, match="another run is at work there, or was interrupted"):
        compare(tmp_path, {"b.yaml": "2\n"})
    changes = write(tmp_path, {"a.yaml": "1\n", "b.yaml": "1\n"})
    assert changes.notes == ("a run that was interrupted has been put right first",)
    assert not changes
    assert state(tmp_path) == before


def test_values_from_a_redirected_standard_input_are_protected_as_well(tmp_path):
    write(tmp_path, {"a.yaml": "1\n"})
    before = state(tmp_path)
    script = (
        "from pathlib import Path\n"
        "from generator.output.writing import *\n"
        f"root = Path({str(tmp_path)!r})\n"
        f"write(Output(root, [Tree({{'a.yaml': '2'}}, {OWNER!r})], inputs=[Path('-')]))\n"
    )
    with (tmp_path / "a.yaml").open() as stdin:
        argv = [sys.executable, "-c", script]
        done = subprocess.run(
            argv, cwd=ROOT, stdin=stdin, capture_output=True, text=True, check=False
        )
    assert "a.yaml: is one of the run's own values files; move it elsewhere" in done.stderr
    assert state(tmp_path) == before


def test_a_file_that_is_changed_while_a_run_is_at_work_stays(tmp_path, monkeypatch):
    write(tmp_path, {"a.yaml": "1\n", "b.yaml": "1\n"})
    stage = journal._stage

    def edit_first(root, *how):
        (root / "b.yaml").write_text("mine\n")
        stage(root, *how)

    monkeypatch.setattr(journal, "_stage", edit_first)
    with pytest.raises(OutputError, match=r"b\.yaml: cannot be written: somebody has just changed"):
        write(tmp_path, {"a.yaml": "2\n"})
    assert (tmp_path / "b.yaml").read_text() == "mine\n"
    assert (tmp_path / "a.yaml").read_text() == "1\n"


def test_what_was_moved_away_after_a_crash_is_not_written_through(tmp_path, monkeypatch):
    root, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    write(root, {"a/x.yaml": "1\n"})
    with monkeypatch.context() as crash:
        crash.setattr(journal, "settle", lambda _: ())
        write(root, {"a/x.yaml": "2\n"})
    (root / record.JOURNAL / "done.json").rename(root / record.JOURNAL / "plan.json")
    (root / "a").rename(elsewhere)
    (root / "a").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="a: is a symbolic link, and not written through"):
        write(root, {"a/x.yaml": "2\n"})
    assert (elsewhere / "x.yaml").read_text() == "2\n"


def test_a_signal_is_held_back_while_something_is_put_back():
    ended = []
    before = signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    try:
        with signals.undisturbed():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert ended == []
        assert ended == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
