"""Tenants: what the API server lets the members of a team do, and what it refuses them."""

import json
import re
import secrets
from collections.abc import Iterator
from functools import partial

import pytest
import yaml

from generator import MODELS
from generator.errors import ToolFailed
from tests.cluster.harness import iris, waiting
from tests.cluster.harness.cluster import Cluster, Release, installed
from tests.peers import may_call
from tests.rendering import CHARTS, Object, only, parse
from tests.unit.test_cli import run

OCI = "oci://registry.example.com/models/iris:1"
MODEL = {"format": "sklearn", "storageUri": iris.URI}
IRIS = {"iris": MODEL}
GRAPHS = {"vote": {"nodes": {"root": {"type": "Sequence", "steps": [{"model": "iris"}]}}}}


class Tenants:
    """Three teams on a platform: a strict one, one that a quota limits, one that may have graphs."""

    def __init__(self, cluster: Cluster, folder) -> None:
        mark = secrets.token_hex(3)
        self.cluster = cluster
        self.fraud, self.ads, self.search = (
            f"{name}-{mark}" for name in ("fraud", "ads", "search")
        )
        self.names = (self.fraud, self.ads, self.search)
        self.folder = folder
        self.values = folder / "platform.yaml"
        tenants = {
            self.fraud: {"labels": {"cost-center": "4711"}, "annotations": {"example.com/a": "b"}},
            self.ads: {
                "resourceQuota": {"hard": {"requests.cpu": "3"}},
                "limitRange": {
                    "limits": [
                        {
                            "type": "Container",
                            "default": {"cpu": "700m", "memory": "70Mi"},
                            "defaultRequest": {"cpu": "7m", "memory": "7Mi"},
                        }
                    ]
                },
                "networkPolicy": {"from": [self.namespace_of(self.search)]},
            },
            self.search: {"labels": {"cost-center": "1000017"}, "podSecurity": "baseline"},
        }
        for name, tenant in tenants.items():
            tenant["groups"] = [f"{name}-engineers"]
        self.values.write_text(yaml.safe_dump({"tenants": tenants}))

    @staticmethod
    def namespace_of(name: str) -> Object:
        labels = {"kubernetes.io/metadata.name": name}
        return {"namespaceSelector": {"matchLabels": labels}}

    def member(self, tenant: str) -> tuple[str, ...]:
        """The options by which kubectl acts for a member of a tenant's group."""
        return "--as=somebody", f"--as-group={tenant}-engineers"

    def may(self, tenant: str, verb: str, resource: str, namespace: str | None = None) -> bool:
        where = ("-n", namespace or tenant)
        said = self.cluster.kubectl(
            "auth", "can-i", verb, resource, *where, *self.member(tenant), accept=(0, 1)
        )
        return said.strip() == "yes"

    def file(self, tenant: str, **declared: object) -> str:
        """The values of a team: models and graphs."""
        file = self.folder / f"{tenant}.yaml"
        file.write_text(yaml.safe_dump(declared))
        return str(file)

    def models(self, tenant: str, **declared: object) -> Release:
        """A release of the models chart in the namespace of a tenant, with the platform's values."""
        release = Release(self.cluster, tenant, chart=CHARTS[MODELS], name="models")
        release.helm(
            "upgrade", "--install", "-f", str(self.values), "-f", self.file(tenant, **declared)
        )
        return release

    def pods(self, tenant: str, selector: str = "") -> list[Object]:
        """The pods of a tenant that are not about to end."""
        every = self.cluster.list("pods", tenant, selector)
        return [each for each in every if "deletionTimestamp" not in each["metadata"]]

    def refused_pods(self, tenant: str, name: str) -> str:
        """What the ReplicaSet of a workload says of the pods that it cannot make."""
        events = self.cluster.list("events", tenant)
        return "\n".join(
            event["message"]
            for event in events
            if event["reason"] == "FailedCreate"
            and event["involvedObject"]["name"].startswith(name)
        )


@pytest.fixture(scope="module")
def tenants(cluster, tmp_path_factory) -> Iterator[Tenants]:
    found = Tenants(cluster, tmp_path_factory.mktemp("tenants"))
    cluster.empty()
    with installed(cluster, "-f", str(found.values)) as found.release:
        yield found
        for name in found.names:
            cluster.kubectl("delete", "inferenceservices,inferencegraphs", "--all", "-n", name)
    cluster.kubectl("delete", "namespaces", *found.names)


def pod(namespace: str, **container: object) -> Object:
    restricted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    own = {"name": "a", "image": "registry.example.com/a:1", "securityContext": restricted}
    metadata = {"name": "a", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [own | container]},
    }


