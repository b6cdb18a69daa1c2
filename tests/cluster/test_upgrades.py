"""From one set of values to the next, from one chart to the next; and the second door."""

import base64
import json
import re
import shutil
import sys

import pytest

from generator import process
from tests.cluster.harness import controller, foreign, iris, pki, webhooks
from tests.cluster.harness.cluster import BOTH_HELMS, Release
from tests.cluster.harness.foreign import established
from tests.rendering import (
    CASES,
    FLAVOURS,
    ROOT,
    STOCK,
    identity,
    objects,
    of_kind,
    only,
    parse,
    values_of,
)

SECRET_LIMIT = 144 * 1024
ANNOTATION_LIMIT = 262_144
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# Secrets that somebody makes whose CRDs alone are there, or nothing of whom.
CERTIFICATES = {
    "cert-manager": "kserve-webhook-server-cert-manager",
    "openshift": "kserve-webhook-server-openshift",
}
# Helm forgets all but ten revisions; and given no value, it takes those of the revision before.
AFRESH = ("--history-max=0", "--reset-values")


@pytest.fixture(scope="module")
def others(cluster):
    """The CRDs of all that a flavour makes objects of."""
    with foreign.crds(cluster, "cert-manager", "gateway-api", "istio", "prometheus-operator"):
        yield
        cluster.reset()


@pytest.fixture
def authority(cluster, release, models, tmp_path):
    """What flavours name and others make: a company's CA, and certificates of it for the webhooks."""
    for namespace in (release.namespace, models):
        # eks has hostNetwork; openshift leaves to the SCC what Pod Security wants to see.
        label = "pod-security.kubernetes.io/enforce=privileged"
        cluster.kubectl("label", "namespace", namespace, label, "--overwrite")
    ca = pki.make(tmp_path, "ca", subject="/CN=others")
    names = [f"DNS:kserve-webhook-server-service.{release.namespace}.svc"]
    pair = pki.make(tmp_path, "pair", subject="/CN=others", ca=ca, names=names)
    files = (f"--cert={pair.certificate}", f"--key={pair.key}")
    for secret in CERTIFICATES.values():
        cluster.kubectl("create", "secret", "tls", secret, "-n", release.namespace, *files)
    # Without it KServe reconciles no InferenceService at all.
    bundle = ("company-ca", f"--from-file=cabundle.crt={ca.certificate}")
    cluster.kubectl("create", "configmap", *bundle, "-n", release.namespace)
    return ca.base64


def inject(cluster, bundle):
    """Write a CA into every webhook, as cert-manager and OpenShift would."""
    for configuration in webhooks.configurations(cluster):
        patch = [
            {"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": bundle}
            for index in range(len(configuration["webhooks"]))
        ]
        where = (
            configuration["kind"],
            configuration["metadata"]["name"],
            "--type=json",
            "-p",
            json.dumps(patch),
        )
        cluster.kubectl("patch", *where, "--field-manager=injector")


def stubs(cluster):
    """Webhooks that somebody's half of is left of: without rules, or without a service."""
    return [
        webhook["name"]
        for configuration in webhooks.configurations(cluster)
        for webhook in configuration["webhooks"]
        if not (webhook.get("rules") and webhook["clientConfig"].get("service"))
    ]


def names_of_webhooks(configurations):
    return {
        (configuration["kind"], each["name"])
        for configuration in configurations
        for each in configuration["webhooks"]
    }


def settle(cluster, namespace):
    """Wait until the controller that was started last has looked at the models."""

    def looked():
        return "Reconciling ingress for inference service" in controller.log(cluster, namespace)

    if not looked():
        controller.free_lease(cluster, namespace)
    cluster.wait("the controller has looked at the models", looked)


def owned(ours, fields):
    """Whether a manager of `fields` (an entry of managedFields) owns all of an object."""
    if not fields:  # A leaf, or a whole.
        return True
    if isinstance(ours, dict):
        return all(
            f"f:{key}" in fields and owned(value, fields[f"f:{key}"]) for key, value in ours.items()
        )
    keys = {key: json.loads(key[2:]) for key in fields if key[:2] in ("k:", "v:")}
    return all(
        any(
            key == item or (isinstance(key, dict) and key.items() <= item.items() and owned(item, fields[name]))
            for name, key in keys.items()
        )
        for item in ours
    )  # fmt: skip


