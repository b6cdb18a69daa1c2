"""`doctor` on a real API server: clusters spoilt on purpose, named, and mended by what it says."""

import base64
import contextlib
import datetime
import json
import os

import pytest
import yaml

from tests.certificates import Authority
from tests.cluster.harness import (
    controller,
    flowers,
    foreign,
    hub,
    iris,
    knative,
    modelserver,
    waiting,
    webhooks,
    website,
)
from tests.cluster.harness.plane import NODE
from tests.cluster.test_waiting import GRAPH
from tests.rendering import ROOT
from tests.unit.test_cli import run

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
NO_IMAGE = f"{hub.NOTHING}/server:1"
DAY = datetime.timedelta(days=1)
INFERENCESERVICES = "inferenceservices.serving.kserve.io"


@pytest.fixture
def doctor(cluster, platform):
    """What `doctor` finds: the findings by name; `doctor("--release", …)` with other words."""

    def ask(*arguments):
        words = ("doctor", "--output", "json", "-n", platform.namespace, *arguments)
        done = run(*words, environment={**os.environ, **cluster.terminal})
        assert done.stderr == ""
        data = json.loads(done.stdout)
        assert data["unseen"] == []
        broken = any(each["severity"] == "broken" for each in data["findings"])
        assert done.returncode == (1 if broken else 0)
        return {each["finding"]: each for each in data["findings"]}

    return ask


@pytest.fixture
def mend(cluster, tmp_path):
    """Runs the remedy of a finding as printed, where charts/ and my.yaml are."""
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    (tmp_path / "my.yaml").write_text("{}\n")

    def follow(finding):
        return cluster.bash(finding["remedy"], tmp_path)

    return follow


@pytest.fixture(autouse=True)
def whole(cluster, platform):
    """The platform is whole again after each test."""
    yield
    # The platform first: without its controller nothing lets go of a model.
    platform.upgrade("--reset-values")
    webhooks.certified(cluster, platform.namespace)
    cluster.kubectl("delete", "inferencegraphs,inferenceservices", "--all", "--all-namespaces")


@pytest.fixture(scope="module")
def trained(model_servers, tmp_path_factory):
    with flowers.served(tmp_path_factory.mktemp("bucket")) as trained:
        yield trained


def until(cluster, doctor, name, *arguments):
    """Wait until `doctor` finds something; the finding."""
    found = {}

    def asked():
        found.clear()
        found.update(doctor(*arguments))
        return found.get(name)

    try:
        return cluster.wait(f"doctor finds {name}", asked)
    except AssertionError as error:
        raise AssertionError(f"{error}; it finds {found}") from None


def healthy(cluster, doctor):
    """Wait until it finds nothing."""
    cluster.wait("doctor finds nothing", lambda: doctor() == {})


def test_nothing_is_found_in_a_healthy_cluster(cluster, doctor, models):
    iris.serve(cluster, models)
    assert doctor() == {}


