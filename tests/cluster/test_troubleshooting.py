"""docs/troubleshooting.md: each symptom is brought about, its words are looked for, its commands run."""

import contextlib
import re

import pytest
import yaml

from generator.errors import ToolFailed
from tests.cluster.harness import controller, foreign, iris, knative, modelserver, waiting, webhooks
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.plane import NODE
from tests.cluster.test_interruptions import INSTALL, installing
from tests.cluster.test_waiting import GRAPH
from tests.rendering import ROOT, STOCK

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^##+ (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
# Those that other tests bring about, or that no cluster shows.
ELSEWHERE = {
    "A model is refused": "a heading of headings",
    "A model does not become ready": "a heading of headings",
    "A model does not answer": "a heading of headings",
    "Helm says no": "a heading of headings",
    "The generator says no": "tests/unit/test_open_door.py, with all below it",
    "`timed out waiting for the condition`, and the model serves": "test_waiting.py",
    '`conflicts with "kube-webhook-certgen"`': "test_certificates.py",
    "`chart requires kubeVersion: >=1.32.0-0 which is incompatible with Kubernetes v1.20.0`":
        "tests/unit/test_open_door.py",
    "`missing property`": "tests/unit/test_open_door.py",
    "`got null, want object`": "tests/unit/test_open_door.py",
}  # fmt: skip
PREDICTOR = f"{iris.NAME}-predictor"
NOT_WATCHED = "won't watch keda.sh/v1/ScaledObject resources"


