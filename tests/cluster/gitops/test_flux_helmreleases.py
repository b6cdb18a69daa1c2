"""The HelmReleases of docs/gitops-flux.md, as they stand there, installed by Flux's helm-controller. The
tests go on where the one before ended.
"""

import json
import re

import pytest
import yaml

from tests.cluster.gitops.conftest import CONTROLLER, PLATFORM, Fleet, until_only_that_is_gone
from tests.cluster.harness import controller, flux, helmcontroller, iris
from tests.cluster.harness.helmcontroller import KIND
from tests.cluster.harness.status import condition
from tests.cluster.harness.waiting import SOURCE, until_carried, until_ready, until_rolled_out
from tests.rendering import CHARTS, ROOT

PAGE = (ROOT / "docs" / "gitops-flux.md").read_text("utf-8")
TEAM = "fraud"
PLATFORMS = (PLATFORM, "kserve-lite")
MODELS = (TEAM, "kserve-lite-models")
GROUP = ".serving.kserve.io"
WEBHOOKS = ("mutatingwebhookconfiguration", "inferenceservice.serving.kserve.io")
CONFIGURATION = ("configmap", "inferenceservice-config", PLATFORM)
CRD = "trainedmodels.serving.kserve.io"
NEW = "99.0.0"


def shown():
    """The HelmRelease of the platform, the ConfigMap of the models and their HelmRelease."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return list(yaml.safe_load_all(block))


@pytest.fixture(scope="module")
def team(cluster, repository, served, tmp_path_factory):
    """What is declared, in a repository with the charts; all of it is taken away afterwards."""
    cluster.empty()
    for name, folder in CHARTS.items():
        cluster.bash(f"mkdir -p charts && cp -r {folder} charts/{name}", cwd=repository.clone)
    repository.push("the charts")
    for namespace in (PLATFORM, TEAM):
        cluster.wait(namespace, lambda space=namespace: cluster.kubectl("create", "ns", space))
    found = Fleet(cluster, repository, "flux", tmp_path_factory.mktemp("values"))
    found.teams[TEAM] = {"rules": served("first"), "scores": served("second")}
    yield found
    nothing = '{"metadata": {"finalizers": null}}'
    for release in cluster.list(KIND):
        name, namespace = release["metadata"]["name"], release["metadata"]["namespace"]
        cluster.kubectl("patch", KIND, name, "-n", namespace, "--type=merge", "-p", nothing)
        cluster.kubectl("delete", KIND, name, "-n", namespace, "--ignore-not-found")
    cluster.reset()
    for namespace, name in (MODELS, PLATFORMS):
        cluster.helm("uninstall", name, "-n", namespace, "--ignore-not-found")
    for namespace in (flux.NAMESPACE, PLATFORM, TEAM):
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture(scope="module")
def releases(cluster, team, repository, tmp_path_factory):
    """Flux, with none of them applied. It ends before they are taken away."""
    helmcontroller.install(cluster)
    with helmcontroller.running(cluster, repository, tmp_path_factory.mktemp("flux")) as found:
        yield found


def declare(cluster, team, **spec):
    """Apply what the page shows, with our models; `spec` goes into the platform's HelmRelease."""
    platform, _, models = shown()
    platform["spec"] |= spec
    give(cluster, team)
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([platform, models]))


def give(cluster, team):
    """Apply the ConfigMap of the page, with our models. Nobody asks Flux to look: its label does."""
    _, values, _ = shown()
    values["data"] = {"values.yaml": json.dumps({"models": team.teams[TEAM]})}
    cluster.apply(values, namespace=TEAM)


def change(cluster, releases, team):
    """Give other models than before, and wait until Flux has them."""
    before = releases.history(*MODELS)[0]["version"]
    give(cluster, team)
    releases.until_ready(*MODELS, release=before + 1)


