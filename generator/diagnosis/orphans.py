"""Objects that belong to a model, or a version of one, that is not there."""

from __future__ import annotations

from collections.abc import Iterator

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
    for each in (*seen.of("model deployments", *_ROUTES), *_scalers(seen)):
        if at(each, "metadata.ownerReferences"):
            continue  # Kubernetes itself is about to delete what was its owner's.
        labels = at(each, "metadata.labels") or {}
        routed = labels.get(PART_OF) == CHART and labels.get(_INSTANCE) != seen.release.name
        model = str(labels.get(MODEL_LABEL) or (labels.get(_NAME) if routed else "") or "")
        if model and (namespace(each), model) not in there:
            fact = f"is of model {model}, which is not there"
            yield Finding("orphan", label(each), fact, _deletion(each))


def check_scalers(seen: Snapshot) -> Findings:
    """Each HorizontalPodAutoscaler scales what its model still has.

    KServe takes down the Deployment of a version that is taken out, and leaves what scaled it.
    """
    if not seen.found.keys() >= {"models", "model deployments"}:
        return
    for each in _scalers(seen):
        home, target = namespace(each), str(at(each, "spec.scaleTargetRef.name"))
        name = str((at(each, "metadata.labels") or {}).get(MODEL_LABEL))
        model = seen.named("models", name, home)
        if model is None or at(model, "metadata.deletionTimestamp") or not _is_kserves(each):
            continue
        if target in workload_names(model) or seen.named("model deployments", target, home):
            continue
        fact = f"scales Deployment {target}, which is not there: {name} has no such version"
        yield Finding("orphan", label(each), fact, _deletion(each))


def _scalers(seen: Snapshot) -> Iterator[JsonObject]:
    """The scalers of predictors: those with KServe's names, which scale what KServe's do.

    Others with the label are the user's own.
    """
    for each in seen.of("model scalers"):
        target, name = at(each, "spec.scaleTargetRef") or {}, str(at(each, "metadata.name"))
        model = (at(each, "metadata.labels") or {}).get(MODEL_LABEL)
        is_predictors = name.startswith(f"{model}-") and name.endswith("predictor")
        if is_predictors and (target.get("kind"), target.get("name")) == ("Deployment", name):
            yield each


def _is_kserves(scaler: JsonObject) -> bool:
    """Whether no other controller, such as KEDA's, would make a scaler anew."""
    owners = at(scaler, "metadata.ownerReferences") or []
    return all(owner.get("kind") == "InferenceService" for owner in owners)


def _deletion(each: JsonObject) -> str:
    group = str(each.get("apiVersion", "")).rpartition("/")[0]
    kind = str(each["kind"]).lower()
    name = at(each, "metadata.name")
    return f"kubectl -n {namespace(each)} delete {kind}{f'.{group}' if group else ''} {name}"
