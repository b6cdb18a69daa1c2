"""A folder of `manifests --gitops argocd`, synced by Argo CD from Git. The tests go on where the one
before ended.
"""

import json

import pytest

from tests.cluster.gitops.argocdpage import HANDOVER, SETS, SYNC, mark, marks
from tests.cluster.gitops.conftest import CONTROLLER, PLATFORM, until_only_that_is_gone
from tests.cluster.harness import argocd
from tests.cluster.harness.waiting import SOURCE, until_carried, until_rolled_out

ROOT = "kserve-lite"
PLATFORMS = "kserve-lite-platform"
MODELS = "kserve-lite-models-"
SET = "kserve-lite-models"
NAMESPACE = ("-n", argocd.NAMESPACE)
STOP = {"annotations": {"serving.kserve.io/stop": "true"}}
WEBHOOKS = ("mutatingwebhookconfiguration", "inferenceservice.serving.kserve.io")


@pytest.fixture(scope="module")
def tool():
    return "argocd"


def applications(fleet):
    return [ROOT, PLATFORMS, *(f"{MODELS}{space}" for space in ("default", *fleet.teams))]


def all_synced(argo, fleet, commit):
    for name in applications(fleet):
        argo.until_synced(name, commit)


def test_from_nothing_to_a_prediction(cluster, argo, fleet):
    commit = fleet.publish("the platform and its models")
    # Everything at once: models' Applications try until the platform is there.
    for command in fleet.commands:
        cluster.bash(command)
    config = cluster.get("configmap", "argocd-cm", argocd.NAMESPACE)
    assert config["data"][argocd.OWN_KEY] == "5s" and len(config["data"]) == 4
    all_synced(argo, fleet, commit)
    assert fleet.answer("one", "default") == 1
    assert fleet.answer("scores", "fraud") == 2
    assert fleet.answer("clicks", "ads") == 1
    theirs = HANDOVER.replace("fleet/clusters/prod", str(fleet.manifests)).splitlines()
    assert theirs == fleet.commands
    # In waves: what was applied first, first.
    done = argo.application(PLATFORMS)["status"]["operationState"]["syncResult"]["resources"]
    order = [each["kind"] for each in done]
    last = len(order) - 1 - order[::-1].index("CustomResourceDefinition")
    assert last < order.index("Deployment") < order.index("ClusterServingRuntime")
    # Waves are on the objects, not on their pods.
    controller = cluster.get(*CONTROLLER)
    assert controller["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "10"
    assert "argocd.argoproj.io/sync-wave" not in controller["spec"]["template"]["metadata"].get(
        "annotations", {}
    )


def state(argo, fleet):
    """How often each Application has synced, and the versions of what it applies."""
    found = {}
    for name in applications(fleet):
        status = argo.application(name)["status"]
        found[name] = (status["operationState"]["finishedAt"], len(status.get("history", [])))
    for kind in (
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
        "inferenceservices",
        "services",
        "crds",
        "clusterservingruntimes",
    ):
        for each in argo.cluster.list(kind):
            found[kind, each["metadata"].get("namespace"), each["metadata"]["name"]] = each[
                "metadata"
            ]["generation" if "generation" in each["metadata"] else "uid"]
    return found


def test_what_is_synced_stays_synced(cluster, argo, fleet):
    trusted = bundles(cluster)
    assert all(trusted)
    before = state(argo, fleet)
    for _ in range(3):
        for name in applications(fleet):
            compared = argo.application(name)["status"]["reconciledAt"]
            hard = ("argocd.argoproj.io/refresh=hard", "--overwrite")
            cluster.kubectl("annotate", "application", name, *NAMESPACE, *hard)

            def again(name=name, compared=compared):
                return argo.application(name)["status"]["reconciledAt"] != compared

            cluster.wait(f"{name} is compared", again)
            status = argo.application(name)["status"]
            assert status["sync"]["status"] == "Synced", status.get("conditions")
    assert state(argo, fleet) == before
    assert bundles(cluster) == trusted


def bundles(cluster):
    """The CA bundles by which the API server trusts the webhooks."""
    webhooks = cluster.get(*WEBHOOKS)["webhooks"]
    return [each["clientConfig"].get("caBundle") for each in webhooks]


def test_drift_is_repaired(cluster, argo, fleet):
    where = ("-n", PLATFORM)
    cluster.kubectl("scale", "deployment", CONTROLLER[1], *where, "--replicas=3")
    cluster.kubectl("delete", "clusterservingruntime", "kserve-sklearnserver")
    # A field that Git has; others belong to whoever set them.
    patch = json.dumps({"spec": {"predictor": {"model": {"storageUri": "gs://somewhere/else"}}}})
    cluster.kubectl("patch", "inferenceservice", "one", "--type=merge", "-p", patch)
    cluster.kubectl("delete", "service", "two", "-n", "default")
    cluster.wait("the controller is one", lambda: cluster.get(*CONTROLLER)["spec"]["replicas"] == 1)
    cluster.wait(
        "the runtime is back", lambda: cluster.get("clusterservingruntime", "kserve-sklearnserver")
    )

    def repaired():
        model = cluster.get("inferenceservice", "one")
        return (
            model["spec"]["predictor"]["model"]["storageUri"] == fleet.models["one"]["storageUri"]
        )

    cluster.wait("the model is as in Git", repaired)
    cluster.wait("the Service is back", lambda: cluster.get("service", "two"))
    # What KServe, not Git, has made is KServe's to repair.
    cluster.kubectl("delete", "deployment", "one-predictor", "-n", "default")
    cluster.wait("KServe makes it anew", lambda: cluster.get("deployment", "one-predictor"))
    until_carried(cluster, "one", "default", SOURCE, fleet.models["one"]["storageUri"])
    until_rolled_out(cluster, "one", "default")


def test_a_change_in_git_arrives(cluster, argo, fleet, served):
    fleet.models["one"] = served("second")
    commit = fleet.publish("another version of one")
    argo.until_synced(f"{MODELS}default", commit)
    until_carried(cluster, "one", "default", SOURCE, served("second")["storageUri"])
    until_rolled_out(cluster, "one", "default")
    assert fleet.answer("one", "default") == 2


def test_a_namespace_has_the_health_of_its_models(cluster, argo, fleet, served):
    ads = f"{MODELS}ads"
    fleet.teams["ads"]["broken"] = served("third")
    commit = fleet.publish("a model that is not there")
    argo.until_synced(ads, commit, health="Degraded")
    # The others go on, and so do its neighbours.
    for name in applications(fleet):
        if name != ads:
            argo.until_synced(name, commit)
    assert fleet.answer("clicks", "ads") == 1
    del fleet.teams["ads"]["broken"]
    # Of graphs Argo CD knows nothing: this is by the rule that argocd-cm has been given.
    steps = [{"model": "clicks"}]
    fleet.graphs["ads"] = {
        "idle": {"nodes": {"root": {"type": "Sequence", "steps": steps}}, **STOP}
    }
    argo.until_synced(ads, fleet.publish("a graph that is stopped"), health="Suspended")
    del fleet.graphs["ads"]
    all_synced(argo, fleet, fleet.publish("without it"))


def test_what_mends_a_commit_that_cannot_be_applied_is_applied(cluster, argo, fleet, served):
    ads = f"{MODELS}ads"
    unknown = {"annotations": {"serving.kserve.io/autoscalerClass": "vpa"}}
    fleet.teams["ads"]["refused"] = {**served("first"), **unknown}
    fleet.publish("a model that KServe's webhook refuses")

    def tried(application):
        # There is none for a moment, while an operation begins.
        operation = application["status"].get("operationState", {})
        return operation.get("retryCount", 0) > 1 and "[vpa] is not a supported" in str(operation)

    argo.until(ads, "is refused again and again", tried)
    fleet.teams["ads"]["refused"] = served("second")
    all_synced(argo, fleet, fleet.publish("a model that KServe takes"))
    assert fleet.answer("refused", "ads") == 2
    del fleet.teams["ads"]["refused"]
    all_synced(argo, fleet, fleet.publish("without it"))


def test_a_model_taken_out_of_git_goes_and_only_that(cluster, argo, fleet):
    before = fleet.uids("default", "fraud", "ads")
    del fleet.teams["fraud"]["rules"]
    commit = fleet.publish("without rules")
    cluster.wait(
        "it is gone",
        lambda: (
            argo.refreshed(f"{MODELS}fraud") and fleet.is_gone("inferenceservice", "rules", "fraud")
        ),
    )
    all_synced(argo, fleet, commit)
    until_only_that_is_gone(fleet, before, "fraud", "rules")


def test_the_last_model_of_a_team_goes_and_comes_back(cluster, argo, fleet):
    others = fleet.uids("default", "ads")
    models, fleet.teams["fraud"] = fleet.teams["fraud"], {}
    commit = fleet.publish("no model of fraud")
    argo.until_synced(f"{MODELS}fraud", commit)
    assert cluster.list("inferenceservices", "fraud") == []
    all_synced(argo, fleet, commit)
    assert fleet.uids("default", "ads") == others
    fleet.teams["fraud"] = models
    all_synced(argo, fleet, fleet.publish("fraud has a model"))
    assert fleet.answer("scores", "fraud") == 2


def test_a_team_that_goes_leaves_its_namespace(cluster, argo, fleet):
    others = fleet.uids("default", "fraud")
    del fleet.teams["ads"]
    commit = fleet.publish("without ads")
    # The Application is pruned, and takes its models along.
    cluster.wait(
        "the models are gone",
        lambda: argo.refreshed(ROOT) and not cluster.list("inferenceservices", "ads"),
    )
    cluster.wait("so is the Application", lambda: argo.application(f"{MODELS}ads") is None)
    # Synced, though the Namespace is there, and not in Git.
    all_synced(argo, fleet, commit)
    assert cluster.get("namespace", "ads")["status"]["phase"] == "Active"
    assert fleet.uids("default", "fraud") == others


def test_deleting_a_teams_application_deletes_its_models(cluster, argo, fleet):
    # Else this one applies it again.
    cluster.kubectl("delete", "application", ROOT, *NAMESPACE, "--timeout=1m")
    assert argo.application(PLATFORMS) and argo.application(f"{MODELS}fraud")
    others = fleet.uids("default")
    cluster.kubectl("delete", "application", f"{MODELS}fraud", *NAMESPACE, "--timeout=2m")
    assert cluster.list("inferenceservices", "fraud") == []
    assert cluster.get("namespace", "fraud")["status"]["phase"] == "Active"
    assert fleet.uids("default") == others


def test_deleting_the_platforms_application_loses_no_crd_namespace_or_model(cluster, argo, fleet):
    crds = cluster.crds(".serving.kserve.io")
    models = fleet.uids("default")
    assert len(crds) == 6 and models
    cluster.kubectl("delete", "application", PLATFORMS, *NAMESPACE, "--timeout=2m")
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
    all_synced(argo, fleet, fleet.repository.git("rev-parse", "HEAD").strip())
    assert fleet.uids("default") == models


def test_applicationsets_make_the_same_applications(cluster, argo, fleet):
    """The page's, for the one cluster that there is; by now nothing else applies anything."""
    names = [PLATFORMS, *(f"{MODELS}{space}" for space in ("default", *fleet.teams))]
    for name in (ROOT, *reversed(names)):
        no_finalizer = '{"metadata": {"finalizers": null}}'
        cluster.kubectl(
            "patch", "application", name, *NAMESPACE, "--type=merge", "-p", no_finalizer
        )
        cluster.kubectl("delete", "application", name, *NAMESPACE, "--timeout=1m")
    spaces = ("default", *fleet.teams)
    models = fleet.uids(*spaces)
    argo.name_cluster("prod")
    shown = SETS.replace("https://git.example.com/fleet.git", fleet.repository.url)
    cluster.apply(shown, namespace=argocd.NAMESPACE)
    commit = fleet.repository.git("rev-parse", "HEAD").strip()
    for name in ("prod-platform", *(f"prod-models-{space}" for space in ("default", *fleet.teams))):
        cluster.wait(f"there is {name}", lambda name=name: argo.application(name))
        argo.until_synced(name, commit)
    assert fleet.uids(*spaces) == models
    # Deleted as the page says, it leaves its Applications, and takes them up again.
    orphan = ("--cascade=orphan", "--timeout=1m")
    cluster.kubectl("delete", "applicationset", SET, *NAMESPACE, *orphan)
    assert "ownerReferences" not in argo.application("prod-models-fraud")["metadata"]
    cluster.apply(shown, namespace=argocd.NAMESPACE)
    cluster.wait(
        "they are taken up",
        lambda: "ownerReferences" in argo.application("prod-models-fraud")["metadata"],
    )
    assert fleet.uids(*spaces) == models
    # What the new ones have found is marked as the old ones', and stays without a team's folder.
    fraud = fleet.teams.pop("fraud")
    fleet.publish("without fraud")
    argo.look(SET)
    cluster.wait("fraud's is gone", lambda: not argo.application("prod-models-fraud"))
    assert fleet.uids(*spaces) == models
    assert marks(cluster, "fraud") == {f"{MODELS}fraud"}
    # Until they apply it, as the page says.
    fleet.teams["fraud"] = fraud
    commit = fleet.publish("with fraud")
    argo.look(SET)
    for space in spaces:
        name = f"prod-models-{space}"
        cluster.wait(f"there is {name}", lambda name=name: argo.application(name))
        argo.until_synced(name, commit)
        cluster.bash(SYNC.replace("prod-models-fraud", name))
        cluster.wait(
            "it has applied them", lambda space=space, name=name: marks(cluster, space) == {name}
        )
    pods = {key for key in models if key[0] == "Pod"}
    cluster.wait("their pods are others", lambda: pods and not pods & fleet.uids(*spaces).keys())
    now = fleet.uids(*spaces).items()
    assert {key: uid for key, uid in now if key[0] != "Pod"} == {
        key: uid for key, uid in models.items() if key[0] != "Pod"
    }
    # Without a team's folder its Application goes, and with that its models.
    del fleet.teams["fraud"]
    fleet.publish("without fraud")
    argo.look(SET)
    cluster.wait("fraud's models are gone", lambda: not cluster.list("inferenceservices", "fraud"))
    assert fleet.answer("two", "default") == 2
    # And without the ApplicationSet all do.
    cluster.kubectl("delete", "applicationset", SET, *NAMESPACE, "--timeout=1m")
    cluster.wait("all models are gone", lambda: not cluster.list("inferenceservices"))


def test_applied_once_more_the_platform_is_the_new_applications_and_nothing_restarts(
    cluster, argo, fleet
):
    trusted, before = bundles(cluster), cluster.get(*CONTROLLER)
    assert all(trusted) and mark(before) == PLATFORMS
    cluster.bash(SYNC.replace("prod-models-fraud", "prod-platform"))
    cluster.wait("it has applied it", lambda: mark(cluster.get(*CONTROLLER)) == "prod-platform")
    argo.until_synced("prod-platform", fleet.repository.git("rev-parse", "HEAD").strip())
    assert cluster.get(*CONTROLLER)["spec"] == before["spec"]
    assert bundles(cluster) == trusted
