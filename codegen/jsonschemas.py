"""JSON schemas for kubeconform and the generator: strict, offline, and a few kilobytes each.

kubeconform finds `GROUP/KIND_VERSION.json` (the core group is called `v1`) with the schema location
`generator/data/schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`.
`definitions.json` has the types that values files hold, by their short names.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from codegen import upstream
from codegen.compact import bundle, close
from codegen.definitions import custom, kserve, kubernetes, overlay
from codegen.operations import REF, Definitions, Schema, merge
from generator import DATA, MARK
from generator.values.sharing import share

FOLDER = DATA / "schemas"

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_OBJECT_META = {"$ref": f"{REF}{_META}ObjectMeta"}
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"

# What stands in a GitOps repository beside KServe: by Go module, the files with the CRDs.
_FOREIGN = {
    "github.com/argoproj/argo-cd/v3": ["manifests/crds/app*-crd.yaml"],
    "github.com/cert-manager/cert-manager": ["deploy/crds/cert-manager.io_*.yaml"],
    "github.com/external-secrets/external-secrets": ["config/crds/bases/external-secrets.io*.yaml"],
    "github.com/fluxcd/helm-controller": ["config/crd/bases/*.yaml"],
    "github.com/fluxcd/kustomize-controller": ["config/crd/bases/*.yaml"],
    "github.com/fluxcd/source-controller": ["config/crd/bases/*.yaml"],
    "github.com/kedacore/keda/v2": ["config/crd/bases/keda.sh_*.yaml"],
    "github.com/prometheus-operator/prometheus-operator": [
        "example/prometheus-operator-crd/*_podmonitors.yaml",
        "example/prometheus-operator-crd/*_prometheusrules.yaml",
        "example/prometheus-operator-crd/*_servicemonitors.yaml",
    ],
    "istio.io/api": ["kubernetes/customresourcedefinitions.gen.yaml"],
    "sigs.k8s.io/gateway-api": ["config/crd/standard/*.yaml"],
}

# definitions.json: these, and all that they refer to.
_ROOTS = (
    "V1alpha1InferenceGraphSpec",
    "V1alpha1ServingRuntimeSpec",
    "V1alpha1StorageContainerSpec",
    "V1beta1InferenceServiceSpec",
    "io.k8s.api.apps.v1.DeploymentStrategy",
    "io.k8s.api.core.v1.LimitRangeSpec",
    "io.k8s.api.core.v1.PodSpec",
    "io.k8s.api.core.v1.ResourceQuotaSpec",
    "io.k8s.api.networking.v1.NetworkPolicyPeer",
)
_GATEWAY = "gateway.networking.k8s.io/gateway_v1"
_MONITOR = "monitoring.coreos.com/servicemonitor_v1"
_DESTINATION = "networking.istio.io/destinationrule_v1"
# And these parts of other projects' kinds.
_FOREIGN_ROOTS = {
    "AllowedRoutes": (_GATEWAY, "spec", "listeners", "allowedRoutes"),
    "GatewayInfrastructure": (_GATEWAY, "spec", "infrastructure"),
    "RelabelConfig": (_MONITOR, "spec", "endpoints", "relabelings"),
    "TrafficPolicy": (_DESTINATION, "spec", "trafficPolicy"),
}


def files() -> dict[str, str]:
    """All schemas as text: `{"apps/deployment_v1.json": JSON}`."""
    schemas = dict([*_native(), *_own(), *_foreign()])
    texts = {f"{name}.json": _text(schema) for name, schema in schemas.items()}
    return texts | {"definitions.json": _text(_definitions())}


def _native() -> Iterator[tuple[str, Schema]]:
    """The kinds that Kubernetes itself serves, except lists."""
    table = _native_table()
    origin = _origin("Kubernetes", upstream.KUBERNETES_VERSION)
    for name, raw in upstream.kubernetes_definitions().items():
        fields = raw.get("properties", {})
        if fields.get("metadata", {}).get("$ref") != _OBJECT_META["$ref"]:
            continue
        for gvk in raw.get("x-kubernetes-group-version-kind", []):
            yield _place(**gvk), _whole(_root(table[name], **gvk), table) | origin


def _own() -> Iterator[tuple[str, Schema]]:
    """KServe's kinds: all that the compact CRDs leave opaque is typed here."""
    table = {name: close(schema) for name, schema in custom().items()}
    # Kubernetes reads metadata the same way whatever it belongs to.
    table |= {name: schema for name, schema in _native_table().items() if name.startswith(_META)}
    origin = _origin("the KServe SDK", upstream.version(upstream.KSERVE))
    for kind, facts in overlay()["kinds"].items():
        gvk = {"group": overlay()["group"], "version": facts["version"], "kind": kind}
        root = _root(table[f"{facts['version'].capitalize()}{kind}"], **gvk)
        yield _place(**gvk), _whole(root, table) | origin


