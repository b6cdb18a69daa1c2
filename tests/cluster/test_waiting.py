"""Law 18 on a cluster: the waits of docs/waiting.md return when a model serves what it should.

The model runs for real, and says which of two it is: after each wait it is asked at once.
"""

import functools
import http.server
import json
import re
import threading

import pytest

from generator import MODELS, tools
from generator.errors import ToolFailed
from tests.cluster import controller, iris, modelserver
from tests.cluster.cluster import Release
from tests.cluster.plane import NODE
from tests.cluster.status import condition
from tests.cluster.waiting import READY, SOURCE, until_carried, until_ready, until_rolled_out
from tests.rendering import CHARTS, ROOT

PREDICTOR = f"{iris.NAME}-predictor"
TRAIN = """
import pathlib, sys
import joblib
from sklearn.dummy import DummyClassifier
for name, answer in ("first", 1), ("second", 2):
    folder = pathlib.Path(sys.argv[1], name)
    folder.mkdir()
    model = DummyClassifier(strategy="constant", constant=answer).fit([[0.0], [0.0]], [1, 2])
    joblib.dump(model, folder / "model.joblib")
"""
ANSWERS = {"first": 1, "second": 2}


@pytest.fixture(scope="module", autouse=True)
def bucket(cluster, tmp_path_factory):
    """The storageUri of a model: `bucket("first")`; of "third" there is none."""
    if cluster.node is None:
        pytest.skip("the models are served from this machine")
    if not modelserver.environment().is_dir():
        pytest.skip("upstream's model server needs Python 3.10, 3.11 or 3.12")
    folder = tmp_path_factory.mktemp("bucket")
    tools.run([str(modelserver.python()), "-c", TRAIN, str(folder)])
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer((NODE, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield lambda name: f"http://{NODE}:{server.server_port}/{name}/model.joblib"
        server.shutdown()


class Model:
    """The release of one model, changed by Helm without `--wait`, as the page says."""

    def __init__(self, cluster, bucket, folder, program):
        self.cluster, self.bucket, self.program = cluster, bucket, program
        self.namespace = cluster.namespace("waiting")
        self.values = folder / "values.json"
        self.where = ("-n", self.namespace)

    def helm(self, verb, which, *arguments, **more):
        model = {"format": "sklearn", "storageUri": self.bucket(which), **more}
        self.values.write_text(json.dumps({"models": {iris.NAME: model}}))
        chart = (str(CHARTS[MODELS]), *self.where, "-f", str(self.values))
        return self.cluster.helm(verb, "iris", *chart, *arguments, program=self.program)

    def ready(self, timeout="2m"):
        return until_ready(self.cluster, f"inferenceservice/{iris.NAME}", self.namespace, timeout)

    def carried(self, which, timeout="1m"):
        uri = self.bucket(which)
        return until_carried(self.cluster, iris.NAME, self.namespace, SOURCE, uri, timeout)

    def rolled_out(self, timeout="2m"):
        return until_rolled_out(self.cluster, iris.NAME, self.namespace, timeout)

    def answer(self):
        """What it says at once, through its Service; no second try."""
        service = f"/api/v1/namespaces/{self.namespace}/services/{iris.NAME}:80/proxy"
        url = f"{service}/v1/models/{iris.NAME}:predict"
        body = json.dumps({"instances": [[0.0]]})
        said = self.cluster.kubectl("create", f"--raw={url}", "-f", "-", stdin=body)
        (prediction,) = json.loads(said)["predictions"]
        return prediction

    def service(self):
        return self.cluster.get("inferenceservice", iris.NAME, self.namespace)

    def pods(self):
        """Those that are there to stay."""
        found = (it["metadata"] for it in self.cluster.list("pods", self.namespace))
        return {it["uid"] for it in found if "deletionTimestamp" not in it}


@pytest.fixture
def model(cluster, platform, bucket, tmp_path, request):
    """The model, not installed yet."""
    it = Model(cluster, bucket, tmp_path, getattr(request, "param", "helm"))
    yield it
    cluster.helm("uninstall", "iris", *it.where, "--ignore-not-found")


both_helms = pytest.mark.parametrize("model", ["helm", "helm3"], indirect=True)


@both_helms
def test_install_and_changes(cluster, model):
    model.helm("install", "first")
    model.ready()
    assert model.answer() == 1

    # A change that its pods do not see.
    pods = model.pods()
    model.helm("upgrade", "first", maxReplicas=3)
    model.ready("5s")
    assert model.answer() == 1
    autoscaler = ("hpa", PREDICTOR, model.namespace)
    cluster.wait("it arrives", lambda: cluster.get(*autoscaler)["spec"]["maxReplicas"] == 3)
    assert model.pods() == pods

    # An autoscaler's: the wait is for its pods, and no longer.
    scale = ("patch", "deployment", PREDICTOR, *model.where, "--subresource=scale")
    cluster.kubectl(*scale, "--type=merge", "-p", '{"spec": {"replicas": 2}}')
    model.ready()
    model.rolled_out()
    assert model.answer() == 1
    assert len(model.pods()) == 2

    # A change of its pods, on top of that.
    model.helm("upgrade", "second", maxReplicas=3)
    model.carried("second")
    model.rolled_out()
    assert {model.answer() for _ in range(5)} == {2}
    assert model.pods().isdisjoint(pods)


@both_helms
def test_a_model_that_never_loads(model):
    model.helm("install", "third")
    with pytest.raises(ToolFailed, match="timed out"):
        model.ready("15s")
    with pytest.raises(ToolFailed, match="timed out"):
        model.rolled_out("1s")
    assert condition(model.service(), "Ready") == "False"

    # What mends it is waited for like any other change.
    model.helm("upgrade", "first")
    model.carried("first")
    model.rolled_out()
    assert model.answer() == 1

    # One that fails later leaves the former serving, and the InferenceService Ready.
    model.helm("upgrade", "third")
    model.carried("third")
    with pytest.raises(ToolFailed, match="timed out"):
        model.rolled_out("10s")
    model.ready("5s")
    assert model.answer() == 1


def test_a_rollout_that_cannot_end_is_given_up(cluster, model):
    model.helm("install", "third")
    cluster.wait("KServe writes it", lambda: cluster.get("deployment", PREDICTOR, model.namespace))
    # KServe sets ten minutes. Once exceeded, it stays so.
    deadline = '{"spec": {"progressDeadlineSeconds": 1}}'

    def exceeded():
        where = ("patch", "deployment", PREDICTOR, *model.where)
        cluster.kubectl(*where, "--type=merge", "-p", deadline)
        found = cluster.get("deployment", PREDICTOR, model.namespace)
        return condition(found, "Progressing") == "False"

    cluster.wait("the deadline is over", exceeded)
    with pytest.raises(ToolFailed, match="exceeded its progress deadline"):
        model.rolled_out("10m")


def test_a_controller_that_comes_late(cluster, platform, model):
    """Only the change itself, seen in the Deployment, tells the new state from the one before."""
    model.helm("install", "first")
    model.ready()
    lease = (controller.LEASE, "-n", platform.namespace)
    other = {"spec": {"holderIdentity": "another", "leaseDurationSeconds": 3600}}
    cluster.kubectl("patch", "lease", *lease, "--type=merge", "-p", json.dumps(other))
    try:
        # The one that starts in its place serves the webhooks, and leaves the rest to "another".
        assert cluster.node.kill("manager") == 1
        cluster.wait("it answers", lambda: model.helm("upgrade", "second"))
        model.ready("5s")
        model.rolled_out("5s")
        assert model.answer() == 1  # Neither of them waited for anything.
        with pytest.raises(ToolFailed, match="timed out"):
            model.carried("second", "3s")
    finally:
        controller.free_lease(cluster, platform.namespace)
    model.carried("second")
    model.rolled_out()
    assert model.answer() == 2


@both_helms
def test_what_the_page_advises_against(cluster, model):
    """KServe's and Helm's own: when one of these goes red, the page can become shorter."""
    model.helm("install", "first", "--wait")
    assert condition(model.service(), "Ready") != "True"
    model.ready()
    model.helm("upgrade", "first", maxReplicas=3)
    old = ("wait", f"inferenceservice/{iris.NAME}", *model.where, "--for=condition=Ready")
    with pytest.raises(ToolFailed, match="timed out"):
        cluster.kubectl(*old, "--timeout=3s")
    model.ready("5s")
    if model.program == "helm":
        says = "generation is 3, but latest observed generation is 1"
        with pytest.raises(ToolFailed, match=says):
            model.helm("upgrade", "first", "--wait", "--timeout=3s", maxReplicas=4)
    else:
        model.helm("upgrade", "second", "--wait", maxReplicas=4)
        assert model.answer() == 1
