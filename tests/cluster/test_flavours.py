"""What an API server makes of every flavour and every case, with the CRDs of all others there.

Nothing is created: these are dry runs. No KServe runs here, so no webhook stands in between.
"""

import json

import pytest

from generator import CHART
from generator.errors import ToolFailed
from tests.cluster.harness import foreign
from tests.laws.test_12_restricted import EXEMPT
from tests.rendering import (
    CASES,
    CHART_CASES,
    STOCK,
    identity,
    objects,
    parse,
    pod_specs,
    values_of,
)

# What the API server keeps beside the object.
BOOKKEEPING = {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"}
# Groups whose kinds Kubernetes fills in; law 14 does not want all of that written out.
FILLED_IN = {"", "apps", "batch", "networking.k8s.io", "policy", "scheduling.k8s.io"}

HOST_NETWORK = r"host namespaces \(hostNetwork=true\)"
WARNINGS = {
    "eks-overlay": HOST_NETWORK,  # The control plane reaches nodes only; the value's prose says the price.
    "ingress-published": HOST_NETWORK,
    "openshift": r"seccompProfile \(pod or container",  # The SCC sets it.
}

# Fields that a runtime has of a pod.
POD = {"affinity", "containers", "hostIPC", "imagePullSecrets", "nodeSelector", "tolerations", "volumes"}  # fmt: skip


@pytest.fixture(scope="module")
def namespace(cluster):
    """A namespace on a cluster with the CRDs of KServe and of all others, and nothing else."""
    cluster.empty()
    cluster.kubectl("apply", "--server-side", "-f", str(STOCK / "crds"))
    foreign.established(cluster, f"--filename={STOCK / 'crds'}")
    with foreign.crds(cluster, *foreign.PROJECTS):
        yield cluster.namespace("flavours")
        cluster.empty()


@pytest.fixture(scope="module")
def homes(cluster, namespace):
    """Makes the Namespaces that objects are in, which a dry run of the same objects does not."""
    made = set()

    def make(them):
        there = {each["metadata"]["name"] for each in cluster.list("namespaces")}
        for name in {each["metadata"].get("namespace", namespace) for each in them} - there:
            cluster.kubectl("create", "namespace", name)
            made.add(name)

    yield make
    for name in made:
        cluster.kubectl("delete", "namespace", name)


def stored(cluster, them, *options):
    """The objects as the API server would store them."""
    dry = ("--server-side", "--dry-run=server", "-o", "json", *options)
    text = cluster.kubectl("apply", *dry, "-f", "-", stdin="\n---\n".join(map(json.dumps, them)))
    found = json.loads(text)
    return found["items"] if found["kind"] == "List" else [found]


def differences(ours, theirs, path=""):
    """Where `theirs` is not `ours`: fields changed, left out, filled in."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours.keys() | theirs.keys():
            here = f"{path}.{key}".removeprefix(".")
            if key not in theirs:
                yield f"dropped: {here}"
            elif key not in ours:
                yield f"filled in: {here}"
            else:
                yield from differences(ours[key], theirs[key], here)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (our, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(our, other, f"{path}[{index}]")
    elif ours != theirs:
        yield f"changed: {path}: {ours!r} became {theirs!r}"


def drift(ours, theirs):
    """What a GitOps tool would see of what the API server made of an object."""
    assert identity(ours) == identity(theirs)
    theirs = {key: value for key, value in theirs.items() if key != "status"}
    theirs["metadata"] = {k: v for k, v in theirs["metadata"].items() if k not in BOOKKEEPING}
    filled_in = ours["apiVersion"].rpartition("/")[0] in FILLED_IN
    for difference in differences(ours, theirs):
        if not (filled_in and difference.startswith("filled in")):
            yield f"{ours['kind']} {ours['metadata']['name']}: {difference}"


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_what_is_stored_is_what_was_applied(cluster, namespace, homes, chart, case):
    """Law 14 on the API server: nothing is refused, warned of, changed or filled in."""
    ours = objects(case, chart=chart, namespace=namespace)
    homes(ours)
    if chart == CHART and case in WARNINGS:
        with pytest.raises(ToolFailed, match=WARNINGS[case]) as refusal:
            stored(cluster, ours, "--warnings-as-errors")
        assert "error: 1 warning received" in str(refusal.value)
        theirs = stored(cluster, ours)
    else:
        theirs = stored(cluster, ours, "--warnings-as-errors")
    found = [difference for pair in zip(ours, theirs, strict=True) for difference in drift(*pair)]
    assert found == []


def test_the_crds_are_stored_as_they_are(cluster, namespace):
    ours = [crd for file in sorted((STOCK / "crds").iterdir()) for crd in parse(file.read_text())]
    theirs = stored(cluster, ours, "--warnings-as-errors")
    found = [difference for pair in zip(ours, theirs, strict=True) for difference in drift(*pair)]
    # One answer to the question how versions are converted, of which there is one.
    assert {difference.partition(": ")[2] for difference in found} == {"filled in: spec.conversion"}


def pods(case, namespace):
    """The pods of a flavour, those of its runtimes included, without what they want of others."""
    openshift = values_of(case).get("platform") == "openshift"
    for number, (label, spec, whole) in enumerate(pod_specs(objects(case, namespace=namespace))):
        pod = {k: v for k, v in spec.items() if whole or k in POD}
        for other in ("serviceAccountName", "priorityClassName"):
            pod.pop(other, None)
        pod.setdefault("restartPolicy", "Never")
        if openshift:  # What restricted-v2 adds to a pod that says nothing itself.
            default = {"seccompProfile": {"type": "RuntimeDefault"}}
            pod["securityContext"] = default | pod.get("securityContext", {})
        metadata = {"name": f"pod-{number}", "namespace": namespace}
        yield label, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}


@pytest.mark.parametrize("case", CASES)
def test_pod_security_takes_every_pod(cluster, namespace, case):
    """Law 12 on the API server: a namespace that enforces "restricted" takes every pod."""
    them = dict(pods(case, namespace))
    exempt = EXEMPT & them.keys()
    if WARNINGS.get(case) == HOST_NETWORK:
        exempt |= {"Deployment kserve-controller-manager"}
    stream = [json.dumps(manifest) for label, manifest in them.items() if label not in exempt]
    dry = ("create", "--dry-run=server", "-o", "name", "-f", "-")
    taken = cluster.kubectl(*dry, stdin="\n---\n".join(stream))
    assert len(taken.split()) == len(stream)
    for label in exempt:
        with pytest.raises(ToolFailed, match='violates PodSecurity "restricted:latest"'):
            cluster.kubectl(*dry, stdin=json.dumps(them[label]))
