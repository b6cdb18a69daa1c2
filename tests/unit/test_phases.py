"""The folder of manifests as kustomize and people apply it: phase by phase, and complete."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from generator import CHART, MODELS
from generator.manifests import layout
from generator.manifests.parsing import Manifest, manifest
from generator.manifests.steps import steps
from generator.release import Release
from tests.rendering import CASES, ROOT, through_door_two
from tests.unit.test_cli import listing, run


def applied(tree: dict[str, str], folder: str = "") -> list[str]:
    """The files of objects that `kubectl apply -k` of a folder takes, in its order."""
    prefix = f"{folder}/" if folder else ""
    kustomization = yaml.safe_load(tree[f"{prefix}kustomization.yaml"])
    assert kustomization.keys() == {"apiVersion", "kind", "resources"}
    found = []
    for name in kustomization["resources"]:
        assert isinstance(name, str)
        path = f"{prefix}{name}"
        found += [path] if path in tree else applied(tree, path)
    return found


@pytest.mark.parametrize("case", ["default", "everything-on", "models-every-key"])
def test_every_object_is_applied_once_and_the_platform_without_models(case):
    rendered = through_door_two(case)
    tree, objects = layout.folder(rendered), layout.files(rendered)
    models = {path for path in objects if path.startswith("30-models/")}
    platform = applied(tree)
    assert sorted(platform) == sorted(objects.keys() - models)
    assert [path.partition("/")[0] for path in platform] == sorted(
        path.partition("/")[0] for path in platform
    )
    if models:
        assert sorted(applied(tree, "30-models")) == sorted(models)
    assert "30-models/kustomization.yaml" in tree or not models
    assert {Path(path).name for path in tree.keys() - objects.keys()} == {"kustomization.yaml"}


def test_a_namespace_of_digits_is_a_name():
    service = manifest("apiVersion: v1\nkind: Service\nmetadata:\n  name: m\n", MODELS)
    tree = layout.folder([service], Release(models="123"))
    assert applied(tree, "30-models") == ["30-models/123/service-m.yaml"]
    assert "kustomization.yaml" not in tree


def an(kind: str, api: str = "v1", chart: str = CHART) -> Manifest:
    return manifest(f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {kind.lower()}\n", chart)


def test_the_steps_are_the_phases_that_there_are_with_the_waits_between():
    objects = [
        an("Namespace"),
        an("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
        an("ConfigMap"),
        an("ClusterServingRuntime", "serving.kserve.io/v1alpha1"),
        an("InferenceService", "serving.kserve.io/v1beta1", MODELS),
    ]
    said = list(steps(objects, Path("my folder"), Release(namespace="ml")))
    assert said == [
        "kubectl apply -k 'my folder/00-crds'",
        "kubectl wait crd '--for=jsonpath={.status.conditions[0].status}=True' --timeout=1m "
        "customresourcedefinition",
        "kubectl wait crd --for=condition=Established --timeout=1m customresourcedefinition",
        "kubectl apply -k 'my folder/10-platform'",
        "kubectl -n ml rollout status deployment/kserve-controller-manager --timeout=10m",
        "kubectl apply -k 'my folder/20-runtimes'",
        "kubectl apply -k 'my folder/30-models'",
    ]
    assert list(steps(objects[:4], Path("x"))) == [
        re.sub("'my folder/(.*)'", r"x/\1", line).replace("-n ml", "-n kserve") for line in said[:6]
    ]


def test_the_command_prints_the_steps_and_a_record_that_sha256sum_takes(tmp_path):
    done = run("manifests", "-f", CASES["sklearn-iris"], "-o", tmp_path / "out", "-n", "ml")
    first, *lines = done.stdout.splitlines()
    assert first == "next, with a cluster, one after another:"
    folders = [words[-1] for line in lines if "-k" in (words := shlex.split(line))]
    assert [Path(folder).name for folder in folders] == [
        path.name for path in sorted((tmp_path / "out").iterdir()) if path.is_dir()
    ]
    for only in ("--check", "--dry-run"):
        args = ("manifests", "-f", CASES["sklearn-iris"], "-o", tmp_path / "out", "-n", "ml", only)
        assert run(*args).stdout == ""
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    said = subprocess.run(
        check, cwd=tmp_path / "out", check=True, capture_output=True, text=True
    ).stdout
    names = {line.removesuffix(": OK") for line in said.splitlines()}
    assert names == set(listing(tmp_path / "out")) - {"SHA256SUMS"}


def test_a_folder_that_differs_is_exit_1_and_trouble_is_exit_2(tmp_path):
    assert run("manifests", "-o", tmp_path, "--check").returncode == 1
    assert run("manifests", "-o", tmp_path).returncode == 0
    assert run("manifests", "-o", tmp_path, "--check").returncode == 0
    (tmp_path / "10-platform" / "kustomization.yaml").unlink()
    assert run("manifests", "-o", tmp_path, "--check").returncode == 1
    (tmp_path / ".kserve-lite-journal").mkdir()
    done = run("manifests", "-o", tmp_path, "--check")
    assert (done.returncode, "was interrupted" in done.stderr) == (2, True)
    assert run("chart", "-f", tmp_path / "none.yaml", "-o", tmp_path, "--check").returncode == 2


def test_diff_reads_the_objects_of_a_folder_and_not_kustomizes_files(tmp_path):
    assert run("manifests", "-f", CASES["sklearn-iris"], "-o", tmp_path).returncode == 0
    same = run("diff", CASES["sklearn-iris"], tmp_path)
    assert (same.returncode, same.stderr) == (0, "")


def test_the_commands_of_the_page_are_those_that_are_printed(tmp_path):
    page = (ROOT / "docs" / "gitops.md").read_text("utf-8")
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    write, by_hand, check = (re.sub(r" \\\n +", " ", block) for block in blocks)
    (tmp_path / "my.yaml").write_bytes(CASES["sklearn-iris"].read_bytes())

    def take(line):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        words = line.removeprefix("python -m generator ").split()
        return run(*words, cwd=tmp_path, environment=environment)

    done = take(write)
    assert re.findall(r"^  (.*)$", done.stdout, re.MULTILINE) == by_hand.splitlines()
    assert take(check).returncode == 0


def test_each_phase_holds_what_the_page_says():
    rendered = through_door_two("everything-on") + through_door_two("models-every-key")
    found = {
        (each.phase, each.chart, each.source.split("/")[1]) for each in rendered if each.source
    }
    assert {chart for phase, chart, _ in found if phase == "30-models"} == {MODELS}
    platform = {(phase, part) for phase, chart, part in found if chart == CHART}
    runtimes = {part for phase, part in platform if phase == "20-runtimes"}
    assert runtimes == {"runtimes", "storage"}
    rest = {part for phase, part in platform if phase == "10-platform"}
    assert rest >= {"controller", "webhook", "config", "rbac", "routing", "extra"}
    assert not rest & {"runtimes", "crds"}
    assert {each.kind for each in rendered if each.phase == "00-crds"} == {
        "CustomResourceDefinition", "Namespace",
    }  # fmt: skip
