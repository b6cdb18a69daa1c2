"""What KServe's controller makes of an InferenceService or a graph, as boxes and arrows.

That the objects are there is asked of the real controller in tests/cluster/test_diagram.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generator.diagram.parts import Edge, Node, Shape
from generator.importer.inferenceservice import CLUSTER_LOCAL, has_no_route_of_kserves
from generator.importer.workload import component_name, is_knative, is_stopped, version_name
from generator.yaml.data import JsonObject

_KNATIVE_VISIBILITY = "networking.knative.dev/visibility"


def _service(name: str, *, knative: bool) -> Node:
    return Node("Knative Service" if knative else "Service", name)


@dataclass(frozen=True)
class Component:
    """A predictor, a version of it, a transformer or an explainer: one Service, one Deployment."""

    name: str
    spec: JsonObject
    knative: bool

    @property
    def service(self) -> Node:
        """Where its requests go."""
        return _service(self.name, knative=self.knative)

    @property
    def workload(self) -> Node:
        """What its pods are of; with Knative the service stands for them."""
        return self.service if self.knative else Node("Deployment", self.name, self._made_of)

    @property
    def _made_of(self) -> tuple[str, ...]:
        model = self.spec.get("model") or {}
        found = [str(name) for name in ((model.get("modelFormat") or {}).get("name"),) if name]
        found += [str(each["image"]) for each in self._containers if each.get("image")]
        found += [f"agent: {key}" for key in ("logger", "batcher") if key in self.spec]
        return tuple(found + ["and its workers"] * ("workerSpec" in self.spec))

    @property
    def _containers(self) -> list[JsonObject]:
        return self.spec.get("containers") or []

    def edges(self) -> Iterator[Edge]:
        """From its Service to its pods, from the storage to them, and where requests are logged."""
        if not self.knative:
            yield Edge(self.service, self.workload)
        variables = [one for each in self._containers for one in each.get("env") or []]
        uris = [(self.spec.get("model") or {}).get("storageUri")]
        uris += [one.get("value") for one in variables if one.get("name") == "STORAGE_URI"]
        for uri in filter(None, uris):
            storage = Node("", str(uri), shape=Shape.CYLINDER)
            yield Edge(storage, self.workload, "is loaded into")
        if url := (self.spec.get("logger") or {}).get("url"):
            yield Edge(self.workload, Node("", str(url)), "logs requests to")


@dataclass(frozen=True)
class Declared:
    """An object that the controller makes pods of, and the deployment mode of one that names none.

    Both kinds of them are stopped and given to Knative by the same annotations.
    """

    data: JsonObject
    mode: str

    @property
    def name(self) -> str:
        """The name of the object."""
        return str(self.data["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The namespace of the object."""
        return str(self.data["metadata"].get("namespace", "default"))

    @property
    def knative(self) -> bool:
        """Whether it is served by Knative."""
        return is_knative(self.data, self.mode)

    @property
    def local(self) -> bool:
        """Whether no client outside of the cluster reaches it."""
        labels = self.data["metadata"].get("labels") or {}
        of_knative = self.knative and labels.get(_KNATIVE_VISIBILITY) == CLUSTER_LOCAL
        return of_knative or has_no_route_of_kserves(self.data["metadata"])

    @property
    def stopped(self) -> bool:
        """Whether the controller keeps no pods and no route for it."""
        return is_stopped(self.data)

    @property
    def idle(self) -> Node:
        """What a stopped one is: the object alone."""
        return Node(str(self.data["kind"]), self.name, ("stopped",))


@dataclass(frozen=True)
class Service(Declared):
    """An InferenceService."""

    def component(self, key: str) -> Component | None:
        """The predictor, transformer or explainer; None if the spec has none."""
        spec = self.data["spec"].get(key)
        if spec is None:
            return None
        return Component(component_name(self.data, key), spec, self.knative)

    @property
    def versions(self) -> list[Component]:
        """The versions beside the predictor that get a share of the requests."""
        specs = [canary["predictor"] for canary in self.data["spec"].get("canary") or []]
        return [Component(version_name(self.data, spec), spec, self.knative) for spec in specs]

    @property
    def entry(self) -> Component | None:
        """What a request comes to first."""
        return self.component("transformer") or self.component("predictor")

    def edges(self) -> Iterator[Edge]:
        """Everything behind its Services."""
        predictor = self.component("predictor")
        others = [self.component("transformer"), self.component("explainer")]
        for component in (*others, predictor, *self.versions):
            if component is None:
                continue
            yield from component.edges()
            if component in others and predictor:
                yield Edge(component.workload, predictor.service, "asks")


@dataclass(frozen=True)
class Graph(Declared):
    """An InferenceGraph, whose router asks models and addresses."""

    @property
    def service(self) -> Node:
        """Where its requests go."""
        return _service(self.name, knative=self.knative)

    @property
    def router(self) -> Node:
        """What its pods are of; with Knative the service stands for them."""
        return self.service if self.knative else Node("Deployment", self.name, ("router",))

    def edges(self, services: dict[str, Service]) -> Iterator[Edge]:
        """From its Service through its router to the models and addresses of its steps."""
        if not self.knative:
            yield Edge(self.service, self.router)
        for step in _steps(self.data["spec"]):
            asked = services.get(step.get("serviceName", ""))
            if url := step.get("serviceUrl"):
                yield Edge(self.router, Node("", str(url)), "asks")
            elif asked and asked.stopped:
                yield Edge(self.router, asked.idle, "asks")
            elif asked and asked.entry:
                yield Edge(self.router, asked.entry.service, "asks")


def _steps(spec: JsonObject) -> Iterator[Any]:
    """The steps of all nodes, those that name a model or an address twice but once."""
    seen = []
    for node in (spec.get("nodes") or {}).values():
        for step in node.get("steps") or []:
            target = {key: step[key] for key in ("serviceName", "serviceUrl") if step.get(key)}
            if target and target not in seen:
                seen.append(target)
                yield target
