"""Law 9: CRDs and models outlive a release, through whichever door it came.

Helm (door 1) deletes what templates made, and never what is in crds/. Argo CD and Flux (door 2) also
prune: what Git no longer has, and all of it when their Application or Kustomization is deleted. With a
CRD or a Namespace goes every InferenceService in it, so those two carry each tool's own protection. A
model carries none: taken out of the values, it is pruned, as its author expects. How CRDs are upgraded
is said by NOTES.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import pytest

from generator.chart.rendering import render
from generator.manifests import rendering
from tests.rendering import (
    CASES,
    STOCK,
    WITH_MODELS,
    Object,
    by_identity,
    given,
    objects,
    of_kind,
    parse,
)

UPGRADE = "helm show crds CHART | kubectl apply --server-side --force-conflicts -f -"

MODELS = ("InferenceService", "InferenceGraph", "TrainedModel")
# What takes models along when it is deleted.
HOLDERS = ("CustomResourceDefinition", "Namespace")


def lost(them: list[Object]) -> list[str]:
    """The objects that an uninstall would take away, and must not: a tenant's Namespace is kept."""
    return [
        f"{manifest['kind']} {manifest['metadata']['name']}"
        for manifest in of_kind(them, *MODELS, *HOLDERS)
        if manifest["kind"] != "Namespace" or not _helm(manifest["metadata"].get("annotations", {}))
    ]


def _argo_cd(annotations: dict[str, str]) -> bool:
    # Options stand between commas; the one is about what Git no longer has, the other about the
    # deletion of the Application.
    said = annotations.get("argocd.argoproj.io/sync-options", "").split(",")
    return {"Prune=false", "Delete=false"} <= {option.strip() for option in said}


def _flux(annotations: dict[str, str]) -> bool:
    return annotations.get("kustomize.toolkit.fluxcd.io/prune", "").lower() == "disabled"


def _helm(annotations: dict[str, str]) -> bool:
    return annotations.get("helm.sh/resource-policy", "").strip().lower() == "keep"


# Who keeps an object with these annotations, whatever else is deleted. The words are held against
# the tools' own documentation by tests/upstream/test_protections_match_upstream.py.
KEEPS: dict[str, Callable[[dict[str, str]], bool]] = {
    "Argo CD": _argo_cd,
    "Flux": _flux,
    "Helm": _helm,
}


def pruned(them: Sequence[Object]) -> Iterator[tuple[str, str]]:
    """`(kind/name, tool)` wherever a tool would delete an object that it does not find any more."""
    for manifest in them:
        annotations = manifest["metadata"].get("annotations", {})
        for tool, keeps in KEEPS.items():
            if not keeps(annotations):
                yield f"{manifest['kind']}/{manifest['metadata']['name']}", tool


@cache
def parsed(text: str) -> Object:
    """An object; the CRDs, which are large, are the same in every case."""
    (found,) = parse(text)
    return found


def through_door_two(case: str) -> list[Object]:
    """The holders and the models of a case, as `generator manifests` writes them."""
    rendered = rendering.render(given(case))
    return [parsed(manifest.text) for manifest in rendered if manifest.kind in (*HOLDERS, *MODELS)]


@pytest.mark.parametrize("case", CASES)
def test_no_template_makes_what_an_uninstall_must_not_take(case):
    assert lost(objects(case)) == []


@pytest.mark.parametrize(("case", "number"), [("default", 7), ("tenants", 10)])
def test_no_tool_prunes_a_crd_or_a_namespace(case, number):
    holders = of_kind(through_door_two(case), *HOLDERS)
    assert len(holders) == number
    assert list(pruned(holders)) == []


@pytest.mark.parametrize("case", WITH_MODELS)
def test_a_model_taken_out_of_the_values_is_pruned_and_nothing_that_holds_it(case):
    them = through_door_two(case)
    models = of_kind(them, *MODELS)
    assert models
    assert len(list(pruned(models))) == len(models) * len(KEEPS)
    assert list(pruned(of_kind(them, *HOLDERS))) == []


def test_every_door_has_the_same_crds():
    """Helm installs from crds/, `kubectl apply -f` reads it, door 2 writes it into 00-crds."""
    in_the_chart = [parsed(file.read_text()) for file in sorted((STOCK / "crds").iterdir())]
    assert list(pruned(in_the_chart)) == []
    written = of_kind(through_door_two("default"), "CustomResourceDefinition")
    assert by_identity(written) == by_identity(in_the_chart)


def test_crds_are_not_templates():
    files = render()
    crds = [path for path in files if path.startswith("crds/")]
    assert len(crds) == 6
    # Helm copies them byte for byte; an action would reach the cluster as text.
    assert not any("{{" in files[path] for path in crds)


def test_the_notes_say_how_to_upgrade_the_crds():
    assert UPGRADE in render()["templates/NOTES.txt"]
    assert UPGRADE in (STOCK / "README.md").read_text()
