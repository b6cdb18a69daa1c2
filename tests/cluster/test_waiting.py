"""Law 18 on a cluster: the waits of docs/waiting.md return when a model serves what it should.

The model runs for real, and its answer says which of two it is: it is asked once, as soon as the wait
is over and its Service leads to the pods that are there to stay. What Argo CD and Flux would say is
asked of the rule and of the library that they have.
"""

import contextlib
import json
import re

import pytest

from codegen import upstream
from generator import MODELS, process, tools
from generator.errors import ToolFailed
from tests.cluster.harness import controller, iris, prediction, webhooks
from tests.cluster.harness.status import condition
from tests.cluster.harness.waiting import (
    ARGO_CD,
    RULE,
    SOURCE,
    until_carried,
    until_ready,
    until_rolled_out,
)
from tests.rendering import CHARTS, ROOT

PAGE = (ROOT / "docs" / "waiting.md").read_text("utf-8")
PREDICTOR = f"{iris.NAME}-predictor"
CONTAINER = '{.spec.template.spec.containers[?(@.name=="kserve-container")]'
GRAPH = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata:
  name: vote
spec:
  nodes:
    root:
      routerType: Sequence
      steps:
      - serviceUrl: http://sklearn-iris/v1/models/sklearn-iris:predict
"""


class Model:
    """The release of one model, changed by Helm without `--wait`, as the page says."""

    def __init__(self, cluster, uri_of, folder, program):
        self.cluster, self.uri_of, self.program = cluster, uri_of, program
        self.namespace = cluster.namespace("waiting")
        self.where = ("-n", self.namespace)
        self.values = folder / "values.json"

    def helm(self, verb, which, *arguments, **more):
        model = {"format": "sklearn", "storageUri": self.uri_of(which), **more}
        self.values.write_text(json.dumps({"models": {iris.NAME: model}}))
        chart = (str(CHARTS[MODELS]), *self.where, "-f", str(self.values))
        return self.cluster.helm(verb, "iris", *chart, *arguments, program=self.program)

    def ready(self, timeout="2m"):
        until_ready(self.cluster, f"inferenceservice/{iris.NAME}", self.namespace, timeout)

    def carried(self, value, path=SOURCE, timeout="1m"):
        until_carried(self.cluster, iris.NAME, self.namespace, path, value, timeout)

    def rolled_out(self, timeout="2m"):
        until_rolled_out(self.cluster, iris.NAME, self.namespace, timeout)

    def answer(self):
        """What it says through its Service, without a second try.

        Kubernetes writes where a Service leads for itself, a little after it has counted the pods.
        """
        self.cluster.wait("its Service leads to its pods alone", self.followed)
        service = f"/api/v1/namespaces/{self.namespace}/services/{iris.NAME}:80/proxy"
        url = f"{service}/v1/models/{iris.NAME}:predict"
        body = json.dumps({"instances": [[0.0]]})
        said = self.cluster.kubectl("create", f"--raw={url}", "-f", "-", stdin=body)
        (prediction,) = json.loads(said)["predictions"]
        return prediction

    def followed(self):
        ready = {
            pod["status"]["podIP"]
            for pod in self.cluster.list("pods", self.namespace)
            if "deletionTimestamp" not in pod["metadata"] and condition(pod, "Ready") == "True"
        }
        found = prediction.endpoints(self.cluster, iris.NAME, self.namespace)
        return found and {address for address, _ in found} == ready

    def service(self):
        return self.cluster.get("inferenceservice", iris.NAME, self.namespace)

    def deployment(self):
        return self.cluster.get("deployment", PREDICTOR, self.namespace)

    def pods(self):
        """Those that are there to stay."""
        found = (pod["metadata"] for pod in self.cluster.list("pods", self.namespace))
        return {metadata["uid"] for metadata in found if "deletionTimestamp" not in metadata}

    def argocd(self):
        """The health of the InferenceService in Argo CD."""
        rule = upstream.folder(ARGO_CD) / RULE
        return judged(self.service(), str(rule))["argocd"]

    def flux(self):
        """What Flux says of InferenceService and Deployment, and Helm 4 of the former."""
        return judged(self.service())["kstatus"], judged(self.deployment())["kstatus"]


def judged(resource, *rules):
    return json.loads(process.run([str(tools.find("health")), *rules], stdin=json.dumps(resource)))


@pytest.fixture
def model(cluster, platform, uri_of, tmp_path, request):
    """The model, not installed yet."""
    served = Model(cluster, uri_of, tmp_path, getattr(request, "param", "helm"))
    yield served
    cluster.helm("uninstall", "iris", *served.where, "--ignore-not-found")


both_helms = pytest.mark.parametrize("model", ["helm", "helm3"], indirect=True)


@both_helms
def test_install_and_changes(cluster, model):
    model.helm("install", "first")
    model.ready()
    assert model.answer() == 1
    assert (model.argocd(), model.flux()) == ("Healthy", ("Current", "Current"))

    # A change that its pods do not see. Only what compares generations waits, for ever.
    pods = model.pods()
    model.helm("upgrade", "first", maxReplicas=3)
    model.ready("5s")
    assert model.answer() == 1
    autoscaler = ("hpa", PREDICTOR, model.namespace)
    cluster.wait("it arrives", lambda: cluster.get(*autoscaler)["spec"]["maxReplicas"] == 3)
    assert model.pods() == pods
    assert (model.argocd(), model.flux()) == ("Healthy", ("InProgress", "Current"))

    # What an autoscaler does: the wait is for its pods, and no longer.
    scale = ("patch", "deployment", PREDICTOR, *model.where, "--subresource=scale")
    cluster.kubectl(*scale, "--type=merge", "-p", '{"spec": {"replicas": 2}}')
    model.rolled_out()
    model.ready()
    assert model.answer() == 1
    assert len(model.pods()) == 2
    assert model.flux()[1] == "Current"

    # A change of its pods, on top of that.
    model.helm("upgrade", "second", maxReplicas=3)
    model.carried(model.uri_of("second"))
    model.rolled_out()
    assert {model.answer() for _ in range(5)} == {2}
    assert model.pods().isdisjoint(pods)
    assert model.flux()[1] == "Current"


def test_a_model_that_never_loads(cluster, model):
    model.helm("install", "third")
    with pytest.raises(ToolFailed, match="timed out"):
        model.ready("8s")
    with pytest.raises(ToolFailed, match="timed out"):
        model.rolled_out("1s")
    cluster.wait("it is not Ready", lambda: condition(model.service(), "Ready") == "False")
    cluster.wait("Argo CD sees it", lambda: model.argocd() == "Degraded")
    assert model.flux()[1] == "InProgress"

    # What mends it is waited for like any other change.
    model.helm("upgrade", "first")
    model.carried(model.uri_of("first"))
    model.rolled_out()
    model.ready()
    assert model.answer() == 1

    # A later failure leaves the former pods serving, and the InferenceService Ready.
    model.helm("upgrade", "first", env={"PYTHONHOME": "/nowhere"})
    model.carried("/nowhere", CONTAINER + '.env[?(@.name=="PYTHONHOME")].value}')
    with pytest.raises(ToolFailed, match="timed out"):
        model.rolled_out("6s")
    model.ready("5s")
    assert model.answer() == 1
    assert (model.argocd(), model.flux()[1]) == ("Healthy", "InProgress")


def test_ready_without_a_pod(model):
    """Where a rolling update may take all pods away at once, none is as good as one."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 1}}
    model.helm("install", "third", spec={"predictor": {"deploymentStrategy": rolling}})
    model.ready()
    with pytest.raises(ToolFailed, match="timed out"):
        model.rolled_out("3s")


