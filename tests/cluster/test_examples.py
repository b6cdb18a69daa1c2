"""Every example of models, by `helm install` of the models chart: served, reachable, gone again."""

import re
from functools import partial

import pytest
import yaml

from generator import MODELS
from generator.values.load import DECLARED
from tests.cluster.harness import foreign, prediction, waiting
from tests.cluster.harness.cluster import Release, installed
from tests.cluster.harness.status import accept_routes, condition
from tests.rendering import CASES, CHARTS, ROOT, WITH_MODELS, objects, of_kind, values_of

LOG_LEVEL = '{.spec.template.spec.containers[0].env[?(@.name=="LOG_LEVEL")].value}'
SERVED = ("InferenceService", "InferenceGraph", "TrainedModel")
# The projects whose CRDs the objects of an API group need.
PROJECTS = {
    "external-secrets.io": "external-secrets",
    "gateway.networking.k8s.io": "gateway-api",
    "networking.istio.io": "istio",
    "security.istio.io": "istio",
}
# KServe's containers for a model in an image, for ART and for a graph say too little of security;
# graphs are seen in the values.
BASELINE = ("istio-models", "models-every-key", "paddle-resnet")
# What is never Ready there, and why.
NEVER = {
    "serverless": "use Knative deployment mode when Knative Services are not available",
}


def platform_of(case):
    """The case whose platform serves a case's models: its own, unless only runtimes are chosen."""
    return case if set(values_of(case)) - {"runtimes", *DECLARED} else "all-runtimes"


def projects(cases):
    """The projects whose CRDs the objects of some cases need."""
    rendered = (
        manifest for case in cases for chart in CHARTS for manifest in objects(case, chart=chart)
    )
    groups = {manifest["apiVersion"].partition("/")[0] for manifest in rendered}
    return {PROJECTS[group] for group in groups & PROJECTS.keys()}


