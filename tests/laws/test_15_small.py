"""Law 15: CRDs fit a client-side apply, and a release fits its Secret."""

import base64
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.chart.rendering import render
from tests import rendering
from tests.rendering import CHART_CASES, CHARTS, STOCK, parse

KIB = 1024
FILES = {chart: render(chart=chart) for chart in CHARTS}


EACH = 262_144
TOGETHER = 230_000
# An API server takes 1 MiB. Helm adds NOTES and the times of files; tests/cluster measures the whole.
SECRET = 144 * KIB - 6_000


def too_big(chart: Path) -> list[str]:
    """What of a chart's CRDs, as compact JSON, is over its limit."""
    sizes = {file.name: _size(file) for file in sorted((chart / "crds").iterdir())}
    found = [name for name, size in sizes.items() if size >= EACH]
    return found + (["all together"] if sum(sizes.values()) >= TOGETHER else [])


def _size(file: Path) -> int:
    (crd,) = parse(file.read_text("utf-8"))
    return len(json.dumps(crd, separators=(",", ":")).encode())


def test_the_crds_fit_the_annotation_of_a_client_side_apply_and_are_small_together():
    assert len(list((STOCK / "crds").iterdir())) == 6
    assert too_big(STOCK) == []


def release_secret(files: Mapping[str, str], values: Mapping[str, Any], manifest: str) -> int:
    """The size of the Secret that Helm keeps of a release: chart, values and manifest as JSON, gzipped."""

    def b64(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    chart = {
        "templates": [
            {"name": p, "data": b64(t)} for p, t in files.items() if p.startswith("templates/")
        ],
        "files": [
            {"name": p, "data": b64(t)}
            for p, t in files.items()
            if p.startswith(("crds/", "README"))
        ],
        "values": yaml.load(files["values.yaml"], yaml.CSafeLoader),
        "schema": b64(files["values.schema.json"]),
    }
    release = {
        "name": "kserve-lite",
        "chart": chart,
        "config": values,
        "manifest": manifest,
    }
    packed = gzip.compress(json.dumps(release).encode(), 9)
    return len(base64.b64encode(packed))


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_the_release_secret_is_small(chart, case):
    manifest = rendering.template(case, chart=chart)
    assert release_secret(FILES[chart], rendering.values_of(case), manifest) < SECRET
