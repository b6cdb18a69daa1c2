"""Every flavour and case renders, byte for byte, what was last agreed on."""

import pytest

from tests import golden
from tests.rendering import CASES


@pytest.mark.parametrize("case", CASES)
def test_golden(case, request):
    if request.config.getoption("--update-golden"):
        changes = golden.update(case)
        for sign, paths in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
            for path in paths:
                print(f"{sign} {case}/{path}")
    assert golden.differences(golden.rendered(case), golden.FOLDER / case) == ""


def test_every_golden_belongs_to_a_case():
    assert golden.orphans() == []


@pytest.fixture
def files():
    return golden.rendered("default")


def test_a_changed_field_is_seen(files):
    path = "10-platform/deployment-kserve-controller-manager.yaml"
    files[path] = files[path].replace("replicas: 1", "replicas: 2")
    seen = golden.differences(files, golden.FOLDER / "default")
    assert "-  replicas: 1\n+  replicas: 2" in seen
    assert seen.endswith("make golden")


def test_a_missing_golden_is_seen(files):
    seen = golden.differences(
        {**files, "10-platform/new.yaml": "kind: New\n"}, golden.FOLDER / "default"
    )
    assert "10-platform/new.yaml: no golden" in seen


def test_an_orphan_and_an_empty_file_are_seen(files, tmp_path):
    files.popitem()
    assert "a golden of nothing" in golden.differences(files, golden.FOLDER / "default")
    assert "nothing is rendered" in golden.differences({"a.yaml": "\n"}, tmp_path)
    assert "empty" in golden.differences({}, tmp_path)


def test_a_comment_counts(files):
    path = "10-platform/clusterrole-kserve-manager-role.yaml"
    files[path] = files[path].replace("# Its own resources", "# Its own things")
    assert golden.differences(files, golden.FOLDER / "default") != ""