def test_nothing_is_written(cluster, platform, models, tmp_path):
    """Who may read, and create an InferenceService that is not kept, has the whole answer."""
    iris.serve(cluster, models)
    role, space = "doctor-reads", platform.namespace
    cluster.kubectl("create", "serviceaccount", role, "-n", space)
    rules = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]},
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
        {
            "apiGroups": ["serving.kserve.io"],
            "resources": ["inferenceservices"],
            "verbs": ["create"],
        },
    ]
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": role}}
    subject = {"kind": "ServiceAccount", "name": role, "namespace": space}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    cluster.apply(
        {**rbac, "kind": "ClusterRole", "rules": rules},
        {**rbac, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
    )
    before = names(cluster.list("inferenceservices"))
    account = f"--as=system:serviceaccount:{space}:{role}"
    may = ("auth", "can-i", "create", "inferenceservices", "--all-namespaces", account)
    try:
        cluster.wait("the grant counts", lambda: cluster.kubectl(*may))
        config = as_account(cluster, role, space, tmp_path)
        done = run("doctor", "-n", space, environment={**os.environ, "KUBECONFIG": config})
    finally:
        cluster.kubectl("delete", "clusterrolebinding,clusterrole", role)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(cluster.list("inferenceservices")) == before


def names(found):
    return {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in found}


def as_account(cluster, name, namespace, folder):
    """The path of a configuration of kubectl that speaks for a ServiceAccount."""
    token = cluster.kubectl("create", "token", name, "-n", namespace).strip()
    config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return str(path)


def test_no_cluster_is_trouble(tmp_path):
    done = run("doctor", environment={**os.environ, "KUBECONFIG": str(tmp_path / "none")})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("no cluster answers: ")


def test_who_may_not_read_is_told_so(cluster, platform, tmp_path):
    space = platform.namespace
    cluster.kubectl("create", "serviceaccount", "nobody", "-n", space)
    config = as_account(cluster, "nobody", space, tmp_path)
    done = run("doctor", "-n", space, environment={**os.environ, "KUBECONFIG": config})
    assert done.returncode == 2
    assert "not seen: models: " in done.stdout + done.stderr
    assert "broken:" not in done.stdout + done.stderr


def test_nothing_installed(cluster, platform, doctor, mend):
    """Not even the CRDs are there; the remedy installs all of it."""
    platform.uninstall()
    cluster.empty()
    found = doctor()
    assert found.keys() == {"platform-missing"}
    mend(found["platform-missing"])
    healthy(cluster, doctor)


def test_another_namespace(cluster, platform, doctor):
    found = doctor("-n", "elsewhere")
    assert (
        f"doctor -n {platform.namespace}"
        == found["platform-missing"]["remedy"][-len(f"doctor -n {platform.namespace}") :]
    )
    assert found.keys() == {"platform-missing"}


def test_another_release(cluster, doctor):
    found = doctor("--release", "other")
    assert found.keys() == {"foreign-kserve"}
    assert found["foreign-kserve"]["remedy"] == "doctor --release kserve-lite"


def test_a_crd_that_is_gone(cluster, doctor, mend):
    cluster.delete_crds(["trainedmodels.serving.kserve.io"])
    found = doctor()
    assert found.keys() >= {"crd-missing"}
    mend(found["crd-missing"])
    cluster.wait("it is there", lambda: "crd-missing" not in doctor())


def test_a_crd_of_an_older_kserve(cluster, doctor, mend):
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/predictor/properties/model"
    patch = json.dumps([{"op": "remove", "path": path}])
    cluster.kubectl("patch", "crd", INFERENCESERVICES, "--type=json", "-p", patch)
    found = doctor()
    assert "spec.predictor.model" in found["crd-old"]["fact"]
    mend(found["crd-old"])
    healthy(cluster, doctor)


def test_a_config_that_is_gone(cluster, platform, doctor, mend):
    cluster.kubectl("delete", "configmap", "inferenceservice-config", "-n", platform.namespace)
    found = doctor()
    assert found.keys() == {"config-broken"}
    mend(found["config-broken"])
    healthy(cluster, doctor)


def test_a_controller_scaled_to_none(cluster, platform, doctor, mend):
    where = ("-n", platform.namespace, f"deployment/{controller.NAME}")
    cluster.kubectl("scale", *where, "--replicas=0")
    webhooks.refusal(cluster, "default")
    found = doctor()
    assert found.keys() == {"controller-down", "webhook-fails"}
    mend(found["controller-down"])
    healthy(cluster, doctor)


def test_a_model_that_nobody_lets_go_of(cluster, platform, doctor, mend, models):
    iris.serve(cluster, models)
    where = ("-n", platform.namespace, f"deployment/{controller.NAME}")
    cluster.kubectl("scale", *where, "--replicas=0")
    cluster.wait("it is away", lambda: controller.are_away(cluster, platform.namespace))
    cluster.kubectl("delete", "inferenceservice", iris.NAME, "-n", models, "--wait=false")
    found = until(cluster, doctor, "deletion-stuck")
    assert "waits for inferenceservice.finalizers" in found["fact"]
    assert found["remedy"].startswith("have the controller run")
    mend(doctor()["controller-down"])
    healthy(cluster, doctor)
    assert cluster.get("inferenceservice", iris.NAME, models) is None


def test_a_certificate_that_is_gone(cluster, platform, doctor, mend):
    cluster.kubectl("delete", "secret", webhooks.SECRET, "-n", platform.namespace)
    found = doctor()
    assert found.keys() == {"certificate-missing"}
    mend(found["certificate-missing"])
    healthy(cluster, doctor)


def test_a_certificate_that_has_expired(cluster, platform, doctor, mend):
    """From another CA than the platform's, which the webhooks know."""
    now = datetime.datetime.now(datetime.timezone.utc)
    host = f"kserve-webhook-server-service.{platform.namespace}.svc"
    authority = Authority(now)
    pair = authority.sign([host], now - 2 * DAY, now - DAY)
    data = {"tls.crt": encoded(pair.certificate), "tls.key": encoded(pair.key)}
    patch = json.dumps({"data": data})
    where = ("-n", platform.namespace, "--type=merge", "-p", patch)
    cluster.kubectl("patch", "secret", webhooks.SECRET, *where)
    trust(cluster, encoded(authority.certificate))
    found = until(cluster, doctor, "certificate-expired")
    assert f"to {now - DAY:%Y-%m-%d}" in found["fact"]
    assert "certificate-mismatch" not in doctor()
    mend(found)
    healthy(cluster, doctor)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def trust(cluster, bundle):
    """Put a CA into all webhooks; without one, take theirs away."""
    for configuration in webhooks.configurations(cluster):
        for index in range(len(configuration["webhooks"])):
            path = f"/webhooks/{index}/clientConfig/caBundle"
            change = (
                {"op": "add", "path": path, "value": bundle}
                if bundle
                else {"op": "remove", "path": path}
            )
            cluster.kubectl(
                "patch",
                configuration["kind"],
                webhooks.NAME,
                "--type=json",
                "-p",
                json.dumps([change]),
            )


@pytest.mark.parametrize("other", [False, True], ids=["none", "another"])
def test_a_ca_that_is_not_the_certificates(cluster, doctor, mend, other):
    now = datetime.datetime.now(datetime.timezone.utc)
    trust(cluster, encoded(Authority(now).certificate) if other else "")
    webhooks.refusal(cluster, "default")
    found = doctor()
    assert found.keys() == {"certificate-mismatch", "webhook-fails"}
    assert "unknown authority" in found["webhook-fails"]["fact"]
    mend(found["certificate-mismatch"])
    healthy(cluster, doctor)


def test_webhooks_of_a_kserve_that_is_gone(cluster, platform, doctor):
    cluster.kubectl("delete", "deployment", controller.NAME, "-n", platform.namespace)
    webhooks.refusal(cluster, "default")
    found = doctor()
    assert found.keys() == {"platform-missing", "webhook-orphaned", "webhook-fails"}


PUBLISHED = "--set=routing.domain=models.corp.test"


def test_an_ingress_class_that_nobody_made(cluster, platform, doctor):
    platform.upgrade(PUBLISHED, "--set=routing.ingressClass.name=nginx")
    found = doctor()
    assert found.keys() == {"class-missing"}
    assert found["class-missing"]["object"] == "IngressClass/nginx"
    platform.upgrade(PUBLISHED, "--set=routing.ingressClass.create=true")
    assert doctor() == {}


@contextlib.contextmanager
def published(cluster, platform, project, mode):
    """Models are published in a routing mode, with the CRDs that it needs and nobody behind them."""
    with foreign.crds(cluster, project):
        try:
            platform.upgrade(PUBLISHED, f"--set=routing.mode={mode}")
            yield
        finally:
            platform.upgrade("--reset-values")


def test_gateways_that_nobody_serves(cluster, platform, doctor):
    """There is no controller of Gateways: first no class, then one that nobody accepts."""
    with published(cluster, platform, "gateway-api", "gatewayApi"):
        assert doctor()["class-missing"]["object"] == "GatewayClass/istio"
        cluster.apply(
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "GatewayClass",
                "metadata": {"name": "istio"},
                "spec": {"controllerName": "corp.test/nobody"},
            }
        )
        assert "no controller has looked at it" in until(cluster, doctor, "class-missing")["fact"]
        gateways = "gateways.gateway.networking.k8s.io"
        cluster.kubectl("delete", gateways, "--all", "-n", platform.namespace)
        assert "routing.gateway" in doctor()["gateway-missing"]["remedy"]


