"""The packages of the model servers: compiled once, as servers cannot."""

import sys

from tests.cluster.harness import packages


def test_modules_are_compiled_whatever_the_users_python_does(monkeypatch, tmp_path):
    (tmp_path / "flowers.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    packages.compile_modules(sys.executable, ["flowers", "json"])
    assert list(tmp_path.glob("__pycache__/flowers.*.pyc"))
