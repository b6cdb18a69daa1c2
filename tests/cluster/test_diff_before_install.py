"""`diff --live` before anything is installed: everything is new, and nothing is written."""

import os

from tests.unit.test_cli import run


def test_before_an_install_everything_is_new(cluster):
    cluster.empty()
    environment = {**os.environ, **cluster.terminal}
    done = run("diff", "--live", "-n", "nowhere", environment=environment)
    assert done.returncode == 1
    assert done.stderr == (
        "note: Helm knows no release kserve-lite in nowhere and no kserve-lite-models in default:"
        " what only the cluster has was not looked for\n"
    )
    lines = done.stdout.splitlines()
    assert "+ ClusterServingRuntime/kserve-sklearnserver" in lines
    assert "+ Deployment/kserve-controller-manager -n nowhere" in lines
    assert "+ CustomResourceDefinition/inferenceservices.serving.kserve.io" in lines
    changed = [line for line in lines if line.startswith(("-", "~"))]
    assert changed == []
    assert cluster.crds(".serving.kserve.io") == set()
