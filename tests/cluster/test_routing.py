"""How models are reached from outside, by routing.mode."""

import json

from generator import MODELS
from tests.cluster.harness import controller, iris
from tests.cluster.harness.cluster import Release
from tests.rendering import CHARTS

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
    assert {rule["host"] for rule in ingress["spec"]["rules"]} == {host, internal}

    published = f"jsonpath={{.status.url}}=http://{host}"
    cluster.kubectl("wait", f"inferenceservice/{iris.NAME}", f"--for={published}", *of_model)
    notes = cluster.helm("get", "notes", release.name, "-n", release.namespace)
    assert f"curl http://{host}/v1/models/{iris.NAME}:predict" in notes.replace("default", models)

    (after,) = controller.pods(cluster, release.namespace)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_declared_model_behind_an_ingress(cluster, release, models, tmp_path):
    """Annotations reach the Ingress and no pod; the class is there; the explainer has its host."""
    ours = {"example.com/timeout": "300s", "example.com/tls": "edge"}
    values = {
        "routing": {"domain": DOMAIN, "ingressAnnotations": ours},
        "global": {"platformNamespace": release.namespace},
        "models": {
            iris.NAME: {
                "format": "sklearn",
                "storageUri": iris.URI,
                "explainer": {"image": "registry.example.com/explainer:1"},
            }
        },
    }
    (tmp_path / "my.yaml").write_text(json.dumps(values))
    release.install(f"--values={tmp_path}/my.yaml")
    iris_release = Release(cluster, models, chart=CHARTS[MODELS], name="iris")
    iris_release.install(f"--values={tmp_path}/my.yaml")
    of_model = ("-n", models, "--timeout=2m")
    cluster.kubectl("wait", f"ingress/{iris.NAME}", "--for=create", *of_model)

    ingress = cluster.get("ingress", iris.NAME, models)
    assert ours.items() <= ingress["metadata"]["annotations"].items()
    name = ingress["spec"]["ingressClassName"]
    assert cluster.get("ingressclass", name)["spec"]["controller"] == "istio.io/ingress-controller"
    leads = {
        rule["host"]: rule["http"]["paths"][0]["backend"]["service"]["name"]
        for rule in ingress["spec"]["rules"]
    }
    assert leads == {
        f"{iris.NAME}-{models}.{DOMAIN}": f"{iris.NAME}-predictor",
        f"{iris.NAME}-predictor-{models}.{DOMAIN}": f"{iris.NAME}-predictor",
        f"{iris.NAME}-explainer-{models}.{DOMAIN}": f"{iris.NAME}-explainer",
    }
    pods = [*cluster.list("pods", models), *cluster.list("deployments", models)]
    assert len(pods) >= 4
    templates = [pod["spec"].get("template", pod)["metadata"] for pod in pods]
    assert not [
        template for template in templates if ours.keys() & template.get("annotations", {}).keys()
    ]

    # KServe copies them when it creates an Ingress, and not again.
    cluster.kubectl("annotate", "ingress", iris.NAME, "-n", models, "example.com/tls-")
    cluster.kubectl("delete", "ingress", iris.NAME, "-n", models)
    cluster.kubectl("wait", f"ingress/{iris.NAME}", "--for=create", *of_model)
    again = cluster.get("ingress", iris.NAME, models)
    assert ours.items() <= again["metadata"]["annotations"].items()
    iris_release.uninstall()


def test_mode_none_publishes_nothing(cluster, release, models):
    release.install(f"--set=routing.domain={DOMAIN}", "--set=routing.mode=none")
    model = iris.serve(cluster, models)
    inside = f"http://{iris.NAME}-predictor.{models}.svc.cluster.local"
    assert model["status"]["address"]["url"] == inside
    assert cluster.list("ingresses", models) == []
