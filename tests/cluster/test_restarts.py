"""What `diff` says of restarts is what the real controller does: one model per edit, all at once."""

import copy
from functools import partial

import pytest

from generator.comparison.change import Change, Pair
from generator.comparison.restarts import models as restarts
from generator.comparison.sides import Side
from tests.cluster.harness import iris

NOWHERE = Side("", ())
MAY = "protocol"
BASE = {
    "model": {
        "modelFormat": {"name": "sklearn"},
        "storageUri": iris.URI,
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
    },
    "minReplicas": 1,
}
# A name per edit: what is put over the spec's predictor, or over the metadata.
EDITS = {
    "storage-uri": {"model": {"storageUri": f"{iris.URI}/"}},
    "env": {"model": {"env": [{"name": "A", "value": "1"}]}},
    "args": {"model": {"args": ["--workers=2"]}},
    "resources": {"model": {"resources": {"requests": {"memory": "65Mi"}}}},
    # With another runtime switched on, another protocol may be another runtime.
    MAY: {"model": {"protocolVersion": "v2"}},
    "runtime-version": {"model": {"runtimeVersion": "v0.19.0"}},
    "probe": {"model": {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 11}}},
    "min-replicas": {"minReplicas": 2},
    "max-replicas": {"maxReplicas": 3},
    "scale-target": {"maxReplicas": 3, "scaleTarget": 60, "scaleMetric": "cpu"},
    "strategy": {"deploymentStrategy": {"type": "Recreate"}},
    "timeout": {"timeout": 90},
    "concurrency": {"containerConcurrency": 4},
    "account": {"serviceAccountName": "other"},
    "grace": {"terminationGracePeriodSeconds": 45},
    "pre-stop": {"model": {"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}},
    "node-selector": {"nodeSelector": {"kubernetes.io/os": "linux"}},
    "tolerations": {"tolerations": [{"key": "a", "operator": "Exists"}]},
    "priority": {"priorityClassName": "system-cluster-critical"},
    "logger": {"logger": {"mode": "all", "url": "http://dumper.default"}},
    "batcher": {"batcher": {"maxBatchSize": 8}},
    "component-labels": {"labels": {"team": "ml"}},
    "component-annotations": {"annotations": {"team": "ml"}},
    "label": {"metadata": {"labels": {"team": "ml"}}},
    "annotation": {"metadata": {"annotations": {"team": "ml"}}},
    "cluster-local": {"metadata": {"labels": {"networking.kserve.io/visibility": "cluster-local"}}},
}


def merged(base, over):
    made = copy.deepcopy(base)
    for key, value in over.items():
        made[key] = merged(made.get(key, {}), value) if isinstance(value, dict) else value
    return made


def service(name, edit):
    edit = dict(edit)
    metadata = {"name": name, **edit.pop("metadata", {})}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": merged(BASE, edit)},
    }


@pytest.fixture(scope="module")
def changed(cluster, platform):
    """The edits after which there is a pod that was not there, by its UID."""
    namespace = cluster.namespace("models")
    cluster.kubectl("create", "serviceaccount", "other", "-n", namespace)

    def deployments():
        found = {
            each["metadata"]["labels"]["serving.kserve.io/inferenceservice"]: each
            for each in cluster.list("deployments", namespace)
        }
        return found if found.keys() >= EDITS.keys() else None

    def templates():
        return {name: each["spec"]["template"] for name, each in deployments().items()}

    def pods():
        """The UIDs of the pods that are made of the present templates; none is waited for."""
        found = {name: set() for name in EDITS}
        for each in cluster.list("pods", namespace):
            name = each["metadata"]["labels"].get("serving.kserve.io/inferenceservice")
            found.setdefault(name, set()).add(each["metadata"]["uid"])
        return found

    def rolled(name):
        """Whether the ReplicaSet controller has made a pod for the latest template."""
        found = deployments()[name]
        return found["status"].get("observedGeneration") == found["metadata"]["generation"] and (
            found["status"].get("updatedReplicas", 0) > 0
        )

    def looked_at(*last):
        """The controller works on one after the other: it has come to those applied last.

        What it has to try again, as for a conflict, it may come to after the first of them.
        """
        for fence in last:
            cluster.apply(service(fence, {}), namespace=namespace)
            deployment = ("deployment", f"{fence}-predictor", namespace)
            cluster.wait(fence, partial(cluster.get, *deployment))

    cluster.apply(*(service(name, {}) for name in EDITS), namespace=namespace)
    cluster.wait("all Deployments", deployments)
    looked_at("first-fence", "second-fence")
    cluster.wait("all pods", lambda: all(map(rolled, EDITS)), timeout=120)
    before, old_pods = templates(), pods()
    cluster.apply(*(service(name, edit) for name, edit in EDITS.items()), namespace=namespace)
    looked_at("third-fence", "fourth-fence")
    cluster.wait("all new pods", lambda: all(map(rolled, EDITS)), timeout=120)
    after, new_pods = templates(), pods()
    others = {name for name in EDITS if before[name] != after[name]}
    # More replicas are new pods too, of the same template.
    assert {name for name in others if new_pods[name] <= old_pods[name]} == set()
    yield others
    cluster.kubectl("delete", "inferenceservices", "--all", "-n", namespace)


@pytest.mark.parametrize("name", EDITS)
def test_a_model_restarts_when_diff_says_so(changed, name):
    old, new = service(name, {}), service(name, EDITS[name])
    identity = ("serving.kserve.io", "InferenceService", "", name)
    said = list(restarts(Change((Pair(identity, old, new),), NOWHERE, NOWHERE)))
    assert bool(said) == (name in changed or name == MAY)