def _foreign() -> Iterator[tuple[str, Schema]]:
    """The kinds of other projects, in every version that their CRDs serve."""
    for path, (root, origin) in _foreign_roots().items():
        shared = share(root, under="$defs")
        parts = shared.pop("$defs", {})
        yield path, _whole(shared, _native_table() | parts) | origin


@functools.cache
def _foreign_roots() -> dict[str, tuple[Schema, Schema]]:
    found = {}
    for module, patterns in _FOREIGN.items():
        for crd in upstream.crds(module, *patterns):
            group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
            for version in crd["spec"]["versions"]:
                if version["served"]:
                    gvk = {"group": group, "version": version["name"], "kind": kind}
                    root = _root(close(version["schema"]["openAPIV3Schema"]), **gvk)
                    found[_place(**gvk)] = root, _origin(module, upstream.version(module))
    return found


def _definitions() -> Schema:
    """The types of values files, lenient where Kubernetes is: null removes a default."""
    table = _native_table() | {name: close(schema) for name, schema in kserve().items()}
    table = merge(table, overlay()["custom"])
    types = bundle({"anyOf": [{"$ref": REF + name} for name in _ROOTS]}, table)["$defs"]
    for name, (root, *path) in _FOREIGN_ROOTS.items():
        types[name], _ = _foreign_roots()[root]
        for field in path:
            types[name] = types[name]["properties"][field]
            types[name] = types[name].get("items", types[name])
    return {"$defs": types} | _origin("what the other schemas come from")


@functools.cache
def _native_table() -> Definitions:
    table = {name: close(schema) for name, schema in kubernetes().items()}
    # Only a custom resource insists on `cpu: "0.5"`; Kubernetes itself reads a number too.
    table[_QUANTITY] = table[_QUANTITY] | {"type": ["number", "string", "null"]}
    return table


def _root(schema: Schema, *, group: str, version: str, kind: str) -> Schema:
    """The schema of a whole object, of which only controllers write the status."""
    fields = schema["properties"] | {
        "apiVersion": {"const": f"{group}/{version}" if group else version},
        "kind": {"const": kind},
        "metadata": _OBJECT_META,
    }
    if "status" in fields:
        fields["status"] = {}
    required = sorted({"apiVersion", "kind", *schema.get("required", [])})
    return schema | {"required": required, "properties": fields}


def _whole(root: Schema, definitions: Definitions) -> Schema:
    """The file for a kind. In draft 7: kubeconform compiles it in half the time of 2020-12."""
    draft = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return bundle(root, definitions, under="definitions") | draft


def _place(*, group: str, version: str, kind: str) -> str:
    return f"{group or version}/{kind.lower()}_{version}"


def _origin(*source: str) -> Schema:
    return {"$comment": f"{MARK} (`make schemas`) from {' '.join(source)}; do not edit."}


def _text(schema: dict[str, Any]) -> str:
    """JSON with a line for each keyword and each definition, so that a difference is readable."""
    lines = []
    for keyword in sorted(schema):
        value = schema[keyword]
        if keyword in ("$defs", "definitions"):
            inner = ",\n".join(f" {_json(name)}:{_json(value[name])}" for name in sorted(value))
            lines.append(f"{_json(keyword)}:{{\n{inner}\n}}")
        else:
            lines.append(f"{_json(keyword)}:{_json(value)}")
    return "{" + ",\n".join(lines) + "}\n"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
