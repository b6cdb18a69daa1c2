"""`helm install` on a cluster that has nothing else: once, by either Helm, and all of it works."""

import json
import re

import pytest

from generator.errors import ToolFailed
from tests.cluster.harness import controller, iris, webhooks
from tests.cluster.harness.cluster import BOTH_HELMS, Release, installed
from tests.rendering import STOCK, objects, of_kind, only

pytestmark = BOTH_HELMS

JOB = "kserve-webhook-certificate"


@pytest.fixture(scope="module")
def platform(cluster, program):
    cluster.empty()
    with installed(cluster, program=program) as release:
        yield release


def allowed(cluster, namespace, account, what):
    ask = ("auth", "can-i", *what.split(), "-n", namespace, f"--as={account}")
    return {"yes": True, "no": False}[cluster.kubectl(*ask, accept=(0, 1)).strip()]


def test_one_install_is_enough(cluster, platform):
    release = json.loads(platform.helm("status", "-o", "json"))
    assert (release["info"]["status"], release["version"]) == ("deployed", 1)
    deployment = ("deployment", controller.NAME, platform.namespace)
    # Helm 3 looks at the ReplicaSet, which the numbers of the Deployment follow.
    cluster.wait(
        "a controller is available",
        lambda: cluster.get(*deployment)["status"].get("availableReplicas") == 1,
        timeout=10,
    )


def test_the_crds_are_established(cluster, platform):
    said = cluster.kubectl("wait", "-f", str(STOCK / "crds"), "--for=condition=Established")
    assert len(said.splitlines()) == len(list((STOCK / "crds").iterdir()))


def test_the_runtimes_are_there(cluster, platform):
    wanted = of_kind(objects("default"), "ClusterServingRuntime", "ClusterStorageContainer")
    found = cluster.list("clusterservingruntimes,clusterstoragecontainers")
    assert [one["metadata"]["name"] for one in found] == [one["metadata"]["name"] for one in wanted]


def test_the_job_made_the_certificate(cluster, platform):
    webhooks.certified(cluster, platform.namespace)
    secret = cluster.get("secret", webhooks.SECRET, platform.namespace)
    assert secret["type"] == "kubernetes.io/tls"
    assert webhooks.bundles(cluster) == {secret["data"]["ca.crt"]}


@pytest.mark.parametrize(
    ("account", "may", "may_not"),
    [
        (JOB, f"get secret/{webhooks.SECRET}", "get secret/another"),
        (JOB, "create secrets", "list secrets"),
        (JOB, f"patch mutatingwebhookconfiguration/{webhooks.NAME}", "patch mutatingwebhookconfiguration/another"),
        (JOB, f"patch validatingwebhookconfiguration/{webhooks.NAME}", "create validatingwebhookconfigurations"),
        (controller.NAME, "create deployments.apps", "list secrets"),
        (controller.NAME, "update leases/kserve-controller-manager-leader-lock", "update leases/another"),
    ],
)  # fmt: skip
def test_an_account_may_do_its_work_and_no_more(cluster, platform, account, may, may_not):
    account = f"system:serviceaccount:{platform.namespace}:{account}"
    assert allowed(cluster, platform.namespace, account, may)
    assert not allowed(cluster, platform.namespace, account, may_not)


def test_people_get_the_rights_of_their_role(cluster, platform, models):
    for role in ("view", "edit"):
        grant = (f"--clusterrole={role}", f"--user={role}er", "-n", models)
        cluster.kubectl("create", "rolebinding", role, *grant)
    # The API server decides by what it has seen of bindings, a moment later.
    for person, what in ("editer", "create"), ("viewer", "get"):
        asked = (cluster, models, person, f"{what} inferenceservices")
        cluster.wait(f"{person} may {what}", lambda asked=asked: allowed(*asked))
    assert not allowed(cluster, models, "viewer", "create inferenceservices")


@pytest.mark.parametrize("model", [iris.MODEL, iris.FORMER], ids=["modelFormat", "sklearn"])
def test_a_model_is_defaulted(cluster, platform, models, model):
    admitted = iris.admitted(cluster, models, model)
    assert admitted["spec"]["predictor"]["model"]["modelFormat"] == {"name": "sklearn"}
    assert admitted["spec"]["predictor"]["model"]["storageUri"] == iris.URI
    assert admitted["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"


def test_an_invalid_model_is_refused(cluster, platform, models):
    model = iris.FORMER.replace("sklearn:", "minReplicas: 3\n    maxReplicas: 1\n    sklearn:")
    with pytest.raises(
        ToolFailed, match=r"validator\" denied the request: 'MinReplicas' cannot be greater"
    ):
        cluster.apply(model, namespace=models)


def test_a_runtime_that_clashes_with_ours_is_refused(cluster, platform):
    ours = only(objects("default"), "ClusterServingRuntime")
    theirs = {**ours, "metadata": {"name": "theirs"}}
    with pytest.raises(
        ToolFailed, match=r"same priority assigned .* kserve-sklearnserver and theirs"
    ):
        cluster.apply(theirs)


def test_a_second_platform_is_refused(cluster, platform):
    second = Release(cluster, cluster.namespace("second"), platform.program)
    with pytest.raises(ToolFailed, match="exists and cannot be imported") as refusal:
        second.install()
    owner = rf'"meta.helm.sh/release-namespace" must equal "{second.namespace}": current value is "{platform.namespace}"'
    assert re.search(owner, str(refusal.value))
    webhooks.wait(cluster, cluster.namespace("models"))


def test_what_the_notes_say_works(cluster, platform, models):
    notes = cluster.helm(
        "get", "notes", platform.name, "-n", platform.namespace, program=platform.program
    )
    wait, serve, ask = re.split(r"^\d\. .*:\n", notes, flags=re.MULTILINE)[1:]
    crds = re.search(r"^ *helm show crds CHART .*$", ask, re.MULTILINE)[0]
    crds = crds.replace("CHART", str(STOCK))
    cluster.bash("\n".join([wait, serve, crds]).replace("default", models))
    model = cluster.get("inferenceservice", iris.NAME, models)
    assert f"curl {model['status']['address']['url']}/v1/models/" in ask.replace("default", models)


def test_the_controller_is_never_forbidden_anything(cluster, platform, models):
    iris.serve(cluster, models)
    assert "Starting workers" in controller.log(cluster, platform.namespace)
    assert controller.forbidden(cluster, platform.namespace) == []
