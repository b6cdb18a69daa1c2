"""What a platform leaves behind, and finds again: upgrade, rollback, uninstall, install."""

from tests.cluster.harness import controller, iris, webhooks
from tests.cluster.harness.cluster import BOTH_HELMS

pytestmark = BOTH_HELMS

MODEL_KINDS = "inferenceservices,deployments,pods"


def identities(cluster, namespace):
    """The objects of the models by kind, and what tells a new one from an old one of that name."""
    found = cluster.list(MODEL_KINDS, namespace)
    return {
        (resource["kind"], resource["metadata"]["name"], resource["metadata"]["uid"])
        for resource in found
    }


def test_upgrade_and_rollback(cluster, platform, models):
    def runtimes():
        return {runtime["metadata"]["name"] for runtime in cluster.list("clusterservingruntimes")}

    before = runtimes()
    platform.upgrade("--set", "runtimes.xgboost.enabled=true")
    assert runtimes() - before == {"kserve-xgbserver"}
    platform.rollback(1)
    assert runtimes() == before
    webhooks.wait(cluster, models)


def test_models_outlive_the_platform(cluster, platform, models):
    iris.serve(cluster, models)
    served, (pods, _) = identities(cluster, models), iris.served(cluster, models)
    manifest = cluster.helm("get", "manifest", platform.name, "-n", platform.namespace)

    platform.uninstall()
    left = ("get", "-f", "-", "--ignore-not-found", "-o", "name")
    # Not at once: Helm 4's wait may end early, see test_examples.
    cluster.wait("nothing is left", lambda: not cluster.kubectl(*left, stdin=manifest))
    assert identities(cluster, models) == served

    more = '{"spec": {"predictor": {"minReplicas": 2, "maxReplicas": 2}}}'
    model = ("inferenceservice", iris.NAME, "-n", models)
    cluster.kubectl("patch", *model, "--type=merge", "-p", more)
    controller.free_lease(cluster, platform.namespace)
    platform.install()
    autoscaler = ("horizontalpodautoscaler", f"{iris.NAME}-predictor", models)
    cluster.wait("it adopts", lambda: cluster.get(*autoscaler)["spec"]["minReplicas"] == 2)
    assert identities(cluster, models) >= served
    # Had the adoption changed the pods, others would have replaced them by now.
    assert iris.served(cluster, models)[0] >= pods

    cluster.kubectl("delete", *model, "--cascade=foreground")
    assert identities(cluster, models) == set()