def test_a_model_that_has_no_route(cluster, platform, doctor, models):
    """Applied by hand, in the mode in which the models chart writes the routes."""
    with published(cluster, platform, "istio", "virtualService"):
        iris.serve(cluster, models)
        found = doctor()
        assert found.keys() == {"route-missing"}
        assert iris.NAME in found["route-missing"]["object"]


def test_a_runtime_that_is_off(cluster, platform, doctor, models):
    cluster.apply(iris.MODEL.replace("name: sklearn\n", "name: xgboost\n"), namespace=models)
    found = until(cluster, doctor, "runtime-missing")
    assert "runtimes.xgboost.enabled=true" in found["remedy"]
    platform.upgrade("--set=runtimes.xgboost.enabled=true")
    cluster.wait("it is served", lambda: "runtime-missing" not in doctor())


def test_a_model_that_is_not_where_it_says(cluster, doctor, models):
    if cluster.node is None or not modelserver.environment().is_dir():
        pytest.skip("the model is to be fetched by this machine")
    uri = f"http://{NODE}:1/model.joblib"
    cluster.apply(iris.MODEL.replace(iris.URI, uri), namespace=models)
    found = until(cluster, doctor, "storage")
    assert uri in found["fact"]
    assert "--previous" in found["remedy"]


@pytest.fixture
def bare(cluster, models):
    """A model in a container of one's own, with more in its pod: `bare("image", {…}, …)`."""

    def apply(image, container=(), **more):
        described = {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "bare"},
            "spec": {
                "predictor": {
                    "containers": [{"name": "kserve-container", "image": image, **dict(container)}],
                    **more,
                }
            },
        }
        restricted = described["spec"]["predictor"]["containers"][0]
        restricted["securityContext"] = RESTRICTED
        cluster.apply(described, namespace=models)

    return apply