def unowned(cluster, them, manager):
    """Objects of which `manager` does not own all that is rendered."""
    for applied in them:
        metadata = applied["metadata"]
        found = json.loads(
            cluster.kubectl(
                *(
                    "get",
                    applied["kind"],
                    metadata["name"],
                    "-n",
                    metadata.get("namespace", "default"),
                ),
                *("-o", "json", "--show-managed-fields"),
            )
        )
        labels = {key: metadata[key] for key in ("labels", "annotations") if key in metadata}
        rest = {k: v for k, v in applied.items() if k not in ("apiVersion", "kind", "metadata")}
        entries = [
            each["fieldsV1"]
            for each in found["metadata"]["managedFields"]
            if each["manager"] == manager and each["operation"] == "Apply"
        ]
        if not any(owned({**rest, "metadata": labels}, fields) for fields in entries):
            yield f"{applied['kind']} {metadata['name']}"


def runtime(flavour):
    """What the chart says of the model server that sklearn-iris runs on."""
    return only(objects(flavour), "ClusterServingRuntime", "kserve-sklearnserver")["spec"]


def there_are(cluster, flavour):
    """In place of the digests of a flavour, which no image has: arguments of Helm."""
    values = values_of(flavour)
    images = {
        "controller": (values.get("controller", {}), "kserve/kserve-controller:v0.20.0"),
        "runtimes.sklearn": (
            values.get("runtimes", {}).get("sklearn", {}),
            "kserve/sklearnserver:v0.20.0",
        ),
    }
    for key, (written, image) in images.items():
        if cluster.node and "digest" in written.get("image", {}):
            yield f"--set={key}.image.digest={cluster.node.digest(image)}"


