"""The commands of docs/operations.md, run in the order in which they stand there."""

import re

from tests.cluster.harness import iris
from tests.rendering import ROOT, STOCK

PAGE = ROOT / "docs" / "operations.md"
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_operations(cluster, release, models, tmp_path):
    cluster.empty()
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    (tmp_path / "my.yaml").write_text("controller: {replicas: 2}\n")

    def run(block):
        cluster.bash(block.replace("-n kserve ", f"-n {release.namespace} "), tmp_path)

    release.install(f"--values={tmp_path / 'my.yaml'}")
    iris.serve(cluster, models, iris.SPLIT)
    before = iris.served(cluster, models)
    *blocks, everything = BLOCKS
    assert len(blocks) == 4
    for block in blocks:
        run(block)
    assert release.name not in cluster.helm("list", "--all-namespaces", "-q")
    assert iris.served(cluster, models) == before

    run(everything)
    gone = cluster.kubectl("get", "-f", str(STOCK / "crds"), "--ignore-not-found", "-o", "name")
    assert gone == ""
    assert cluster.list("pods", models) == []
    assert cluster.list("hpa", models) == []
