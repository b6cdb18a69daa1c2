"""What a diagnosis can find: the names are a closed list, and each finding has its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from generator.values.identity import called
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

BROKEN, WARNING = "broken", "warning"

FINDINGS = {
    "platform-missing": (BROKEN, "the platform's controller is not in its namespace"),
    "foreign-kserve": (BROKEN, "there is another KServe, or one that is not this release's"),
    "kubernetes-old": (BROKEN, "this Kubernetes is older than the chart supports"),
    "controller-version": (WARNING, "the controller is of another KServe than this command's"),
    "crd-missing": (BROKEN, "a CRD of KServe is not there"),
    "crd-old": (BROKEN, "a CRD lacks fields that the chart's has"),
    "config-broken": (BROKEN, "KServe's ConfigMap is missing, or a key of it is no JSON"),
    "controller-down": (BROKEN, "no pod of the controller is ready"),
    "certificate-missing": (BROKEN, "the Secret with the webhooks' certificate is not there"),
    "certificate-expired": (BROKEN, "the webhooks' certificate is not valid any more, or not yet"),
    "certificate-expiring": (WARNING, "the webhooks' certificate ends within two weeks"),
    "certificate-mismatch": (BROKEN, "the certificate is not that of the webhooks' address or CA"),
    "webhook-fails": (BROKEN, "the API server asks the webhooks, and gets no answer"),
    "webhook-orphaned": (BROKEN, "webhooks are left of a KServe that is gone, and refuse models"),
    "class-missing": (BROKEN, "an IngressClass or a GatewayClass is not there or not accepted"),
    "gateway-missing": (BROKEN, "the gateway of the routes is not there"),
    "gateway-refused": (BROKEN, "the gateway is there, and nobody serves it as it is"),
    "route-refused": (BROKEN, "the gateway does not take the route of a model"),
    "route-missing": (WARNING, "a model has no route, though models are published"),
    "domain-unset": (WARNING, "models are published under a domain that is nobody's"),
    "dns-domain": (WARNING, "the cluster's DNS does not serve cluster.local"),
    "knative-missing": (BROKEN, "models are to run on Knative, which is not in the cluster"),
    "restart-needed": (BROKEN, "the controller started before an API that models need was there"),
    "runtime-missing": (BROKEN, "the runtime that a model needs is not there or switched off"),
    "image-pull": (BROKEN, "an image cannot be pulled"),
    "storage": (BROKEN, "the storage initializer cannot fetch the model"),
    "out-of-memory": (BROKEN, "a container was killed for using more memory than its limit"),
    "unschedulable": (BROKEN, "no node takes the pod"),
    "pod-refused": (BROKEN, "the API server refuses the pods: quota, Pod Security or a webhook"),
    "crash": (BROKEN, "a container ends, again and again"),
    "not-ready": (BROKEN, "a model or graph is not ready, and KServe says why"),
    "loading": (WARNING, "a model or graph is not ready yet"),
    "deletion-stuck": (BROKEN, "an object is being deleted, and nobody lets go of it"),
    "orphan": (WARNING, "an object belongs to a model, or a version of one, that is not there"),
}
"""Each finding: how bad it is, and what it means."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its name in FINDINGS, the object, the fact, and what mends it."""

    finding: str
    object: str
    fact: str
    remedy: str

    @property
    def severity(self) -> str:
        """BROKEN or WARNING."""
        return FINDINGS[self.finding][0]


Findings = Iterator[Finding]


def label(data: JsonObject) -> str:
    """How an object is called: `Deployment/kserve-controller-manager -n kserve`."""
    return called(str(data.get("kind")), str(at(data, "metadata.name")), namespace(data))


def namespace(data: JsonObject) -> str:
    """The namespace of an object; empty for one that is in none."""
    return str(at(data, "metadata.namespace") or "")


def condition(data: JsonObject, kind: str) -> JsonObject:
    """The condition of a type in an object's status; empty where there is none."""
    found = (each for each in at(data, "status.conditions") or [] if each.get("type") == kind)
    return next(found, {})


def line(text: object, longest: int = 600) -> str:
    """Text that somebody else wrote, on one line."""
    words = " ".join(str(text or "").split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def time_of(text: object) -> datetime | None:
    """The time that Kubernetes writes as 2026-01-31T12:00:00Z."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
