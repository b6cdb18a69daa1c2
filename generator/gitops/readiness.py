"""What the pods of models belong to: what a GitOps tool can ask whether a model serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from generator import CONFIG
from generator.importer.workload import is_knative, is_stopped, workload_names
from generator.manifests.parsing import MODELS_PHASE, Manifest
from generator.yaml.data import JsonObject
from generator.yaml.document import parse
from generator.yaml.fields import at

_KINDS = ("InferenceService", "InferenceGraph")
_KNATIVE = ("serving.knative.dev/v1", "Service")
_STANDARD = ("apps/v1", "Deployment")


def workloads(manifests: Sequence[Manifest], namespace: str) -> Iterator[JsonObject]:
    """A reference, with apiVersion, kind, name and namespace, to each Deployment or Knative Service
    that KServe makes for the models and graphs in a namespace; to none for what is stopped.
    """
    mode = _default_mode(manifests)
    for each in manifests:
        if each.kind not in _KINDS or (each.phase, each.namespace) != (MODELS_PHASE, namespace):
            continue
        data = parse(each.text, each.name).data
        if is_stopped(data):
            continue
        api, kind = _KNATIVE if is_knative(data, mode) else _STANDARD
        for name in workload_names(data):
            yield {"apiVersion": api, "kind": kind, "name": name, "namespace": namespace}


def _default_mode(manifests: Sequence[Manifest]) -> str:
    """The deployment mode of what names none, as KServe's ConfigMap has it."""
    (config,) = (each for each in manifests if (each.kind, each.name) == ("ConfigMap", CONFIG))
    deploy = json.loads(at(parse(config.text, config.name).data, "data.deploy"))
    return str(deploy["defaultDeploymentMode"])
