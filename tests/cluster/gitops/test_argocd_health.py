"""What Argo CD says of models in each state: live ones, by its own program, and by our rules.

The states are those of tests/upstream/statuses.yaml, which this shows to be what KServe still writes. With
`--update-golden` it records them there anew.
"""

import contextlib
import http.server
import json
import threading

import pytest
import yaml

from generator.gitops.argocd import health
from tests.cluster.harness import argocd
from tests.cluster.harness.plane import NODE
from tests.rendering import ROOT

STATUSES = ROOT / "tests" / "upstream" / "statuses.yaml"
RECORDED = yaml.safe_load(STATUSES.read_text("utf-8"))
STOP = {"annotations": {"serving.kserve.io/stop": "true"}}
GROUP = "serving.kserve.io"


@pytest.fixture(scope="module")
def slow():
    """The storageUri of a model that takes for ever to fetch."""
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            # KServe gives up where nothing comes for half a minute.
            with contextlib.suppress(OSError):  # It is done, or gone.
                while not over.wait(1):
                    self.wfile.write(b"x")

        def log_message(self, *_):
            """Nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server((NODE, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{NODE}:{server.server_port}/model.joblib"
        over.set()
        server.shutdown()


def model(uri, **metadata):
    spec = {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": uri}}
    return {
        "version": "v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": spec},
    }


def graph(**metadata):
    steps = [{"serviceUrl": "http://one/v1/models/one:predict"}]
    nodes = {"root": {"routerType": "Sequence", "steps": steps}}
    return {
        "version": "v1alpha1",
        "kind": "InferenceGraph",
        "metadata": metadata,
        "spec": {"nodes": nodes},
    }


def trained(parent, memory="1Gi"):
    loaded = {"framework": "sklearn", "storageUri": "s3://models/a", "memory": memory}
    return {
        "version": "v1alpha1",
        "kind": "TrainedModel",
        "metadata": {},
        "spec": {"inferenceService": parent, "model": loaded},
    }


def shared():
    """A model server that takes several, and one that is stopped; their runtime first."""
    runtime = {
        "supportedModelFormats": [{"name": "several"}],
        "multiModel": True,
        "protocolVersions": ["v2"],
        "containers": [{"name": "kserve-container", "image": "example.com/several:1"}],
    }
    served = {
        "modelFormat": {"name": "several"},
        "runtime": "several",
        "resources": {"limits": {"memory": "2Gi"}},
    }
    return (
        {
            "version": "v1alpha1",
            "kind": "ServingRuntime",
            "metadata": {"name": "several"},
            "spec": runtime,
        },
        *(
            {
                "version": "v1beta1",
                "kind": "InferenceService",
                "metadata": metadata,
                "spec": {"predictor": {"model": served}},
            }
            for metadata in ({"name": "shared"}, {"name": "halted", **STOP})
        ),
    )


def facts(resource):
    """What a status says, without times and texts; of conditions that are False, Ready has one's."""
    status = resource.get("status", {})
    model = status.get("modelStatus", {})
    return {
        "conditions": {
            each["type"]: (
                each["status"],
                "" if each["type"] == "Ready" else each.get("reason", ""),
            )
            for each in status.get("conditions", [])
        },
        "transition": model.get("transitionStatus", ""),
        "states": model.get("states", {}),
        "failure": model.get("lastFailureInfo", {}).get("reason", ""),
    }


@pytest.fixture
def states(cluster, platform, uri_of, slow):
    """An object in each state, by the name of the state; with the names of the objects."""
    namespace = cluster.namespace("states", enforce="baseline")
    declared = {
        "a model that serves": model(uri_of("first")),
        "a model that loads": model(slow),
        "a model that is not there": model(uri_of("third")),
        "a model that is stopped": model(uri_of("first"), **STOP),
        "a graph that serves": graph(),
        "a graph that is stopped": graph(**STOP),
        "a trained model of a server of one": trained("a-model-that-serves"),
        "a trained model that waits": trained("halted"),
        "a trained model that is loaded": trained("shared"),
        "a trained model without memory": trained("shared", "64Gi"),
    }
    named = {
        state: {**each, "metadata": {**each["metadata"], "name": state.replace(" ", "-")}}
        for state, each in declared.items()
    }
    for each in (*shared(), *named.values()):
        version = each.pop("version")
        cluster.apply({"apiVersion": f"{GROUP}/{version}", **each}, namespace=namespace)
    return namespace, named


@pytest.fixture
def lives(cluster, states):
    """Each of these objects, once KServe has written what is recorded, or four minutes have passed."""
    namespace, named = states
    found = {}
    for state, each in named.items():
        wanted = facts(RECORDED[state]["object"])

        def reached(key=state, kind=each["kind"], name=each["metadata"]["name"], wanted=wanted):
            found[key] = cluster.get(f"{kind}.{GROUP}", name, namespace)
            return facts(found[key]) == wanted

        with contextlib.suppress(AssertionError):
            # The server of a model takes a minute to start where others have the processors.
            cluster.wait(state, reached, timeout=240)
    return found


def record(lives):
    """Write what KServe has written, and the health that Argo CD is to see in each."""
    states = {
        state: {
            "health": RECORDED[state]["health"],
            "object": {
                **{key: live[key] for key in ("apiVersion", "kind")},
                "metadata": {key: live["metadata"][key] for key in ("name", "namespace")},
                "status": live["status"],
            },
        }
        for state, live in lives.items()
    }
    head = "# Recorded on KServe's own controller: tests/cluster/gitops/test_argocd_health.py --update-golden\n"
    text = yaml.safe_dump(states, sort_keys=False, allow_unicode=True)
    # A namespace of the tests has another name each time.
    name = next(iter(lives.values()))["metadata"]["namespace"]
    STATUSES.write_text(head + text.replace(name, "models"), "utf-8")


def test_every_state_is_as_recorded_and_has_its_health(lives, tmp_path, request):
    if request.config.getoption("--update-golden"):
        record(lives)
        return
    assert {state: facts(live) for state, live in lives.items()} == {
        state: facts(each["object"]) for state, each in RECORDED.items()
    }
    config = tmp_path / "argocd-cm.yaml"
    config.write_text(json.dumps(health()))
    found = {}
    for state, live in lives.items():
        file = tmp_path / "live.yaml"
        file.write_text(json.dumps(live))
        found[state] = argocd.health(file, config).split()[1]
    assert found == {state: each["health"] for state, each in RECORDED.items()}