def test_an_image_that_no_registry_has(cluster, doctor, bare):
    bare(NO_IMAGE)
    found = until(cluster, doctor, "image-pull")
    assert NO_IMAGE in found["fact"]
    assert "global.imagePullSecrets" in found["remedy"]


def test_a_pod_that_fits_no_node(cluster, doctor, bare):
    bare("registry.example.com/server:1", nodeSelector={"corp.test/gpu": "h100"})
    found = until(cluster, doctor, "unschedulable")
    assert "didn't match Pod's node affinity/selector" in found["fact"]


def test_a_model_that_wants_more_than_its_memory(cluster, doctor, models, trained):
    """The model server alone is larger."""
    small = "      resources: {limits: {memory: 48Mi}, requests: {memory: 48Mi}}\n"
    cluster.apply(iris.MODEL.replace(iris.URI, trained.uri) + small, namespace=models)
    found = until(cluster, doctor, "out-of-memory")
    assert "kserve-container was killed for using more than its memory of 48Mi" in found["fact"]
    assert "limits.memory in the model's resources" in found["remedy"]


def test_a_model_server_that_ends(cluster, doctor, models, trained, tmp_path):
    """What it fetched is no model."""
    (tmp_path / "model.joblib").write_bytes(b"no model")
    with website.serving(tmp_path) as url:
        model = iris.MODEL.replace(iris.URI, f"{url}/model.joblib")
        cluster.apply(model, namespace=models)
        found = until(cluster, doctor, "crash")
    assert "kserve-container ended with 1" in found["fact"]
    assert models in cluster.bash(f"echo {models}; {found['remedy']} || true")


def test_a_namespace_without_room(cluster, doctor, models):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"requests.memory": "1Mi"}},
    }
    cluster.apply(quota, namespace=models)
    cluster.apply(iris.MODEL, namespace=models)
    found = until(cluster, doctor, "pod-refused")
    assert "exceeded quota" in found["fact"]
    assert "ResourceQuota" in found["remedy"]


def test_a_graph_that_pod_security_refuses(cluster, doctor, mend, models):
    iris.serve(cluster, models)
    cluster.apply(GRAPH, namespace=models)
    found = until(cluster, doctor, "pod-refused")
    assert "PodSecurity" in found["fact"]
    assert "seccompProfile" in found["fact"]
    assert "runAsNonRoot" not in found["fact"]
    mend(found)
    healthy(cluster, doctor)


def test_a_model_in_an_image_that_pod_security_refuses(cluster, doctor, models):
    image = "oci://registry.example.com/iris:1"
    cluster.apply(iris.MODEL.replace(iris.URI, image), namespace=models)
    found = until(cluster, doctor, "pod-refused")
    assert '"modelcar"' in found["fact"]
    assert "storage.ociModels.mode=native" in found["remedy"]


@pytest.fixture
def restarted(cluster, platform):
    """The controller starts anew after the test, when the CRDs of others are gone again."""
    yield
    where = ("-n", platform.namespace, f"deployment/{controller.NAME}")
    cluster.kubectl("rollout", "restart", *where)
    cluster.kubectl("rollout", "status", *where)


