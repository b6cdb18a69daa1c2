"""Law 12: every pod meets Pod Security "restricted", and on OpenShift leaves to the SCC what is its."""

import json

import pytest

from generator import MODELS
from generator.catalog import catalog
from generator.values.load import Values
from tests import rendering
from tests.rendering import CASES, STOCK, Object, helm_template, objects, pod_specs, values_of

EXEMPT = {
    f"ClusterServingRuntime {runtime.name}"
    for runtime in catalog().runtimes.values()
    if runtime.security.root
}
VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def violations(them: list[Object], *, openshift: bool = False) -> list[str]:
    """What the Pod Security standard "restricted" forbids in the objects' pods.

    On OpenShift the SCC sets user and seccomp profile, so their absence is right there.
    """
    found = []
    for label, spec, whole in pod_specs(them):
        pod = spec.get("securityContext", {})
        found += [
            f"{label}: {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)
        ]
        for volume in spec.get("volumes", []):
            if not VOLUMES & volume.keys():
                found.append(f"{label}: volume {volume['name']}")
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            name = f"{label}/{container['name']}"
            own = container.get("securityContext", {})
            merged = (pod if whole else {}) | own
            if own.get("allowPrivilegeEscalation") is not False:
                found.append(f"{name}: allowPrivilegeEscalation")
            if own.get("privileged"):
                found.append(f"{name}: privileged")
            if "ALL" not in own.get("capabilities", {}).get("drop", []):
                found.append(f"{name}: capabilities")
            if own.get("capabilities", {}).get("add"):
                found.append(f"{name}: capabilities.add")
            if merged.get("runAsUser") == 0:
                found.append(f"{name}: runAsUser")
            if label not in EXEMPT and merged.get("runAsNonRoot") is not True:
                found.append(f"{name}: runAsNonRoot")
            if not openshift and merged.get("seccompProfile", {}).get("type") != "RuntimeDefault":
                found.append(f"{name}: seccompProfile")
            found += [
                f"{name}: hostPort" for port in container.get("ports", []) if port.get("hostPort")
            ]
    return found


@pytest.mark.parametrize("case", CASES)
def test_every_pod_is_restricted(case):
    values = values_of(case)
    found = violations(objects(case), openshift=values.get("platform") == "openshift")
    if values.get("webhook", {}).get("hostNetwork"):
        # The one value that leaves the standard, as its prose and NOTES say.
        found.remove("Deployment kserve-controller-manager: hostNetwork")
    assert found == []


OWN_IMAGES = """
models:
  mine:
    image: x
    transformer: {image: x}
    explainer: {image: x}
"""


@pytest.mark.parametrize("platform", ["kubernetes", "openshift"])
def test_an_image_of_ones_own_is_restricted_until_one_says_otherwise(platform, tmp_path):
    def containers(more=""):
        file = tmp_path / "values.yaml"
        file.write_text(f"platform: {platform}\n{OWN_IMAGES}{more}")
        them = rendering.parse(
            helm_template(rendering.CHARTS[MODELS], Values.parsed([file]), more=())
        )
        spec = rendering.only(them, "InferenceService")["spec"]
        return [container for part in spec.values() for container in part["containers"]]

    openshift = platform == "openshift"
    pod = {"kind": "Job", "metadata": {"name": "x"}}
    pod["spec"] = {"template": {"spec": {"containers": containers()}}}
    assert len(containers()) == 3
    assert violations([pod], openshift=openshift) == []
    assert ("seccompProfile" in containers()[0]["securityContext"]) == (not openshift)
    assert "securityContext" not in containers("    securityContext: {}\n")[0]


def test_on_openshift_nothing_sets_what_the_scc_sets():
    them = objects("openshift")
    for manifest in rendering.of_kind(
        them, "Deployment", "Job", "ClusterServingRuntime", "ClusterStorageContainer"
    ):
        for path, _ in rendering.walk(manifest):
            assert path[-1:] not in [
                ("runAsUser",),
                ("runAsGroup",),
                ("fsGroup",),
                ("seccompProfile",),
            ], path
    assert "uidModelcar" not in rendering.config(them)["storageInitializer"]


PYTORCH = ("vllm", "huggingface", "huggingfaceMultinode")


@pytest.mark.parametrize("platform", ["kubernetes", "openshift"])
def test_a_server_of_pytorch_has_a_home_and_a_name_on_openshift(platform, tmp_path):
    values = {"platform": platform, "runtimes": {key: {"enabled": True} for key in PYTORCH}}
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values))
    them = rendering.parse(helm_template(STOCK, Values.parsed([file]), more=()))
    named = {}
    for label, spec, whole in pod_specs(rendering.of_kind(them, "ClusterServingRuntime")):
        assert not whole
        (container,) = spec["containers"]
        env = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
        assert len(env) == len(container.get("env", []))
        named[label] = env.get("HOME"), env.get("USER")
    has = ("/tmp", "kserve") if platform == "openshift" else (None, None)
    names = [catalog().runtimes[key].name for key in PYTORCH]
    labels = [f"ClusterServingRuntime {name}" for name in names]
    assert {label: named[label] for label in labels} == dict.fromkeys(labels, has)
    assert named[f"{labels[-1]} worker"] == has


def test_what_cannot_run_on_openshift_says_why():
    refused = [
        runtime.openshift.refused
        for runtime in catalog().runtimes.values()
        if runtime.openshift.refused
    ]
    assert len(refused) == 1
    assert len(refused[0].split()) > 5


def test_a_user_may_take_a_restriction_back(tmp_path):
    context = {"readOnlyRootFilesystem": False, "runAsUser": 0}
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"controller": {"securityContext": context}}))
    them = rendering.parse(helm_template(STOCK, Values.parsed([file]), more=()))
    manager = rendering.only(them, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert manager["securityContext"] | context == manager["securityContext"]


def test_an_exception_has_a_reason():
    assert len(EXEMPT) == 1
    for runtime in catalog().runtimes.values():
        reason = runtime.security.root
        assert not reason or len(reason.split()) > 5


def test_an_image_without_a_numeric_user_is_given_one():
    # The kubelet refuses runAsNonRoot for an image whose user is a name, or not set.
    for label, spec, whole in pod_specs(objects("default")):
        if whole:
            assert spec["securityContext"]["runAsUser"] > 10000, label