def refuse(cluster, releases, team):
    """Give other models than before while KServe's webhook is away, which is back after that."""
    before = releases.history(*MODELS)[0]["version"]
    scale = ("scale", "deployment", CONTROLLER[1], "-n", PLATFORM)
    cluster.kubectl(*scale, "--replicas=0")
    cluster.wait("it is away", lambda: controller.are_away(cluster, PLATFORM))
    give(cluster, team)

    def refused():
        """And says so, until it tries again."""
        last, said = releases.history(*MODELS)[0], releases.ready(*MODELS).get("message", "")
        failed = last["version"] > before and last["status"] == "failed"
        return failed and "failed calling webhook" in said

    cluster.wait("it is refused, for want of the webhook", refused)
    controller.free_lease(cluster, PLATFORM)
    cluster.kubectl(*scale, "--replicas=1")
    cluster.kubectl("rollout", "status", "-n", PLATFORM, "/".join(CONTROLLER[:2]), "--timeout=2m")


def adjust(cluster, strategy):
    """Another strategy for upgrades of the models than the page has."""
    patch = json.dumps({"spec": {"upgrade": {"strategy": strategy}}})
    cluster.kubectl("patch", KIND, MODELS[1], "-n", TEAM, "--type=merge", "-p", patch)


def versions(cluster):
    """Every object of both releases, and its version in the API server."""
    found = {}
    for namespace, name in (PLATFORMS, MODELS):
        manifest = cluster.helm("get", "manifest", name, "-n", namespace)
        listed = cluster.kubectl("get", "-f", "-", "-n", namespace, "-o", "json", stdin=manifest)
        for each in json.loads(listed)["items"]:
            about = each["metadata"]
            key = (each["kind"], about.get("namespace"), about["name"])
            found[key] = about["resourceVersion"]
    return found


def short_names(cluster):
    """Those of the CRD that the tests change."""
    return cluster.get("crd", CRD)["spec"]["names"]["shortNames"]


def of_drift(cluster):
    """What Flux says of drift in events."""
    events = cluster.list("events", PLATFORM) + cluster.list("events", TEAM)
    return {each["reason"] for each in events if "Drift" in each["reason"]}


def test_from_nothing_to_a_prediction(cluster, releases, team):
    declare(cluster, team)
    # The chart of the models is there first, and waits all the same.
    releases.fetch(*MODELS)
    cluster.wait(
        "the models wait for the platform",
        lambda: releases.ready(*MODELS).get("reason") == "DependencyNotReady",
    )
    assert not cluster.crds(GROUP)
    releases.fetch(*PLATFORMS)
    releases.until_ready(*PLATFORMS)
    # Ready means that Flux has waited: the controller runs, and the webhooks have their certificate.
    assert cluster.get(*CONTROLLER)["status"]["readyReplicas"] == 1
    assert all(each["clientConfig"].get("caBundle") for each in cluster.get(*WEBHOOKS)["webhooks"])
    assert len(cluster.crds(GROUP)) == 6
    releases.until_ready(*MODELS)
    for name in team.teams[TEAM]:
        until_ready(cluster, f"inferenceservice/{name}", TEAM)
    assert team.answer("rules", TEAM) == 1
    assert team.answer("scores", TEAM) == 2
    assert [len(releases.history(*release)) for release in (PLATFORMS, MODELS)] == [1, 1]


def test_what_is_applied_stays_as_it_is(cluster, releases, team):
    cluster.wait("KServe has nothing to report", lambda: versions(cluster) == versions(cluster))
    before = versions(cluster)
    assert {"MutatingWebhookConfiguration", "InferenceService"} < {kind for kind, _, _ in before}
    for _ in range(2):
        for release in (PLATFORMS, MODELS):
            releases.reconcile(*release)
            assert condition(releases.get(*release), "Drifted") == "False"
    assert versions(cluster) == before
    assert of_drift(cluster) == set()