EXAMPLES = pytest.mark.parametrize(
    ("platform", "example"),
    [pytest.param(platform_of(case), case, id=case) for case in WITH_MODELS],
    indirect=True,
    scope="module",
)
ALL_RUNTIMES = pytest.mark.parametrize("platform", ["all-runtimes"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def platform(request, cluster):
    cases = [case for case in WITH_MODELS if platform_of(case) == request.param]
    values = ("-f", str(CASES[request.param]))
    with foreign.crds(cluster, *projects(cases)), installed(cluster, *values) as release:
        yield release


@pytest.fixture(scope="module")
def example(request, cluster, platform):
    """A case and its models' release, installed where what they refer to is."""
    case = request.param
    is_lax = case in BASELINE or "graphs" in values_of(case)
    enforce = "baseline" if is_lax else "restricted"
    namespace = cluster.namespace("models", enforce=enforce)
    for model in values_of(case)["models"].values():
        if "credentials" in model:
            secret = model["credentials"]["secretName"]
            cluster.kubectl("create", "secret", "generic", secret, "-n", namespace)
        if "serviceAccountName" in model:
            account = model["serviceAccountName"]
            cluster.kubectl("create", "serviceaccount", account, "-n", namespace)
    for manifest in referred(case):
        cluster.apply(manifest, namespace=namespace)
    release = models(cluster, namespace)
    try:
        install(release, case)
        yield case, release
    finally:
        cluster.helm("uninstall", release.name, "-n", namespace, "--ignore-not-found")


def referred(case):
    """The Secrets and the claims of volumes that a case's pods want."""
    them = objects(case, chart=MODELS)
    for reference in fields(them, "secretKeyRef"):
        metadata = {"name": reference["name"]}
        data = {reference["key"]: "something"}
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
    uris = [uri for uri in fields(them, "storageUri") if uri.startswith("pvc://")]
    for claim in {uri.split("/")[2] for uri in uris}:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        metadata = {"name": claim}
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": spec,
        }


def fields(node, name):
    """The values of all fields of a name, wherever they are."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == name:
                yield value
            else:
                yield from fields(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from fields(value, name)


def models(cluster, namespace):
    return Release(cluster, namespace, chart=CHARTS[MODELS], name="models")


def install(release, case):
    """`helm install` that does not wait: not all models become Ready."""
    chart = (release.name, str(release.chart), "-f", str(CASES[case]))
    release.cluster.helm("install", *chart, "-n", release.namespace)


def served(case):
    """The kinds and names of what a case's models chart makes KServe do."""
    return [(manifest["kind"], manifest["metadata"]["name"]) for manifest in of_kind(objects(case, chart=MODELS), *SERVED)]  # fmt: skip


def wait(cluster, namespace, kind, name):
    gateways = "gateway.networking.k8s.io/" in cluster.kubectl("api-versions")

    def is_ready():
        if gateways:
            accept_routes(cluster, namespace)
        return condition(cluster.get(kind, name, namespace), "Ready") == "True"

    cluster.wait(f"{kind} {name} is Ready", is_ready)


endpoints = partial(prediction.endpoints, ready=False)


def same_endpoints(cluster, namespace, one, other):
    """Whether two Services lead to the same. Each is written for itself, as pods come and go."""
    found = endpoints(cluster, one, namespace)
    return found and found == endpoints(cluster, other, namespace)


@EXAMPLES
def test_it_is_served(cluster, example):
    case, release = example
    for kind, name in served(case):
        if name not in NEVER:
            wait(cluster, release.namespace, kind, name)


@EXAMPLES
def test_what_cannot_be_served_says_why(cluster, example):
    case, release = example
    for kind, name in served(case):
        if name in NEVER:
            where = (kind, name, "-n", release.namespace)
            cluster.wait(
                f"{name}: {NEVER[name]}",
                lambda name=name, where=where: NEVER[name] in cluster.kubectl("describe", *where),
            )


@EXAMPLES
def test_its_name_leads_to_it(cluster, example):
    """To the same pods, and the same port of them, as the Service that KServe makes."""
    case, release = example
    for name, model in values_of(case)["models"].items():
        if name not in NEVER:
            component = "transformer" if "transformer" in model else "predictor"
            alike = partial(same_endpoints, cluster, release.namespace, name, f"{name}-{component}")
            cluster.wait(f"{name} leads to its {component}", alike)


@EXAMPLES
def test_a_graph_is_more_than_ready(cluster, example):
    """KServe calls a graph Ready whether its router runs or not."""
    case, release = example
    for kind, name in served(case):
        if kind == "InferenceGraph":
            cluster.wait(f"the router of {name}", lambda name=name: endpoints(cluster, name, release.namespace))  # fmt: skip


@EXAMPLES
def test_it_goes_with_its_release(cluster, example):
    case, release = example
    if "trainedModels" in values_of(case):
        notes = cluster.helm("get", "notes", release.name, "-n", release.namespace)
        (command,) = re.findall(r"^ *kubectl (.* delete trainedmodels .*)$", notes, re.MULTILINE)
        cluster.kubectl(*command.split())
    release.uninstall("--cascade=foreground")
    # Helm 4 takes an object that it has not looked at yet for one that is gone, so its wait may end
    # early (statusObserver in its pkg/kube/statuswait.go).
    kinds = ",".join((*SERVED, "deployments", "services", "pods"))
    cluster.wait("nothing of it is left", lambda: not cluster.list(kinds, release.namespace))


@ALL_RUNTIMES
def test_an_upgrade_leaves_other_models_alone(cluster, platform):
    release = models(cluster, cluster.namespace("models", enforce="baseline"))
    values = ("-f", str(CASES["ensemble"]))
    release.install(*values)

    def generations():
        kinds = "inferenceservices,inferencegraphs,deployments,pods"
        found = cluster.list(kinds, release.namespace)
        return {
            (resource["kind"], resource["metadata"]["name"]): resource["metadata"]["generation"]
            for resource in found
        }

    # Helm takes a model without a status for one that is there.
    for kind, name in served("ensemble"):
        wait(cluster, release.namespace, kind, name)
    cluster.wait("the graph's router", lambda: endpoints(cluster, "vote", release.namespace))
    before = generations()
    release.upgrade(*values, "--set", "models.forest.env.LOG_LEVEL=debug")
    waiting.until_carried(cluster, "forest", release.namespace, LOG_LEVEL, "debug")
    waiting.until_rolled_out(cluster, "forest", release.namespace)
    after = generations()
    release.uninstall()
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert ("InferenceService", "forest") in changed
    assert {key for key in changed if "forest" not in key[1]} == set()


@ALL_RUNTIMES
@pytest.mark.parametrize("file", sorted((ROOT / "examples/inferenceservices").iterdir()), ids=str)
def test_an_inferenceservice_of_the_readme_is_served(cluster, platform, file):
    namespace = cluster.namespace("models")
    model = yaml.safe_load(file.read_text(encoding="utf-8"))
    model["metadata"]["namespace"] = namespace
    cluster.apply(model, namespace=namespace)
    wait(cluster, namespace, "InferenceService", model["metadata"]["name"])
    cluster.kubectl("delete", "inferenceservices", "--all", "-n", namespace)