def test_a_rollout_without_progress_is_given_up(cluster, model):
    model.helm("install", "third")
    found = cluster.wait("KServe writes it", model.deployment)
    assert found["spec"]["progressDeadlineSeconds"] == 600
    # KServe sets that again. Once exceeded, it stays so.
    deadline = '{"spec": {"progressDeadlineSeconds": 1}}'

    def exceeded():
        where = ("patch", "deployment", PREDICTOR, *model.where)
        cluster.kubectl(*where, "--type=merge", "-p", deadline)
        return condition(model.deployment(), "Progressing") == "False"

    cluster.wait("the deadline is over", exceeded)
    with pytest.raises(ToolFailed, match="exceeded its progress deadline"):
        model.rolled_out("10m")
    assert model.flux()[1] == "Failed"


@contextlib.contextmanager
def idle(cluster, platform, namespace):
    """The controller serves the webhooks, and leaves the rest to "another", which is nobody."""

    def back():
        pods = controller.pods(cluster, platform.namespace)
        return [condition(pod, "Ready") for pod in pods] == ["True"]

    (pod,) = controller.pods(cluster, platform.namespace)
    lease = (controller.LEASE, "-n", platform.namespace)
    other = {"spec": {"holderIdentity": "another", "leaseDurationSeconds": 3600}}
    cluster.kubectl("patch", "lease", *lease, "--type=merge", "-p", json.dumps(other))
    try:
        # It is the one that comes in the place of this one.
        cluster.kubectl("delete", "pod", pod["metadata"]["name"], "-n", platform.namespace)
        cluster.wait("it is back", back)
        webhooks.wait(cluster, namespace)
        yield
    finally:
        controller.free_lease(cluster, platform.namespace)