class Symptoms:
    """One function a symptom: brings it about and returns what is said of it."""

    def __init__(self, cluster, platform, models, others):
        self.cluster, self.platform, self.models = cluster, platform, models
        self.others = others  # what is to go again after the test

    def install(self, *projects):
        """What somebody installs, in so far as KServe looks for it."""
        if "knative" in projects:
            self.others.enter_context(knative.settings(self.cluster))
        self.others.enter_context(foreign.crds(self.cluster, *projects))

    def refused(self, model):
        """What the API server says when the model is applied."""
        with pytest.raises(ToolFailed) as refusal:
            self.cluster.apply(model, namespace=self.models)
        return str(refusal.value)

    def where_to_look_first(self):
        self.serve()
        return ""

    def serve(self):
        self.cluster.apply(iris.MODEL, namespace=self.models)
        # A controller that was scaled to none waits for the lease of the one before.
        waiting.until_ready(self.cluster, f"inferenceservice/{iris.NAME}", self.models)

    def unknown_authority(self):
        for configuration in webhooks.configurations(self.cluster):
            paths = [
                f"/webhooks/{index}/clientConfig/caBundle"
                for index in range(len(configuration["webhooks"]))
            ]
            patch = ", ".join(f'{{"op": "remove", "path": "{path}"}}' for path in paths)
            self.cluster.kubectl(
                "patch", configuration["kind"], webhooks.NAME, "--type=json", "-p", f"[{patch}]"
            )
        return webhooks.refusal(self.cluster, self.models)

    def no_endpoints(self):
        """While the pod ends, its connections break for other reasons."""
        self.scale(0)

        def why():
            said = webhooks.refusal(self.cluster, self.models)
            return said if "no endpoints available" in said else None

        return self.cluster.wait("the webhooks have no endpoints", why)

    def scale(self, replicas):
        where = ("-n", self.platform.namespace, f"deployment/{controller.NAME}")
        self.cluster.kubectl("scale", *where, f"--replicas={replicas}")

    def unknown_field(self):
        return self.refused(iris.MODEL.replace("storageUri", "storageUrl"))

    def no_predictor(self):
        return self.refused(iris.MODEL.partition("    model:")[0] + "    minReplicas: 1\n")

    def violates_pod_security(self):
        """A container of one's own that says nothing of security, and the router of a graph."""
        containers = "containers: [{name: kserve-container, image: example.com/server:1}]"
        model = f"{iris.MODEL.partition('    model:')[0]}    {containers}\n"
        self.cluster.apply(model, GRAPH, namespace=self.models)
        events = ("get", "events", "--field-selector=reason=FailedCreate", "-o")
        names = "jsonpath={.items[*].involvedObject.name}"
        for name in (PREDICTOR, "vote-"):
            self.cluster.wait(f"an event of {name}", lambda: name in self.printed(*events, names))  # noqa: B023
        return self.printed(*events, "jsonpath={.items[*].message}")

    def no_runtime(self):
        self.cluster.apply(
            iris.MODEL.replace("name: sklearn\n", "name: SKLearn\n"), namespace=self.models
        )
        status = (
            "get",
            f"inferenceservice/{iris.NAME}",
            "-o",
            "jsonpath={.status.modelStatus.lastFailureInfo}",
        )
        return self.cluster.wait("KServe's answer", lambda: self.printed(*status))

    def not_fetched(self):
        if self.cluster.node is None or not modelserver.environment().is_dir():
            pytest.skip("the model is to be fetched by this machine")
        self.cluster.apply(
            iris.MODEL.replace(iris.URI, f"http://{NODE}:1/model.joblib"), namespace=self.models
        )
        log = ("logs", f"deployment/{PREDICTOR}", "-c", "storage-initializer")
        self.cluster.wait("it fails", lambda: "Storage initialization failed" in self.printed(*log))
        return self.printed("get", "pods", "--no-headers")

    def no_deployment(self):
        self.platform.upgrade("--set=storage.caBundle.configMapName=company-ca")
        self.cluster.apply(iris.MODEL, namespace=self.models)
        log = self.cluster.wait(
            "the controller says so",
            lambda: (
                "company-ca" in (said := controller.log(self.cluster, self.platform.namespace))
                and said
            ),
        )
        assert self.printed("get", "deployments", "-o", "name") == ""
        return log

    def too_little_room(self):
        limits = "resources: {limits: {memory: 512Mi}}"
        self.cluster.apply(
            iris.MODEL.replace("      storageUri:", f"      {limits}\n      storageUri:"),
            namespace=self.models,
        )
        events = ("get", "events", f"--field-selector=involvedObject.name={iris.NAME}", "-o")
        said = self.cluster.wait(
            "KServe says so",
            lambda: (
                "memory limit" in (said := self.printed(*events, "jsonpath={.items[*].message}"))
                and said
            ),
        )
        assert self.printed("get", "deployments", "-o", "name") == ""
        return said

    def another_ingress_class(self):
        self.platform.upgrade("--set=routing.domain=example.com")
        with pytest.raises(ToolFailed) as refusal:
            self.change_ingress_class()
        return str(refusal.value)

    def change_ingress_class(self):
        another = "routing.ingressClass.controller=example.com/another"
        self.platform.upgrade(f"--set=routing.domain=example.com,{another}")

    def inside_only(self):
        self.serve()
        return self.url()

    def url(self):
        return self.printed("get", f"inferenceservice/{iris.NAME}", "-o", "jsonpath={.status.url}")

    def a_second_platform(self):
        with pytest.raises(ToolFailed) as refusal:
            Release(self.cluster, self.cluster.namespace("second")).install()
        return str(refusal.value)

    def no_http_routes(self):
        """The new pod does not start; Helm would wait for it, and the old one answers meanwhile."""
        values = "routing.mode=gatewayApi,routing.domain=example.com,routing.gateway.create=false"
        _, *words = self.platform.command("upgrade", f"--set={values}")
        self.cluster.helm("upgrade", *(word for word in words if word != "--wait"))
        log = self.cluster.wait(
            "the controller says so",
            lambda: (
                "mode requires" in (said := controller.log(self.cluster, self.platform.namespace))
                and said
            ),
        )
        self.install("gateway-api")
        return log

    def rolled_out(self):
        where = ("-n", self.platform.namespace, f"deployment/{controller.NAME}")
        self.cluster.kubectl("rollout", "status", *where, "--timeout=2m")

    def no_knative(self):
        reason = "ServerlessModeRejected"
        self.platform.upgrade("--set=deploymentMode=Knative")
        self.cluster.apply(iris.MODEL, GRAPH, namespace=self.models)
        for name in (iris.NAME, "vote"):
            self.cluster.wait(f"{name} is rejected", lambda: self.times(reason, name))  # noqa: B023
        self.install("knative")
        self.said_again(reason)
        return reason

    def times(self, reason, name=iris.NAME):
        """How often the event of a reason was seen of something; "" for never."""
        events = ("get", "events", f"--field-selector=involvedObject.name={name},reason={reason}")
        return self.printed(*events, "-o", "jsonpath={.items[*].count}")

    def said_again(self, reason):
        """KServe looks at the model anew, and knows no more than before."""
        before = self.times(reason)
        assert before
        self.printed("annotate", "inferenceservice", iris.NAME, "again=yes")
        self.cluster.wait(f"{reason} again", lambda: self.times(reason) != before)

    def on_knative(self):
        service = (knative.SERVICES, PREDICTOR, self.models)
        self.cluster.wait("it is on Knative", lambda: self.cluster.get(*service))

    def no_keda(self):
        metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
        scaled = yaml.safe_load(iris.MODEL)
        scaled["metadata"]["annotations"] = {"serving.kserve.io/autoscalerClass": "keda"}
        scaled["spec"]["predictor"] |= {
            "maxReplicas": 3,
            "autoScaling": {"metrics": [{"type": "Resource", "resource": metric}]},
        }
        self.cluster.apply(scaled, namespace=self.models)
        events = ("get", "events", f"--field-selector=involvedObject.name={iris.NAME}", "-o")
        said = self.cluster.wait(
            "KServe says so",
            lambda: (
                "ScaledObject" in (said := self.printed(*events, "jsonpath={.items[*].message}"))
                and said
            ),
        )
        self.install("keda")
        self.scaled_by_keda()
        assert NOT_WATCHED in controller.log(self.cluster, self.platform.namespace)
        return said

    def scaled_by_keda(self):
        scaler = ("scaledobject", PREDICTOR, self.models)
        self.cluster.wait("KEDA has it", lambda: self.cluster.get(*scaler))

    def watched(self):
        """What KEDA has of the model is made anew when it is deleted."""
        self.rolled_out()
        space = self.platform.namespace

        def reconciled():
            lines = controller.log(self.cluster, space).splitlines()
            seen = (line for line in lines if "Reconciling inference service" in line)
            return any(self.models in line for line in seen)

        self.cluster.wait("the new controller has seen the model", reconciled)
        assert NOT_WATCHED not in controller.log(self.cluster, space)
        self.printed("delete", "scaledobject", PREDICTOR)
        self.scaled_by_keda()

    def no_istio(self):
        self.install("knative")
        self.platform.upgrade("--set=deploymentMode=Knative,routing.domain=example.com")
        self.cluster.apply(iris.MODEL, namespace=self.models)
        knative.serve(self.cluster, iris.NAME, self.models, "example.com")
        waiting.until_ready(self.cluster, f"inferenceservice/{iris.NAME}", self.models)
        assert self.url().endswith("example.com")
        self.install("istio")
        self.said_again("VirtualServiceCRDNotFound")
        assert self.cluster.get(*self.route()) is None
        return "VirtualServiceCRDNotFound"

    def route(self):
        return "virtualservice", iris.NAME, self.models

    def routed(self):
        self.cluster.wait("it has a route", lambda: self.cluster.get(*self.route()))

    def printed(self, *arguments):
        return self.cluster.kubectl(*arguments, "-n", self.models).strip()


