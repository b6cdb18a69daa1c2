"""docs/troubleshooting.md: each symptom is brought about, its words are looked for, its commands run."""

import re

import pytest

from generator.errors import ToolFailed
from tests.cluster.harness import controller, iris, modelserver, waiting, webhooks
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


class Symptoms:
    """One function a symptom: brings it about and returns what is said of it."""

    def __init__(self, cluster, platform, models):
        self.cluster, self.platform, self.models = cluster, platform, models

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
        return self.printed("get", f"inferenceservice/{iris.NAME}", "-o", "jsonpath={.status.url}")

    def a_second_platform(self):
        with pytest.raises(ToolFailed) as refusal:
            Release(self.cluster, self.cluster.namespace("second")).install()
        return str(refusal.value)

    def printed(self, *arguments):
        return self.cluster.kubectl(*arguments, "-n", self.models).strip()


PROVOKED = {
    "Where to look first": Symptoms.where_to_look_first,
    "`certificate signed by unknown authority`": Symptoms.unknown_authority,
    '`no endpoints available for service "kserve-webhook-server-service"`': Symptoms.no_endpoints,
    "`unknown field`": Symptoms.unknown_field,
    "`panic: runtime error: index out of range [0]`": Symptoms.no_predictor,
    "`violates PodSecurity`": Symptoms.violates_pod_security,
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
    "`field is immutable`": Symptoms.change_ingress_class,
    "`certificate signed by unknown authority`": lambda state: webhooks.wait(
        state.cluster, state.models
    ),
}


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
    symptoms = Symptoms(cluster, platform, models)
    try:
        assert_said(section, PROVOKED[section](symptoms))
        run(cluster, section, platform.namespace, models, tmp_path)
        MENDED.get(section, lambda _: None)(symptoms)
    finally:
        if PROVOKED[section] in (Symptoms.no_deployment, Symptoms.another_ingress_class):
            platform.upgrade("--reset-values")
        symptoms.scale(1)
        cluster.kubectl(
            "rollout", "status", "-n", platform.namespace, f"deployment/{controller.NAME}"
        )
        cluster.kubectl("delete", "inferencegraphs,inferenceservices", "--all", "-n", models)


def test_every_heading_is_tried_or_said_why_not():
    at = list(SECTIONS).index("The generator says no")
    ours = set(list(SECTIONS)[:at]) - set(ELSEWHERE)
    tried = set(PROVOKED) | {
        '`no matches for kind "InferenceService"`',
        "`another operation (install/upgrade/rollback) is in progress`",
    }
    assert ours == tried
    assert STOCK.is_dir()
