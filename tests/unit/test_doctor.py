"""What `doctor` finds in a cluster that was read: one spoilt thing at a time, and it is named."""

import base64
import copy
import datetime
import json
import os
import re

import pytest

from generator import CONFIG, CONTROLLER, DATA
from generator.diagnosis import report
from generator.diagnosis.examination import examine
from generator.diagnosis.finding import BROKEN, FINDINGS
from generator.diagnosis.snapshot import (
    GRAPH_LABEL,
    KNATIVE,
    MODEL_LABEL,
    VIRTUAL_SERVICES,
    Snapshot,
)
from generator.release import Release
from generator.values.schema import find, values_schema
from generator.yaml.document import load_fast
from tests.certificates import Authority
from tests.rendering import ROOT
from tests.unit.test_cli import run

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
HOST = "kserve-webhook-server-service.kserve.svc"
MODEL = {"name": "iris", "namespace": "team"}
GOLDEN = ROOT / "tests" / "golden" / "default"


CA = Authority(NOW)
CRDS = [load_fast(file) for file in sorted((DATA / "crds").glob("*"))]


def served(*, hosts=(HOST,), days=(-1, 365)):
    """The certificate of the webhooks."""
    return CA.sign(hosts, *(NOW + each * DAY for each in days)).certificate


def rendered(name):
    return load_fast(next(GOLDEN.glob(f"*/{name}.yaml")))


def healthy():
    """A cluster with the default platform and one model, all of it well."""
    controller = rendered(f"deployment-{CONTROLLER}") | {"status": {"availableReplicas": 1}}
    hooks = [
        rendered(f"{kind}webhookconfiguration-inferenceservice.serving.kserve.io")
        for kind in ("mutating", "validating")
    ]
    for hook in hooks:
        for webhook in hook["webhooks"]:
            webhook["clientConfig"]["caBundle"] = base64.b64encode(CA.certificate.encode()).decode()
    corefile = ".:53 {\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n    }\n}\n"
    found = {
        "controllers": [controller],
        "mutating": hooks[:1],
        "validating": hooks[1:],
        "crds": copy.deepcopy(CRDS),
        "config": [rendered(f"configmap-{CONFIG}")],
        "dns": [
            {
                "kind": "ConfigMap",
                "metadata": {"name": "coredns", "namespace": "kube-system"},
                "data": {"Corefile": corefile},
            }
        ],
        "models": [model()],
        "cluster runtimes": [rendered("clusterservingruntime-kserve-sklearnserver")],
        **{
            word: []
            for word in (
                *("graphs", "trained", "runtimes", "model deployments", "controller pods"),
                "graph deployments",
                *("model pods", "graph pods", "refusals", "ingress classes", "gateway classes"),
                *("gateways", "HTTPRoutes", "GRPCRoutes", "istio gateways", "virtual services"),
                *("gateway pods", "tenants", "model scalers", "other crds"),
            )
        },
    }
    return Cluster(found)


class Cluster:
    """A snapshot in the making."""

    def __init__(self, found):
        self.found = found
        self.kubernetes, self.certificate, self.admission = "v1.34.1", served(), ""

    @property
    def controller(self):
        return self.found["controllers"][0]

    @property
    def model(self):
        return self.found["models"][0]

    def configure(self, key, **words):
        data = self.found["config"][0]["data"]
        data[key] = json.dumps(json.loads(data[key]) | words)

    def publish(self, **words):
        self.configure("ingress", ingressDomain="models.corp.test", **words)

    def unready(self, **status):
        ready = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-06-01T10:00:00Z"}
        self.model["status"] = {"conditions": [ready], **status}

    def pod(self, *, init=(), main=(), conditions=()):
        """The model's pod, with what its containers' statuses say; the model is not ready."""
        self.unready()
        self.found["model pods"] = [
            {
                "kind": "Pod",
                "metadata": MODEL | {"name": "iris-predictor-x", "labels": {MODEL_LABEL: "iris"}},
                "spec": {
                    "initContainers": [
                        {"name": "storage-initializer", "args": ["gs://b/m", "/mnt/models"]}
                    ],
                    "containers": [
                        {"name": "kserve-container", "resources": {"limits": {"memory": "2Gi"}}}
                    ],
                },
                "status": {
                    "initContainerStatuses": list(init),
                    "containerStatuses": list(main),
                    "conditions": list(conditions),
                },
            }
        ]

    def read(self):
        return Snapshot(
            Release(),
            self.kubernetes,
            NOW,
            self.found,
            certificate=self.certificate,
            admission=self.admission,
        )


