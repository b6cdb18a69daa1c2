"""Where in an InferenceService the keys of its entry come from, to say what is wrong there."""

from __future__ import annotations

import re

from generator.errors import Problem
from generator.importer.inferenceservice import DEPLOYMENT_MODE, VISIBILITY
from generator.importer.services import Service
from generator.yaml.path import Key, dotted, key_of

ORIGINS: dict[str, Key] = {
    "annotations": ("metadata", "annotations"),
    "batcher": ("spec", "predictor", "batcher"),
    "canary": ("spec", "canary"),
    "clusterLocal": ("metadata", "labels", VISIBILITY),
    "deploymentMode": ("metadata", "annotations", DEPLOYMENT_MODE),
    "explainer": ("spec", "explainer"),
    "labels": ("metadata", "labels"),
    "logger": ("spec", "predictor", "logger"),
    "port": ("spec", "predictor"),
    "protocol": ("spec", "predictor"),
    "timeout": ("spec", "predictor", "timeout"),
    "transformer": ("spec", "transformer"),
}
"""The keys of an entry that its routes depend on, and what each stands for."""


def in_manifest(problem: Problem, service: Service) -> Problem:
    """The problem of an entry, at `models.NAME`, as one of the InferenceService it was made of."""
    path = _origin(key_of(problem.path)[2:], service)
    message = re.sub(
        rf"\bmodels\.{re.escape(service.name)}\.([A-Za-z0-9_.-]*[A-Za-z0-9])",
        lambda found: dotted(_origin(key_of(found[1]), service)),
        problem.message,
    )
    return service.object.problem(path, message)


def _origin(key: Key, service: Service) -> Key:
    """The path in the InferenceService of a path in the entry."""
    if not key or key[0] not in ORIGINS:
        return ("metadata", "name")
    first, rest = ORIGINS[str(key[0])], key[1:]
    if key[0] == "canary" and rest:
        names = [
            canary["predictor"].get("name") for canary in service.manifest["spec"].get("canary", ())
        ]
        rest = (names.index(rest[0]), *rest[1:]) if rest[0] in names else ()
    return first + rest
