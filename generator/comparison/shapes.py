"""What objects must be made of for the rules of `risks` to read them: mappings, lists and texts.

An API server refuses an object that is not; `diff` says where, and has no rule that stumbles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.yaml.data import JsonObject
from generator.yaml.path import Key

_TEXT = str
_ANY = object()
_EACH = "*"  # stands for every key
# A shape is a type, a list of one shape, a mapping of keys to shapes, or alternatives. A field may
# be null, which is absent to an API server; an item of a list may not.
_Shape = Any

_MAP: _Shape = {}
_TEXTS: _Shape = {_EACH: _TEXT}
_SCHEMA: dict[str, _Shape] = {}
_SCHEMA.update(
    {"properties": {_EACH: _SCHEMA}, "items": _SCHEMA, "additionalProperties": (_SCHEMA, bool)}
)
_BINDING: _Shape = {"roleRef": _MAP, "subjects": [_MAP]}
_RIGHTS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
_ROLE: _Shape = {
    "rules": [{key: [_TEXT] for key in _RIGHTS}],
    "aggregationRule": {"clusterRoleSelectors": [_ANY]},
}
_ROUTE: _Shape = {
    "spec": {
        "hostnames": [_TEXT],
        "parentRefs": [{"name": _TEXT, "namespace": _TEXT}],
        "rules": [{"backendRefs": [_ANY]}],
    }
}
_SELECTOR: _Shape = {
    "matchLabels": _TEXTS,
    "matchExpressions": [{"key": _TEXT, "operator": _TEXT, "values": [_TEXT]}],
}
_PEER: _Shape = {
    "podSelector": _SELECTOR,
    "namespaceSelector": _SELECTOR,
    "ipBlock": {"cidr": _TEXT, "except": [_TEXT]},
}
_RULE: _Shape = {
    "from": [{"source": {_EACH: [_TEXT]}}],
    "to": [{"operation": {_EACH: [_TEXT]}}],
    "when": [{"key": _TEXT, "values": [_TEXT], "notValues": [_TEXT]}],
}
# What the Gateway API calls so has listeners, what Istio does has servers.
_GATEWAY: _Shape = {
    "spec": {
        "listeners": [
            {
                "name": _TEXT,
                "hostname": _TEXT,
                "allowedRoutes": {"namespaces": {"from": _TEXT, "selector": _SELECTOR}},
            }
        ],
        "servers": [{"port": {"name": _TEXT}, "hosts": [_TEXT], "tls": _MAP}],
    }
}
_PREDICTOR: _Shape = {"model": {"modelFormat": _MAP}}
_RUNTIME: _Shape = {"spec": {"supportedModelFormats": [{"name": _TEXT}]}}
_WEBHOOKS: _Shape = {"webhooks": [{"name": _TEXT}]}
_SHAPES: dict[str, _Shape] = {
    "ClusterRole": _ROLE,
    "Role": _ROLE,
    "ClusterRoleBinding": _BINDING,
    "RoleBinding": _BINDING,
    "MutatingWebhookConfiguration": _WEBHOOKS,
    "ValidatingWebhookConfiguration": _WEBHOOKS,
    "CustomResourceDefinition": {
        "spec": {"versions": [{"name": _TEXT, "schema": {"openAPIV3Schema": _SCHEMA}}]}
    },
    "Ingress": {"spec": {"rules": [{"host": _TEXT}]}},
    "HTTPRoute": _ROUTE,
    "GRPCRoute": _ROUTE,
    "VirtualService": {"spec": {"hosts": [_TEXT]}},
    "Gateway": _GATEWAY,
    "NetworkPolicy": {
        "spec": {
            "podSelector": _SELECTOR,
            "policyTypes": [_TEXT],
            "ingress": [{"from": [_PEER], "ports": [_MAP]}],
        }
    },
    "AuthorizationPolicy": {
        "spec": {
            "selector": _SELECTOR,
            "action": _TEXT,
            "rules": [_RULE],
        }
    },
    "PeerAuthentication": {
        "spec": {
            "selector": _SELECTOR,
            "mtls": {"mode": _TEXT},
            "portLevelMtls": {_EACH: {"mode": _TEXT}},
        }
    },
    "InferenceService": {
        "spec": {
            "predictor": _PREDICTOR,
            "canary": [{"predictor": _PREDICTOR}],
            "transformer": _MAP,
            "explainer": _MAP,
        }
    },
    "ServingRuntime": _RUNTIME,
    "ClusterServingRuntime": _RUNTIME,
    "ConfigMap": {"data": _TEXTS},
    "Secret": {"data": _TEXTS, "stringData": _TEXTS},
    "Deployment": {"spec": {"template": _MAP}},
}
_OBJECT: _Shape = {
    "apiVersion": _TEXT,
    "metadata": {"namespace": _TEXT, "labels": _TEXTS, "annotations": _TEXTS},
}
_NAMES = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}


def misshapen(data: JsonObject) -> Iterator[tuple[Key, str]]:
    """Where an object is not made as its kind is: the path, and what is there instead."""
    yield from _misshapen(data, _OBJECT, ())
    yield from _misshapen(data, _SHAPES.get(data["kind"], _MAP), ())


def _misshapen(value: Any, shape: _Shape, path: Key) -> Iterator[tuple[Key, str]]:
    if value is None or shape is _ANY:
        return
    choices = shape if isinstance(shape, tuple) else (shape,)
    chosen = next((each for each in choices if isinstance(value, _type(each))), None)
    if chosen is None:
        is_, expected = _name(type(value)), _name(_type(choices[0]))
        yield path, f"is {is_}, where {expected} belongs"
    elif isinstance(chosen, list):
        for index, item in enumerate(value):
            if item is None and chosen[0] is not _ANY:
                yield (*path, index), f"is null, where {_name(_type(chosen[0]))} belongs"
            yield from _misshapen(item, chosen[0], (*path, index))
    elif isinstance(chosen, dict):
        for key, item in value.items():
            if (inner := chosen.get(key, chosen.get(_EACH))) is not None:
                yield from _misshapen(item, inner, (*path, key))


def _type(shape: _Shape) -> type:
    return shape if isinstance(shape, type) else type(shape)


def _name(kind: type) -> str:
    return _NAMES.get(kind, "a number")
