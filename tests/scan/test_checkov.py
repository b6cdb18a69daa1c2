"""checkov finds nothing in the rendered default flavour, the containers of model pods included.

Run by `make scan`, which installs checkov apart: it brings a hundred packages. What is not asked for
is in .checkov.yaml, each check with its reason.
"""

import copy
import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from generator import process
from tests import rendering
from tests.rendering import ROOT, Object, objects

CONFIG = ROOT / ".checkov.yaml"
PROBE = {"tcpSocket": {"port": 8080}}


def deployment(name: str, spec: Object) -> Object:
    """The Deployment that KServe makes of a runtime: its container, probed, in a pod of its own.

    checkov does not look into custom resources. What belongs to the InferenceService and to its
    namespace (token, the pod's security context, NetworkPolicy) is as a careful user has it; the
    container is the runtime's.
    """
    spec = copy.deepcopy({key: spec[key] for key in ("containers", "volumes") if key in spec})
    for container in spec["containers"]:
        container.setdefault("readinessProbe", PROBE)
        container.setdefault("livenessProbe", PROBE)
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "models"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "automountServiceAccountToken": False,
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                    **spec,
                },
            },
        },
    }


def everywhere() -> Object:
    """A NetworkPolicy of the namespace with the models."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "default", "namespace": "models"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }


def scan(folder: Path, them: list[Object]) -> Object:
    """What checkov reports on the objects: its summary, and the failed checks."""
    checkov = os.environ.get("CHECKOV") or shutil.which("checkov")
    if checkov is None:
        pytest.skip("run `make scan`")
    (folder / "objects.yaml").write_text(yaml.safe_dump_all(them))
    argv = [checkov, "--directory", str(folder)]
    argv += ["--config-file", str(CONFIG), "--framework", "kubernetes", "--output", "json"]
    argv += ["--skip-download", "--skip-results-upload", "--compact", "--quiet"]
    return json.loads(process.run(argv, accept=(0, 1)))


def failed(report: Object) -> list[str]:
    return [
        f"{failure['check_id']} {failure['resource']}: {failure['check_name']}"
        for failure in report["results"]["failed_checks"]
    ]


@pytest.mark.parametrize("case", ["default", "ha", "all-runtimes"])
def test_the_rendered_objects(case, tmp_path):
    report = scan(tmp_path, objects(case))
    assert failed(report) == []
    # checkov exits 0 on what it cannot read.
    assert report["summary"]["resource_count"] >= 15
    assert report["summary"]["passed"] > 150


def test_the_containers_of_model_pods(tmp_path):
    pods = [
        deployment(f"pod-{number}", spec)
        for number, (_, spec, whole) in enumerate(rendering.pod_specs(objects("all-runtimes")))
        if not whole
    ]
    report = scan(tmp_path, [everywhere(), *pods])
    # The one image that must run as root is marked in the catalog, with its reason.
    assert [failure for failure in failed(report) if "CKV_K8S_23" not in failure] == []
    assert len([failure for failure in failed(report) if "CKV_K8S_23" in failure]) == 1
    assert report["summary"]["resource_count"] >= len(pods) >= 16


def test_a_weakness_is_found(tmp_path):
    them = objects("default")
    manager = rendering.only(them, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    manager["securityContext"]["allowPrivilegeEscalation"] = True
    del manager["resources"]["limits"]
    assert {failure.split()[0] for failure in failed(scan(tmp_path, them))} == {
        "CKV_K8S_20",
        "CKV_K8S_11",
        "CKV_K8S_13",
    }


def test_every_exception_has_a_reason():
    lines = CONFIG.read_text().splitlines()
    skipped = [number for number, line in enumerate(lines) if line.startswith("- CKV")]
    assert skipped
    for number in skipped:
        assert lines[number - 1].lstrip().startswith("#"), lines[number]