def model(name="iris"):
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": MODEL | {"name": name, "creationTimestamp": "2026-05-01T00:00:00Z"},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def waiting(name, reason, message=""):
    return {
        "name": name,
        "image": "corp.test/server:1",
        "state": {"waiting": {"reason": reason, "message": message}},
    }


def ended(name, code=1, reason="Error", message=""):
    last = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    return waiting(name, "CrashLoopBackOff") | {"lastState": last, "restartCount": 3}


SPOILT = {}


def spoil(finding, *said):
    """A function that spoils a cluster: what is found then, and words of the fact and remedy."""

    def add(function):
        SPOILT[function.__name__] = (function, finding, said)
        return function

    return add


@spoil("platform-missing", "helm upgrade --install kserve-lite charts/kserve-lite -n kserve")
def nothing_installed(cluster):
    for word in ("controllers", "mutating", "validating", "crds", "config", "models"):
        cluster.found[word] = []


@spoil("platform-missing", "doctor -n elsewhere")
def another_namespace(cluster):
    for word in ("mutating", "validating", "config"):
        cluster.found[word] = []
    cluster.controller["metadata"]["namespace"] = "elsewhere"


@spoil("foreign-kserve", "of somebody else's KServe, not of release kserve-lite")
def upstreams_controller(cluster):
    cluster.controller["metadata"]["labels"] = {"app.kubernetes.io/name": "kserve"}


@spoil("foreign-kserve", "is of release other", "doctor --release other")
def another_release(cluster):
    cluster.controller["metadata"]["labels"]["app.kubernetes.io/instance"] = "other"


@spoil("foreign-kserve", "is a second controller")
def two_controllers(cluster):
    second = copy.deepcopy(cluster.controller)
    second["metadata"] |= {"namespace": "kubeflow", "labels": {}}
    cluster.found["controllers"].append(second)


@spoil("kubernetes-old", "v1.28.3")
def old_kubernetes(cluster):
    cluster.kubernetes = "v1.28.3-gke.100"


