"""From upstream's charts to kserve-lite by what `migrate --commands` prints, on a running install.

Upstream's own charts are installed by Helm, as they are. Their controller's image is KServe 0.20 here,
whichever version of the charts it is; kube-rbac-proxy, beside it in the pod, has no image here and is
taken out; and in place of cert-manager, whose CRDs alone are there, this makes the certificate.
"""

import contextlib
import json
import re
import sys
from itertools import pairwise

import pytest
import yaml

from generator import tools
from generator.errors import ToolFailed
from tests import upstreamcharts
from tests.cluster.harness import foreign, iris, pki, waiting, webhooks
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
# Of other components, in upstream's chart 0.16.
LEFT = {
    "llminferenceservice.serving.kserve.io",
    "llminferenceserviceconfig.serving.kserve.io",
    "localmodelcache.serving.kserve.io",
}
PROXY = "kube-rbac-proxy"
WITHOUT_PROXY = f"""#!{sys.executable}
import sys, yaml
for each in filter(None, yaml.load_all(sys.stdin, yaml.CSafeLoader)):
    if each["kind"] == "Deployment":
        pod = each["spec"]["template"]["spec"]
        pod["containers"] = [own for own in pod["containers"] if own["name"] != "{PROXY}"]
    print("---", yaml.safe_dump(each), sep="\\n")
"""
LATER = "what-later-versions-ask-for"
RUNTIMES_ON = "--set=kserve.servingruntime.enabled=true"
PAGE = (ROOT / "docs" / "migrate.md").read_text("utf-8")


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
    patch = json.dumps(
        {"spec": {"template": {"spec": {"containers": [{"name": PROXY, "$patch": "delete"}]}}}}
    )
    cluster.kubectl("patch", "deployment", OLD, "-n", namespace, "-p", patch)
    cluster.kubectl("rollout", "status", f"deployment/{OLD}", "-n", namespace, "--timeout=3m")


def install_upstream(cluster, version, program, home, folder):
    """Upstream's charts, in the order and by the names of upstream's own instructions."""
    namespace, bundle = home

    def helm(name, chart, *more):
        source = str(upstreamcharts.chart(version, chart))
        arguments = ("upgrade", "--install", name, source, "-n", namespace, *more)
        return cluster.helm(*arguments, program=program)

    helm("kserve-crd", "kserve-crd")
    foreign.served(cluster, cluster.crds(".serving.kserve.io"))
    if version == "0.16":
        # The controller of 0.20 asks for more than this chart allows.
        account = f"--serviceaccount={namespace}:{OLD}"
        cluster.kubectl(
            "create", "clusterrolebinding", LATER, "--clusterrole=cluster-admin", account
        )
        (folder / "without-proxy").write_text(WITHOUT_PROXY)
        (folder / "without-proxy").chmod(0o755)
        resources = (*STANDARD, f"--post-renderer={folder / 'without-proxy'}")
        # Its runtimes are in the release whose webhook may refuse them before it answers.
        with contextlib.suppress(ToolFailed):
            helm("kserve", upstreamcharts.RESOURCES, *resources)
        inject(cluster, bundle)
        cluster.kubectl("rollout", "status", f"deployment/{OLD}", "-n", namespace, "--timeout=3m")
        cluster.wait("the runtimes", lambda: helm("kserve", upstreamcharts.RESOURCES, *resources))
    else:
        helm("kserve", upstreamcharts.RESOURCES, *STANDARD)
        inject(cluster, bundle)
        without_proxy(cluster, namespace)
        runtimes = ("kserve-runtime-configs", upstreamcharts.RUNTIMES, RUNTIMES_ON)
        cluster.wait("the runtimes", lambda: helm(*runtimes))


def apply_upstream(cluster, version, home):
    """What upstream's quick install applies: the manifests, without a release of Helm."""
    namespace, bundle = home

    def apply(chart, *more):
        words = (chart, str(upstreamcharts.chart(version, chart)), "-n", namespace, *more)
        rendered = cluster.helm("template", *words)
        where = ("-n", namespace, "-f", "-")
        cluster.kubectl("apply", "--server-side", *where, stdin=rendered)
        return True

    apply("kserve-crd")
    foreign.served(cluster, cluster.crds(".serving.kserve.io"))
    apply(upstreamcharts.RESOURCES, *STANDARD)
    inject(cluster, bundle)
    without_proxy(cluster, namespace)
    cluster.wait("the runtimes", lambda: apply(upstreamcharts.RUNTIMES, RUNTIMES_ON))


def shell(cluster, folder, script, program):
    """Run lines in a folder, as somebody who has one Helm, the charts and the generator there."""
    helm = tools.find(program).parent
    own = f'export PATH={helm}:$PATH PYTHONPATH={ROOT}\nkserve-lite() {{ {sys.executable} -m generator "$@"; }}'
    return cluster.bash(f"{own}\n{script}", folder)


def steps(text):
    """The commands by the number of their step."""
    found = re.split(r"^# (\d)\. ", text, flags=re.MULTILINE)[1:]
    return {int(number): step for number, step in zip(found[::2], found[1::2], strict=True)}


def let_go(step):
    """The last step, by model: what is said of a restart, and the command."""
    lines = step.splitlines()
    found = {}
    for comment, command in pairwise(lines):
        if named := re.match(r"# \S+/(\S+) (restarts|may restart|does not restart)\b", comment):
            found[named[1]] = (named[2], command)
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


