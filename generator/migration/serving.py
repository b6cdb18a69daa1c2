"""The models of a running install: which can be adopted, and which restart when they are let go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.importer.objects import Object
from generator.importer.workload import is_held
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

_MODE = "serving.kserve.io/deploymentMode"
_KNATIVE = ("Knative", "Serverless")
_STANDARD = ("Standard", "RawDeployment")
_RUNTIME = "ClusterServingRuntime"
_NOT = "does not restart."

Runtimes = Mapping[str, JsonObject]
"""ClusterServingRuntimes by name."""

Fields = Callable[[JsonObject, JsonObject], Sequence[str]]


@dataclass(frozen=True)
class Model:
    """An InferenceService of the cluster.

    `default` is the cluster's deployment mode; `fields` gives the fields in which two states of a
    runtime make other pods.
    """

    data: JsonObject
    default: str
    fields: Fields

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(at(self.data, "metadata.namespace") or "default")

    @property
    def name(self) -> str:
        """Its name."""
        return str(at(self.data, "metadata.name"))

    @property
    def is_ready(self) -> bool:
        """Whether KServe calls it Ready; one that is not cannot be held."""
        conditions: Any = at(self.data, "status.conditions")
        ready = {"type": "Ready", "status": "True"}
        listed = conditions if isinstance(conditions, list) else []
        return any(isinstance(each, dict) and ready.items() <= each.items() for each in listed)

    @property
    def is_held(self) -> bool:
        """Whether it has the annotation already, with the word that KServe looks for."""
        return is_held(self.data)

    @property
    def mode(self) -> str:
        """Its deployment mode, in the order in which KServe looks for it."""
        annotations: Any = at(self.data, "metadata.annotations") or {}
        said = at(self.data, "status.deploymentMode") or annotations.get(_MODE) or self.default
        return "Knative" if said in _KNATIVE else "Standard" if said in _STANDARD else str(said)

    def restart(self, old: Runtimes, new: Runtimes, *, other_version: str) -> str:
        """Whether its pods are replaced when KServe looks at it again, and why, as a sentence.

        `old` are the runtimes before and `new` those after; `other_version` is KServe's version
        before, if that is another one.
        """
        certain, possible = self._by_explainer(), []
        name = self._runtime()
        if name is not None and name not in old:
            possible.append(f"the runtime {name} was not given, and may differ")
        elif name is not None and name not in new:
            certain.append(f"its runtime {name} is not in the values; switch it on before")
        elif name is not None and (fields := self.fields(old[name], new[name])):
            certain.append(f"its runtime {name} differs: {', '.join(fields[:3])}")
        if other_version:
            possible.append(f"KServe {other_version} may have written its Deployment differently")
        if certain:
            return f"restarts, by a rolling update: {'; '.join(certain)}."
        return f"may restart, by a rolling update: {'; '.join(possible)}." if possible else _NOT

    def _runtime(self) -> str | None:
        """The cluster's runtime that serves it; None for a server of its own or a namespace's."""
        model: Any = at(self.data, "spec.predictor.model")
        if not isinstance(model, dict) or at(self.data, "status.servingRuntimeName"):
            return None
        said = at(self.data, "status.clusterServingRuntimeName") or model.get("runtime")
        return str(said or "of its format")

    def _by_explainer(self) -> list[str]:
        if at(self.data, "spec.explainer.art"):
            return ["the image of its explainer is named with its registry"]
        return []


def models(objects: Iterable[Object], default: str, fields: Fields) -> list[Model]:
    """The InferenceServices among objects, sorted by namespace and name."""
    found = [Model(each.data, default, fields) for each in of_kind(objects, "InferenceService")]
    return sorted(found, key=lambda model: (model.namespace, model.name))


def of_kind(objects: Iterable[Object], kind: str) -> Iterator[Object]:
    """The objects of a kind."""
    return (each for each in objects if each.data["kind"] == kind)


def runtimes(objects: Iterable[Object]) -> Runtimes:
    """The ClusterServingRuntimes among objects."""
    return {each.data["metadata"]["name"]: each.data for each in of_kind(objects, _RUNTIME)}
