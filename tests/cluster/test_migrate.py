"""From upstream's charts to kserve-lite by what `migrate --commands` prints, on a running install.

Upstream's own charts are installed by Helm, as they are. Their controller's image is KServe 0.20 here,
whichever version of the charts it is; kube-rbac-proxy, beside it in the pod, has no image here and is
taken out; and in place of cert-manager, whose CRDs alone are there, this makes the certificate.
"""

import json
import re
import sys
from itertools import pairwise

import pytest
import yaml

from generator import process
from generator.errors import ToolFailed
from tests import upstreamcharts
from tests.cluster.harness import controller, foreign, iris, pki, waiting, webhooks
from tests.cluster.harness.cluster import BOTH_HELMS, Release
from tests.rendering import ROOT

# A server of its own, for which no runtime of the platform matters.
PLAIN = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: plain
spec:
  predictor:
    containers:
    - name: kserve-container
      image: registry.example.com/plain:1
"""
GRAPH = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata:
  name: graph
spec:
  nodes:
    root:
      routerType: Sequence
      steps:
      - serviceName: plain
"""
OLD = "kserve-controller-manager"
STANDARD = (
    "--set=kserve.controller.deploymentMode=Standard",
    "--set=kserve.controller.gateway.domain=models.example.org",
    "--set=kserve.controller.gateway.disableIstioVirtualHost=true",
)
RUNTIMES_ON = "--set=kserve.servingruntime.enabled=true"
KINDS = "inferenceservices,inferencegraphs,clusterservingruntimes"
PLATFORM = (
    "configmap/inferenceservice-config",
    "deployment/kserve-controller-manager",
    "customresourcedefinition/inferenceservices.serving.kserve.io",
)


@pytest.fixture(scope="module", autouse=True)
def others(cluster):
    with foreign.crds(cluster, "cert-manager"):
        yield


@pytest.fixture
def home(cluster, tmp_path):
    """A namespace with the certificate that cert-manager would make; the CA of it."""
    if cluster.node is None:
        pytest.skip("images that nobody has are taken for models")
    cluster.empty()
    namespace = cluster.namespace("kserve", enforce="privileged")
    ca = pki.make(tmp_path, "ca", subject="/CN=cert-manager")
    names = [f"DNS:kserve-webhook-server-service.{namespace}.svc"]
    pair = pki.make(tmp_path, "pair", subject="/CN=cert-manager", ca=ca, names=names)
    files = (f"--cert={pair.certificate}", f"--key={pair.key}")
    cluster.kubectl(
        "create", "secret", "tls", "kserve-webhook-server-cert", "-n", namespace, *files
    )
    yield namespace, ca.base64
    cluster.empty()


def inject(cluster, bundle):
    """Write a CA into all of KServe's webhooks, as cert-manager's injector would."""
    for kind in webhooks.KINDS:
        for configuration in cluster.list(kind):
            name = configuration["metadata"]["name"]
            if name.endswith("serving.kserve.io"):
                patch = [
                    {
                        "op": "add",
                        "path": f"/webhooks/{index}/clientConfig/caBundle",
                        "value": bundle,
                    }
                    for index in range(len(configuration["webhooks"]))
                ]
                cluster.kubectl("patch", kind, name, "--type=json", "-p", json.dumps(patch))


def without_proxy(cluster, namespace):
    """Take kube-rbac-proxy out of the controller's pod."""
    containers = cluster.get("deployment", OLD, namespace)["spec"]["template"]["spec"]["containers"]
    names = [each["name"] for each in containers]
    if "kube-rbac-proxy" in names:
        path = f"/spec/template/spec/containers/{names.index('kube-rbac-proxy')}"
        patch = json.dumps([{"op": "remove", "path": path}])
        cluster.kubectl("patch", "deployment", OLD, "-n", namespace, "--type=json", "-p", patch)


def install_upstream(cluster, version, program, home):
    """Upstream's charts, in the order and by the names of upstream's own instructions."""
    namespace, bundle = home

    def helm(name, chart, *more):
        folder = str(upstreamcharts.chart(version, chart))
        arguments = ("upgrade", "--install", name, folder, "-n", namespace, *more)
        return cluster.helm(*arguments, program=program)

    helm("kserve-crd", "kserve-crd")
    foreign.established(cluster, "crd/inferenceservices.serving.kserve.io")

    def resources():
        return helm("kserve", upstreamcharts.RESOURCES, *STANDARD)

    if version == "0.16":
        # It has runtimes in the release whose webhook they wait for; it takes more than one attempt.
        with pytest.raises(ToolFailed):
            resources()
    else:
        resources()
    inject(cluster, bundle)
    without_proxy(cluster, namespace)
    cluster.kubectl("rollout", "status", f"deployment/{OLD}", "-n", namespace, "--timeout=3m")
    if version == "0.16":
        cluster.wait("the second attempt", resources)
    else:
        cluster.wait(
            "the runtimes",
            lambda: helm("kserve-runtime-configs", upstreamcharts.RUNTIMES, RUNTIMES_ON),
        )


