"""What `diff` says of objects that no tool is to delete: Argo CD's options are a set."""

import pytest

from generator.manifests.protection import KEEP
from tests.unit.test_diff import authorization, diff, folder, of

OPTIONS = "argocd.argoproj.io/sync-options"


def space(options, **others):
    annotations = {OPTIONS: options, **others} if options else others
    return of("Namespace", "kserve", metadata={"annotations": annotations})


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("Prune=false,Delete=false", "Delete=false,Prune=false", None),
        ("Prune=false,Delete=false", "Delete=false, Validate=false , Prune=false", None),
        ("Validate=false", None, None),
        (None, "Prune=false", None),
        ("Prune=false", None, "Prune=false"),
        ("Prune=false,Delete=false", "Prune=false", "Delete=false"),
        ("Validate=false,Prune=false", "Validate=false", "Prune=false"),
        ("Prune=false,Delete=false", "Prune=confirm,Delete=false", "Prune=false"),
        ("Delete=false,Prune=false,Validate=false", None, "Delete=false, Prune=false"),
    ],
)
def test_an_option_that_goes_from_any_company_is_told(tmp_path, old, new, gone):
    beside = of("ConfigMap", "c")
    old, new = (
        folder(tmp_path / name, space(each), beside) for name, each in (("old", old), ("new", new))
    )
    reason = f"{gone} is gone: the tool that heeds it may delete the object, and what it holds"
    field = f'metadata.annotations["{OPTIONS}"]'
    found = [(each["risk"], each["field"], each["reason"]) for each in diff(old, new)[1]["risks"]]
    assert found == ([("protection-removed", field, reason)] if gone else [])


@pytest.mark.parametrize(
    ("options", "kept"),
    [("Prune=false,Validate=false", True), ("Delete=false", False), ("Prune=true", False)],
)
def test_a_namespace_that_argo_cd_does_not_prune_stays_with_its_policies(tmp_path, options, kept):
    beside = of("ConfigMap", "c", namespace="other")
    guard = authorization({"namespaces": ["a"]})
    old = folder(tmp_path / "old", space(options), guard, beside)
    found = [each["risk"] for each in diff(old, folder(tmp_path / "new", beside))[1]["risks"]]
    assert found == ["namespace-removed", *["published"] * kept]


def test_the_order_of_options_is_nothing_to_what_is_kept(tmp_path):
    beside = of("ConfigMap", "c")
    for name, options, kept in (
        ("turned", "Delete=false,Prune=false", True),
        ("pruned", "Delete=false", False),
    ):
        old = folder(
            tmp_path / f"{name}-old",
            of("Namespace", "a", metadata={"annotations": KEEP | {OPTIONS: options}}),
            beside,
        )
        (risk,) = diff(old, folder(tmp_path / f"{name}-new", beside))[1]["risks"]
        assert ("it says that it is kept" in risk["reason"]) == kept
