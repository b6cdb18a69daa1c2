"""examples/gitops: a repository as somebody would have it, rendered by its own script."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.rendering import ROOT

HERE = ROOT / "examples" / "gitops"


def render(folder, *arguments):
    command = {"KSERVE_LITE": f"{sys.executable} -m generator", "PYTHONPATH": str(ROOT)}
    argv = ["sh", str(folder / "render.sh"), *arguments]
    return subprocess.run(
        argv, env=os.environ | command, capture_output=True, text=True, check=False
    )


def test_it_is_what_its_script_renders():
    """If this fails, `make charts` renders it anew."""
    done = render(HERE, "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("cluster", ["prod", "edge"])
def test_its_script_says_which_cluster_is_not_current(cluster, tmp_path):
    copy = shutil.copytree(HERE, tmp_path / "fleet")
    (copy / "clusters" / cluster / "30-models/ads/kustomization.yaml").write_text("resources: []\n")
    done = render(copy, "--check")
    assert done.returncode == 1
    assert f"clusters/{cluster} is not current" in done.stderr


def test_there_is_one_cluster_for_each_tool():
    assert sorted(folder.name for folder in (HERE / "clusters").iterdir()) == ["edge", "prod"]
    assert (HERE / "clusters/prod/argocd").is_dir() and (HERE / "clusters/edge/flux").is_dir()
