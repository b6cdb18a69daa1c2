"""The cache of stock charts: rendered once, taken only while it is sound, and tidied."""

import os
import shutil

import pytest

from generator import CHART
from generator.chart import cache as chart_cache
from generator.chart import rendering


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kserve-lite" / "charts"


@pytest.fixture
def next_run(tmp_path, monkeypatch):
    """A function that gives catalog.yaml a text, and the folder that the next run finds."""
    sources = tmp_path / "sources"
    sources.mkdir()
    monkeypatch.setattr(chart_cache, "DATA", sources)

    def run(text):
        (sources / "catalog.yaml").write_text(text)
        chart_cache.state.cache_clear()
        return chart_cache.folder()

    yield run
    chart_cache.state.cache_clear()


def content(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.mark.parametrize("damage", ["deleted", "edited", "added", "emptied", "record", "cut"])
def test_a_damaged_cache_is_rendered_anew(damage, cache):
    folder = chart_cache.folder()
    file = folder / "templates" / "controller" / "deployment.yaml"
    if damage == "deleted":
        file.unlink()
    elif damage == "edited":
        file.write_text(file.read_text().replace("replicas", "replica"))
    elif damage == "added":
        (folder / "templates" / "more.yaml").write_text("kind: More\n")
    elif damage == "emptied":
        shutil.rmtree(folder)
        folder.mkdir()
    else:
        record = folder.parent / "SHA256SUMS"
        record.write_text("" if damage == "record" else record.read_text()[:-300])
    assert content(chart_cache.folder()) == rendering.render()
    assert [entry.name for entry in cache.iterdir()] == [folder.parent.name]


def test_a_cache_that_may_not_be_looked_into_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ("x" * 300)))
    assert content(chart_cache.folder()) == rendering.render()


def test_it_is_the_stock_chart_and_rendered_once(monkeypatch):
    folder = chart_cache.folder()
    assert content(folder) == rendering.render()
    monkeypatch.setattr(rendering, "render_both", lambda: pytest.fail("rendered again"))
    assert chart_cache.folder() == folder


def test_a_change_of_the_sources_is_another_chart(next_run):
    assert next_run("a: 1\n") != next_run("a: 2\n")
    assert next_run("a: 1\n") == next_run("a: 1\n")


def test_the_sources_are_read_once_in_a_run(monkeypatch):
    chart_cache.state.cache_clear()
    folder = chart_cache.folder()
    monkeypatch.setattr(chart_cache, "DATA", None)
    assert chart_cache.folder() == folder


def test_old_charts_are_forgotten(monkeypatch, cache, next_run):
    monkeypatch.setattr(rendering, "render_both", lambda: {f"{CHART}/Chart.yaml": ""})
    for number in range(7):
        next_run(f"a: {number}\n")
    assert len(list(cache.iterdir())) == 7
    (cache / "draft-abandoned").mkdir()
    for entry in cache.iterdir():
        os.utime(entry, (0, 0))
    used = next_run("a: 0\n").parent
    new = next_run("a: new\n").parent
    left = set(cache.iterdir())
    assert len(left) == 4
    assert {used, new} < left
    assert not [entry for entry in left if entry.name.startswith("draft-")]


def test_without_a_cache_it_is_rendered_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert content(chart_cache.folder()) == rendering.render()