@spoil("controller-version", "v0.15.2", "upgrade the platform")
def old_controller(cluster):
    container = cluster.controller["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "docker.io/kserve/kserve-controller:v0.15.2"


@spoil("crd-missing", "kubectl apply --server-side --force-conflicts -f charts/kserve-lite/crds")
def crd_gone(cluster):
    del cluster.found["crds"][0]


@spoil("crd-old", "has no v1beta1.spec.predictor.model", "kubectl apply --server-side")
def crd_without_a_field(cluster):
    (crd,) = (
        each
        for each in cluster.found["crds"]
        if each["metadata"]["name"].startswith("inferenceservices.")
    )
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["properties"]["spec"]["properties"]["predictor"]["properties"]["model"]


@spoil("crd-old", "version v1beta1")
def crd_without_a_version(cluster):
    (crd,) = (
        each
        for each in cluster.found["crds"]
        if each["metadata"]["name"].startswith("inferenceservices.")
    )
    crd["spec"]["versions"][0]["name"] = "v1alpha2"


@spoil("config-broken", "is not there")
def no_config(cluster):
    cluster.found["config"] = []


@spoil("config-broken", "deploy is no JSON")
def glued_config(cluster):
    cluster.found["config"][0]["data"]["deploy"] = "{defaultDeploymentMode: Standard"


@spoil("controller-down", "--replicas=1")
def scaled_to_none(cluster):
    cluster.controller["status"] = {}
    cluster.controller["spec"]["replicas"] = 0


@spoil("controller-down", "has no ready pod: exceeded quota")
def refused_controller(cluster):
    message = "exceeded quota: small"
    cluster.controller["status"] = {"conditions": [{"type": "ReplicaFailure", "message": message}]}


@spoil("image-pull", "manager: corp.test/server:1: denied")
def controller_without_image(cluster):
    cluster.controller["status"] = {}
    labels = cluster.controller["spec"]["selector"]["matchLabels"]
    pod = {
        "kind": "Pod",
        "metadata": {"name": "manager-x", "namespace": "kserve", "labels": labels},
        "status": {"containerStatuses": [waiting("manager", "ErrImagePull", "denied")]},
    }
    cluster.found["controller pods"] = [pod]


@spoil("certificate-missing", "webhook.certificate.generation=29671920")
def no_secret(cluster):
    cluster.certificate = ""


@spoil("certificate-missing", "no PEM")
def not_a_certificate(cluster):
    cluster.certificate = "hello"


@spoil("certificate-expired", "valid from 2026-05-02 to 2026-05-31")
def expired(cluster):
    cluster.certificate = served(days=(-30, -1))


@spoil("certificate-expired", "valid from 2026-06-02")
def not_yet_valid(cluster):
    cluster.certificate = served(days=(1, 30))


@spoil("certificate-expiring", "until 2026-06-11")
def expiring(cluster):
    cluster.certificate = served(days=(-30, 10))


@spoil("certificate-mismatch", f"is for other.kserve.svc, not for {HOST}")
def another_address(cluster):
    cluster.certificate = served(hosts=("other.kserve.svc",))


@spoil("certificate-mismatch", "is not of the CA in ValidatingWebhookConfiguration")
def another_authority(cluster):
    other = base64.b64encode(Authority(NOW).certificate.encode()).decode()
    cluster.found["validating"][0]["webhooks"][2]["clientConfig"]["caBundle"] = other


@spoil("certificate-mismatch", "has no CA in MutatingWebhookConfiguration")
def no_authority(cluster):
    del cluster.found["mutating"][0]["webhooks"][0]["clientConfig"]["caBundle"]


@spoil("webhook-fails", "context deadline exceeded", "docs/troubleshooting.md")
def webhooks_out_of_reach(cluster):
    cluster.admission = "Internal error occurred: failed calling webhook: context deadline exceeded"


@spoil("webhook-orphaned", "asks namespace kserve, where no controller is")
def webhooks_left(cluster):
    cluster.found["controllers"] = []


@spoil("class-missing", "there is: nginx", "routing.ingressClass.name")
def no_ingress_class(cluster):
    cluster.publish(ingressClassName="istio")
    cluster.found["ingress classes"] = [{"metadata": {"name": "nginx"}}]


@spoil("class-missing", "none is the default")
def no_default_class(cluster):
    cluster.publish()
    cluster.found["ingress classes"] = [{"metadata": {"name": "nginx"}}]


def gateway(cluster, accepted="True", **conditions):
    """A Gateway and its class, in the mode gatewayApi."""
    cluster.publish(enableGatewayApi=True, kserveIngressGateway="kserve/kserve-ingress-gateway")
    status = [
        {"type": kind, "status": text, "message": "no address"} for kind, text in conditions.items()
    ]
    cluster.found["gateways"] = [
        {
            "kind": "Gateway",
            "metadata": {"name": "kserve-ingress-gateway", "namespace": "kserve"},
            "spec": {"gatewayClassName": "istio"},
            "status": {"conditions": status},
        }
    ]
    of_class = {"type": "Accepted", "status": accepted, "message": "not mine"}
    cluster.found["gateway classes"] = [
        {
            "kind": "GatewayClass",
            "metadata": {"name": "istio"},
            "status": {"conditions": [of_class]},
        }
    ]


@spoil("gateway-missing", "Gateway/kserve-ingress-gateway -n kserve", "routing.gateway.create")
def no_gateway(cluster):
    cluster.publish(enableGatewayApi=True, kserveIngressGateway="kserve/kserve-ingress-gateway")


@spoil("class-missing", "GatewayClass/istio: is not there")
def no_gateway_class(cluster):
    gateway(cluster, Accepted="True", Programmed="True")
    cluster.found["gateway classes"] = []


@spoil("class-missing", "is not accepted: not mine")
def refused_class(cluster):
    gateway(cluster, "False", Accepted="True", Programmed="True")


@spoil("gateway-refused", "not Programmed: no address")
def unprogrammed_gateway(cluster):
    gateway(cluster, Accepted="True", Programmed="False")


@spoil("gateway-refused", "not Accepted: no controller has looked at it")
def unseen_gateway(cluster):
    gateway(cluster, Accepted="Unknown")


def own_gateway(cluster, **conditions):
    """The route of a model in namespace team, on the gateway that tenant team has of its own."""
    gateway(cluster, **conditions)
    theirs = copy.deepcopy(cluster.found["gateways"][0])
    theirs["metadata"]["name"] = "kserve-team"
    well = {"type": "Programmed", "status": "True"}, {"type": "Accepted", "status": "True"}
    cluster.found["gateways"][0]["status"]["conditions"] = well
    cluster.found["gateways"].append(theirs)
    parent = {"kind": "Gateway", "name": "kserve-team", "namespace": "kserve"}
    labels = {"app.kubernetes.io/part-of": "kserve-lite", "app.kubernetes.io/name": "iris"}
    cluster.found["HTTPRoutes"] = [
        {
            "kind": "HTTPRoute",
            "metadata": MODEL | {"labels": labels},
            "spec": {"parentRefs": [parent]},
        }
    ]


@spoil("gateway-refused", "Gateway/kserve-team -n kserve", "not Programmed: no address")
def unprogrammed_gateway_of_a_tenant(cluster):
    own_gateway(cluster, Accepted="True", Programmed="False")


@spoil("gateway-missing", "Gateway/kserve-team -n kserve", "set tenants.team.gateway")
def no_gateway_of_a_tenant(cluster):
    own_gateway(cluster)
    del cluster.found["gateways"][1]


@spoil("gateway-missing", "Gateway/own -n team", "name one that is there in routing.gateway")
def no_gateway_of_a_grpc_route(cluster):
    """A parent that says no kind is a Gateway, and one that says no namespace is in the route's."""
    own_gateway(cluster, Accepted="True", Programmed="True")
    (route,) = cluster.found["HTTPRoutes"]
    cluster.found["GRPCRoutes"] = [route | {"spec": {"parentRefs": [{"name": "own"}]}}]


@spoil("route-refused", "NotAllowedByListeners")
def refused_route(cluster):
    refused = {"type": "Accepted", "status": "False", "message": "NotAllowedByListeners"}
    cluster.found["HTTPRoutes"] = [
        {
            "kind": "HTTPRoute",
            "metadata": MODEL | {"ownerReferences": [{"apiVersion": "serving.kserve.io/v1beta1"}]},
            "status": {"parents": [{"parentRef": {"name": "g"}, "conditions": [refused]}]},
        }
    ]


def virtual_service(cluster, name="iris"):
    cluster.publish(disableIngressCreation=True)
    labels = {"app.kubernetes.io/part-of": "kserve-lite", "app.kubernetes.io/name": name}
    route = [{"destination": {"host": f"{name}-predictor.team.svc.cluster.local"}}]
    cluster.found["virtual services"] = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": MODEL | {"name": name, "labels": labels},
            "spec": {"gateways": ["kserve/door"], "http": [{"route": route}]},
        }
    ]
    cluster.found["istio gateways"] = [
        {
            "kind": "Gateway",
            "metadata": {"name": "door", "namespace": "kserve"},
            "spec": {"selector": {"istio": "ingressgateway"}},
        }
    ]
    pod = {"metadata": {"labels": {"istio": "ingressgateway", "app": "istio"}}}
    cluster.found["gateway pods"] = [pod]


