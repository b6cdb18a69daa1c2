"""Law 6: the namespace is data: installed in another one, no object names `kserve` as its own."""

import json
from collections.abc import Collection

import pytest

from generator import MODELS
from tests import rendering
from tests.rendering import CASES, CHART_CASES, WITH_MODELS, Object, objects, walk

HERE, THERE = "ml-platform", "other-place"


def elsewhere(them: list[Object], namespace: str, tenants: Collection[str] = ()) -> list[str]:
    """Every namespace that the objects name, other than theirs and the tenants'."""
    found = []
    for manifest in them:
        for path, value in walk(manifest):
            if path[-1:] == ("namespace",) and value not in (namespace, "default", *tenants):
                found.append(f"{rendering.identity(manifest)}: {path} is {value}")
            if isinstance(value, str) and (".kserve.svc" in value or "kserve/" in value):
                if "docker.io/kserve/" in value or "mirror/kserve/" in value:
                    continue
                found.append(f"{rendering.identity(manifest)}: {path}: {value}")
    return found


@pytest.mark.parametrize("case", CASES)
def test_nothing_names_another_namespace(case):
    tenants = rendering.values_of(case).get("tenants", {})
    assert elsewhere(objects(case, namespace=HERE), HERE, tenants) == []


@pytest.mark.parametrize("case", WITH_MODELS)
def test_models_are_where_their_release_is(case):
    them = objects(case, chart=MODELS, namespace=HERE)
    assert {manifest["metadata"]["namespace"] for manifest in them} == {HERE}
    assert ".default.svc" not in json.dumps(them)
    assert "-default.models" not in json.dumps(them)


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_two_namespaces_differ_in_the_namespace_alone(chart, case):
    def normal(namespace: str) -> list[Object]:
        them = objects(case, chart=chart, namespace=namespace)
        for manifest in them:
            if manifest["kind"] == "Job":
                manifest["metadata"]["name"] = "hash"  # Of a spec that names the namespace.
            if manifest["kind"] == "Deployment":
                manifest["spec"]["template"]["metadata"]["annotations"].pop(
                    "checksum/inferenceservice-config"
                )
        return them

    here = json.dumps(normal(HERE)).replace(HERE, "NAMESPACE")
    there = json.dumps(normal(THERE)).replace(THERE, "NAMESPACE")
    assert here == there


def test_the_certificate_is_for_the_services_own_name():
    job = rendering.only(objects("default", namespace=HERE), "Job")
    (hosts,) = [
        argument
        for argument in job["spec"]["template"]["spec"]["initContainers"][0]["args"]
        if argument.startswith("--host=")
    ]
    service = f"kserve-webhook-server-service.{HERE}.svc"
    assert hosts == f"--host={service},{service}.cluster.local"
    certificate = rendering.only(objects("cert-manager", namespace=HERE), "Certificate")
    assert certificate["spec"]["dnsNames"] == [service, f"{service}.cluster.local"]
