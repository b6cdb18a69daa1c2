"""How models are reached from outside, by routing.mode."""

from tests.cluster import controller, iris

DOMAIN = "models.example.com"


def test_a_domain_publishes_the_models_that_are_there(cluster, release, models):
    """KServe reads its routing at start only: the controller restarts."""
    release.install()
    iris.serve(cluster, models)
    assert cluster.list("ingresses", models) == []
    (before,) = controller.pods(cluster, release.namespace)

    release.upgrade(f"--set=routing.domain={DOMAIN}", "--set=routing.ingressClass.name=nginx")
    controller.free_lease(cluster, release.namespace)
    of_model = ("-n", models, "--timeout=2m")
    cluster.kubectl("wait", f"ingress/{iris.NAME}", "--for=create", *of_model)
    ingress = cluster.get("ingress", iris.NAME, models)
    assert ingress["spec"]["ingressClassName"] == "nginx"
    host = f"{iris.NAME}-{models}.{DOMAIN}"
    internal = f"{iris.NAME}-predictor-{models}.{DOMAIN}"
    assert {it["host"] for it in ingress["spec"]["rules"]} == {host, internal}

    published = f"jsonpath={{.status.url}}=http://{host}"
    cluster.kubectl("wait", f"inferenceservice/{iris.NAME}", f"--for={published}", *of_model)
    notes = cluster.helm("get", "notes", release.name, "-n", release.namespace)
    assert f"curl http://{host}/v1/models/{iris.NAME}:predict" in notes.replace("default", models)

    (after,) = controller.pods(cluster, release.namespace)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_mode_none_publishes_nothing(cluster, release, models):
    release.install(f"--set=routing.domain={DOMAIN}", "--set=routing.mode=none")
    model = iris.serve(cluster, models)
    inside = f"http://{iris.NAME}-predictor.{models}.svc.cluster.local"
    assert model["status"]["address"]["url"] == inside
    assert cluster.list("ingresses", models) == []
