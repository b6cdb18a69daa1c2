"""`diff --live`: what an apply would change, asked of a real API server, which keeps nothing."""

import json
import os

import pytest
import yaml

from generator import MODELS
from tests.cluster.harness.cluster import BOTH_HELMS, Release
from tests.rendering import CHARTS, STOCK
from tests.unit.test_cli import run

pytestmark = BOTH_HELMS

KINDS = (
    "services,deployments,replicasets,jobs,configmaps,secrets,clusterroles,"
    "clusterservingruntimes,inferenceservices,validatingwebhookconfigurations"
)


@pytest.fixture
def live(cluster, platform):
    """`diff --live` of the platform, as its administrator or with another kubeconfig."""

    def ask(*arguments, **environment):
        return run(
            *("diff", "--live", "-n", platform.namespace, *arguments),
            environment={**os.environ, **cluster.terminal, **environment},
        )

    return ask


@pytest.fixture
def unchanged(cluster, platform):
    """What is in the cluster stays as it is: each object has the version that it had."""

    def versions():
        return {
            (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each["metadata"]["resourceVersion"]
            for each in cluster.list(KINDS)
        }  # fmt: skip

    # The platform serves before its Job is recorded as over, which gives that another version.
    complete = ("--for=condition=Complete", "--timeout=60s")
    cluster.kubectl("wait", "job", "--all", "-n", platform.namespace, *complete)
    before = versions()
    yield
    assert versions() == before


def values(tmp_path, **content):
    file = tmp_path / "my.json"
    file.write_text(json.dumps(content))
    return str(file)


def test_after_an_install_nothing_differs(live, unchanged):
    done = live()
    assert (done.returncode, done.stdout, done.stderr) == (0, "no object differs\n", "")


def test_a_change_is_told_with_its_risks(live, unchanged, platform, tmp_path):
    runtimes = {"sklearn": {"enabled": False}, "xgboost": {"enabled": True}}
    file = values(
        tmp_path, controller={"resources": {"requests": {"cpu": "123m"}}}, runtimes=runtimes
    )
    done = live("-f", file, "--output=json")
    assert (done.returncode, done.stderr) == (1, "")
    said = json.loads(done.stdout)
    assert {(each["risk"], each["object"]) for each in said["risks"]} == {
        ("controller-restart", f"Deployment/kserve-controller-manager -n {platform.namespace}"),
        ("runtime-removed", "ClusterServingRuntime/kserve-sklearnserver"),
    }
    changes = {each["object"]: (each["change"], each["fields"]) for each in said["changes"]}
    path = "spec.template.spec.containers[manager].resources.requests.cpu"
    _, fields = changes.pop(f"Deployment/kserve-controller-manager -n {platform.namespace}")
    assert [(each["path"], each["new"]) for each in fields] == [(path, "123m")]
    assert changes == {
        "ClusterServingRuntime/kserve-sklearnserver": ("removed", []),
        "ClusterServingRuntime/kserve-xgbserver": ("added", []),
    }


def test_the_same_values_as_a_folder_of_manifests(live, platform, tmp_path):
    folder = tmp_path / "gitops"
    assert run("manifests", "-n", platform.namespace, "-o", folder).returncode == 0
    done = live(folder)
    # Its Namespace is protected from pruning, which Helm's own is not.
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == f"~ Namespace/{platform.namespace}"
    assert done.stdout.splitlines()[-1] == "objects: 1 changed; risks: 0"


def test_what_somebody_else_changed_is_taken_back(cluster, live, platform):
    name = ("deployment", "kserve-controller-manager", "-n", platform.namespace)
    scale = '{"spec": {"replicas": 2}}'
    cluster.kubectl("patch", *name, "--type=merge", "-p", scale, "--field-manager=somebody")
    try:
        done = live()
        assert done.returncode == 1
        assert "    spec.replicas: 2 → 1\n" in done.stdout
        assert "somebody set fields too; apply it with --force-conflicts" in done.stderr
    finally:
        cluster.kubectl("patch", *name, "--type=merge", "-p", '{"spec": {"replicas": 1}}')


def test_a_model_that_changes(cluster, live, platform, models, tmp_path):
    def served(uri):
        return values(tmp_path, models={"iris": {"format": "sklearn", "storageUri": uri}})

    where = ("--models-namespace", models)
    release = Release(cluster, models, chart=CHARTS[MODELS], name=f"{platform.name}-models")
    release.install(
        "-f",
        served("gs://kfserving-examples/a"),
        "--set",
        f"global.platformNamespace={platform.namespace}",
    )
    try:
        done = live("-f", served("gs://kfserving-examples/a"), *where)
        assert (done.returncode, done.stdout, done.stderr) == (0, "no object differs\n", "")
        done = live("-f", served("gs://kfserving-examples/b"), *where)
        assert (done.returncode, done.stderr) == (1, "")
        assert (
            f"! model-restart: InferenceService/iris -n {models}: spec.predictor: " in done.stdout
        )
        done = live(*where)
        assert f"! model-removed: InferenceService/iris -n {models}: " in done.stdout
    finally:
        release.uninstall()


def test_a_field_that_goes_away(live, platform, tmp_path, program):
    """Helm 4 lets the server apply, which takes it away; Helm 3 does that by itself."""

    def extra(**data):
        head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}}
        return values(tmp_path, extraObjects={"extra": head | {"data": data}})

    platform.upgrade("-f", extra(a="1", b="1"))
    try:
        assert live("-f", extra(a="1", b="1")).stdout == "no object differs\n"
        done = live("-f", extra(a="2"))
        assert '    data.a: "1" → "2"\n' in done.stdout
        if program == "helm":
            assert (done.returncode, done.stderr) == (1, "")
            assert '    - data.b: "1"\n' in done.stdout
        else:
            assert done.returncode == 2
            label = f"ConfigMap/extra -n {platform.namespace}"
            fact = "Helm 3 merges this object, and will take away data.b"
            assert done.stderr == f"not seen: {label}: {fact}\n"
    finally:
        platform.rollback(1)


