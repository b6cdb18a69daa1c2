"""Kinds as kubectl takes them: `svc`, `services`, `service.GROUP` or `service.v1.GROUP`."""

from __future__ import annotations

import re
from collections.abc import Collection

_VERSION = re.compile(r"^v[0-9]+\w*(\.|$)")
_SHORT = {
    "cert": "Certificate",
    "cm": "ConfigMap",
    "crd": "CustomResourceDefinition",
    "deploy": "Deployment",
    "dr": "DestinationRule",
    "es": "ExternalSecret",
    "gtw": "Gateway",
    "gw": "Gateway",
    "ig": "InferenceGraph",
    "isvc": "InferenceService",
    "limits": "LimitRange",
    "netpol": "NetworkPolicy",
    "ns": "Namespace",
    "pa": "PeerAuthentication",
    "pc": "PriorityClass",
    "pdb": "PodDisruptionBudget",
    "quota": "ResourceQuota",
    "sa": "ServiceAccount",
    "smon": "ServiceMonitor",
    "svc": "Service",
    "tm": "TrainedModel",
    "vs": "VirtualService",
}


def kind_of(word: str, kinds: Collection[str]) -> tuple[str, str]:
    """The kind of `kinds`, or of those with a short name, that a word names, and its API group.

    A word that names none is its own kind. The group is empty unless the word has it.
    """
    name, _, group = word.partition(".")
    group = _VERSION.sub("", group)
    low = name.lower()
    if kind := _SHORT.get(low) or _SHORT.get(low.removesuffix("s")):
        return kind, group
    for kind in {*kinds, *_SHORT.values()}:
        if low in (kind.lower(), _plural(kind.lower())):
            return kind, group
    return name, group


def is_kind(word: str, kinds: Collection[str]) -> bool:
    """Whether a word is the name of a kind, of `kinds` or of those with a short name."""
    return word in kinds or word in _SHORT.values()


def _plural(kind: str) -> str:
    if kind.endswith("s"):
        return f"{kind}es"
    return re.sub("[^aeiou]y$", lambda end: f"{end[0][0]}ie", kind) + "s"
