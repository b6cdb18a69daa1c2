"""What is kept between runs is taken while it is what would be made."""

import jinja2
import pytest

from generator import cache
from generator.chart import template
from generator.yaml import document

MADE = {"a": [1, None, True, 1.5, "b"]}


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kserve-lite" / "made" / "chart+a"


class Making:
    """Counts how often something is made."""

    times = 0

    def __call__(self):
        self.times += 1
        return MADE


def test_it_is_made_once(file):
    make = Making()
    assert [cache.kept("chart/a", b"source", make) for _ in range(3)] == [MADE] * 3
    assert make.times == 1
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]


def test_what_was_made_from_something_else_is_not_taken(monkeypatch):
    make = Making()
    cache.kept("chart/a", b"source", make)
    cache.kept("chart/a", b"another", make)
    monkeypatch.setattr("sys.version", "9.9.9")
    cache.kept("chart/a", b"another", make)
    assert make.times == 3


@pytest.mark.parametrize("damage", ["emptied", "cut", "edited", "a folder"])
def test_what_is_damaged_is_made_anew(file, damage):
    make = Making()
    cache.kept("chart/a", b"source", make)
    whole = file.read_bytes()
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        changed = bytes([whole[40] ^ 1])
        parts = {"emptied": b"", "cut": whole[:-9], "edited": whole[:40] + changed + whole[41:]}
        file.write_bytes(parts[damage])
    assert cache.kept("chart/a", b"source", make) == MADE
    assert make.times == 2
    if damage != "a folder":
        assert file.read_bytes() == whole


def test_without_a_cache_it_is_made_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for folder in ("file", "x" * 300):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / folder))
        assert cache.kept("chart/a", b"source", Making()) == MADE
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def compilations(monkeypatch):
    """The texts that Jinja compiles meanwhile."""
    found = []
    compile_ = jinja2.Environment.compile

    def note(self, source, *arguments, **more):
        found.append(source)
        return compile_(self, source, *arguments, **more)

    monkeypatch.setattr(jinja2.Environment, "compile", note)
    return found


def test_a_template_is_compiled_once_for_its_text_and_for_a_version_of_jinja(
    compilations, monkeypatch
):
    texts = ["{@ for n in [1, 2] @}<@ n @>{@ endfor @}", "<@ 3 @>"]
    for text in [texts[0], texts[0], texts[1]]:
        template.compiled.cache_clear()
        assert template.compiled("chart/a", text).render() == ("3" if text == texts[1] else "12")
    assert compilations == texts
    monkeypatch.setattr(jinja2, "__version__", "9.9.9")
    template.compiled.cache_clear()
    assert template.compiled("chart/a", texts[1]).render() == "3"
    assert compilations == [*texts, texts[1]]


def test_our_own_yaml_is_read_as_it_is_now(tmp_path):
    file = tmp_path / "a.yaml"
    for text in ("a: [1, 2.5, null, x]\n", "a: other\n", "a: other\n"):
        file.write_text(text)
        assert document.load_fast(file) == document.yaml.safe_load(text)
    assert (tmp_path / "kserve-lite" / "made" / "a.yaml").is_file()