def test_drift_is_repaired(cluster, releases, team):
    cluster.kubectl("scale", "deployment", CONTROLLER[1], "-n", PLATFORM, "--replicas=3")
    cluster.kubectl("delete", "clusterservingruntime", "kserve-sklearnserver")
    patch = json.dumps({"spec": {"predictor": {"model": {"storageUri": "gs://somewhere/else"}}}})
    model = ("inferenceservice", "rules", "-n", TEAM)
    cluster.kubectl("patch", *model, "--type=merge", "-p", patch)
    cluster.kubectl("delete", "service", "scores", "-n", TEAM)
    short = json.dumps({"spec": {"names": {"shortNames": ["changed"]}}})
    cluster.kubectl("patch", "crd", CRD, "--type=merge", "-p", short)
    for release in (PLATFORMS, MODELS):
        releases.reconcile(*release)
        releases.until_ready(*release, release=1)
    assert cluster.get(*CONTROLLER)["spec"]["replicas"] == 1
    assert cluster.get("clusterservingruntime", "kserve-sklearnserver")
    uri = team.teams[TEAM]["rules"]["storageUri"]
    found = cluster.get("inferenceservice", "rules", TEAM)
    assert found["spec"]["predictor"]["model"]["storageUri"] == uri
    assert cluster.get("service", "scores", TEAM)
    assert "DriftCorrected" in of_drift(cluster)
    assert short_names(cluster) == ["changed"]
    until_carried(cluster, "rules", TEAM, SOURCE, uri)
    until_rolled_out(cluster, "rules", TEAM)


def test_changed_values_arrive(cluster, releases, team, served):
    xgboost = ("clusterservingruntime", "kserve-xgbserver")
    assert cluster.get(*xgboost) is None
    declare(cluster, team, values={"runtimes": {"xgboost": {"enabled": True}}})
    releases.until_ready(*PLATFORMS, release=2)
    assert cluster.get(*xgboost)
    # That was a release of the chart.
    assert short_names(cluster) == ["tm"]
    team.teams[TEAM]["rules"] = served("second")
    declare(cluster, team, values={"runtimes": {"xgboost": {"enabled": True}}})
    releases.until_ready(*MODELS, release=2)
    until_carried(cluster, "rules", TEAM, SOURCE, served("second")["storageUri"])
    until_rolled_out(cluster, "rules", TEAM)
    assert team.answer("rules", TEAM) == 2
    declare(cluster, team)
    releases.until_ready(*PLATFORMS, release=3)
    cluster.wait("it is gone", lambda: team.is_gone(*xgboost))


def test_a_new_chart_brings_its_crds(cluster, releases, team, repository):
    pods = {key: uid for key, uid in team.uids(TEAM).items() if key[0] == "Pod"}
    crds = {each["metadata"]["name"]: each["metadata"]["uid"] for each in cluster.list("crds")}
    chart = repository.clone / "charts" / "kserve-lite"
    about = chart / "Chart.yaml"
    text = about.read_text("utf-8")
    about.write_text(re.sub(r"^version: .*$", f"version: {NEW}", text, flags=re.MULTILINE))
    file = chart / "crds" / "serving.kserve.io_trainedmodels.yaml"
    crd, _ = yaml.safe_load_all(file.read_text("utf-8"))
    crd["spec"]["names"]["shortNames"] = ["news"]
    file.write_text(yaml.safe_dump(crd))
    repository.push("a new version of the chart")
    assert releases.fetch(*PLATFORMS) == NEW
    releases.until_ready(*PLATFORMS, release=4)
    assert releases.history(*PLATFORMS)[0]["chartVersion"] == NEW
    assert short_names(cluster) == ["news"]
    # No CRD was made anew, which would have taken models along, and no model restarted.
    assert crds == {
        each["metadata"]["name"]: each["metadata"]["uid"] for each in cluster.list("crds")
    }
    assert pods == {key: uid for key, uid in team.uids(TEAM).items() if key[0] == "Pod"}


def test_a_model_that_never_serves_holds_up_no_other(cluster, releases, team, served):
    team.teams[TEAM] |= {"broken": served("third"), "late": served("first")}
    change(cluster, releases, team)
    until_ready(cluster, "inferenceservice/late", TEAM)
    broken = cluster.get("inferenceservice", "broken", TEAM)
    assert condition(broken, "Ready") != "True"
    assert releases.ready(*MODELS)["status"] == "True"
    assert team.answer("late", TEAM) == 1
    assert team.answer("scores", TEAM) == 2
    del team.teams[TEAM]["broken"], team.teams[TEAM]["late"]
    change(cluster, releases, team)
    cluster.wait("it is gone", lambda: team.is_gone("inferenceservice", "broken", TEAM))