@spoil("gateway-missing", "VirtualService/iris -n team names it")
def no_istio_gateway(cluster):
    virtual_service(cluster)
    cluster.found["istio gateways"] = []


@spoil("gateway-refused", "istio=ingressgateway", "routing.gateway.selector")
def no_gateway_pods(cluster):
    virtual_service(cluster)
    cluster.found["gateway pods"] = []


@spoil("gateway-missing", "Gateway/kserve-team -n kserve", "set tenants.team.gateway")
def no_istio_gateway_of_a_tenant(cluster):
    virtual_service(cluster)
    cluster.found["virtual services"][0]["spec"]["gateways"] = ["kserve/kserve-team"]


@spoil("gateway-missing", "Gateway/kserve-team -n edge", "set routing.gateway.create=true")
def no_istio_gateway_elsewhere(cluster):
    """The platform makes those of tenants in its own namespace."""
    virtual_service(cluster)
    cluster.found["virtual services"][0]["spec"]["gateways"] = ["edge/kserve-team"]


@spoil("route-missing", "python -m generator routes")
def model_without_route(cluster):
    virtual_service(cluster)
    cluster.found["models"].append(model("rose"))


@spoil(
    "orphan",
    "is of model iris, which is not there",
    "delete virtualservice.networking.istio.io iris",
)
def route_without_model(cluster):
    virtual_service(cluster)
    cluster.found["models"] = []


