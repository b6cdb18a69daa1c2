"""The models and graphs: those that are not ready, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from generator import CONTROLLER, catalog
from generator.diagnosis import knative, pods
from generator.diagnosis.finding import (
    Finding,
    Findings,
    condition,
    label,
    line,
    namespace,
    time_of,
)
from generator.diagnosis.snapshot import GRAPH_LABEL, MODEL_LABEL, Snapshot
from generator.importer.workload import COMPONENTS, is_stopped, workload_names
from generator.values.identity import called
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_PATIENCE = timedelta(minutes=10)
"""As long may a model take to load until that is a finding: as long as the waits in the docs."""

_LETTING_GO = timedelta(minutes=2)
# KServe's own (inferenceservice/controller.go there), and that of --cascade=foreground.
_EXPECTED = ("inferenceservice.finalizers", "foregroundDeletion")
_NO_RUNTIME = ("NoSupportingRuntime", "RuntimeNotRecognized", "RuntimeDisabled")


def check_models(seen: Snapshot) -> Findings:
    """Each model and graph is ready, or stopped; if not, why."""
    for word, pod_word, mark in (
        ("models", "model pods", MODEL_LABEL),
        ("graphs", "graph pods", GRAPH_LABEL),
    ):
        for each in seen.of(word):
            if at(each, "metadata.deletionTimestamp"):
                yield from _deletion(seen, each)
            elif not is_stopped(each) and not (_is_ready(each) and _is_available(seen, each)):
                own = [pod for pod in seen.of(pod_word) if _belongs(pod, each, mark)]
                yield from _reasons(seen, each, own)


def _is_ready(each: JsonObject) -> bool:
    return condition(each, "Ready").get("status") == "True"


def _is_available(seen: Snapshot, each: JsonObject) -> bool:
    """Whether a graph's router has a pod: KServe calls a graph Ready that has none."""
    routers = (
        router for router in seen.of("graph deployments") if _belongs(router, each, GRAPH_LABEL)
    )
    return each["kind"] != "InferenceGraph" or all(
        at(router, "status.availableReplicas") or at(router, "spec.replicas") == 0
        for router in routers
    )


def _belongs(pod: JsonObject, each: JsonObject, mark: str) -> bool:
    labels = at(pod, "metadata.labels") or {}
    own = labels.get(mark) == at(each, "metadata.name")
    return own and namespace(pod) == namespace(each)


def _deletion(seen: Snapshot, each: JsonObject) -> Findings:
    since = time_of(at(each, "metadata.deletionTimestamp"))
    if since and seen.now - since > _LETTING_GO:
        holders = at(each, "metadata.finalizers") or []
        fact = f"is being deleted since {since:%Y-%m-%d %H:%M} UTC, and waits for "
        yield Finding(
            "deletion-stuck",
            label(each),
            fact + ", ".join(holders),
            _letting_go(seen, each, [name for name in holders if name not in _EXPECTED]),
        )


def _letting_go(seen: Snapshot, each: JsonObject, others: list[str]) -> str:
    """What has an object that is deleted go, which finalizers of others than KServe may hold."""
    if others:
        kind, name = str(each["kind"]).lower(), at(each, "metadata.name")
        who = f"kubectl -n {namespace(each)} get {kind}/{name} -o yaml --show-managed-fields"
        return f"have whoever set {', '.join(others)} take it off; this shows who: {who}"
    controller = seen.controller
    if controller is None or not at(controller, "status.availableReplicas"):
        return "have the controller run, which lets go of what is deleted"
    home = seen.release.namespace
    return f"see why the controller does not: kubectl -n {home} logs deployment/{CONTROLLER}"


def _reasons(seen: Snapshot, each: JsonObject, own: list[JsonObject]) -> Findings:
    """Why a model is not ready: the first of these that has an answer, since the rest follows."""
    answered = (
        _runtime(seen, each),
        pods.reasons(own),
        knative.reasons(seen, each),
        _refused(seen, each),
    )
    for answers in answered:
        if found := list(answers):
            yield from found
            return
    ready = condition(each, "Ready")
    said = line(ready.get("message") or ready.get("reason") or "KServe has not said anything of it")
    home, kind = namespace(each), str(each["kind"]).lower()
    remedy = f"kubectl -n {home} describe {kind}/{at(each, 'metadata.name')}"
    since = time_of(ready.get("lastTransitionTime") or at(each, "metadata.creationTimestamp"))
    young = since is not None and seen.now - since < _PATIENCE
    failed = at(each, "status.modelStatus.lastFailureInfo.message")
    if young and not failed:
        yield Finding("loading", label(each), said, f"wait; then {remedy}")
    else:
        yield Finding("not-ready", label(each), line(failed) if failed else said, remedy)


