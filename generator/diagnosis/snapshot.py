"""What a diagnosis looks at: objects of the cluster, as they were when they were read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from generator import CHART, CONFIG, CONTROLLER, kubectl
from generator.catalog import catalog
from generator.errors import ToolFailed
from generator.release import Release
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

MODEL_LABEL = "serving.kserve.io/inferenceservice"
GRAPH_LABEL = "serving.kserve.io/inferencegraph"
"""What KServe labels the pods and Deployments of a model or graph with; the value is its name."""

GROUP = "serving.kserve.io"
"""The API group of KServe."""

KNATIVE = "services.serving.knative.dev"
VIRTUAL_SERVICES = "virtualservices.networking.istio.io"
"""The CRDs of others for which KServe's controller looks when it starts."""

PART_OF = "app.kubernetes.io/part-of"
"""The label that the objects of these charts have; its value is the platform chart's name."""

_TENANTS = f"{PART_OF}={CHART},app.kubernetes.io/component=tenants"
_GATEWAY_API = "gateway.networking.k8s.io"
_ISTIO = "networking.istio.io"
_EVERYWHERE = "--all-namespaces"
_AT_ONCE = 6  # kubectls beside each other


@dataclass(frozen=True)
class Snapshot:
    """A cluster as it was read.

    `found` has the objects by the words of `_questions`, such as `models`; what could not be read
    is not in it, and `unseen` says why. `certificate` is the PEM text in the webhooks' Secret, None
    where that was not seen; `admission` is why an InferenceService would be refused, if it would.
    """

    release: Release
    kubernetes: str
    now: datetime
    found: Mapping[str, Sequence[JsonObject]]
    unseen: tuple[str, ...] = ()
    certificate: str | None = None
    admission: str = ""

    def of(self, *words: str) -> list[JsonObject]:
        """The objects of some words."""
        return [each for word in words for each in self.found.get(word, ())]

    def named(self, word: str, name: str, namespace: str = "") -> JsonObject | None:
        """The object of a name and a namespace, if it is there."""
        wanted = (name, namespace)
        found = (
            each
            for each in self.of(word)
            if (at(each, "metadata.name"), at(each, "metadata.namespace") or "") == wanted
        )
        return next(found, None)

    @property
    def controller(self) -> JsonObject | None:
        """The Deployment of the controller in the release's namespace."""
        return self.named("controllers", CONTROLLER, self.release.namespace)

    @property
    def controller_pods(self) -> list[JsonObject]:
        """The pods of the controller that are not about to end."""
        wanted = at(self.controller or {}, "spec.selector.matchLabels") or {}
        return [
            pod
            for pod in self.of("controller pods")
            if wanted and wanted.items() <= (at(pod, "metadata.labels") or {}).items()
            if not at(pod, "metadata.deletionTimestamp")
        ]

    def setting(self, key: str) -> JsonObject:
        """A key of KServe's ConfigMap; empty if it is not there or no JSON object."""
        config = self.named("config", CONFIG, self.release.namespace) or {}
        try:
            data = json.loads((config.get("data") or {}).get(key, "{}"))
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}

    @property
    def knative(self) -> bool:
        """Whether models that name no deployment mode run on Knative."""
        return self.setting("deploy").get("defaultDeploymentMode") in ("Knative", "Serverless")


def secret_name(controller: JsonObject) -> str:
    """The Secret that a controller takes the webhooks' certificate from; empty if it has none."""
    volumes = at(controller, "spec.template.spec.volumes") or []
    names = (str(at(volume, "secret.secretName") or "") for volume in volumes)
    return next(filter(None, names), "")


def read_snapshot(release: Release) -> Snapshot:
    """Read the cluster of the current context; nothing is written.

    Raises GeneratorError when no cluster answers, ToolMissing without kubectl.
    """
    version = kubectl.server_version()
    found: dict[str, Sequence[JsonObject]] = {}
    unseen: list[str] = []
    questions = _questions(release.namespace)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        admission = pool.submit(_admission, release)
        asked = {word: pool.submit(kubectl.read, *what) for word, what in questions.items()}
        for word, answer in asked.items():
            try:
                found[word] = answer.result()
            except ToolFailed as error:
                unseen.append(f"{word}: {error}")
    now = datetime.now(timezone.utc)
    seen = Snapshot(release, version, now, found, admission=admission.result())
    _read_gateway_pods(found, unseen)
    return _with_certificate(seen, unseen)