def migrated(cluster, version, program, home, folder, *, manifests):
    """What the commands of the page write: the values file's text, and the commands to adopt.

    With `manifests` the values are made of the objects alone.
    """
    namespace, _ = home
    (folder / "charts").symlink_to(ROOT / "charts")
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    by_helm, objects, without_helm, adopt = blocks
    lines = objects + (without_helm if manifests else by_helm) + adopt
    if version == "0.16":  # It has one chart for both.
        lines = re.sub(
            r"^helm get values kserve-runtime-configs .*\n", "", lines, flags=re.MULTILINE
        )
        lines = lines.replace(" runtimes.yaml", "")
    for old, new in (
        ("-n kserve ", f"-n {namespace} "),
        *([] if manifests else [("--from 0.20", f"--from {version} --strict")]),
        (
            "--commands",
            f"--strict -n {namespace} --helm {program.removeprefix('helm') or 4} --commands",
        ),
    ):
        assert old in lines
        lines = lines.replace(old, new)
    shell(cluster, folder, lines, program)
    return (folder / "my.yaml").read_text(), (folder / "adopt.txt").read_text()


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
    crds = cluster.crds(".serving.kserve.io")
    annotate = ("annotate", *(f"crd/{name}" for name in crds))
    cluster.kubectl(*annotate, "helm.sh/resource-policy=keep")
    cluster.helm("uninstall", "kserve-crd", "-n", home, program=program)

    def kept():
        """Those that are not deleted, which an API server under load takes minutes to complete."""
        left = [each["metadata"] for each in cluster.list("crds")]
        return crds & {each["name"] for each in left if "deletionTimestamp" not in each}

    cluster.wait("the CRDs are deleted", lambda: not kept())
    cluster.delete_crds(crds)


def check_the_new_release(cluster, release, values):
    """Nothing of upstream's releases is left, and ours goes its ways."""
    listed = cluster.helm("list", "-n", release.namespace, "-q", program=release.program)
    assert listed.split() == [release.name]
    release.upgrade(f"--values={values}", "--set=controller.podLabels.migrated=yes")
    deployed = cluster.get("deployment", OLD, release.namespace)
    assert deployed["spec"]["template"]["metadata"]["labels"]["migrated"] == "yes"
    configurations = {
        each["metadata"]["name"]
        for kind in webhooks.KINDS
        for each in cluster.list(kind)
        if each["metadata"]["name"].endswith("serving.kserve.io")
    }
    assert configurations - LEFT == {webhooks.NAME}
    runtimes = cluster.list("clusterservingruntimes")
    own = cluster.list("clusterservingruntimes", selector="app.kubernetes.io/part-of=kserve-lite")
    assert len(runtimes) == len(own) > 10


@pytest.mark.parametrize(
    ("version", "program", "manifests"),
    [("0.20", "helm", False), ("0.16", "helm3", False), ("0.20", "helm", True)],
    ids=["0.20", "0.16", "manifests"],
)
def test_nothing_is_lost_and_no_model_restarts_unannounced(
    cluster, home, version, program, manifests, tmp_path
):
    namespace, _ = home
    # Upstream's runtimes do not meet Pod Security "restricted".
    models = cluster.namespace("models", enforce="baseline")
    if manifests:
        apply_upstream(cluster, version, home)
    else:
        install_upstream(cluster, version, program, home, tmp_path)
    iris.serve(cluster, models)
    cluster.apply(PLAIN, namespace=models)
    waiting.until_ready(cluster, "inferenceservice/plain", models)
    cluster.kubectl("rollout", "status", "deployment", "-n", models, "--timeout=2m")
    running, kept = pods(cluster, models), survivors(cluster, models)

    cluster.apply(GRAPH, namespace=models)
    routers = cluster.wait("the graph's router", lambda: routers_of(cluster, models))

    ours, commands = migrated(cluster, version, program, home, tmp_path, manifests=manifests)
    assert yaml.safe_load(ours)["routing"]["domain"] == "models.example.org"
    step = steps(commands)
    assert list(step) == [1, 2, 3, 4, 5, 6, 7]
    there = {path.name for path in tmp_path.iterdir()}
    for number in range(1, 7):
        shell(cluster, tmp_path, f"# {number}. {step[number]}", program)
        if number == 5:
            nobody_may_start(cluster, models)
            cluster.kubectl("delete", "clusterrolebinding", LATER, "--ignore-not-found")
    copies = {f"{namespace}-objects.yaml"}
    if not manifests:
        copies.add(f"{namespace}-releases.yaml")
    assert {path.name for path in tmp_path.iterdir()} - there == copies

    # The new controller is there, and has come to every model; no pod is another one.
    webhooks.wait(cluster, models)
    # The first may be among those that the controller finds when it starts, in any order.
    looked_at(cluster, models, "first-fence")
    looked_at(cluster, models, "second-fence")
    cluster.wait("another router", lambda: routers_of(cluster, models) - routers)
    assert survivors(cluster, models).items() >= kept.items()
    after = pods(cluster, models)
    assert {name: after[name] for name in running} == running

    # Then each model restarts as announced, and no other with it.
    announced = let_go(step[7])
    assert {name: said for name, (said, _) in announced.items()} == {
        iris.NAME: "restarts",
        "plain": "does not restart" if version == "0.20" else "may restart",
    }
    for name in ("plain", iris.NAME):
        before = pods(cluster, models)
        said, command = announced[name]
        shell(cluster, tmp_path, command, program)
        looked_at(cluster, models, f"fence-{name}")
        cluster.kubectl("rollout", "status", "deployment", "-n", models, "--timeout=2m")
        after = pods(cluster, models)
        changed = {each for each in running if after[each] != before[each]}
        # The controller is of one version here, so that what may differ between two does not.
        assert changed == ({name} if said == "restarts" else set())

    check_the_new_release(cluster, Release(cluster, namespace, program), tmp_path / "my.yaml")
    assert survivors(cluster, models).items() >= kept.items()
