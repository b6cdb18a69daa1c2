"""Volumes: what their files hold, and how they come into a container's root."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cluster.harness.api import Api, Refused
from tests.rendering import Object

Files = dict[str, bytes]

REFRESHED = frozenset({"secret", "configMap"})
"""The kinds of volumes whose files change while a pod runs."""


def files(volume: Object, pod: Object, api: Api, field: Callable[[str], str]) -> Files:
    """The files of a volume of a pod; `field` reads a field of the pod, as text.

    Raises Refused where the Secret or ConfigMap is not there and may not be missing.
    """
    if "emptyDir" in volume:
        return {}
    if "projected" in volume:
        found: Files = {}
        for source in volume["projected"]["sources"]:
            found |= files(source, pod, api, field)
        return found
    if "downwardAPI" in volume:
        items = volume["downwardAPI"]["items"]
        return {item["path"]: field(item["fieldRef"]["fieldPath"]).encode() for item in items}
    if "serviceAccountToken" in volume:
        return _token(volume["serviceAccountToken"], pod, api)
    kind, source = next((key, volume[key]) for key in ("secret", "configMap") if key in volume)
    return _data(kind, source, pod["metadata"]["namespace"], api)


def _data(kind: str, source: Object, namespace: str, api: Api) -> Files:
    name = source.get("secretName") or source["name"]
    try:
        found = api.get(f"/api/v1/namespaces/{namespace}/{kind.lower()}s/{name}")
    except Refused as error:
        if error.status == 404 and source.get("optional"):
            return {}
        raise
    binary = found.get("data" if kind == "secret" else "binaryData", {})
    data: Files = {key: base64.b64decode(value) for key, value in binary.items()}
    if kind == "configMap":
        data |= {key: value.encode() for key, value in found.get("data", {}).items()}
    if "items" in source:
        return {item["path"]: data[item["key"]] for item in source["items"]}
    return data


def _token(wanted: Object, pod: Object, api: Api) -> Files:
    metadata, account = pod["metadata"], pod["spec"]["serviceAccountName"]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
    spec = {"boundObjectRef": owner, "expirationSeconds": wanted["expirationSeconds"]}
    if "audience" in wanted:
        spec["audiences"] = [wanted["audience"]]
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
    return {wanted["path"]: api.post(path, request)["status"]["token"].encode()}


def text(value: object) -> str:
    """A field of a pod as the downward API writes it: maps a line a key, quoted."""
    if isinstance(value, Mapping):
        return "\n".join(f"{key}={json.dumps(entry)}" for key, entry in sorted(value.items()))
    return str(value)


def write(folder: Path, content: Files) -> None:
    """Replace the files of a volume at one stroke, by a symbolic link, as kubelets do."""
    before = list(folder.glob("..[0-9]*"))
    version = folder / f"..{time.time_ns()}"
    version.mkdir(parents=True)
    for name, data in content.items():
        (version / name).write_bytes(data)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    link = folder / "..next"
    link.symlink_to(version.name)
    link.replace(folder / "..data")
    for old in before:
        shutil.rmtree(old)
