"""Law 9: CRDs and models outlive a release, and NOTES say how CRDs are upgraded."""

import pytest

from generator.chart import render
from tests.rendering import CASES, STOCK, Object, objects

UPGRADE = "helm show crds CHART | kubectl apply --server-side --force-conflicts -f -"


# Helm never deletes what is in crds/, and deletes whatever a template made.
KEPT = {
    "CustomResourceDefinition",
    "InferenceService",
    "InferenceGraph",
    "TrainedModel",
    "Namespace",
}


def lost(them: list[Object]) -> list[str]:
    """The objects of a release that an uninstall must not take away."""
    return [f"{it['kind']} {it['metadata']['name']}" for it in them if it["kind"] in KEPT]


@pytest.mark.parametrize("case", CASES)
def test_no_template_makes_what_an_uninstall_must_not_take(case):
    assert lost(objects(case)) == []


def test_crds_are_not_templates():
    files = render()
    crds = [path for path in files if path.startswith("crds/")]
    assert len(crds) == 6
    # Helm copies them byte for byte; an action would reach the cluster as text.
    assert not any("{{" in files[path] for path in crds)


def test_the_notes_say_how_to_upgrade_the_crds():
    assert UPGRADE in render()["templates/NOTES.txt"]
    assert UPGRADE in (STOCK / "README.md").read_text()
