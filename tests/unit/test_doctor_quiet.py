"""What `doctor` is not to take for a model's own: objects of others, and what is past."""

import base64
import copy
import datetime

import pytest

from generator.diagnosis.examination import examine
from generator.diagnosis.snapshot import GRAPH_LABEL, KNATIVE, MODEL_LABEL, VIRTUAL_SERVICES
from tests.certificates import Authority
from tests.unit import test_doctor as doctor
from tests.unit.test_doctor import HOST, MODEL, NOW, healthy, model

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
OURS = {"app.kubernetes.io/part-of": "kserve-lite"}
QUIET = {}


def quiet(function):
    """A function that changes a cluster in a way in which nothing is broken."""
    QUIET[function.__name__] = function
    return function


def refusal(name, message="exceeded quota: small", home="team", **when):
    """The event of a ReplicaSet whose pods are refused."""
    when = when or {"lastTimestamp": "2026-06-01T11:00:00Z"}
    return {"involvedObject": {"name": name, "namespace": home}, "message": message} | when


def graph(cluster, **status):
    """A graph that KServe calls Ready, and its router's Deployment, with a status of its own."""
    metadata = MODEL | {"name": "vote", "labels": {GRAPH_LABEL: "vote"}}
    cluster.found["graphs"] = [
        {"kind": "InferenceGraph", "metadata": metadata, "spec": {}, "status": READY}
    ]
    router = {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}, "status": status}
    cluster.found["graph deployments"] = [router]
    return router


def runtime(home):
    return {
        "kind": "ServingRuntime",
        "metadata": {"name": "own", "namespace": home},
        "spec": {"supportedModelFormats": [{"name": "sklearn"}]},
    }


def found(cluster):
    return [(each.finding, each.object) for each in examine(cluster.read())]


NOT_READY = [("not-ready", "InferenceService/iris -n team")]
"""What is found of a model that is not ready, where nothing says why."""


@quiet
def a_graph_with_its_route(cluster):
    doctor.virtual_service(cluster)
    graph(cluster, availableReplicas=1)
    route = copy.deepcopy(cluster.found["virtual services"][0])
    route["metadata"] |= {"name": "vote", "labels": OURS | {"app.kubernetes.io/name": "vote"}}
    cluster.found["virtual services"].append(route)


@quiet
def a_route_where_graphs_are_not_seen(cluster):
    a_graph_with_its_route(cluster)
    del cluster.found["graphs"]


@quiet
def a_route_of_the_platform_itself(cluster):
    """It sends HTTP to HTTPS, and is of no model."""
    doctor.gateway(cluster, Accepted="True", Programmed="True")
    labels = OURS | {
        "app.kubernetes.io/name": "kserve-lite",
        "app.kubernetes.io/instance": "kserve-lite",
    }
    redirect = {"name": "https-redirect", "namespace": "kserve", "labels": labels}
    cluster.found["HTTPRoutes"] = [{"kind": "HTTPRoute", "metadata": redirect}]


@quiet
def a_graph_scaled_to_none(cluster):
    graph(cluster)["spec"]["replicas"] = 0


@quiet
def a_graph_of_a_name_that_another_namespace_has_too(cluster):
    router = graph(cluster, availableReplicas=1)
    elsewhere = copy.deepcopy(router) | {"status": {}}
    elsewhere["metadata"]["namespace"] = "elsewhere"
    cluster.found["graph deployments"].append(elsewhere)


@quiet
def a_runtime_of_the_models_namespace(cluster):
    cluster.found["runtimes"] = [runtime("team")]
    cluster.model["spec"]["predictor"]["model"]["runtime"] = "own"


@quiet
def a_gateway_in_the_routes_own_namespace(cluster):
    doctor.virtual_service(cluster)
    cluster.found["virtual services"][0]["spec"]["gateways"] = ["door", "mesh"]
    cluster.found["istio gateways"][0]["metadata"]["namespace"] = "team"


@quiet
def a_route_to_no_gateway(cluster):
    """A parent may be a Service, which a service mesh serves."""
    doctor.own_gateway(cluster, Accepted="True", Programmed="True")
    cluster.found["HTTPRoutes"][0]["spec"]["parentRefs"] = [{"kind": "Service", "name": "iris"}]


@quiet
def scalers_of_what_a_model_has(cluster):
    cluster.model["spec"]["canary"] = [{"predictor": {"name": "next"}}]
    names = ("iris-predictor", "iris-next-predictor")
    cluster.found["model scalers"] = [doctor.scaler(name) for name in names]


