"""The platform's chart as a dependency of another chart, as docs/operations.md shows it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from generator.errors import ToolFailed
from tests import rendering
from tests.rendering import CHARTS, MODELS, ROOT, STOCK

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
(SHOWN,) = re.findall(r"^```yaml\n(apiVersion: v2\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
HELMS = pytest.mark.parametrize("program", ["helm", "helm3"])


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A chart that depends on the platform's, which is in its charts/ as Helm would put it there."""
    (tmp_path / "Chart.yaml").write_text(SHOWN)
    shutil.copytree(STOCK, tmp_path / "charts" / STOCK.name)
    return tmp_path


def template(program: str, chart: Path, *words: str) -> str:
    return rendering.helm(
        "template", "a", str(chart), "-n", "kserve", "--kube-version=1.34", *words, program=program
    )


def parts(text: str) -> list[object]:
    """The objects, without the file that each comes from, which is another."""
    found = [each for each in yaml.safe_load_all(text) if each]
    return sorted(found, key=lambda each: (each["kind"], each["metadata"]["name"]))


@HELMS
def test_it_renders_what_it_renders_alone(program: str, parent: Path) -> None:
    alone = template(program, STOCK, "--set=controller.replicas=2")
    words = ("--set=kserve-lite.controller.replicas=2", "--set=features.kserve=true")
    assert parts(template(program, parent, *words)) == parts(alone)
    assert parts(template(program, parent, "--set=features.kserve=false")) == []


@HELMS
def test_globals_of_the_parent_are_its_own_affair(program: str, parent: Path) -> None:
    foreign = "global.storageClass=fast,global.security.allowInsecureImages=true"
    ours = "global.imageRegistry=mirror.example.com"
    text = template(program, parent, f"--set={foreign},{ours}")
    images = re.findall(r"^ +image: \"?([^\s\"]+)", text, re.MULTILINE)
    assert images and all(image.startswith("mirror.example.com/") for image in images)


@HELMS
@pytest.mark.parametrize("chart", [STOCK, CHARTS[MODELS]], ids=lambda chart: chart.name)
def test_without_a_parent_a_global_that_is_misspelt_is_refused(program: str, chart: Path) -> None:
    with pytest.raises(ToolFailed, match=r"ERROR: global\.imageRegistri: unknown key; global has "):
        template(program, chart, "--set=global.imageRegistri=mirror.example.com")


@HELMS
def test_its_own_values_are_closed(program: str, parent: Path) -> None:
    with pytest.raises(ToolFailed, match="additional properties 'enabled' not allowed"):
        template(program, parent, "--set=kserve-lite.enabled=true")


def test_the_version_shown_is_the_charts() -> None:
    (wanted,) = yaml.safe_load(SHOWN)["dependencies"]
    assert wanted["version"] == yaml.safe_load((STOCK / "Chart.yaml").read_text())["version"]
    assert wanted["name"] == STOCK.name