def _runtime(seen: Snapshot, each: JsonObject) -> Findings:
    """That the runtime of a model is not there, or none is there for its format."""
    if not (seen.found.keys() >= {"runtimes", "cluster runtimes"}):
        return
    home = namespace(each)
    known = [run for run in seen.of("runtimes") if namespace(run) == home]
    known += seen.of("cluster runtimes")
    on = {str(at(run, "metadata.name")) for run in known if not at(run, "spec.disabled")}
    for component in COMPONENTS:
        if not (model := at(each, f"spec.{component}.model")):
            continue
        wanted, form = model.get("runtime"), str(at(model, "modelFormat.name") or "")
        if wanted and wanted not in on:
            off = "is switched off" if wanted in {at(r, "metadata.name") for r in known} else ""
            fact = f"its runtime {wanted} {off or 'is not there'}"
            yield Finding("runtime-missing", label(each), fact, _switch([wanted], ()))
        elif not wanted and _failure(each) in _NO_RUNTIME:
            fact = f"no runtime that is there serves the format {form} by itself"
            yield Finding("runtime-missing", label(each), fact, _switch((), [form]))


def _failure(each: JsonObject) -> str:
    return str(at(each, "status.modelStatus.lastFailureInfo.reason") or "")


def _switch(names: Iterable[str], formats: Iterable[str]) -> str:
    """The values that bring runtimes of some names, or for some formats."""
    keys = [
        runtime.key
        for runtime in catalog.catalog().runtimes.values()
        if runtime.name in names
        or any(each.automatic and each.name in formats for each in runtime.formats)
    ]
    if not keys:
        return "write its name as a runtime has it: kubectl get clusterservingruntimes"
    return "set " + " or ".join(f"runtimes.{key}.enabled=true" for key in keys)


def _refused(seen: Snapshot, each: JsonObject) -> Findings:
    """That the API server refuses the pods; the newest refusal of each Deployment says why."""
    own, home = _replica_sets(each), namespace(each)
    messages = {}
    for event in sorted(seen.of("refusals"), key=_when):
        involved = event.get("involvedObject") or {}
        if involved.get("namespace") == home and own.fullmatch(str(involved.get("name"))):
            messages[str(involved["name"])] = line(event.get("message"))
    for name, message in messages.items():
        where, remedy = called("ReplicaSet", name, home), _allowance(seen, each, message)
        yield Finding("pod-refused", where, message, remedy)


def _replica_sets(each: JsonObject) -> re.Pattern[str]:
    """The names of a model's or graph's ReplicaSets: those of `iris-2` are none of `iris`."""
    names = "|".join(map(re.escape, workload_names(each)))
    # A predictor on several nodes has workers; Knative has a Deployment of each revision.
    return re.compile(rf"(?:{names})(?:(?<=-predictor)-worker|-\d+-deployment)?-[^-]+")


def _when(event: JsonObject) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def _allowance(seen: Snapshot, each: JsonObject, message: str) -> str:
    """What lets pods in that were refused."""
    home = namespace(each)
    if "exceeded quota" in message or "must specify" in message:
        return "raise the namespace's ResourceQuota, or ask for less in the model's resources"
    if "PodSecurity" not in message:
        return "mend what refuses them; the message names it"
    # KServe gives the router no seccomp profile, and an InferenceGraph has no field for one.
    if each["kind"] == "InferenceGraph":
        return _baseline(seen, home)
    # Nor do a model's fields reach the container that KServe makes of an oci:// image.
    if '"modelcar' in message:
        return f"set storage.ociModels.mode=native; or {_baseline(seen, home)}"
    return "set what the message names in the model's securityContext: docs/troubleshooting.md"


def _baseline(seen: Snapshot, home: str) -> str:
    """What gives a namespace the level baseline of Pod Security."""
    if seen.named("tenants", home):
        return f"set tenants.{home}.podSecurity=baseline"
    level = "pod-security.kubernetes.io/enforce=baseline"
    return f"kubectl label namespace {home} {level} --overwrite"


def check_graphs(seen: Snapshot) -> Findings:
    """Each step of a graph names a model that is there."""
    if "models" not in seen.found:
        return
    for graph in seen.of("graphs"):
        for name, node in (at(graph, "spec.nodes") or {}).items():
            for step in node.get("steps") or []:
                model = step.get("serviceName")
                if model and seen.named("models", model, namespace(graph)) is None:
                    fact = f"node {name} asks model {model}, which is not there"
                    remedy = f"declare {model}, or take the step out"
                    yield Finding("not-ready", label(graph), fact, remedy)