def test_knative_that_is_not_there_or_came_later(
    cluster, platform, doctor, mend, models, restarted
):
    """The CRDs are there, and nothing behind them: that the model is not Ready then is no wonder."""
    platform.upgrade("--set=deploymentMode=Knative")
    cluster.apply(iris.MODEL, namespace=models)
    assert "KServe rejects" in until(cluster, doctor, "knative-missing")["fact"]
    with knative.settings(cluster), foreign.crds(cluster, "knative"):
        found = doctor()
        assert found.keys() == {"restart-needed"}
        mend(found["restart-needed"])
        service = f"{iris.NAME}-predictor"
        cluster.wait("it is served", lambda: cluster.get(knative.SERVICES, service, models))
        assert doctor().keys() == {"loading"}
        platform.upgrade("--reset-values")


def test_istio_that_came_after_the_controller(cluster, platform, doctor, mend, models, restarted):
    """The model is Ready, and nothing leads to it."""
    with knative.settings(cluster), foreign.crds(cluster, "knative"):
        platform.upgrade("--set=deploymentMode=Knative", PUBLISHED)
        cluster.apply(iris.MODEL, namespace=models)
        knative.serve(cluster, iris.NAME, models, "models.corp.test")
        waiting.until_ready(cluster, f"inferenceservice/{iris.NAME}", models)
        assert doctor() == {}
        with foreign.crds(cluster, "istio"):
            found = doctor()
            assert found.keys() == {"restart-needed"}
            mend(found["restart-needed"])
            route = ("virtualservice", iris.NAME, models)
            cluster.wait("it has a route", lambda: cluster.get(*route))
            # Knative brings the gateways that the route names.
            assert doctor().keys() == {"gateway-missing"}
            platform.upgrade("--reset-values")


NEXT = f"{iris.NAME}-next-predictor"


@pytest.mark.parametrize("gone", ["version", "model"])
def test_why_a_version_leaves_its_scaler(cluster, doctor, mend, models, gone):
    """KServe at this version; when this fails, the pages that say so have to change."""
    iris.serve(cluster, models, iris.SPLIT)
    scaler = cluster.wait("what scales it", lambda: cluster.get("hpa", NEXT, models))
    assert "ownerReferences" not in scaler["metadata"]
    assert doctor() == {}
    if gone == "version":
        cluster.apply(iris.MODEL, namespace=models)
    else:
        cluster.kubectl("delete", "inferenceservice", iris.NAME, "-n", models)
    for kind in ("deployment", "service"):
        cluster.wait(f"no {kind}", lambda: cluster.get(kind, NEXT, models) is None)  # noqa: B023
    found = until(cluster, doctor, "orphan")
    assert found["object"] == f"HorizontalPodAutoscaler/{NEXT} -n {models}"
    mend(found)
    healthy(cluster, doctor)
    assert (cluster.get("hpa", f"{iris.NAME}-predictor", models) is None) == (gone == "model")


def test_the_scaler_of_a_predictor_that_gave_way_to_its_version(cluster, doctor, mend, models):
    first = iris.SPLIT.replace("  predictor:\n", "  predictor:\n    name: first\n", 1)
    iris.serve(cluster, models, first)
    model = yaml.safe_load(first)
    model["spec"] = {"predictor": model["spec"]["canary"][0]["predictor"]}
    model["spec"]["predictor"]["model"]["storageUri"] += "/2"  # KServe wants another model then.
    cluster.apply(model, namespace=models)
    found = until(cluster, doctor, "orphan")
    assert found["object"].startswith(f"HorizontalPodAutoscaler/{iris.NAME}-first-predictor ")
    mend(found)
    healthy(cluster, doctor)
    assert cluster.get("hpa", NEXT, models)


def test_what_was_left_of_a_model(cluster, doctor, mend, models):
    """Its Deployment, and what scales that."""
    iris.serve(cluster, models)
    cluster.kubectl("delete", "inferenceservice", iris.NAME, "-n", models, "--cascade=orphan")
    kinds = set()
    for _ in range(2):
        found = until(cluster, doctor, "orphan")
        mend(found)
        kinds.add(found["object"].partition("/")[0])
    assert kinds == {"Deployment", "HorizontalPodAutoscaler"}
    healthy(cluster, doctor)