def test_another_tool_that_applies(cluster, live, models, tmp_path):
    def written(**data):
        made = {"apiVersion": "v1", "kind": "ConfigMap", "data": data}
        return json.dumps(made | {"metadata": {"name": "c", "namespace": models}})

    (tmp_path / "c.json").write_text(written(a="x"))
    manager = "--field-manager=kustomize-controller"
    apply = ("apply", "--server-side", manager, "-f", "-")
    cluster.kubectl(*apply, stdin=written(a="x", b="y"))
    done = live(tmp_path, manager, "--release=none")
    assert done.stdout.splitlines()[0] == f"~ ConfigMap/c -n {models}"
    assert done.stdout.splitlines()[1] == "    - data.b: y"
    # To Helm the field is another's, who keeps it.
    assert live(tmp_path, "--release=none").stdout == "no object differs\n"


def test_a_crd_is_compared_as_kubectl_would_leave_it(live, tmp_path):
    name = "clusterstoragecontainers.serving.kserve.io"
    (file,) = (STOCK / "crds").glob(f"*{name.partition('.')[0]}*")
    (crd,) = filter(None, yaml.safe_load_all(file.read_text()))
    (tmp_path / "crd.json").write_text(json.dumps(crd))
    assert live(tmp_path, "--release=none").stdout == "no object differs\n"
    for version in crd["spec"]["versions"]:
        version["schema"]["openAPIV3Schema"]["properties"].pop("disabled")
    (tmp_path / "crd.json").write_text(json.dumps(crd))
    first, second, *_ = live(tmp_path, "--release=none").stdout.splitlines()
    assert first == "risks:"
    assert second.startswith(f"! crd-field-removed: CustomResourceDefinition/{name}: ")


def test_what_may_not_be_asked_is_said(cluster, live, platform, models, tmp_path, unchanged):
    """One who may read, and not write: nothing can be compared, and that is trouble."""
    cluster.kubectl("create", "serviceaccount", "reader", "-n", models)
    role, account = f"reader-{models}", f"--serviceaccount={models}:reader"
    reader = f"system:serviceaccount:{models}:reader"
    cluster.kubectl("create", "clusterrole", role, "--verb=get,list", "--resource=*.*")
    cluster.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", account)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    token = cluster.kubectl("create", "token", "reader", "-n", models).strip()
    change = ("config", f"--kubeconfig={kubeconfig}")
    cluster.kubectl(*change, "set-credentials", "reader", f"--token={token}")
    cluster.kubectl(*change, "set-context", "--current", "--user=reader")
    may = ("auth", "can-i", "list", "configmaps", "--all-namespaces", "--as=" + reader)
    try:
        cluster.wait("the grant counts", lambda: cluster.kubectl(*may))
        done = live(KUBECONFIG=str(kubeconfig))
        assert (done.returncode, done.stdout) == (
            2,
            f"no object that was seen differs; not seen: {len(done.stderr.splitlines())}\n",
        )
        lines = done.stderr.splitlines()
        refused = "not seen: ConfigMap/inferenceservice-config -n"
        assert any(line.startswith(refused) and "cannot patch" in line for line in lines)
        assert all(line.startswith("not seen: ") for line in lines)
    finally:
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", role)


def test_no_cluster_is_trouble(live, tmp_path):
    done = live(KUBECONFIG=str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("no cluster answers: ")