@quiet
def a_scaler_of_a_version_whose_pods_are_still_there(cluster):
    """KServe is about to take them down."""
    cluster.found["model scalers"] = [doctor.scaler()]
    doctor.deployment_alone(cluster)
    metadata = {"name": "iris-next-predictor", "labels": {MODEL_LABEL: "iris"}}
    cluster.found["model deployments"][0]["metadata"] |= metadata


@quiet
def a_scaler_that_keda_makes(cluster):
    owner = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "x"}
    cluster.found["model scalers"] = [doctor.scaler(ownerReferences=[owner])]


@quiet
def scalers_of_the_users_own(cluster):
    """With KServe's label, by which they are read, and something else to scale."""
    other = doctor.scaler()
    other["spec"]["scaleTargetRef"]["kind"] = "StatefulSet"
    cluster.found["model scalers"] = [doctor.scaler("iris-features"), other]
    cluster.found["model scalers"].append(doctor.scaler("rose-features", "rose"))


@quiet
def a_scaler_of_a_model_that_is_being_deleted(cluster):
    cluster.found["model scalers"] = [doctor.scaler()]
    cluster.model["metadata"]["deletionTimestamp"] = "2026-06-01T11:59:30Z"


@quiet
def a_model_on_knative(cluster):
    doctor.on_knative(cluster, KNATIVE, VIRTUAL_SERVICES)
    cluster.found["virtual services"] = [{"kind": "VirtualService", "metadata": MODEL}]


@quiet
def a_model_on_knative_with_another_network_layer(cluster):
    """KServe writes its VirtualService nowhere where Istio is not."""
    doctor.on_knative(cluster, KNATIVE)


@quiet
def a_model_on_knative_whose_virtual_host_is_off(cluster):
    doctor.istio_after_the_controller(cluster)
    cluster.configure("ingress", disableIstioVirtualHost=True)


@quiet
def a_model_in_standard_mode_beside_a_younger_knative(cluster):
    doctor.istio_after_the_controller(cluster)
    cluster.model["status"]["deploymentMode"] = "Standard"


@quiet
def a_crd_that_takes_what_it_does_not_name(cluster):
    for crd in cluster.found["crds"]:
        for version in crd["spec"]["versions"]:
            open_one = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            version["schema"] = {"openAPIV3Schema": open_one}


@quiet
def a_certificate_by_way_of_another_authority(cluster):
    """The Secret has the server's and the one between; the webhooks name the root."""
    root = Authority(NOW, "root")
    between = Authority(NOW, "between", root)
    day = datetime.timedelta(days=1)
    pair = between.sign((HOST,), NOW - day, NOW + 365 * day)
    cluster.certificate = pair.certificate + between.certificate
    for word in ("mutating", "validating"):
        for webhook in cluster.found[word][0]["webhooks"]:
            bundle = base64.b64encode(root.certificate.encode()).decode()
            webhook["clientConfig"]["caBundle"] = bundle


@pytest.mark.parametrize("how", QUIET)
def test_nothing_is_found(how):
    cluster = healthy()
    QUIET[how](cluster)
    assert found(cluster) == []


@pytest.mark.parametrize(
    "metadata",
    [
        {"namespace": "elsewhere"},
        {"labels": {MODEL_LABEL: "rose"}},
        {"deletionTimestamp": "2026-06-01T11:59:00Z"},
    ],
    ids=["of another namespace", "of another model", "being deleted"],
)
def test_pods_that_are_not_the_models_any_more_or_ever_say_nothing_of_it(metadata):
    cluster = healthy()
    cluster.pod(main=[doctor.waiting("kserve-container", "ImagePullBackOff")])
    assert [finding for finding, _ in found(cluster)] == ["image-pull"]
    cluster.found["model pods"][0]["metadata"] |= metadata
    assert found(cluster) == NOT_READY


def test_a_controller_that_is_younger_than_knative_has_seen_it():
    cluster = healthy()
    doctor.on_knative(cluster, KNATIVE, started="2026-06-01T11:00:10Z")
    cluster.unready()
    assert found(cluster) == NOT_READY


