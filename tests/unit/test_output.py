import pytest
from generator.tree import MARK, compare, write

from generator.errors import OutputError

OURS = f"# {MARK}\n"


def listing(folder):
    return sorted(it.relative_to(folder).as_posix() for it in folder.rglob("*") if it.is_file())


def test_writing_adds_changes_and_prunes_what_was_generated(tmp_path):
    first = write({"a/x.yaml": f"{OURS}1\n", "b/y.yaml": f"{OURS}1\n"}, tmp_path)
    assert first.added == ("a/x.yaml", "b/y.yaml")
    second = write({"a/x.yaml": f"{OURS}2\n"}, tmp_path)
    assert (second.added, second.changed, second.removed) == ((), ("a/x.yaml",), ("b/y.yaml",))
    assert listing(tmp_path) == ["a/x.yaml"]
    assert not (tmp_path / "b").exists()
    assert not write({"a/x.yaml": f"{OURS}2\n"}, tmp_path)


def test_what_was_not_generated_stays(tmp_path):
    (tmp_path / "notes.md").write_text("mine\n")
    write({"x.yaml": f"{OURS}1\n"}, tmp_path)
    write({}, tmp_path)
    assert listing(tmp_path) == ["notes.md"]


def test_nothing_is_written_over_a_file_that_was_not_generated(tmp_path):
    (tmp_path / "x.yaml").write_text("mine\n")
    with pytest.raises(OutputError, match=r"x\.yaml is in the way"):
        write({"a.yaml": f"{OURS}1\n", "x.yaml": f"{OURS}1\n"}, tmp_path)
    assert listing(tmp_path) == ["x.yaml"]
    assert (tmp_path / "x.yaml").read_text() == "mine\n"


def test_a_failure_leaves_everything_as_it_was(tmp_path):
    write({"a.yaml": f"{OURS}1\n"}, tmp_path)
    (tmp_path / "folder").write_text("a file where a folder should be\n")
    with pytest.raises(OutputError, match="cannot be written"):
        write({"a.yaml": f"{OURS}2\n", "folder/b.yaml": f"{OURS}1\n"}, tmp_path)
    assert (tmp_path / "a.yaml").read_text() == f"{OURS}1\n"
    assert listing(tmp_path) == ["a.yaml", "folder"]


def test_comparing_writes_nothing(tmp_path):
    changes = compare({"x.yaml": OURS}, tmp_path / "none")
    assert changes.added == ("x.yaml",)
    assert not (tmp_path / "none").exists()