PROVOKED = {
    "Where to look first": Symptoms.where_to_look_first,
    "`certificate signed by unknown authority`": Symptoms.unknown_authority,
    '`no endpoints available for service "kserve-webhook-server-service"`': Symptoms.no_endpoints,
    "`gateway API mode requires gateway.networking.k8s.io/v1`": Symptoms.no_http_routes,
    "`unknown field`": Symptoms.unknown_field,
    "`panic: runtime error: index out of range [0]`": Symptoms.no_predictor,
    "`violates PodSecurity`": Symptoms.violates_pod_security,
    "`ServerlessModeRejected`": Symptoms.no_knative,
    '`no matches for kind "ScaledObject"`': Symptoms.no_keda,
    "`VirtualServiceCRDNotFound`": Symptoms.no_istio,
    "`NoSupportingRuntime`": Symptoms.no_runtime,
    "`Init:0/1`, `Init:Error`, `Init:CrashLoopBackOff`": Symptoms.not_fetched,
    "No Deployment appears": Symptoms.no_deployment,
    "`must be less than or equal to memory limit`": Symptoms.too_little_room,
    "`field is immutable`": Symptoms.another_ingress_class,
    "No connection from outside, or 404": Symptoms.inside_only,
    "`exists and cannot be imported into the current release`": Symptoms.a_second_platform,
    # Its commands only look; the cause is a firewall.
    "`context deadline exceeded`": lambda _: "context deadline exceeded",
}  # fmt: skip
# What the commands must have done.
MENDED = {
    "`gateway API mode requires gateway.networking.k8s.io/v1`": Symptoms.rolled_out,
    "`ServerlessModeRejected`": Symptoms.on_knative,
    '`no matches for kind "ScaledObject"`': Symptoms.watched,
    "`VirtualServiceCRDNotFound`": Symptoms.routed,
    "`field is immutable`": Symptoms.change_ingress_class,
    "`certificate signed by unknown authority`": lambda state: webhooks.wait(
        state.cluster, state.models
    ),
}