def admitted(cluster: Cluster, manifest: Object) -> Object:
    """An object as the API server would store it. Raises ToolFailed where it refuses."""
    dry = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    return json.loads(cluster.kubectl(*dry, stdin=json.dumps(manifest)))


CHANGED = ("inferenceservices.serving.kserve.io", "inferencegraphs.serving.kserve.io", "secrets",
           "configmaps", "serviceaccounts", "services")  # fmt: skip
KEPT = ("externalsecrets.external-secrets.io", "authorizationpolicies.security.istio.io", "resourcequotas", "limitranges", "networkpolicies.networking.k8s.io", "namespaces",
        "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
        "gateways.gateway.networking.k8s.io", "pods", "deployments.apps")  # fmt: skip


def test_a_member_may_change_models_in_one_namespace_and_nothing_elsewhere(tenants):
    for tenant in tenants.names:
        spaces = (*tenants.names, tenants.release.namespace, "default")
        able = {each for each in spaces if tenants.may(tenant, "create", CHANGED[0], each)}
        assert able == {tenant}
    for resource in CHANGED:
        for verb in ("create", "update", "delete", "get", "list"):
            assert tenants.may(tenants.fraud, verb, resource), (verb, resource)
    for resource in KEPT:
        for verb in ("create", "update", "patch"):
            assert not tenants.may(tenants.fraud, verb, resource), (verb, resource)
    assert tenants.may(tenants.fraud, "get", "pods/log")
    assert tenants.may(tenants.fraud, "get", "resourcequotas")
    assert not tenants.may(tenants.fraud, "get", "secrets", tenants.ads)
    assert not tenants.may(tenants.fraud, "delete", "namespaces")
    assert not tenants.may(tenants.fraud, "create", "clusterservingruntimes.serving.kserve.io")
    # Kubernetes' own role.
    cluster, grant = tenants.cluster, ("--clusterrole=edit", "--user=editor", "-n", tenants.fraud)
    cluster.kubectl("create", "rolebinding", "editor", *grant)
    asked = ("can-i", "update", "networkpolicies", "-n", tenants.fraud, "--as=editor")
    cluster.wait("the grant counts", lambda: cluster.kubectl("auth", *asked))