def test_a_controller_that_started_again_beside_an_older_sidecar_has_seen_it():
    cluster = healthy()
    doctor.on_knative(cluster, KNATIVE, started="2026-06-01T11:00:10Z")
    cluster.unready()
    early = {"name": "istio-proxy", "state": {"running": {"startedAt": "2026-06-01T10:00:00Z"}}}
    cluster.found["controller pods"][0]["status"]["containerStatuses"].append(early)
    assert found(cluster) == NOT_READY


def test_what_kserve_has_taken_it_has_not_rejected():
    """The CRD is younger than the controller, since Knative was installed anew."""
    cluster = healthy()
    doctor.on_knative(cluster, KNATIVE)
    cluster.unready()
    cluster.model["status"]["components"] = {"predictor": {"latestCreatedRevision": "iris-00001"}}
    assert found(cluster) == NOT_READY


def test_what_a_pod_on_knative_says_goes_before_the_age_of_the_controller():
    cluster = healthy()
    doctor.on_knative(cluster, KNATIVE)
    cluster.pod(main=[doctor.waiting("kserve-container", "ImagePullBackOff")])
    assert [finding for finding, _ in found(cluster)] == ["image-pull"]


def test_other_pods_say_nothing_of_the_controller():
    cluster = healthy()
    doctor.controller_without_image(cluster)
    labels = cluster.found["controller pods"][0]["metadata"]["labels"]
    cluster.found["controller pods"][0]["metadata"]["labels"] = labels | dict.fromkeys(labels, "x")
    assert [finding for finding, _ in found(cluster)] == ["controller-down"]


def test_a_runtime_of_another_namespace_does_not_serve_the_model():
    cluster = healthy()
    cluster.unready()
    cluster.found["runtimes"] = [runtime("elsewhere")]
    cluster.model["spec"]["predictor"]["model"]["runtime"] = "own"
    assert found(cluster) == [("runtime-missing", "InferenceService/iris -n team")]


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("iris-predictor-5d", "elsewhere"),
        ("iris-2-predictor-5d", "team"),
        ("iris-predictor-predictor-5d", "team"),
        ("iris-training-5d", "team"),
        ("iris-5d", "team"),
    ],
)
def test_what_is_refused_to_others_is_not_refused_to_the_model(name, home):
    cluster = healthy()
    cluster.unready()
    cluster.found["refusals"] = [refusal(name, home=home)]
    assert found(cluster) == NOT_READY


@pytest.mark.parametrize(
    "name",
    [
        "iris-predictor-5d",
        "iris-transformer-5d",
        "iris-explainer-5d",
        "iris-predictor-worker-5d",
        "iris-predictor-00002-deployment-5d",
        "iris-next-predictor-5d",
    ],
)
def test_what_is_refused_to_any_component_of_a_model_is_named(name):
    cluster = healthy()
    cluster.unready()
    cluster.model["spec"] |= {"transformer": {}, "explainer": {}}
    cluster.model["spec"]["canary"] = [{"predictor": {"name": "next"}}]
    cluster.found["models"].append(model("iris-2"))
    cluster.found["refusals"] = [refusal(name)]
    assert found(cluster) == [("pod-refused", f"ReplicaSet/{name} -n team")]


def test_what_is_refused_to_a_predictor_with_a_name_is_named():
    cluster = healthy()
    cluster.unready()
    cluster.model["spec"]["predictor"]["name"] = "v1"
    cluster.found["refusals"] = [refusal("iris-v1-predictor-5d")]
    assert found(cluster) == [("pod-refused", "ReplicaSet/iris-v1-predictor-5d -n team")]


@pytest.mark.parametrize("name", ["vote-2-7c", "vote-predictor-7c", "vote-worker-7c", "voter-7c"])
def test_what_is_refused_to_others_is_not_refused_to_the_graph(name):
    cluster = healthy()
    graph(cluster)
    cluster.found["refusals"] = [refusal(name)]
    (each,) = found(cluster)
    assert each == ("not-ready", "InferenceGraph/vote -n team")


@pytest.mark.parametrize("field", ["lastTimestamp", "eventTime"])
@pytest.mark.parametrize("turn", [1, -1])
def test_the_newest_refusal_says_why(field, turn):
    events = [
        refusal("iris-predictor-5d", f"exceeded quota: {word}", **{field: time})
        for word, time in (("old", "2026-06-01T10:00:00Z"), ("new", "2026-06-01T11:00:00Z"))
    ]
    cluster = healthy()
    cluster.unready()
    cluster.found["refusals"] = events[::turn]
    (each,) = examine(cluster.read())
    assert each.fact == "exceeded quota: new"