# What is installed after KServe, which has to forget it again.
AFTER_KSERVE = (
    Symptoms.no_http_routes,
    Symptoms.no_knative,
    Symptoms.no_keda,
    Symptoms.no_istio,
)
CONFIGURED = (*AFTER_KSERVE, Symptoms.no_deployment, Symptoms.another_ingress_class)


def run(cluster, section, platform, models, folder):
    """The commands of a section, as printed but for the namespaces."""
    (folder / "charts").symlink_to(ROOT / "charts")
    (folder / "my.yaml").write_text("{}\n")
    blocks = re.findall(r"^```console\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)
    assert blocks
    script = "\n".join(blocks)
    for name, namespace in (("default", models), ("kserve", platform)):
        script = re.sub(rf"-n {name}\b", f"-n {namespace}", script)
    return cluster.bash(script, folder)


def assert_said(section, said):
    """One of the words in backquotes that the section is named after is in what was said."""
    words = re.findall(r"`(.+?)`", section)
    assert not words or any(word in said for word in words), said


def test_crds_that_are_not_there(cluster, release, models, tmp_path):
    section = '`no matches for kind "InferenceService"`'
    cluster.empty()
    # kubectl keeps what it knew of the kinds; this has it look anew, until the API server knows too.
    cluster.wait("the kind is gone", lambda: "kserve" not in cluster.kubectl("api-versions"))
    with pytest.raises(ToolFailed) as refusal:
        cluster.apply(iris.MODEL, namespace=models)
    assert_said(section, str(refusal.value))
    run(cluster, section, release.namespace, models, tmp_path)
    cluster.wait("they are there", lambda: iris.admitted(cluster, models))


def test_helm_that_was_killed(cluster, release, models, tmp_path):
    section = "`another operation (install/upgrade/rollback) is in progress`"
    with installing(cluster, release) as helm:
        helm.kill()
    with pytest.raises(ToolFailed) as refusal:
        release.helm(*INSTALL)
    assert_said(section, str(refusal.value))
    run(cluster, section, release.namespace, models, tmp_path)
    webhooks.wait(cluster, models)


@pytest.mark.parametrize("section", PROVOKED)
def test_a_symptom_and_its_commands(cluster, platform, models, tmp_path, section):
    others = contextlib.ExitStack()
    symptoms = Symptoms(cluster, platform, models, others)
    try:
        assert_said(section, PROVOKED[section](symptoms))
        run(cluster, section, platform.namespace, models, tmp_path)
        MENDED.get(section, lambda _: None)(symptoms)
    finally:
        symptoms.scale(1)
        cluster.kubectl("delete", "inferencegraphs,inferenceservices", "--all", "-n", models)
        if PROVOKED[section] in CONFIGURED:
            platform.upgrade("--reset-values")
        if PROVOKED[section] in AFTER_KSERVE:
            others.close()
            where = ("-n", platform.namespace, f"deployment/{controller.NAME}")
            cluster.kubectl("rollout", "restart", *where)
        symptoms.rolled_out()


def test_every_heading_is_tried_or_said_why_not():
    at = list(SECTIONS).index("The generator says no")
    ours = set(list(SECTIONS)[:at]) - set(ELSEWHERE)
    tried = set(PROVOKED) | {
        '`no matches for kind "InferenceService"`',
        "`another operation (install/upgrade/rollback) is in progress`",
    }
    assert ours == tried
    assert STOCK.is_dir()