def test_a_member_applies_the_folder_of_the_team_and_no_other(tenants, tmp_path):
    named = []
    for tenant in tenants.names:
        named += ["--team", f"{tenant}={tenants.file(tenant, models=IRIS)}"]
    namespace = ("-n", tenants.release.namespace)
    done = run("manifests", "-f", tenants.values, *named, *namespace, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    rendered = {file.name for file in (tmp_path / "00-crds").glob("namespace-*")}
    names = (*tenants.names, tenants.release.namespace)
    assert rendered == {f"namespace-{name}.yaml" for name in names}
    for tenant in tenants.names:
        for other in tenants.names:
            folder = str(tmp_path / "30-models" / other)
            command = ("apply", "-k", folder, *tenants.member(tenant))
            if tenant == other:
                tenants.cluster.kubectl(*command)
                waiting.until_ready(tenants.cluster, "inferenceservice/iris", tenant)
            else:
                with pytest.raises(ToolFailed, match="forbidden"):
                    tenants.cluster.kubectl(*command)
    # With all that KServe made: the next tests have models of the same name there.
    models = ("-k", str(tmp_path / "30-models"), "--cascade=foreground")
    tenants.cluster.kubectl("delete", *models)


def test_labels_for_cost_reports_are_on_every_pod(tenants):
    release = tenants.models(tenants.search, models=IRIS, graphs=GRAPHS)
    cluster, namespace = tenants.cluster, tenants.search
    waiting.until_ready(cluster, "inferenceservice/iris", namespace)
    waiting.until_ready(cluster, "inferencegraph/vote", namespace)
    # A graph is Ready before its router has a pod.
    cluster.kubectl("rollout", "status", "deployment/vote", "-n", namespace, "--timeout=3m")
    pods = tenants.pods(namespace)
    assert len(pods) == 2
    assert {each["metadata"]["labels"]["cost-center"] for each in pods} == {"1000017"}
    assert cluster.get("namespace", namespace)["metadata"]["labels"]["cost-center"] == "1000017"
    label = f"tenants.{namespace}.labels.month=may"
    release.helm("upgrade", "--reuse-values", "--set", label)
    path = "{.spec.template.metadata.labels.month}"
    waiting.until_carried(cluster, "iris", namespace, path, "may")
    waiting.until_rolled_out(cluster, "iris", namespace)
    (after,) = tenants.pods(namespace, "serving.kserve.io/inferenceservice=iris")
    assert after["metadata"]["uid"] not in {each["metadata"]["uid"] for each in pods}
    release.helm("uninstall")


def test_restricted_admits_a_model_and_refuses_what_the_chart_says(tenants):
    cluster, namespace = tenants.cluster, tenants.fraud
    tenants.models(namespace, models=IRIS)
    waiting.until_ready(cluster, "inferenceservice/iris", namespace)
    assert len(tenants.pods(namespace)) == 1
    with pytest.raises(ToolFailed, match='violates PodSecurity "restricted:latest"'):
        admitted(cluster, pod(namespace, securityContext={"allowPrivilegeEscalation": True}))
    assert admitted(cluster, pod(namespace))
    # What the models chart refuses, applied past it.
    car = {"car": MODEL | {"storageUri": OCI}}
    for declared, kind, name, reason in (
        ({"graphs": GRAPHS, "models": IRIS}, "InferenceGraph", "vote", "graphs.vote: "),
        ({"models": car}, "InferenceService", "car", "models.car.storageUri: "),
    ):
        with pytest.raises(ToolFailed, match=f'{reason}Pod Security "restricted" refuses'):
            tenants.models(namespace, **declared)
        file = tenants.file("nobody", **declared)
        chart = ("models", str(CHARTS[MODELS]), "-n", namespace)
        them = parse(cluster.helm("template", *chart, "-f", file))
        cluster.apply(only(them, kind), namespace=namespace)
        said = cluster.wait("its pods are refused", partial(tenants.refused_pods, namespace, name))
        assert re.search('violates PodSecurity "restricted:latest".*seccompProfile', said)
        cluster.kubectl("delete", kind.lower(), name, "-n", namespace)


def test_a_quota_refuses_and_a_limit_range_fills_in(tenants):
    cluster, namespace = tenants.cluster, tenants.ads
    big = MODEL | {"resources": {"requests": {"cpu": "2500m"}, "limits": {"cpu": "2500m"}}}
    tenants.models(namespace, models=IRIS)
    waiting.until_ready(cluster, "inferenceservice/iris", namespace)

    def used():
        quota = cluster.get("resourcequota", "kserve-lite-tenant", namespace)
        return quota["status"]["used"]["requests.cpu"] == "1"

    cluster.wait("the quota counts the pod", used)
    tenants.models(namespace, models=IRIS | {"big": big})
    said = cluster.wait("its pod is refused", lambda: tenants.refused_pods(namespace, "big-"))
    assert "exceeded quota: kserve-lite-tenant, requested: requests.cpu=2500m" in said
    with pytest.raises(ToolFailed, match="exceeded quota: kserve-lite-tenant"):
        admitted(cluster, pod(namespace, resources=big["resources"]))
    (container,) = admitted(cluster, pod(namespace))["spec"]["containers"]
    assert container["resources"] == {
        "limits": {"cpu": "700m", "memory": "70Mi"},
        "requests": {"cpu": "7m", "memory": "7Mi"},
    }
    tenants.models(namespace, models=IRIS)


def test_the_network_policy_selects_the_pods_that_it_is_for(tenants):
    """It is not enforced on a cluster of our own: its selectors meet the pods that there are."""
    cluster = tenants.cluster
    for tenant in tenants.names:
        tenants.models(tenant, models=IRIS)
        waiting.until_ready(cluster, "inferenceservice/iris", tenant)
    spaces = (*tenants.names, tenants.release.namespace)
    labels = {space: cluster.get("namespace", space)["metadata"]["labels"] for space in spaces}
    (caller,) = (pod["metadata"]["labels"] for pod in tenants.pods(tenants.fraud))
    for tenant in tenants.names:
        policy = cluster.get("networkpolicy", "kserve-lite-tenant", tenant)
        callers = {space for space in spaces if may_call(policy, caller, space, labels[space])}
        assert callers == {tenant, *([tenants.search] if tenant == tenants.ads else [])}


def test_namespaces_and_models_outlive_the_platform(tenants):
    cluster, namespace = tenants.cluster, tenants.fraud
    tenants.models(namespace, models=IRIS)
    before = cluster.get("inferenceservice", "iris", namespace)["metadata"]["uid"]
    tenants.release.uninstall()
    for name in tenants.names:
        assert cluster.get("namespace", name)["status"]["phase"] == "Active"
        assert cluster.get("rolebinding", "kserve-lite-tenant", name) is None
    assert cluster.get("inferenceservice", "iris", namespace)["metadata"]["uid"] == before
    # What is kept is the release's again when it comes back.
    tenants.release.install("-f", str(tenants.values))
    assert cluster.get("rolebinding", "kserve-lite-tenant", namespace)
    assert cluster.get("inferenceservice", "iris", namespace)["metadata"]["uid"] == before
