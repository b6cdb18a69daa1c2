"""Law 15: CRDs fit a client-side apply, and a release fits its Secret."""

import base64
import gzip
import json

import pytest
import yaml

from generator.chart import render
from tests import rendering
from tests.rendering import CHART_CASES, STOCK, parse

KIB = 1024


def crds() -> dict[str, dict]:
    return {
        file.name: parse(file.read_text())[0]
        for file in (STOCK / "crds").iterdir()
    }


def size(crd: dict) -> int:
    return len(json.dumps(crd, separators=(",", ":")).encode())


def test_each_crd_fits_the_annotation_of_a_client_side_apply():
    for name, crd in crds().items():
        assert size(crd) < 262_144, name


def test_the_crds_together_are_small():
    assert sum(size(crd) for crd in crds().values()) < 150_000


def release_secret(chart_name: str, case: str) -> int:
    """The size of the Secret that Helm keeps of a release: chart, values and manifest as JSON, gzipped."""

    def b64(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    files = render(chart=chart_name)
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
        "config": rendering.values_of(case),
        "manifest": rendering.template(case, chart=chart_name),
    }
    packed = gzip.compress(json.dumps(release).encode(), 9)
    return len(base64.b64encode(packed))


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_the_release_secret_is_small(chart, case):
    assert release_secret(chart, case) < 128 * KIB
