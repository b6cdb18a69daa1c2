"""A folder of `manifests --gitops flux`, applied by Flux from Git. The tests go on where the one before
ended.
"""

import json
import re

import pytest

from tests.cluster.gitops.conftest import CONTROLLER, PLATFORM, until_only_that_is_gone
from tests.cluster.harness import flux
from tests.cluster.harness.flux import ready
from tests.cluster.harness.waiting import SOURCE, until_carried, until_rolled_out
from tests.rendering import ROOT as REPOSITORY

PAGE = (REPOSITORY / "docs" / "gitops-flux.md").read_text("utf-8")
ROOT = "kserve-lite"
PHASES = [f"kserve-lite-{phase}" for phase in ("crds", "platform", "runtimes")]
MODELS = "kserve-lite-models-"
KIND = "kustomizations.kustomize.toolkit.fluxcd.io"
WEBHOOKS = ("mutatingwebhookconfiguration", "inferenceservice.serving.kserve.io")


@pytest.fixture(scope="module")
def tool():
    return "flux"


@pytest.fixture(scope="module")
def running(cluster, fleet, repository, tmp_path_factory):
    """It ends before the fleet is taken away, which it would apply again."""
    flux.install(cluster)
    with flux.running(cluster, repository, tmp_path_factory.mktemp("flux")) as found:
        yield found


def kustomizations(fleet):
    return [ROOT, *PHASES, *(f"{MODELS}{space}" for space in ("default", *fleet.teams))]


def publish(running, fleet, why):
    """Render, commit, push, and what source-controller does; the revision."""
    fleet.publish(why)
    return running.fetch(ROOT)


def all_applied(running, fleet, revision):
    for name in kustomizations(fleet):
        running.until_applied(name, revision, timeout=240)


def test_from_nothing_to_a_prediction(cluster, running, fleet):
    fleet.publish("the platform and its models")
    for command in fleet.commands:
        cluster.bash(command)
    all_applied(running, fleet, running.fetch(ROOT))
    assert fleet.answer("one", "default") == 1
    assert fleet.answer("scores", "fraud") == 2
    assert fleet.answer("clicks", "ads") == 1
    (shown,) = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert shown.replace("fleet/clusters/prod", str(fleet.manifests)).splitlines() == fleet.commands
    # Ready means that the models serve: Flux has looked at their Deployments.
    checks = running.kustomization(f"{MODELS}fraud")["spec"]["healthChecks"]
    assert {each["name"] for each in checks} == {"rules-predictor", "scores-predictor"}


def test_what_is_applied_stays_as_it_is(cluster, running, fleet):
    webhooks = cluster.get(*WEBHOOKS)
    assert all(each["clientConfig"].get("caBundle") for each in webhooks["webhooks"])
    kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations,inferenceservices,services,crds,clusterservingruntimes,jobs"

    def versions():
        return {
            each["metadata"]["uid"]: each["metadata"]["resourceVersion"]
            for kind in kinds.split(",")
            for each in cluster.list(kind)
            if each["metadata"]["namespace" if "namespace" in each["metadata"] else "name"]
            != "flux-system"
        }

    before = versions()
    for _ in range(2):
        for name in kustomizations(fleet):
            running.reconcile(name)
            assert ready(running.kustomization(name)) == "True"
    assert versions() == before


def test_drift_is_repaired(cluster, running, fleet):
    cluster.kubectl("scale", "deployment", CONTROLLER[1], "-n", PLATFORM, "--replicas=3")
    cluster.kubectl("delete", "clusterservingruntime", "kserve-sklearnserver")
    patch = json.dumps({"spec": {"predictor": {"model": {"storageUri": "gs://somewhere/else"}}}})
    cluster.kubectl("patch", "inferenceservice", "one", "--type=merge", "-p", patch)
    cluster.kubectl("delete", "service", "two", "-n", "default")
    for name in kustomizations(fleet):
        running.reconcile(name)
    assert cluster.get(*CONTROLLER)["spec"]["replicas"] == 1
    assert cluster.get("clusterservingruntime", "kserve-sklearnserver")
    model = cluster.get("inferenceservice", "one")
    assert model["spec"]["predictor"]["model"]["storageUri"] == fleet.models["one"]["storageUri"]
    assert cluster.get("service", "two")
    until_carried(cluster, "one", "default", SOURCE, fleet.models["one"]["storageUri"])
    until_rolled_out(cluster, "one", "default")


def test_a_change_in_git_arrives(cluster, running, fleet, served):
    fleet.models["one"] = served("second")
    running.until_applied(f"{MODELS}default", publish(running, fleet, "another version of one"))
    until_carried(cluster, "one", "default", SOURCE, served("second")["storageUri"])
    until_rolled_out(cluster, "one", "default")
    assert fleet.answer("one", "default") == 2