@BOTH_HELMS
def test_from_flavour_to_flavour(cluster, others, release, authority, models):
    """One release becomes every flavour in turn; models restart when their runtime changes."""
    release.install()
    iris.serve(cluster, models)
    first = before = iris.served(cluster, models)

    for flavour, previous in zip([*FLAVOURS, "default"], ["default", *FLAVOURS], strict=True):
        release.upgrade(*AFRESH, f"--values={CASES[flavour]}", *there_are(cluster, flavour))
        if flavour in CERTIFICATES:
            inject(cluster, authority)
        them = objects(flavour, namespace=release.namespace)
        wanted = of_kind(them, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
        assert names_of_webhooks(webhooks.configurations(cluster)) == names_of_webhooks(wanted)
        assert stubs(cluster) == []
        webhooks.wait(cluster, models)
        if release.program != "helm":
            continue  # Models do not know by whom the platform was upgraded.
        settle(cluster, release.namespace)
        if runtime(flavour) != runtime(previous):
            cluster.wait("a restart", lambda: iris.served(cluster, models) != before)  # noqa: B023
            before = iris.served(cluster, models)
        assert iris.served(cluster, models) == before, flavour

    # Law 15 on the cluster.
    kept = cluster.list("secrets", release.namespace, "owner=helm")
    assert len(kept) == len(FLAVOURS) + 2
    assert max(len(base64.b64decode(secret["data"]["release"])) for secret in kept) < SECRET_LIMIT

    if release.program == "helm":
        assert before != first
        assert list(unowned(cluster, them, "helm")) == []
        # A model that runs has been fetched: by what makes no difference any more.
        release.upgrade(*AFRESH, "--set=storage.initializer.image.tag=v0.19.0")
        settle(cluster, release.namespace)
        assert iris.served(cluster, models) == before

    release.rollback(1)
    webhooks.wait(cluster, models)
    if release.program == "helm":
        settle(cluster, release.namespace)
        assert iris.served(cluster, models) == before


def renew(cluster, release):
    """Run the command that NOTES.txt has for the CRDs."""
    notes = cluster.helm("get", "notes", release.name, "-n", release.namespace)
    (command,) = re.findall(r"^ *(helm show crds CHART .*)$", notes, re.MULTILINE)
    cluster.bash(command.replace("CHART", str(STOCK)))


def crds(cluster):
    return {
        crd["metadata"]["name"]: crd
        for crd in cluster.list("crd")
        if crd["spec"]["group"] == "serving.kserve.io"
    }


def versions(them):
    return {name: crd["metadata"]["resourceVersion"] for name, crd in them.items()}


def fields_of_models(crd, part):
    (version,) = crd["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]["properties"][part]["properties"]


# What KServe 0.20 brought.
NEWER = {"spec": "canary", "status": "canaryStatuses"}


@pytest.fixture
def former(tmp_path):
    """The chart of a release before this one.

    There is none yet. This one stands for it: the same templates under a lower version, and CRDs
    that lack what KServe 0.20 brought.
    """
    folder = shutil.copytree(STOCK, tmp_path / "kserve-lite")
    about = folder / "Chart.yaml"
    about.write_text(re.sub(r"(?m)^version: .*$", "version: 0.0.9", about.read_text("utf-8")))
    for file in (folder / "crds").glob("*inferenceservices*"):
        (crd,) = parse(file.read_text("utf-8"))
        for part, name in NEWER.items():
            del fields_of_models(crd, part)[name]
        file.write_text(json.dumps(crd))
    return folder


def test_from_chart_to_chart(cluster, former, release, models):
    """Law 9 on the API server: old CRDs do under a new controller, and one command renews them."""
    cluster.empty()
    Release(cluster, release.namespace, chart=former).install()
    iris.serve(cluster, models)
    before = iris.served(cluster, models)

    release.upgrade()
    webhooks.wait(cluster, models)
    settle(cluster, release.namespace)
    name = "inferenceservices.serving.kserve.io"
    for part, field in NEWER.items():
        assert field not in fields_of_models(crds(cluster)[name], part)
    second = cluster.namespace("models")
    iris.serve(cluster, second)

    renew(cluster, release)
    renewed = crds(cluster)
    for part, field in NEWER.items():
        assert field in fields_of_models(renewed[name], part)
    renew(cluster, release)
    assert versions(crds(cluster)) == versions(renewed)
    assert iris.served(cluster, models) == before


def test_crds_that_helm_made(cluster, release):
    """The same command after `helm install` has made them."""
    cluster.empty()
    release.install()
    made = crds(cluster)
    renew(cluster, release)
    renewed = crds(cluster)
    assert {name: crd["spec"] for name, crd in renewed.items()} == {
        name: crd["spec"] for name, crd in made.items()
    }
    renew(cluster, release)
    assert versions(crds(cluster)) == versions(renewed)


def test_crds_applied_by_the_client(cluster):
    """Law 15 on the API server: the annotation of a client-side apply holds each of them."""
    cluster.empty()
    folder = str(STOCK / "crds")
    cluster.kubectl("apply", "-f", folder)
    annotations = [crd["metadata"]["annotations"][LAST_APPLIED] for crd in crds(cluster).values()]
    assert max(len(annotation.encode()) for annotation in annotations) < ANNOTATION_LIMIT
    again = cluster.kubectl("apply", "-f", folder).splitlines()
    assert [line for line in again if not line.endswith(" unchanged")] == []


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client", "server"])
def test_door_two(cluster, models, tmp_path, how):
    """Law 8 on the API server: folders applied in their order, once, are a working platform."""
    cluster.empty()
    namespace = cluster.namespace("gitops")
    arguments = ("-n", namespace, "-f", str(CASES["default"]), "-o", str(tmp_path))
    process.run([sys.executable, "-m", "generator", "manifests", *arguments], cwd=ROOT)
    phases = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    # The objects, without kustomize's own files: those have no name after their kind.
    files = [f"--filename={file}" for phase in phases for file in phase.glob("*-*.yaml")]
    try:
        for phase in phases:
            cluster.kubectl("apply", *how, "-k", str(phase))
            if made := [f"--filename={file}" for file in phase.glob("customresourcedefinition-*")]:
                established(cluster, *made)
        cluster.kubectl("rollout", "status", "deployment", "-n", namespace, "--timeout=2m")
        webhooks.certified(cluster, namespace)
        iris.serve(cluster, models)

        before = resource_versions(cluster, files)
        assert len(before) == len(files)
        cluster.kubectl("apply", *how, *files)
        assert resource_versions(cluster, files) == before
        # With its pods: the CRD goes next, without which nobody takes them away.
        model = ("inferenceservice", iris.NAME, "-n", models)
        cluster.kubectl("delete", *model, "--cascade=foreground")
    finally:
        cluster.kubectl("delete", *files, "--ignore-not-found")


def resource_versions(cluster, files):
    """What changes with an object, whatever changes."""
    them = json.loads(cluster.kubectl("get", *files, "-o", "json"))["items"]
    return {identity(resource): resource["metadata"]["resourceVersion"] for resource in them}