@spoil("domain-unset", "example.com", "routing.domain")
def nobodys_domain(cluster):
    cluster.configure("ingress", ingressDomain="example.com", ingressClassName="istio")
    cluster.found["ingress classes"] = [{"metadata": {"name": "istio"}}]


@spoil("dns-domain", "serves corp.local")
def another_dns_domain(cluster):
    data = cluster.found["dns"][0]["data"]
    data["Corefile"] = data["Corefile"].replace("cluster.local", "corp.local")


@spoil(
    "runtime-missing", "its runtime kserve-xgbserver is not there", "runtimes.xgboost.enabled=true"
)
def named_runtime_off(cluster):
    cluster.unready()
    cluster.model["spec"]["predictor"]["model"]["runtime"] = "kserve-xgbserver"


@spoil("runtime-missing", "switched off", "runtimes.sklearn.enabled=true")
def disabled_runtime(cluster):
    cluster.unready()
    cluster.model["spec"]["predictor"]["model"]["runtime"] = "kserve-sklearnserver"
    cluster.found["cluster runtimes"][0]["spec"]["disabled"] = True


@spoil("runtime-missing", "the format lightgbm", "runtimes.lightgbm.enabled=true")
def no_runtime_for_the_format(cluster):
    cluster.unready(modelStatus={"lastFailureInfo": {"reason": "NoSupportingRuntime"}})
    cluster.model["spec"]["predictor"]["model"]["modelFormat"]["name"] = "lightgbm"


@spoil("image-pull", "corp.test/server:1: no such image")
def no_image(cluster):
    cluster.pod(main=[waiting("kserve-container", "ImagePullBackOff", "no such image")])


@spoil("storage", "gs://b/m", "404 no such bucket", "mend storageUri")
def no_bucket(cluster):
    message = "Traceback\nError: 404 no such bucket"
    cluster.pod(init=[ended("storage-initializer", message=message)])


@spoil("out-of-memory", "kserve-container was killed", "2Gi", "limits.memory")
def killed_for_memory(cluster):
    cluster.pod(main=[ended("kserve-container", 137, "OOMKilled")])


@spoil("out-of-memory", "storage.initializer.resources.limits.memory")
def initializer_killed_for_memory(cluster):
    cluster.pod(init=[ended("storage-initializer", 137, "OOMKilled")])


@spoil("unschedulable", "0/3 nodes are available: 3 Insufficient memory")
def no_room(cluster):
    message = "0/3 nodes are available: 3 Insufficient memory."
    cluster.pod(conditions=[{"type": "PodScheduled", "status": "False", "message": message}])


@spoil("crash", "ended with 2, 3 restarts: no module", "logs iris-predictor-x -c kserve-container")
def crash(cluster):
    cluster.pod(main=[ended("kserve-container", 2, message="no module")])


@spoil("pod-refused", "exceeded quota", "ResourceQuota")
def over_quota(cluster):
    cluster.unready()
    cluster.found["refusals"] = [
        {
            "involvedObject": {"name": "iris-predictor-5d", "namespace": "team"},
            "message": 'pods "iris" is forbidden: exceeded quota: small',
            "lastTimestamp": "2026-06-01T11:00:00Z",
        }
    ]


@spoil("not-ready", "the model server says no", "describe inferenceservice/iris")
def kserve_says_why(cluster):
    cluster.unready(modelStatus={"lastFailureInfo": {"message": "the model server says no"}})


