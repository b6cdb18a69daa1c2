"""Why pods do not run: what their containers and the scheduler have said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.diagnosis.finding import Finding, Findings, condition, label, line, namespace
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

INITIALIZER = "storage-initializer"
"""The init container that fetches a model."""

_NO_IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull")


def reasons(pods: Iterable[JsonObject]) -> Findings:
    """Why pods are not ready; of many that say the same, the first."""
    said = set()
    for pod in pods:
        for finding in _reasons(pod):
            if (key := (finding.finding, finding.fact)) not in said:
                said.add(key)
                yield finding


def _reasons(pod: JsonObject) -> Findings:
    if at(pod, "metadata.deletionTimestamp"):
        return
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        yield Finding(
            "unschedulable",
            label(pod),
            line(scheduled.get("message")),
            "ask for less in the model's resources, or give the cluster nodes with room and the "
            "labels that it asks for",
        )
    for status in _statuses(pod):
        if (found := _of_container(pod, status)) is not None:
            yield found


def _statuses(pod: JsonObject) -> Iterator[JsonObject]:
    """The statuses of the containers that are not ready or have ended badly, in their order."""
    for field in ("initContainerStatuses", "containerStatuses"):
        for status in at(pod, f"status.{field}") or []:
            if not status.get("ready"):
                yield status


def _of_container(pod: JsonObject, status: JsonObject) -> Finding | None:
    name, home = str(status.get("name")), namespace(pod)
    waiting = at(status, "state.waiting") or {}
    if waiting.get("reason") in _NO_IMAGE:
        fact = f"{name}: {status.get('image')}: {line(waiting.get('message') or waiting['reason'])}"
        remedy = "mend the name or the registry, or add global.imagePullSecrets"
        return Finding("image-pull", label(pod), fact, remedy)
    ended = at(status, "state.terminated") or at(status, "lastState.terminated") or {}
    if not ended.get("exitCode"):
        return None
    if ended.get("reason") == "OOMKilled":
        limit = _limit(pod, name)
        fact = f"{name} was killed for using more than its memory{f' of {limit}' if limit else ''}"
        return Finding("out-of-memory", label(pod), fact, _more_memory(name))
    said = line(_end_of(ended.get("message")) or waiting.get("message") or ended.get("reason"))
    log = f"kubectl -n {home} logs {at(pod, 'metadata.name')} -c {name} --previous"
    if name == INITIALIZER:
        fact = f"the model cannot be fetched from {_source(pod)}: {said}"
        remedy = f"mend storageUri or its credentials (docs/models.md); {log}"
        return Finding("storage", label(pod), fact, remedy)
    times = status.get("restartCount", 0)
    fact = f"{name} ended with {ended['exitCode']}, {times} restarts: {said}"
    return Finding("crash", label(pod), fact, log)


def _end_of(message: object) -> str:
    """The last line of what a container left as its message, which is the end of its log."""
    lines = str(message or "").strip().splitlines()
    return lines[-1] if lines else ""


def _source(pod: JsonObject) -> str:
    """The storageUri that the storage initializer was given."""
    for container in at(pod, "spec.initContainers") or []:
        if container.get("name") == INITIALIZER and container.get("args"):
            return str(container["args"][0])
    return "its storageUri"


def _limit(pod: JsonObject, name: str) -> str:
    for field in ("initContainers", "containers"):
        for container in at(pod, f"spec.{field}") or []:
            if container.get("name") == name:
                return str(at(container, "resources.limits.memory") or "")
    return ""


def _more_memory(name: str) -> str:
    if name == INITIALIZER:
        return "raise storage.initializer.resources.limits.memory"
    return "raise limits.memory in the model's resources"