def test_a_model_that_never_serves_is_reported(cluster, running, fleet, served):
    fleet.teams["ads"]["broken"] = served("third")
    revision = publish(running, fleet, "a model that is not there")
    name = f"{MODELS}ads"
    running.until_applied(ROOT, revision)
    cluster.wait("it is tried", lambda: cluster.get("deployment", "broken-predictor", "ads"))
    # Ten minutes are too long to wait for here.
    spec = running.kustomization(name)["spec"]
    assert (spec["timeout"], spec["retryInterval"]) == ("10m", "1m")
    shorter = json.dumps({"spec": {"timeout": "15s"}})
    cluster.kubectl("patch", KIND, name, "-n", flux.NAMESPACE, "--type=merge", "-p", shorter)

    def reported():
        conditions = running.kustomization(name)["status"]["conditions"]
        return [
            each["message"]
            for each in conditions
            if (each["type"], each["reason"]) == ("Ready", "HealthCheckFailed")
        ]

    (said,) = cluster.wait("it is reported", reported)
    assert "Deployment/ads/broken-predictor" in said and "clicks" not in said
    # The others go on, and so do its neighbours.
    running.until_applied(f"{MODELS}fraud", revision)
    assert fleet.answer("clicks", "ads") == 1


def test_what_mends_a_model_that_never_serves_is_applied_at_once(cluster, running, fleet):
    name = f"{MODELS}ads"
    # While it is checked, for the ten minutes that Git has again.
    running.reconcile(ROOT)
    assert running.kustomization(name)["spec"]["timeout"] == "10m"
    cluster.wait("it is checked", lambda: ready(running.kustomization(name)) == "Unknown")
    del fleet.teams["ads"]["broken"]
    running.until_applied(name, publish(running, fleet, "without it"))
    cluster.wait("it is gone", lambda: fleet.is_gone("inferenceservice", "broken", "ads"))


def test_a_model_taken_out_of_git_goes_and_only_that(cluster, running, fleet):
    before = fleet.uids("default", "fraud", "ads")
    del fleet.teams["fraud"]["rules"]
    all_applied(running, fleet, publish(running, fleet, "without rules"))
    until_only_that_is_gone(fleet, before, "fraud", "rules")


def test_the_last_model_of_a_team_goes_and_comes_back(cluster, running, fleet):
    others = fleet.uids("default", "ads")
    models, fleet.teams["fraud"] = fleet.teams["fraud"], {}
    all_applied(running, fleet, publish(running, fleet, "no model of fraud"))
    cluster.wait("they are gone", lambda: not cluster.list("inferenceservices", "fraud"))
    assert fleet.uids("default", "ads") == others
    fleet.teams["fraud"] = models
    all_applied(running, fleet, publish(running, fleet, "fraud has a model"))
    assert fleet.answer("scores", "fraud") == 2


def test_a_team_that_goes_leaves_its_namespace(cluster, running, fleet):
    others = fleet.uids("default", "fraud")
    del fleet.teams["ads"]
    all_applied(running, fleet, publish(running, fleet, "without ads"))
    cluster.wait("its models are gone", lambda: not cluster.list("inferenceservices", "ads"))
    cluster.wait("so is what applied them", lambda: running.kustomization(f"{MODELS}ads") is None)
    assert cluster.get("namespace", "ads")["status"]["phase"] == "Active"
    assert fleet.uids("default", "fraud") == others


def test_deleting_a_teams_kustomization_deletes_its_models(cluster, running, fleet):
    # Else this one applies it again.
    cluster.kubectl("delete", KIND, ROOT, "-n", flux.NAMESPACE, "--timeout=1m")
    assert all(map(running.kustomization, (*PHASES, f"{MODELS}fraud")))
    others = fleet.uids("default")
    cluster.kubectl("delete", KIND, f"{MODELS}fraud", "-n", flux.NAMESPACE, "--timeout=2m")
    cluster.wait("its models are gone", lambda: not cluster.list("inferenceservices", "fraud"))
    assert cluster.get("namespace", "fraud")["status"]["phase"] == "Active"
    assert fleet.uids("default") == others


def test_deleting_the_platforms_kustomizations_loses_no_crd_namespace_or_model(
    cluster, running, fleet
):
    crds = cluster.crds(".serving.kserve.io")
    models = fleet.uids("default")
    assert len(crds) == 6 and models
    for name in reversed(PHASES):
        cluster.kubectl("delete", KIND, name, "-n", flux.NAMESPACE, "--timeout=2m")
    cluster.wait("the controller is gone", lambda: fleet.is_gone(*CONTROLLER))
    assert cluster.get(*WEBHOOKS) is None
    assert cluster.crds(".serving.kserve.io") == crds
    for namespace in (PLATFORM, "fraud", "ads"):
        assert cluster.get("namespace", namespace)["status"]["phase"] == "Active"
    assert fleet.uids("default") == models
    assert fleet.answer("two", "default") == 2
    # And back, over what has stayed.
    for command in fleet.commands:
        cluster.bash(command)
    all_applied(running, fleet, running.fetch(ROOT))
    assert fleet.uids("default") == models