def _questions(home: str) -> dict[str, tuple[str, ...]]:
    """What `kubectl get` is asked for, by a word; the group says which of two kinds of one name."""
    crds = [f"{crd.plural}.{GROUP}" for crd in catalog().crds]
    in_home = f"--namespace={home}"
    refused = "--field-selector=reason=FailedCreate"
    return {
        "controllers": (
            *("deployments.apps", _EVERYWHERE),
            f"--field-selector=metadata.name={CONTROLLER}",
        ),
        "mutating": ("mutatingwebhookconfigurations.admissionregistration.k8s.io",),
        "validating": ("validatingwebhookconfigurations.admissionregistration.k8s.io",),
        "crds": ("customresourcedefinitions.apiextensions.k8s.io", *crds),
        "other crds": ("customresourcedefinitions.apiextensions.k8s.io", KNATIVE, VIRTUAL_SERVICES),
        "config": ("configmaps", CONFIG, in_home),
        "dns": ("configmaps", "coredns", "--namespace=kube-system"),
        "models": (f"inferenceservices.{GROUP}", _EVERYWHERE),
        "graphs": (f"inferencegraphs.{GROUP}", _EVERYWHERE),
        "trained": (f"trainedmodels.{GROUP}", _EVERYWHERE),
        "runtimes": (f"servingruntimes.{GROUP}", _EVERYWHERE),
        "cluster runtimes": (f"clusterservingruntimes.{GROUP}",),
        "model deployments": ("deployments.apps", _EVERYWHERE, f"--selector={MODEL_LABEL}"),
        "model scalers": (
            *("horizontalpodautoscalers.autoscaling", _EVERYWHERE),
            f"--selector={MODEL_LABEL}",
        ),
        "graph deployments": ("deployments.apps", _EVERYWHERE, f"--selector={GRAPH_LABEL}"),
        "controller pods": ("pods", in_home),
        "model pods": ("pods", _EVERYWHERE, f"--selector={MODEL_LABEL}"),
        "graph pods": ("pods", _EVERYWHERE, f"--selector={GRAPH_LABEL}"),
        "tenants": ("namespaces", f"--selector={_TENANTS}"),
        "refusals": ("events", _EVERYWHERE, refused),
        "ingress classes": ("ingressclasses.networking.k8s.io",),
        "gateway classes": (f"gatewayclasses.{_GATEWAY_API}",),
        "gateways": (f"gateways.{_GATEWAY_API}", _EVERYWHERE),
        "HTTPRoutes": (f"httproutes.{_GATEWAY_API}", _EVERYWHERE),
        "GRPCRoutes": (f"grpcroutes.{_GATEWAY_API}", _EVERYWHERE),
        "istio gateways": (f"gateways.{_ISTIO}", _EVERYWHERE),
        "virtual services": (f"virtualservices.{_ISTIO}", _EVERYWHERE),
    }


def _read_gateway_pods(found: dict[str, Sequence[JsonObject]], unseen: list[str]) -> None:
    """Put the pods that Istio's Gateways select beside the rest."""
    selectors = {
        ",".join(f"{key}={value}" for key, value in (at(each, "spec.selector") or {}).items())
        for each in found.get("istio gateways", ())
    }
    pods: list[JsonObject] = []
    for selector in sorted(selectors):
        try:
            pods += kubectl.read("pods", _EVERYWHERE, f"--selector={selector}")
        except ToolFailed as error:
            unseen.append(f"gateway pods: {error}")
            return
    found["gateway pods"] = pods


def _admission(release: Release) -> str:
    """Why the API server would refuse an InferenceService; empty if it would take it.

    It asks the webhooks for a dry run as it does for an apply, and keeps nothing.
    """
    metadata = {"name": "kserve-lite-doctor", "namespace": release.models}
    model = {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://none/none"}
    service = {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": {"model": model}},
    }
    identity = (GROUP, "InferenceService", release.models, metadata["name"])
    _, refused = kubectl.dry_run({identity: service}, manager=metadata["name"])
    return refused.get(identity, "")


def _with_certificate(seen: Snapshot, unseen: list[str]) -> Snapshot:
    """The snapshot with the certificate of the webhooks, and with all that was not seen.

    The key beside it is not read.
    """
    certificate = None
    if seen.controller and (name := secret_name(seen.controller)):
        where = ("secrets", name, f"--namespace={seen.release.namespace}")
        try:
            text = kubectl.read_field(*where, field=r"{.data.tls\.crt}")
            certificate = base64.b64decode(text).decode("ascii")
        except ToolFailed as error:
            unseen.append(f"Secret {name}: {error}")
        except (binascii.Error, UnicodeDecodeError):
            certificate = "not PEM"
    return replace(seen, certificate=certificate, unseen=tuple(unseen))