def generator(cluster, *arguments):
    """The generator on the command line, for this cluster; what it prints."""
    argv = [sys.executable, "-m", "generator", *map(str, arguments)]
    return process.run(argv, cwd=ROOT, environment=cluster.terminal)


def steps(text):
    """The commands by the number of their step."""
    found = re.split(r"^# (\d)\. ", text, flags=re.MULTILINE)[1:]
    return {int(number): step for number, step in zip(found[::2], found[1::2], strict=True)}


def let_go(step):
    """The last step, by model: whether a restart is announced, and the command."""
    lines = step.splitlines()
    found = {}
    for comment, command in pairwise(lines):
        if named := re.match(r"# \S+/(\S+) (restarts|does not restart)\b", comment):
            found[named[1]] = (named[2] == "restarts", command)
    return found


def pods(cluster, namespace):
    """The UIDs of the pods by model; those that end are not counted."""
    found = {}
    for pod in cluster.list("pods", namespace, "serving.kserve.io/inferenceservice"):
        if "deletionTimestamp" not in pod["metadata"]:
            name = pod["metadata"]["labels"]["serving.kserve.io/inferenceservice"]
            found.setdefault(name, set()).add(pod["metadata"]["uid"])
    return found


def routers_of(cluster, namespace):
    """The UIDs of the pods of the graph's router."""
    found = cluster.list("pods", namespace, "serving.kserve.io/inferencegraph=graph")
    return {pod["metadata"]["uid"] for pod in found}


def survivors(cluster, namespace):
    """What must not be lost: CRDs and models, by UID."""
    them = [
        *(crd for crd in cluster.list("crd") if crd["spec"]["group"] == "serving.kserve.io"),
        *cluster.list("inferenceservices", namespace),
    ]
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in them}


def looked_at(cluster, namespace, name):
    """Wait until the controller has come to a model that was applied after all others."""
    cluster.apply(PLAIN.replace("name: plain", f"name: {name}"), namespace=namespace)
    cluster.wait(name, lambda: cluster.get("deployment", f"{name}-predictor", namespace))


def migrated(cluster, program, home, tmp_path):
    """`migrate` on what Helm and kubectl print of the install: the values file, and the commands."""
    namespace, _ = home
    given = []
    for name in json.loads(cluster.helm("list", "-n", namespace, "-o", "json", program=program)):
        values = cluster.helm(
            "get", "values", name["name"], "-n", namespace, "-o", "yaml", program=program
        )
        if values.strip() != "null":
            given.append(tmp_path / f"{name['name']}.yaml")
            given[-1].write_text(values)
    ours = tmp_path / "my.yaml"
    ours.write_text(generator(cluster, "migrate", "--strict", *given))
    generator(cluster, "validate", "-f", ours)
    running = tmp_path / "running.yaml"
    running.write_text(
        cluster.kubectl("get", KINDS, "-A", "-o", "yaml")
        + "---\n"
        + cluster.kubectl("get", "-n", namespace, *PLATFORM, "-o", "yaml")
    )
    helm = f"--helm={program.removeprefix('helm') or 4}"
    commands = generator(
        cluster, "migrate", running, "--commands", ours, "-n", namespace, helm, "--strict"
    )
    return ours, commands


