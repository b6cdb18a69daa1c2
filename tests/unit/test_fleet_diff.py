"""`diff` of two fleets: cluster by cluster, and what many have alike told once."""

import json

import pytest
from click.testing import CliRunner

from generator.cli.diff import diff as command
from generator.comparison.report import LONGEST
from generator.output.record import NAME
from generator.yaml.writer import dump

SUM = "0123456789abcdef" * 4


def config(name, **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "kserve"},
        "data": data,
    }


def runtime(image):
    containers = [{"name": "kserve-container", "image": image}]
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterServingRuntime",
        "metadata": {"name": "sklearn"},
        "spec": {"supportedModelFormats": [{"name": "sklearn"}], "containers": containers},
    }


def fleet(root, **clusters):
    """A folder of clusters, each with the objects given."""
    for name, objects in clusters.items():
        folder = root / name
        folder.mkdir(parents=True)
        (folder / NAME).write_text("# kserve-lite 0.1.0: manifests\n")
        (folder / "objects.yaml").write_text("---\n".join(map(dump, objects)))
    return root


def diff(*words):
    return CliRunner().invoke(command, [str(word) for word in words])


@pytest.fixture
def fleets(tmp_path):
    """A hundred clusters: all change alike, one has more, and each a checksum of its own."""
    sides = []
    for side, image, level in (("old", "a:1", "info"), ("new", "a:2", "debug")):
        clusters = {}
        for number in range(100):
            own = f"{number:02d}{'a' if side == 'old' else 'b'}{SUM[3:]}"
            data = {"level": level, "sum": own, "domain": f"c{number}.org"}
            if number == 7 and side == "new":
                data["more"] = "there"
            clusters[f"c{number:02d}"] = [config("main", **data), runtime(f"docker.io/{image}")]
        gone = "gone" if side == "old" else "added"
        sides.append(fleet(tmp_path / side, **clusters, **{gone: [config("main")]}))
    return sides


TEXT = """\
- cluster gone
+ cluster added
100 clusters: c00, c01, c02, c03, c04, …
  ! model-restart: ClusterServingRuntime/sklearn: spec: every model that it serves restarts: \
containers[kserve-container].image
  ~ ClusterServingRuntime/sklearn
      spec.containers[kserve-container].image: docker.io/a:1 → docker.io/a:2
  ~ ConfigMap/main -n kserve
      data.level: info → debug
      data.sum: (a checksum) → (another)
cluster c07
  ~ ConfigMap/main -n kserve
      + data.more: there
clusters: 1 added, 1 removed, 100 changed; risks: 100
"""


def test_equal_changes_of_a_fleet_are_told_once(fleets):
    done = diff(*fleets)
    assert (done.exit_code, done.output) == (1, TEXT)


def test_a_fleets_report_for_a_pull_request_groups_them_too(fleets):
    done = diff(*fleets, "--output", "markdown")
    assert done.exit_code == 1
    assert "| risk | clusters | object | why |\n|---|---|---|---|\n" in done.output
    assert done.output.count("model-restart") == 1
    assert done.output.count("@@ 100 clusters: c00, c01, c02, c03, c04, … @@\n") == 1
    assert "@@ cluster c07 @@\n~ ConfigMap/main -n kserve\n    + data.more: there\n" in done.output
    assert len(done.output) < 3000


def test_a_report_of_clusters_that_have_nothing_alike_fits_a_comment(tmp_path):
    sides = [
        fleet(
            tmp_path / side,
            **{f"c{n:03d}": [config("main", **{side * 9: f"x{n}" * 90})] for n in range(400)},
        )
        for side in ("old", "new")
    ]
    done = diff(*sides, "--output", "markdown")
    assert 0.9 * LONGEST < len(done.output) <= LONGEST
    assert "lines more; `diff` in a terminal has them all." in done.output


def test_a_program_gets_the_groups(fleets):
    done = diff(*fleets, "--output", "json")
    found = json.loads(done.output)
    assert (found["added"], found["removed"]) == (["added"], ["gone"])
    many, one = found["groups"]
    assert (len(many["clusters"]), one["clusters"]) == (100, ["c07"])
    assert [risk["risk"] for risk in many["risks"]] == ["model-restart"]
    assert [change["object"] for change in many["changes"]] == [
        "ClusterServingRuntime/sklearn",
        "ConfigMap/main -n kserve",
    ]
    assert one["changes"][0]["fields"] == [{"path": "data.more", "new": "there"}]


def test_fleets_without_a_difference(fleets):
    done = diff(fleets[0], fleets[0])
    assert (done.exit_code, done.output) == (0, "no cluster differs\n")


def crd(side, cluster, **properties):
    """A CRD with a label that all clusters have alike, and one of each cluster's own."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a.b.c", "labels": {"alike": side, "own": f"{side}-{cluster}"}},
        "spec": {"group": "b.c", "versions": [version]},
    }


def test_what_is_said_of_an_object_is_said_once(tmp_path):
    """One of its fields is alike in all clusters, and another is not."""
    sides = [
        fleet(tmp_path / side, **{name: [crd(side, name, **properties)] for name in ("c1", "c2")})
        for side, properties in (("old", {}), ("new", {key: {"type": "string"} for key in "xy"}))
    ]
    lines = diff(*sides).output.splitlines()
    summary = "  ~ CustomResourceDefinition/a.b.c"
    assert [line for line in lines if line.startswith((summary, "cluster ", "2 clusters"))] == [
        "2 clusters: c1, c2",
        f"{summary}: 2 fields more",
        "cluster c1",
        summary,
        "cluster c2",
        summary,
    ]


def test_a_fleet_and_a_cluster_are_not_compared(fleets):
    done = diff(fleets[0], fleets[1] / "c00")
    assert done.exit_code == 2
    assert f"name one of them, such as {fleets[0]}/c00" in done.stderr


def test_an_object_that_cannot_be_read_is_named_with_its_cluster(fleets):
    (fleets[1] / "c03" / "objects.yaml").write_text("kind: [\n")
    done = diff(*fleets)
    assert done.exception
    assert "new/c03/objects.yaml:2:1" in str(done.exception)


def test_other_manifests_beside_clusters_are_compared_too(tmp_path):
    sides = []
    for side, level in (("old", "info"), ("new", "debug")):
        root = fleet(tmp_path / side, one=[config("main")])
        (root / "own.yaml").write_text(dump(config("own", level=level)))
        sides.append(root)
    done = diff(*sides)
    assert done.exit_code == 1
    assert "ConfigMap/own -n kserve" in done.output
