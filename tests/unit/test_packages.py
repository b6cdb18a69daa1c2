"""The packages of the model servers: complete, and compiled once, as servers cannot."""

import sys

import pytest

from generator.errors import ToolFailed
from tests.cluster.harness import packages


def test_modules_are_compiled_whatever_the_users_python_does(monkeypatch, tmp_path):
    (tmp_path / "flowers.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    packages.compile_modules(sys.executable, ["flowers", "json"])
    assert list(tmp_path.glob("__pycache__/flowers.*.pyc"))


def test_only_what_is_left_out_on_purpose_may_be_missing(monkeypatch, tmp_path):
    metadata = tmp_path / "flowers-1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    needs = "Requires-Dist: roses\nRequires-Dist: tulips\n"
    metadata.write_text(f"Metadata-Version: 2.1\nName: flowers\nVersion: 1\n{needs}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    packages.check(sys.executable, ["roses", "tulips"])
    with pytest.raises(ToolFailed, match=r"^flowers 1 requires tulips, which is not installed\.$"):
        packages.check(sys.executable, ["roses"])
