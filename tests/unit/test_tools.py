import stat

import pytest

from generator import tools
from generator.errors import ToolFailed, ToolMissing


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An empty PATH and an empty cache; returns a function that puts a program on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    tools.find.cache_clear()

    def put(name: str, says: str) -> str:
        file = tmp_path / "bin" / name
        file.write_text(f"#!/bin/sh\necho '{says}'\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)

    yield put
    tools.find.cache_clear()


def test_a_program_on_path_is_taken_when_its_version_fits(programs):
    path = programs("helm", "v4.1.0+g123")
    assert str(tools.find("helm")) == path
    with pytest.raises(
        ToolMissing, match=r"and before 4\.0\.0 \(.*helm says v4\.1\.0\+g123\) is missing"
    ):
        tools.find("helm3")


@pytest.mark.parametrize("says", ["v3.17.0", "v2.16.1", "v5.0.0", "gibberish"])
def test_a_program_of_another_version_is_not_taken(programs, says):
    programs("helm", says)
    with pytest.raises(
        ToolMissing,
        match=r"helm 3\.18\.5 or later .* is missing; run `python -m generator.tools helm`, or install it",
    ):
        tools.find("helm")


@pytest.mark.usefixtures("programs")
def test_what_was_built_is_taken(tmp_path):
    tool = tools.TOOLS["kubeconform"]
    built = (
        tmp_path / "cache" / "kserve-lite" / "bin" / f"kubeconform-{tool.pinned}" / "kubeconform"
    )
    built.parent.mkdir(parents=True)
    built.touch()
    assert tools.find("kubeconform") == built


def test_every_tool_pins_a_version():
    for tool in tools.TOOLS.values():
        assert tool.pinned.startswith("v")
        assert (tool.source / "go.sum").is_file()


def test_what_a_program_said_is_in_the_error():
    with pytest.raises(ToolFailed, match="no such thing"):
        tools.run(["sh", "-c", "echo no such thing >&2; exit 3"])
    assert tools.run(["sh", "-c", "echo out; exit 3"], accept=(3,)) == "out\n"
    with pytest.raises(ToolFailed, match="cannot be run"):
        tools.run(["/nowhere/at/all"])