@spoil("not-ready", "node root asks model rose, which is not there")
def graph_without_model(cluster):
    cluster.found["graphs"] = [
        {
            "kind": "InferenceGraph",
            "metadata": MODEL | {"name": "vote"},
            "spec": {"nodes": {"root": {"steps": [{"serviceName": "rose"}]}}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
    ]


@spoil("pod-refused", "PodSecurity", "docs/troubleshooting.md")
def model_refused(cluster):
    over_quota(cluster)
    message = 'pods "iris" is forbidden: violates PodSecurity "restricted"'
    cluster.found["refusals"][0]["message"] = message


@spoil("pod-refused", "modelcar", "set storage.ociModels.mode=native; or kubectl label namespace")
def image_refused(cluster):
    over_quota(cluster)
    said = 'containers "modelcar", "modelcar-init" must set securityContext.runAsNonRoot=true'
    message = f'pods "iris" is forbidden: violates PodSecurity "restricted:latest": {said}'
    cluster.found["refusals"][0]["message"] = message


@spoil("pod-refused", "PodSecurity", "set tenants.team.podSecurity=baseline")
def graph_of_a_tenant_refused(cluster):
    graph_refused(cluster)
    cluster.found["tenants"] = [{"kind": "Namespace", "metadata": {"name": "team"}}]


@spoil("pod-refused", "kubectl label namespace team pod-security.kubernetes.io/enforce=baseline")
def graph_refused(cluster):
    """KServe calls it Ready."""
    metadata = MODEL | {"name": "vote", "labels": {GRAPH_LABEL: "vote"}}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    cluster.found["graphs"] = [
        {"kind": "InferenceGraph", "metadata": metadata, "spec": {}, "status": ready}
    ]
    cluster.found["graph deployments"] = [
        {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}, "status": {}}
    ]
    cluster.found["refusals"] = [
        {
            "involvedObject": {"name": "vote-7c", "namespace": "team"},
            "message": 'pods "vote" is forbidden: violates PodSecurity "restricted"',
        }
    ]


@spoil("crash", "router ended with 1")
def graph_crashes(cluster):
    cluster.found["graphs"] = [
        {"kind": "InferenceGraph", "metadata": MODEL | {"name": "vote"}, "spec": {}}
    ]
    cluster.found["graph pods"] = [
        {
            "kind": "Pod",
            "metadata": MODEL | {"name": "vote-x", "labels": {GRAPH_LABEL: "vote"}},
            "status": {"containerStatuses": [ended("router")]},
        }
    ]


@spoil("loading", "KServe has not said anything of it")
def young(cluster):
    cluster.model["metadata"]["creationTimestamp"] = "2026-06-01T11:58:00Z"
    del cluster.model["status"]


@spoil(
    "deletion-stuck", "since 2026-06-01 11:00", "kserve logs deployment/kserve-controller-manager"
)
def stuck(cluster):
    cluster.model["metadata"] |= {
        "deletionTimestamp": "2026-06-01T11:00:00Z",
        "finalizers": ["inferenceservice.finalizers"],
    }


@spoil(
    "deletion-stuck",
    "have whoever set example.com/keep take it off",
    "get inferenceservice/iris -o yaml --show-managed-fields",
)
def held_by_others(cluster):
    stuck(cluster)
    cluster.model["metadata"]["finalizers"].append("example.com/keep")


@spoil("orphan", "is for InferenceService rose")
def trained_model_alone(cluster):
    cluster.found["trained"] = [
        {
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": "TrainedModel",
            "metadata": MODEL | {"name": "part"},
            "spec": {"inferenceService": "rose"},
        }
    ]


@spoil("orphan", "kubectl -n team delete deployment.apps rose-predictor")
def deployment_alone(cluster):
    cluster.found["model deployments"] = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": MODEL | {"name": "rose-predictor", "labels": {MODEL_LABEL: "rose"}},
        }
    ]


