"""What the pods of models belong to: what a GitOps tool can ask whether a model serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from generator.diagram.components import Graph, Service
from generator.manifests.parsing import MODELS_PHASE, Manifest
from generator.yaml.data import JsonObject
from generator.yaml.document import parse
from generator.yaml.fields import at

_CONFIG = "inferenceservice-config"


def deployment_mode(manifests: Sequence[Manifest]) -> str:
    """The deployment mode of what names none, as KServe's ConfigMap has it."""
    (config,) = (each for each in manifests if (each.kind, each.name) == ("ConfigMap", _CONFIG))
    deploy = json.loads(at(parse(config.text, config.name).data, "data.deploy"))
    return str(deploy["defaultDeploymentMode"])


def workloads(manifests: Sequence[Manifest], namespace: str) -> Iterator[JsonObject]:
    """A reference, with apiVersion, kind, name and namespace, to each Deployment or Knative Service
    that KServe makes for the models and graphs in a namespace; to none for what is stopped.
    """
    mode = deployment_mode(manifests)
    for each in manifests:
        if each.phase != MODELS_PHASE or each.namespace != namespace:
            continue
        for name, knative in _named(each, mode):
            api, kind = (
                ("serving.knative.dev/v1", "Service") if knative else ("apps/v1", "Deployment")
            )
            yield {"apiVersion": api, "kind": kind, "name": name, "namespace": namespace}


def _named(each: Manifest, mode: str) -> Iterator[tuple[str, bool]]:
    """The name of each, and whether it is Knative's."""
    if each.kind == "InferenceGraph":
        graph = Graph(parse(each.text, each.name).data, mode)
        if not graph.stopped:
            yield graph.name, graph.knative
    elif each.kind == "InferenceService":
        service = Service(parse(each.text, each.name).data, mode)
        if service.stopped:
            return
        for key in ("predictor", "transformer", "explainer"):
            if component := service.component(key):
                yield component.name, component.knative
        for version in service.versions:
            yield version.name, version.knative