def test_a_controller_that_comes_late(cluster, platform, model):
    """Only the change itself, seen in the Deployment, tells the new state from the one before."""
    model.helm("install", "first")
    model.ready()
    with idle(cluster, platform, model.namespace):
        model.helm("upgrade", "second")
        model.ready("5s")
        model.rolled_out("5s")
        assert model.answer() == 1  # Neither of them waited for anything.
        assert (model.argocd(), model.flux()[1]) == ("Healthy", "Current")
        with pytest.raises(ToolFailed, match="timed out"):
            model.carried(model.uri_of("second"), timeout="3s")
    model.carried(model.uri_of("second"))
    model.rolled_out()
    assert model.answer() == 2


@both_helms
def test_what_the_page_advises_against(cluster, platform, model):
    """KServe's and Helm's own: when one of these goes red, the page can become shorter."""
    # KServe may have written a status before Helm looks for one.
    with idle(cluster, platform, model.namespace):
        model.helm("install", "first", "--wait")
        assert "status" not in model.service()
    model.ready()
    model.helm("upgrade", "first", maxReplicas=3)
    old = ("wait", f"inferenceservice/{iris.NAME}", *model.where, "--for=condition=Ready")
    with pytest.raises(ToolFailed, match="timed out"):
        cluster.kubectl(*old, "--timeout=3s")
    model.ready("5s")
    if model.program == "helm":
        says = "generation is 3, but latest observed generation is 1"
        with pytest.raises(ToolFailed, match=says):
            # Long enough for Helm to have looked.
            model.helm("upgrade", "first", "--wait", "--timeout=10s", maxReplicas=4)
        rollback = ("--rollback-on-failure", "--timeout=3s")
        with pytest.raises(ToolFailed, match="error occurred while rolling back"):
            model.helm("upgrade", "first", *rollback, maxReplicas=5)
        assert model.service()["spec"]["predictor"]["maxReplicas"] != 5
    else:
        model.helm("upgrade", "second", "--wait", maxReplicas=4)
        assert model.answer() == 1


@pytest.fixture
def release(cluster, platform):
    """The namespace of the release `iris` of the page."""
    # KServe gives the router of a graph no security context.
    namespace = cluster.namespace("models", enforce="baseline")
    yield namespace
    cluster.helm("uninstall", "iris", "-n", namespace, "--ignore-not-found")


def test_the_page(cluster, release):
    """Its commands in the order in which they stand there, then where else a change can be seen."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        if "deployment/vote" in block:
            cluster.apply(GRAPH, namespace=release)
        cluster.bash(block.replace("-n default ", f"-n {release} "))

    rows = dict(re.findall(r"^\| `?([\w.]+).*? \| `(\{.*?\})`", PAGE, re.MULTILINE))
    changes = {
        "image": ("runtimeVersion=v0.19.0", "docker.io/kserve/sklearnserver:v0.19.0"),
        "env.NAME": ("env.NAME=a", "a"),
        "resources": ("resources.limits.memory=3Gi", "3Gi"),
        "annotations.NAME": ("annotations.NAME=b", "b"),
    }
    assert rows.keys() == changes.keys()
    more = [f"--set-string=models.{iris.NAME}.{change}" for change, _ in changes.values()]
    values = ("-f", str(ROOT / "examples/models/sklearn-iris.yaml"))
    cluster.helm("upgrade", "iris", str(CHARTS[MODELS]), "-n", release, *values, *more)
    for key, path in rows.items():
        until_carried(cluster, iris.NAME, release, path, changes[key][1])
    until_rolled_out(cluster, iris.NAME, release)


@pytest.mark.parametrize("uri", ["gs://bucket/second", "https://host/model.joblib?a=b"])
def test_what_the_notes_say_works(cluster, release, uri):
    """After an install and after an upgrade; kubectl cannot wait for a value with a `=`."""
    for verb, source in ("install", "gs://bucket/first"), ("upgrade", uri):
        model = f"models.{iris.NAME}"
        values = f"--set-string={model}.format=sklearn,{model}.storageUri={source}"
        cluster.helm(verb, "iris", str(CHARTS[MODELS]), "-n", release, values)
        notes = cluster.helm("get", "notes", "iris", "-n", release)
        commands = re.findall(r"^ +(kubectl (?:.*\\\n)*.*)$", notes, re.MULTILINE)
        cluster.bash("\n".join(commands))
        assert ("rollout status" in notes) == (verb == "upgrade")
        assert ("storage-initializer-sourceuri" in notes) == (verb == "upgrade" and "=" not in uri)
