"""Why the models chart refuses some combinations: what KServe makes of them at this version.

When one of these fails, a refusal in the models chart's check/ may have to go.
"""

import copy

import pytest
import yaml

from tests.cluster.harness import iris

DOMAIN = "models.example.com"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SERVER = {"name": "kserve-container", "image": "registry.example.com/part:1"}
PART = {"containers": [{**SERVER, "securityContext": RESTRICTED}]}


@pytest.fixture
def model(cluster, release, models):
    """Applies a model of some name whose spec is changed, in mode ingress under a domain."""
    release.install(f"--set=routing.domain={DOMAIN}")

    def apply(name, unscaled=False, **changes):
        found = copy.deepcopy(yaml.safe_load(iris.MODEL))
        found["metadata"]["name"] = name
        if unscaled:
            found["metadata"]["annotations"] = {"serving.kserve.io/autoscalerClass": "none"}
        found["spec"] |= changes
        found["spec"]["predictor"] |= changes.get("predictor", {})
        cluster.apply(found, namespace=models)

    return apply


def leads_to(cluster, service, namespace):
    """The port of the pods behind a Service."""
    found = cluster.wait(f"Service {service}", lambda: cluster.get("service", service, namespace))
    return found["spec"]["ports"][0]["targetPort"]


def test_what_kserve_makes_of_them(cluster, model, models):
    served = yaml.safe_load(iris.MODEL)["spec"]["predictor"]["model"]

    # Requests for a version go past the agent that logs those for the model itself.
    stable = {"model": served, "minReplicas": 2, "logger": {"mode": "all", "url": "http://sink"}}
    version = {"trafficPercent": 10, "predictor": {"name": "next", "model": served}}
    model("split", predictor=stable, canary=[version])
    assert leads_to(cluster, "split-predictor", models) == 9081
    assert leads_to(cluster, "split-next-predictor", models) == 8080

    # Where nothing scales it, a version may have no pod, and its part of the requests.
    model("empty", unscaled=True, predictor={"model": served, "minReplicas": 0}, canary=[version])
    found = cluster.wait(
        "the version", lambda: cluster.get("deployment", "empty-next-predictor", models)
    )
    assert found["spec"]["replicas"] == 0

    # The host of the transformer leads to the explainer, and to the predictor.
    model("both", predictor={"model": served}, transformer=PART, explainer=PART)
    ingress = cluster.wait("an Ingress", lambda: cluster.get("ingress", "both", models))
    to = [
        (
            rule["host"].split("-" + models)[0],
            rule["http"]["paths"][0]["backend"]["service"]["name"],
        )
        for rule in ingress["spec"]["rules"]
    ]
    assert ("both-transformer", "both-explainer") in to
    assert ("both-transformer", "both-predictor") in to
    assert "both-explainer" not in {host for host, _ in to}

    # Versions are compared as text.
    form = {"name": "sklearn", "version": "1.3"}
    model("version", predictor={"model": {**served, "modelFormat": form}})
    cluster.wait(
        "a model without a runtime",
        lambda: (cluster.get("inferenceservice", "version", models).get("status", {})
                 .get("modelStatus", {}).get("lastFailureInfo", {}).get("reason")
                 == "NoSupportingRuntime"),
    )  # fmt: skip
