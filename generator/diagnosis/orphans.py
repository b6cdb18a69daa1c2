"""Objects that belong to a model, or a version of one, that is not there."""

from __future__ import annotations

from generator import CHART
from generator.diagnosis.finding import Finding, Findings, label, namespace
from generator.diagnosis.snapshot import MODEL_LABEL, PART_OF, Snapshot
from generator.importer.workload import workload_names
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_NAME = "app.kubernetes.io/name"
_INSTANCE = "app.kubernetes.io/instance"
_ROUTES = ("HTTPRoutes", "GRPCRoutes", "virtual services")


def check_orphans(seen: Snapshot) -> Findings:
    """Deployments, scalers, routes and trained models have the model that they are of."""
    if not seen.found.keys() >= {"models", "graphs"}:
        return
    there = {
        (namespace(each), str(at(each, "metadata.name"))) for each in seen.of("models", "graphs")
    }
    for each in seen.of("trained"):
        model = str(at(each, "spec.inferenceService"))
        if (namespace(each), model) not in there:
            fact = f"is for InferenceService {model}, which is not there"
            yield Finding("orphan", label(each), fact, f"declare {model}, or {_deletion(each)}")
    for each in seen.of("model deployments", "model scalers", *_ROUTES):
        if at(each, "metadata.ownerReferences"):
            continue  # Kubernetes itself is about to delete what was its owner's.
        labels = at(each, "metadata.labels") or {}
        routed = labels.get(PART_OF) == CHART and labels.get(_INSTANCE) != seen.release.name
        model = str(labels.get(MODEL_LABEL) or (labels.get(_NAME) if routed else "") or "")
        if each["kind"] == "HorizontalPodAutoscaler" and not _is_of_a_version(each, model):
            continue  # A scaler of the user's own.
        if model and (namespace(each), model) not in there:
            fact = f"is of model {model}, which is not there"
            yield Finding("orphan", label(each), fact, _deletion(each))


def check_scalers(seen: Snapshot) -> Findings:
    """Each HorizontalPodAutoscaler scales what its model still has.

    KServe takes down the Deployment of a version that is taken out, and leaves what scaled it.
    """
    if not seen.found.keys() >= {"models", "model deployments"}:
        return
    for each in seen.of("model scalers"):
        home, target = namespace(each), str(at(each, "spec.scaleTargetRef.name"))
        name = str((at(each, "metadata.labels") or {}).get(MODEL_LABEL))
        model = seen.named("models", name, home)
        if model is None or at(model, "metadata.deletionTimestamp") or not _is_kserves(each):
            continue
        if not _is_of_a_version(each, name):
            continue  # A scaler of the user's own.
        if target in workload_names(model) or seen.named("model deployments", target, home):
            continue
        fact = f"scales Deployment {target}, which is not there: {name} has no such version"
        yield Finding("orphan", label(each), fact, _deletion(each))


def _is_of_a_version(scaler: JsonObject, model: str) -> bool:
    """Whether KServe would have called it so, and had it scale what it scales."""
    target, name = at(scaler, "spec.scaleTargetRef") or {}, str(at(scaler, "metadata.name"))
    is_predictors = name.startswith(f"{model}-") and name.endswith("predictor")
    return is_predictors and (target.get("kind"), target.get("name")) == ("Deployment", name)


def _is_kserves(scaler: JsonObject) -> bool:
    """Whether no other controller, such as KEDA's, would make a scaler anew."""
    owners = at(scaler, "metadata.ownerReferences") or []
    return all(owner.get("kind") == "InferenceService" for owner in owners)


def _deletion(each: JsonObject) -> str:
    group = str(each.get("apiVersion", "")).rpartition("/")[0]
    kind = str(each["kind"]).lower()
    name = at(each, "metadata.name")
    return f"kubectl -n {namespace(each)} delete {kind}{f'.{group}' if group else ''} {name}"