def nobody_may_start(cluster, models):
    """While there is no controller, no pod of a model is admitted, and no change to a model."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "new", "labels": {"serving.kserve.io/inferenceservice": "new"}},
        "spec": {"containers": [{"name": "kserve-container", "image": "registry.example.com/a:1"}]},
    }
    for what in (pod, PLAIN.replace("name: plain", "name: another")):
        with pytest.raises(ToolFailed, match="failed calling webhook"):
            cluster.apply(what, namespace=models)


@BOTH_HELMS
def test_a_kept_annotation_does_not_keep_the_crds(cluster, program):
    """Why the commands never uninstall: Helm looks into its record, not at the object."""
    cluster.empty()
    home = cluster.namespace("kserve")
    chart = str(upstreamcharts.chart("0.20", "kserve-crd"))
    cluster.helm("install", "kserve-crd", chart, "-n", home, program=program)
    crds = [f"crd/{name}" for name in cluster.crds(".serving.kserve.io")]
    cluster.kubectl("annotate", *crds, "helm.sh/resource-policy=keep")
    cluster.helm("uninstall", "kserve-crd", "-n", home, program=program)
    cluster.wait("the CRDs are gone", lambda: not cluster.crds(".serving.kserve.io"))


@pytest.mark.parametrize(("version", "program"), [("0.20", "helm"), ("0.16", "helm3")])
def test_nothing_is_lost_and_no_model_restarts_unannounced(
    cluster, home, models, version, program, tmp_path
):
    namespace, _ = home
    install_upstream(cluster, version, program, home)
    iris.serve(cluster, models)
    cluster.apply(PLAIN, namespace=models)
    waiting.until_ready(cluster, "inferenceservice/plain", models)
    cluster.kubectl("rollout", "status", "deployment", "-n", models, "--timeout=2m")
    running, kept = pods(cluster, models), survivors(cluster, models)

    cluster.apply(GRAPH, namespace=models)
    routers = cluster.wait("the graph's router", lambda: routers_of(cluster, models))

    ours, commands = migrated(cluster, program, home, tmp_path)
    assert yaml.safe_load(ours.read_text())["routing"]["domain"] == "models.example.org"
    step = steps(commands)
    assert list(step) == [1, 2, 3, 4, 5, 6, 7]
    there = {path.name for path in tmp_path.iterdir()}
    for number in range(1, 7):
        script = f"cd {tmp_path}\n# {number}. {step[number]}"
        cluster.bash(script.replace(" charts/kserve-lite", f" {ROOT}/charts/kserve-lite"))
        if number == 5:
            nobody_may_start(cluster, models)
    assert {path.name for path in tmp_path.iterdir()} - there == {
        "platform.yaml",
        f"{namespace}-releases.yaml",
    }

    # The new controller is there, and has come to every model; no pod is another one.
    webhooks.wait(cluster, models)
    looked_at(cluster, models, "fence")
    if version == "0.20":
        cluster.wait("another router", lambda: routers_of(cluster, models) - routers)
    assert survivors(cluster, models).items() >= kept.items()
    after = pods(cluster, models)
    assert {name: after[name] for name in running} == running

    # Then each model restarts as announced, and no other with it.
    announced = let_go(step[7])
    assert {name: restarts for name, (restarts, _) in announced.items()} == {
        iris.NAME: True,
        "plain": False,
    }
    for name in ("plain", iris.NAME):
        before = pods(cluster, models)
        cluster.bash(announced[name][1])
        looked_at(cluster, models, f"fence-{name}")
        cluster.kubectl("rollout", "status", "deployment", "-n", models, "--timeout=2m")
        after = pods(cluster, models)
        changed = {each for each in running if after[each] != before[each]}
        assert changed == ({name} if announced[name][0] else set())

    # Nothing of upstream's releases is left, and ours goes its ways.
    release = Release(cluster, namespace, program)
    releases = json.loads(
        cluster.helm("list", "-n", namespace, "-a", "-o", "json", program=program)
    )
    assert [each["name"] for each in releases] == ["kserve-lite"]
    release.upgrade(f"--values={ours}", "--set=controller.podLabels.migrated=yes")
    webhooks.wait(cluster, models)
    assert len(controller.pods(cluster, namespace)) >= 1
    assert survivors(cluster, models).items() >= kept.items()
    deployed = cluster.get("deployment", OLD, namespace)
    assert deployed["spec"]["template"]["metadata"]["labels"]["migrated"] == "yes"
    own = "app.kubernetes.io/part-of=kserve-lite"
    of_kserve = [
        each["metadata"]["name"]
        for each in cluster.list("validatingwebhookconfigurations,mutatingwebhookconfigurations")
        if each["metadata"]["name"].endswith("serving.kserve.io")
    ]
    assert sorted(set(of_kserve)) in (
        [webhooks.NAME],
        [webhooks.NAME, *LEFT],
    )
    assert len(cluster.list("clusterservingruntimes", selector=own)) == len(
        cluster.list("clusterservingruntimes")
    )


# Of other components, in upstream's chart 0.16.
LEFT = [
    "llminferenceservice.serving.kserve.io",
    "llminferenceserviceconfig.serving.kserve.io",
    "localmodelcache.serving.kserve.io",
]
