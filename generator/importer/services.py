"""The InferenceServices in a manifest, and what else there is in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from generator.errors import Problem, ValuesError
from generator.importer.objects import Object, read_objects
from generator.importer.workload import COMPONENTS
from generator.values.identity import NO_NAMESPACE, is_namespace
from generator.values.kubernetes import check_fields, without_null
from generator.values.sources import Source
from generator.yaml.data import JsonObject

_KIND = "InferenceService"
_API_VERSION = "serving.kserve.io/v1beta1"
# What KServe's examples have beside a model that needs it: all of them of the API version v1.
_NEEDED = ("ConfigMap", "Namespace", "PersistentVolumeClaim", "Secret", "ServiceAccount")
_WITH_VALUES = {"InferenceGraph": "graphs", "TrainedModel": "trainedModels"}


@dataclass(frozen=True)
class Service:
    """An InferenceService that has a name, and whose spec has the fields and types of KServe's."""

    object: Object
    name: str

    @property
    def manifest(self) -> JsonObject:
        """The whole object."""
        manifest: JsonObject = self.object.data
        return manifest

    @property
    def namespace(self) -> str | None:
        """The namespace that it says."""
        namespace: str | None = self.manifest["metadata"].get("namespace")
        return namespace

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Found:
    """What is in a manifest: the InferenceServices, a Problem for each object that a model merely
    needs, such as a Secret, and one for each other object.
    """

    services: list[Service]
    needed: list[Problem]
    problems: list[Problem]


def read_services(source: Source) -> Found:
    """The InferenceServices of a manifest, and what else it has.

    Raises ValuesError when there is nothing in it to tell of.
    """
    read = Found([], [], [])
    for found in read_objects(source.content, source.name):
        if isinstance(found, Object) and _is_needed(found.data):
            message = f"{_called(found.data)} is no model; apply it by itself"
            read.needed.append(found.problem((), message))
            continue
        wrong = [found] if isinstance(found, Problem) else list(_check(found))
        read.problems.extend(wrong)
        if isinstance(found, Object) and not wrong:
            read.services.append(Service(found, found.data["metadata"]["name"]))
    if not read.services and not read.problems:
        raise ValuesError([Problem.of(source.name, f"holds no {_KIND}")])
    return read


def _is_needed(data: Any) -> bool:
    return isinstance(data, dict) and data.get("apiVersion") == "v1" and data.get("kind") in _NEEDED


def _called(data: JsonObject) -> str:
    kind, name = data["kind"], _name_of(data)
    return f"{kind} {name}" if name else kind


def _name_of(data: JsonObject) -> str:
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def distinct(
    services: Sequence[Service], key: Callable[[Service], Hashable]
) -> tuple[list[Service], list[Problem]]:
    """The services whose `key` no other one has, and a Problem for each of the others."""
    together: dict[Hashable, list[Service]] = {}
    for service in services:
        together.setdefault(key(service), []).append(service)
    alone = [group[0] for group in together.values() if len(group) == 1]
    problems = [
        service.object.problem(("metadata", "name"), _also(service, group))
        for group in together.values()
        for service in (group if len(group) > 1 else [])
    ]
    return alone, problems


def _also(service: Service, group: Sequence[Service]) -> str:
    others = ", ".join(
        f"{other} in {other.object.document.file}:{other.object.position[0]}"
        for other in group
        if other is not service
    )
    return f"{service} has the name of another ({others}); neither is taken; leave one of them out"


def _check(found: Object) -> Iterator[Problem]:
    """Why an object is left out; nothing for an InferenceService as KServe takes it."""
    if not isinstance(found.data, dict) or not isinstance(found.data.get("kind"), str):
        yield found.problem((), "is left out: it is not an object with a kind")
        return
    kind, version = found.data["kind"], found.data.get("apiVersion")
    metadata, spec = found.data.get("metadata"), found.data.get("spec")
    name, called = _name_of(found.data), _called(found.data)
    if kind != _KIND:
        message = f"{called} is left out: it is not an {_KIND}; {_remedy(kind, name)}"
        yield found.problem((), message)
    elif version != _API_VERSION:
        message = f"{called} is of {version}; KServe takes {_API_VERSION}"
        yield found.problem(("apiVersion",), message)
    elif not (isinstance(metadata, dict) and name):
        generated = isinstance(metadata, dict) and "generateName" in metadata
        why = "only a generateName, and a model needs a name of its own" if generated else "no name"
        yield found.problem(("metadata",), f"{kind} is left out: it has {why}; set metadata.name")
    elif not isinstance(spec, dict) or not spec.get("predictor"):
        yield found.problem(("spec",), f"{called} is left out: it has no spec.predictor; add one")
    else:
        yield from _check_metadata(found, metadata)
        yield from _check_spec(found, spec)


def _remedy(kind: str, name: str) -> str:
    key = _WITH_VALUES.get(kind)
    way = f"write it under {key}.{name or 'NAME'}" if key else "apply it by itself"
    return f"{way}, and leave it out here"


def _check_spec(found: Object, spec: JsonObject) -> Iterator[Problem]:
    """The fields that KServe's types do not have, or else the required fields that are missing."""
    # An API server drops what is null; a server that is would be dropped with all that it says.
    spec = {key: _without_inner_null(value) for key, value in spec.items()}
    wrong = False
    for path, message in check_fields(f"{_KIND}Spec", spec, custom=True):
        wrong = True
        yield found.problem(("spec", *path), message)
    for component in () if wrong else COMPONENTS:
        kind = f"{component.capitalize()}Spec"
        for path, message in check_fields(kind, spec.get(component), custom=True):
            yield found.problem(("spec", component, *path), message)
    for index, canary in enumerate(() if wrong else spec.get("canary") or ()):
        for path, message in check_fields("CanarySpec", canary, custom=True):
            yield found.problem(("spec", "canary", index, *path), message)


def _without_inner_null(component: Any) -> Any:
    if not isinstance(component, dict):
        return without_null(component)
    return {key: without_null(value) for key, value in component.items()}


def _check_metadata(found: Object, metadata: JsonObject) -> Iterator[Problem]:
    """What an API server would refuse in the metadata that an entry carries."""
    namespace = metadata.get("namespace")
    if not isinstance(namespace, str | None):
        yield found.problem(("metadata", "namespace"), "is not text; quote it")
    elif namespace and not is_namespace(namespace):
        yield found.problem(("metadata", "namespace"), f'"{namespace}" {NO_NAMESPACE}')
    for kind in ("labels", "annotations"):
        values: Any = metadata.get(kind)
        if not isinstance(values, dict | None):
            yield found.problem(
                ("metadata", kind),
                "is not a mapping of texts; write keys and their values below it",
            )
        for key, value in values.items() if isinstance(values, dict) else ():
            if not isinstance(value, str):
                yield found.problem(("metadata", kind, key), "is not text; quote it")
