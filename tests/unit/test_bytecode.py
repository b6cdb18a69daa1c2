"""Compiled templates are taken from the cache while they are what would be compiled."""

import os

import jinja2
import pytest

from generator.chart import bytecode

TEXT = "{% for n in range(3) %}{{ n }}{% endfor %}"


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kserve-lite" / "templates" / "chart+a.j2"


def rendered(text=TEXT, **options):
    environment = jinja2.Environment(**options)
    code = bytecode.compiled(environment, "chart/a.j2", text)
    template = jinja2.Template.from_code(environment, code, environment.make_globals(None))
    return template.render()


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


def test_a_template_is_compiled_once(compilations, file):
    assert [rendered(), rendered()] == ["012", "012"]
    assert compilations == [TEXT]
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]


def test_what_was_compiled_of_something_else_is_not_taken(compilations, monkeypatch):
    assert rendered() == "012"
    assert rendered("{{ 1 }}") == "1"
    assert rendered(TEXT, variable_start_string="<@", variable_end_string="@>") == "{{ n }}" * 3
    monkeypatch.setattr(jinja2, "__version__", "9.9.9")
    assert rendered(TEXT, variable_start_string="<@", variable_end_string="@>") == "{{ n }}" * 3
    assert len(compilations) == 4


@pytest.mark.parametrize("damage", ["emptied", "cut", "edited", "a folder"])
def test_what_is_damaged_is_compiled_anew(compilations, file, damage):
    rendered()
    whole = file.read_bytes()
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        changed = bytes([whole[40] ^ 1])
        parts = {"emptied": b"", "cut": whole[:-9], "edited": whole[:40] + changed + whole[41:]}
        file.write_bytes(parts[damage])
    assert rendered() == "012"
    assert len(compilations) == 2
    if damage != "a folder":
        assert file.read_bytes() == whole


def test_without_a_cache_it_is_compiled_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert rendered() == "012"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ("x" * 300)))
    assert rendered() == "012"
    assert os.listdir(tmp_path) == ["file"]
