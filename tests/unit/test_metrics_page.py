"""docs/metrics.md says of each runtime the port that its pods are annotated with."""

import re

from generator.catalog import catalog
from tests.rendering import ROOT

PORT, PATH = "prometheus.kserve.io/port", "prometheus.kserve.io/path"


def test_the_page_has_the_port_of_every_runtime():
    page = (ROOT / "docs/metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+?`) \| (\d+) \|", page, re.MULTILINE)
    said = {name: port for names, port in rows for name in re.findall(r"`(\w+)`", names)}
    annotations = {key: runtime.spec["annotations"] for key, runtime in catalog().runtimes.items()}
    assert said == {key: each[PORT] for key, each in annotations.items()}
    assert {each[PATH] for each in annotations.values()} == {"/metrics"}