def test_by_default_flux_gives_up(cluster, releases, team, served):
    adjust(cluster, None)
    releases.until_ready(*MODELS)
    team.teams[TEAM]["rules"] = served("first")
    refuse(cluster, releases, team)
    releases.reconcile(*MODELS)
    found = releases.get(*MODELS)
    assert [condition(found, kind) for kind in ("Ready", "Stalled")] == ["False", "True"]
    team.teams[TEAM]["rules"] = served("first") | {"labels": {"changed": "again"}}
    change(cluster, releases, team)


def test_what_was_refused_once_is_tried_again(cluster, releases, team, served):
    declare(cluster, team)
    releases.until_ready(*MODELS)
    assert releases.get(*MODELS)["spec"]["upgrade"]["strategy"] == {"name": "RetryOnFailure"}
    # Five minutes are too long to wait for here.
    adjust(cluster, {"retryInterval": "2s"})
    releases.until_ready(*MODELS)
    generation = releases.get(*MODELS)["metadata"]["generation"]
    team.teams[TEAM]["rules"] = served("second")
    refuse(cluster, releases, team)
    releases.until_ready(*MODELS)
    assert releases.get(*MODELS)["metadata"]["generation"] == generation
    until_carried(cluster, "rules", TEAM, SOURCE, served("second")["storageUri"])
    until_rolled_out(cluster, "rules", TEAM)


def test_a_model_taken_out_goes_and_only_that(cluster, releases, team):
    before = team.uids(TEAM)
    del team.teams[TEAM]["rules"]
    change(cluster, releases, team)
    until_only_that_is_gone(team, before, TEAM, "rules")


def test_deleting_the_platforms_loses_no_crd_namespace_or_model(cluster, releases, team):
    crds = cluster.crds(GROUP)
    models = team.uids(TEAM)
    assert len(crds) == 6 and models
    cluster.kubectl("delete", KIND, PLATFORMS[1], "-n", PLATFORM, "--timeout=3m")
    for gone in (CONTROLLER, CONFIGURATION, (*WEBHOOKS, "default")):
        cluster.wait(f"{gone} is gone", lambda what=gone: team.is_gone(*what))
    assert cluster.list("clusterservingruntimes") == []
    assert cluster.crds(GROUP) == crds
    for namespace in (PLATFORM, TEAM):
        assert cluster.get("namespace", namespace)["status"]["phase"] == "Active"
    assert team.uids(TEAM) == models
    assert team.answer("scores", TEAM) == 2
    # What is amiss with the models stays so meanwhile.
    cluster.kubectl("delete", "service", "scores", "-n", TEAM)
    releases.ask(*MODELS)
    cluster.wait(
        "the models wait for the platform",
        lambda: releases.ready(*MODELS).get("reason") == "DependencyNotReady",
    )
    assert cluster.get("service", "scores", TEAM) is None
    # And back, over what has stayed.
    controller.free_lease(cluster, PLATFORM)
    declare(cluster, team)
    releases.fetch(*PLATFORMS)
    releases.until_ready(*PLATFORMS, release=1)
    releases.reconcile(*MODELS)
    releases.until_ready(*MODELS)
    mended = ("Service", TEAM, "scores")
    found = team.uids(TEAM)
    assert found.keys() == models.keys()
    assert {key for key in found if found[key] != models[key]} == {mended}
    assert team.answer("scores", TEAM) == 2


def test_deleting_that_of_models_takes_its_models_and_no_other(cluster, releases, team):
    cluster.apply(iris.MODEL, namespace=TEAM)
    cluster.kubectl("delete", KIND, MODELS[1], "-n", TEAM, "--timeout=3m")
    cluster.wait("its pods are gone", lambda: team.is_gone("deployment", "scores-predictor", TEAM))
    left = [each["metadata"]["name"] for each in cluster.list("inferenceservices", TEAM)]
    assert left == [iris.NAME]
    assert cluster.get("configmap", TEAM, TEAM)
    assert cluster.get("namespace", TEAM)["status"]["phase"] == "Active"
    assert releases.ready(*PLATFORMS)["status"] == "True"
