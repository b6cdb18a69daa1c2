"""The cache of stock charts: rendered once, taken only while it is sound, and tidied."""

import os
import shutil
import subprocess
import sys

import pytest

from generator import CHART, MODELS
from generator import cache as user_cache
from generator.chart import cache as chart_cache
from generator.chart import rendering
from tests.rendering import ROOT


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kserve-lite" / "charts"


@pytest.fixture
def next_run(tmp_path, monkeypatch):
    """A function that gives catalog.yaml a text, and the folder that the next run finds."""
    sources = tmp_path / "sources"
    sources.mkdir()
    monkeypatch.setattr(user_cache, "DATA", sources)

    def run(text):
        (sources / "catalog.yaml").write_text(text)
        user_cache.state.cache_clear()
        return chart_cache.folder()

    yield run
    user_cache.state.cache_clear()


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


def nodes(folder):
    """What identifies each file and folder there: another one of the same name differs."""
    return {path: path.stat().st_ino for path in (folder, *folder.rglob("*"))}


def test_what_another_run_has_made_meanwhile_stays_where_it_is(monkeypatch, cache):
    render, seen = rendering.render_both, {}

    def overtaken():
        monkeypatch.setattr(rendering, "render_both", render)
        seen.update(nodes(chart_cache.folder().parent))
        return render()

    monkeypatch.setattr(rendering, "render_both", overtaken)
    folder = chart_cache.folder()
    assert nodes(folder.parent) == seen
    assert list(cache.iterdir()) == [folder.parent]


def test_a_chart_that_is_read_stays_when_the_other_is_damaged():
    read, damaged = chart_cache.folder(CHART), chart_cache.folder(MODELS)
    before, rest = nodes(read), nodes(damaged)
    (damaged / "values.yaml").write_text("")
    (damaged / "templates" / "validate.yaml").unlink()
    assert content(chart_cache.folder(MODELS)) == rendering.render(chart=MODELS)
    assert nodes(read) == before
    changed = {path.name for path, node in nodes(damaged).items() if rest[path] != node}
    assert changed <= {"values.yaml", "validate.yaml"}


READ = """
import sys
from generator.chart.cache import folder

sys.stdin.readline()
for _ in range(8):
    for file in sorted(folder().rglob("*")):
        if file.is_file():
            file.read_bytes()
"""


def test_runs_that_begin_together_on_an_empty_cache_all_find_it_whole(cache):
    argv = [sys.executable, "-c", READ]
    runs = [
        subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for run in runs:
        run.stdin.write("\n")
        run.stdin.flush()
    for run in runs:
        said = run.communicate(timeout=120)[1]
        assert (run.returncode, said) == (0, "")
    assert [entry.name for entry in cache.iterdir()] == [user_cache.state()]
    assert content(chart_cache.folder()) == rendering.render()


def test_a_change_of_the_sources_is_another_chart(next_run):
    assert next_run("a: 1\n") != next_run("a: 2\n")
    assert next_run("a: 1\n") == next_run("a: 1\n")


def test_the_sources_are_read_once_in_a_run(monkeypatch):
    user_cache.state.cache_clear()
    folder = chart_cache.folder()
    monkeypatch.setattr(user_cache, "DATA", None)
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


def test_what_is_taken_while_another_run_tidies_is_not_forgotten(monkeypatch, cache, next_run):
    monkeypatch.setattr(rendering, "render_both", lambda: {f"{CHART}/Chart.yaml": ""})
    for number in range(7):
        next_run(f"a: {number}\n")
    every = list(cache.iterdir())
    for entry in every:
        os.utime(entry, (0, 0))
    remove = shutil.rmtree

    def removing(folder, **how):
        for entry in every:
            if entry.exists():
                os.utime(entry)
        remove(folder, **how)

    monkeypatch.setattr(shutil, "rmtree", removing)
    chart_cache._forget(cache)
    # The first was about to go already, and all the others have been taken since.
    assert len(list(cache.iterdir())) == 6


def test_without_a_cache_it_is_rendered_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert content(chart_cache.folder()) == rendering.render()
