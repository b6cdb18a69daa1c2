from generator.output.mirror import compare, write


def test_a_mirror_holds_its_files_and_nothing_else(tmp_path):
    assert write({"a/x.yaml": "1\n", "b/y.yaml": "1\n"}, tmp_path / "new").added == (
        "a/x.yaml",
        "b/y.yaml",
    )
    (tmp_path / "new" / "left").write_bytes(b"\xff")
    (tmp_path / "new" / "a" / "x.yaml").write_bytes(b"1\r\n")
    wanted = {"a/x.yaml": "1\n"}
    changes = compare(wanted, tmp_path / "new")
    assert (changes.added, changes.changed) == ((), ("a/x.yaml",))
    assert changes.removed == ("b/y.yaml", "left")
    assert write(wanted, tmp_path / "new") == changes
    assert [file.name for file in (tmp_path / "new").rglob("*")] == ["a", "x.yaml"]
    assert (tmp_path / "new" / "a" / "x.yaml").read_bytes() == b"1\n"
    assert not compare(wanted, tmp_path / "new")
    assert compare(wanted, tmp_path / "none").added == ("a/x.yaml",)
