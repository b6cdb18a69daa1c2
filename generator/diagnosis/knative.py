"""Models on Knative: whether KServe's controller knows what they need.

It looks for the CRDs of others when it starts, and does not look again (IsCrdAvailable in KServe's
pkg/utils).
"""

from __future__ import annotations

from generator import CONTROLLER
from generator.diagnosis.finding import Finding, Findings, condition, label, namespace, time_of
from generator.diagnosis.snapshot import KNATIVE, VIRTUAL_SERVICES, Snapshot
from generator.importer.workload import is_knative, is_stopped
from generator.values.identity import called
from generator.yaml.data import JsonObject
from generator.yaml.fields import at


def reasons(seen: Snapshot, each: JsonObject) -> Findings:
    """Why KServe rejects a model or graph that is to run on Knative."""
    if "other crds" not in seen.found or not _is_on_knative(seen, each):
        return
    if seen.named("other crds", KNATIVE) is None:
        fact = "is not there, and KServe rejects what is to run on it"
        remedy = f"install Knative Serving, then: {_restart(seen)}"
        yield Finding("knative-missing", called("CustomResourceDefinition", KNATIVE), fact, remedy)
    elif not _was_taken(each):
        yield from _late(seen, KNATIVE, "rejects what is to run on it")


def check_virtual_services(seen: Snapshot) -> Findings:
    """Models on Knative that are ready have the VirtualService that KServe writes them."""
    off = seen.setting("ingress").get("disableIstioVirtualHost")
    if off or "virtual services" not in seen.found:
        return
    for model in seen.of("models"):
        ready = condition(model, "Ready").get("status") == "True"
        if not ready or is_stopped(model) or not _is_on_knative(seen, model):
            continue
        name = str(at(model, "metadata.name"))
        if seen.named("virtual services", name, namespace(model)) is None:
            yield from _late(seen, VIRTUAL_SERVICES, "writes no VirtualService for models")


def _was_taken(each: JsonObject) -> bool:
    """Whether KServe made something of it on Knative, which it did not for what it rejects."""
    parts = at(each, "status.components") or {}
    return any(part.get("latestCreatedRevision") for part in parts.values())


def _is_on_knative(seen: Snapshot, each: JsonObject) -> bool:
    # KServe goes on with the mode in which it took the object first.
    if settled := at(each, "status.deploymentMode"):
        return settled in ("Knative", "Serverless")
    return is_knative(each, "Knative" if seen.knative else "Standard")


def _late(seen: Snapshot, name: str, so: str) -> Findings:
    """That a CRD was made after the controller had looked for it."""
    controller, crd = seen.controller, seen.named("other crds", name)
    made = time_of(at(crd or {}, "metadata.creationTimestamp"))
    starts = [
        time_of(at(status, "state.running.startedAt"))
        for pod in seen.controller_pods
        for status in at(pod, "status.containerStatuses") or []
        if status.get("name") == "manager"
    ]
    started = min((each for each in starts if each), default=None)
    if controller and made and started and started < made:
        fact = f"started before {name} was there, looks for it only as it starts, and {so}"
        yield Finding("restart-needed", label(controller), fact, _restart(seen))


def _restart(seen: Snapshot) -> str:
    return f"kubectl -n {seen.release.namespace} rollout restart deployment/{CONTROLLER}"
