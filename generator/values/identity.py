"""The identity of an object: a release may have each one only once.

Kubernetes keeps one object of a group, kind, namespace and name. Two in one release overwrite each
other on each apply, and which of them wins nobody says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.yaml.path import Key

Identity = tuple[str, str, str, str]
"""Group, kind, namespace and name."""

SUBDOMAIN = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
"""A DNS subdomain: the name of most objects, and of a Helm release."""

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""A DNS label: the name of a namespace."""

_KIND = re.compile(r"[A-Z][A-Za-z0-9]*")
_VERSION = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# Roles and their bindings are named by anything that is a segment of a path, such as system:node;
# everything else by a DNS subdomain.
_SEGMENT = re.compile(r"(?!\.{1,2}$)[^\s/%]{1,253}")


def called(kind: str, name: str, namespace: str = "") -> str:
    """What people call an object: `Deployment/manager`, with `-n NAMESPACE` where it is in one."""
    return f"{kind}/{name}" + (f" -n {namespace}" if namespace else "")


def of_object(data: Any, home: str) -> Identity | None:
    """The identity of an object in values; None if it does not say. `home` is its release's
    namespace, where it goes if it names none.
    """
    if not isinstance(data, dict) or not isinstance(metadata := data.get("metadata"), dict):
        return None
    group, _, _ = str(data.get("apiVersion", "")).rpartition("/")
    kind, name = data.get("kind"), metadata.get("name")
    if not (isinstance(kind, str) and isinstance(name, str)):
        return None
    return group, kind, str(metadata.get("namespace") or home), name


def unsaid(data: Any, wanted: str) -> tuple[Key, str]:
    """Why data has no identity: a path in it, and what to say. `wanted` is what it has to say."""
    metadata = data.get("metadata") if isinstance(data, dict) else None
    if isinstance(metadata, dict):
        for path, value in ((("kind",), data.get("kind")), (_NAMED, metadata.get("name"))):
            if isinstance(value, bool):
                return path, f"is read as the boolean {str(value).lower()}; quote it"
            if isinstance(value, int | float):
                return path, f"is read as the number {value}; quote it"
    return (), f"is no object: it does not say {wanted}"


_NAMED: Key = ("metadata", "name")

NO_NAME = (
    "is not a name that Kubernetes takes; lower-case letters, digits, - and ., as in my-object"
)


def is_name(group: str, name: str) -> bool:
    """Whether an API server takes the name for an object of a group."""
    pattern = _SEGMENT if group.startswith("rbac.authorization.k8s.io") else SUBDOMAIN
    return pattern.fullmatch(name) is not None


NO_NAMESPACE = "is not a namespace: lower-case letters, digits and hyphens, such as ml-team"


def is_namespace(name: Any) -> bool:
    """Whether an API server takes the name for a Namespace."""
    return _matches(LABEL, name)


def check_objects(objects: Any) -> Iterator[tuple[Key, str]]:
    """What is wrong with the names of `extraObjects`: the path in the values, and what to say."""
    if not isinstance(objects, dict):
        return
    seen: dict[Identity, str] = {}
    for key, data in objects.items():
        if not isinstance(data, dict) or not data:
            continue
        yield from (
            (("extraObjects", key, *path), message) for path, message in _check_object(data)
        )
        identity = of_object(data, "")
        if identity is not None and identity in seen:
            message = f"is the same object as extraObjects.{seen[identity]}; leave one of them out"
            yield ("extraObjects", key), f"{identity[1]} {identity[3]} {message}"
        elif identity is not None:
            seen[identity] = key


def _check_object(data: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    # What is not there at all, the check of the fields tells.
    if "apiVersion" in data and not _matches(_VERSION, data["apiVersion"]):
        yield ("apiVersion",), "is not the version of an API, such as v1 or apps/v1"
    if "kind" in data and not _matches(_KIND, data["kind"]):
        yield ("kind",), "is not a kind of object, such as ConfigMap"
    metadata = data.get("metadata")
    if not isinstance(metadata, dict):
        return
    name = metadata.get("name")
    if not (isinstance(name, str) and is_name(str(data.get("apiVersion")), name)):
        yield ("metadata", "name"), NO_NAME
    if "namespace" in metadata and not is_namespace(metadata["namespace"]):
        yield ("metadata", "namespace"), NO_NAMESPACE


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