def scaler(name="iris-next-predictor", model="iris", **metadata):
    """What KServe scales a version of a model with."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {**MODEL, "name": name, "labels": {MODEL_LABEL: model}, **metadata},
        "spec": {"scaleTargetRef": target},
    }


@spoil(
    "orphan",
    "HorizontalPodAutoscaler/iris-next-predictor -n team",
    "iris has no such version",
    "kubectl -n team delete horizontalpodautoscaler.autoscaling iris-next-predictor",
)
def scaler_of_a_version_that_was_taken_out(cluster):
    cluster.found["model scalers"] = [scaler()]


@spoil("orphan", "HorizontalPodAutoscaler/iris-v1-predictor", "iris has no such version")
def scaler_of_a_predictor_that_has_another_name_now(cluster):
    """The model owns it, so nobody takes it away while there is the model."""
    cluster.model["spec"]["predictor"]["name"] = "v2"
    owner = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "name": "iris"}
    cluster.found["model scalers"] = [scaler("iris-v1-predictor", ownerReferences=[owner])]


@spoil(
    "orphan",
    "is of model rose, which is not there",
    "kubectl -n team delete horizontalpodautoscaler.autoscaling rose-next-predictor",
)
def scaler_of_a_version_of_a_model_that_was_deleted(cluster):
    cluster.found["model scalers"] = [scaler("rose-next-predictor", "rose")]


INSTALLED = "2026-06-01T11:00:00Z"


def on_knative(cluster, *crds, started="2026-06-01T10:00:00Z"):
    """Models run on Knative; the CRDs of others, and a controller that started at some time."""
    cluster.configure("deploy", defaultDeploymentMode="Knative")
    cluster.configure("ingress", disableIstioVirtualHost=False)
    cluster.found["other crds"] = [
        {"metadata": {"name": name, "creationTimestamp": INSTALLED}} for name in crds
    ]
    labels = cluster.controller["spec"]["selector"]["matchLabels"]
    running = {"name": "manager", "ready": True, "state": {"running": {"startedAt": started}}}
    pod = {
        "kind": "Pod",
        "metadata": {"name": "manager-x", "namespace": "kserve", "labels": labels},
        "status": {"containerStatuses": [running]},
    }
    cluster.found["controller pods"] = [pod]


RESTART = "kubectl -n kserve rollout restart deployment/kserve-controller-manager"


@spoil("knative-missing", f"{KNATIVE}: is not there", f"install Knative Serving, then: {RESTART}")
def no_knative(cluster):
    on_knative(cluster)
    cluster.unready()


@spoil("restart-needed", "Deployment/kserve-controller-manager -n kserve", KNATIVE, RESTART)
def knative_after_the_controller(cluster):
    on_knative(cluster, KNATIVE)
    cluster.unready()
    cluster.found["models"].append(cluster.model | {"metadata": MODEL | {"name": "rose"}})


@spoil("restart-needed", "writes no VirtualService", RESTART)
def istio_after_the_controller(cluster):
    """KServe calls the model Ready, and nobody reaches it."""
    on_knative(cluster, KNATIVE, VIRTUAL_SERVICES)


def test_a_healthy_cluster_has_nothing():
    assert examine(healthy().read()) == []


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_spoilt_is_named(how):
    spoil_it, name, said = SPOILT[how]
    cluster = healthy()
    spoil_it(cluster)
    found = examine(cluster.read())
    texts = [f"{each.object}: {each.fact}\n{each.remedy}" for each in found if each.finding == name]
    assert texts, found
    assert any(all(word in text for word in said) for text in texts), texts
    # What follows from it may be named beside it, and nothing else is.
    beside = {each.finding for each in found} - {name}
    assert beside <= FOLLOWS.get(how, set()), found


FOLLOWS = {
    "another_namespace": set(),
    "no_image": set(),
    "controller_without_image": {"controller-down"},
    "webhooks_left": {"platform-missing"},
}
"""What else is found, because it follows."""


def test_every_finding_is_brought_about():
    assert {name for _, name, _ in SPOILT.values()} == set(FINDINGS)


def test_what_is_deleted_with_its_model_is_no_orphan():
    cluster = healthy()
    deployment_alone(cluster)
    owner = {"apiVersion": "serving.kserve.io/v1beta1", "name": "rose"}
    cluster.found["model deployments"][0]["metadata"]["ownerReferences"] = [owner]
    assert examine(cluster.read()) == []


def test_a_controller_to_be_restarted_is_named_once():
    cluster = healthy()
    knative_after_the_controller(cluster)
    assert len(examine(cluster.read())) == 1


def test_a_missing_runtime_is_named_once():
    cluster = healthy()
    no_runtime_for_the_format(cluster)
    assert len(examine(cluster.read())) == 1


def test_the_stopped_and_the_loading_are_not_broken():
    cluster = healthy()
    cluster.unready()
    cluster.model["metadata"]["annotations"] = {"serving.kserve.io/stop": "true"}
    assert examine(cluster.read()) == []


@pytest.mark.parametrize(
    "spoil_it",
    [
        lambda cluster: gateway(cluster, Accepted="True", Programmed="True"),
        lambda cluster: own_gateway(cluster, Accepted="True", Programmed="True"),
        virtual_service,
    ],
)
def test_a_healthy_gateway_has_nothing(spoil_it):
    cluster = healthy()
    spoil_it(cluster)
    assert examine(cluster.read()) == []


def test_what_could_not_be_read_is_not_taken_for_missing():
    """Whoever may see one thing only is told of nothing else that it is broken."""
    for word in healthy().found:
        cluster = healthy()
        del cluster.found[word]
        assert examine(cluster.read()) == [], word
    cluster = healthy()
    cluster.certificate = None
    assert examine(cluster.read()) == []


def test_remedies_name_values_that_there_are():
    seen = set()
    for spoil_it, _, _ in SPOILT.values():
        cluster = healthy()
        spoil_it(cluster)
        for each in examine(cluster.read()):
            seen |= set(VALUE.findall(each.remedy))
    assert len(seen) > 5
    for path in seen:
        assert find(values_schema(), tuple(path.split("."))) is not None, path


VALUE = re.compile(r"\b(?:routing|runtimes|webhook|storage|global|tenants)(?:\.\w+)+")


def test_broken_comes_first_and_the_report_counts():
    cluster = healthy()
    cluster.publish(disableIngressCreation=True)
    cluster.found["models"].append(model("rose"))
    cluster.certificate = ""
    found = examine(cluster.read())
    severities = [each.severity for each in found]
    assert severities == sorted(severities)
    text = list(report.as_text(found, ["pods: forbidden"]))
    assert text[0].startswith("broken: certificate-missing: Secret/")
    assert text[-1] == "broken: 1; warnings: 2; not seen: 1"
    data = json.loads(report.as_json(found, ["pods: forbidden"]))
    assert data["unseen"] == ["pods: forbidden"]
    assert data["findings"][0].keys() == {"severity", "finding", "object", "fact", "remedy"}
    assert data["findings"][0]["severity"] == BROKEN


def test_the_page_and_the_help_have_every_finding():
    page = (ROOT / "docs" / "doctor.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    assert {name: (bad, meaning) for name, bad, meaning in rows} == FINDINGS
    said = " ".join(run("doctor", "--help").stdout.split())
    for name, (bad, meaning) in FINDINGS.items():
        assert f"{name} {bad}: {meaning}" in said


def test_it_asks_the_api_server_alone_and_only_to_read(tmp_path):
    """All that it starts is kubectl, which gets objects, and once asks for a dry run."""
    program = tmp_path / "kubectl"
    calls = tmp_path / "calls"
    version = '{"gitVersion": "v1.34.1"}'
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\n'
        f"""case "$*" in *" /version "*) echo '{version}';; apply*) cat >/dev/null;; esac\n"""
    )
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = run("doctor", environment=environment)
    assert done.returncode == 1
    assert done.stdout.startswith("broken: platform-missing: ")
    lines = calls.read_text().splitlines()
    written = [line for line in lines if not line.startswith("get ")]
    assert len(written) == 1
    assert written[0].startswith("apply --server-side --dry-run=server ")
    others = [line for line in lines if "knative" in line or "horizontal" in line]
    assert [line.split()[1] for line in others] == [
        "customresourcedefinitions.apiextensions.k8s.io",
        "horizontalpodautoscalers.autoscaling",
    ]
