"""What some routing modes refuse, and with which words."""

from __future__ import annotations

from pathlib import Path

from generator.values.load import merge
from tests import rendering
from tests.cluster.gateways.published import SECOND
from tests.rendering import Object

_MODEL = {"format": "sklearn", "storageUri": "s3://models/1"}
_CANARY = {"canary": {"next": {"storageUri": "s3://models/2", "trafficPercent": 20}}}
_TLS = {"routing": {"gateway": {"tls": {"enabled": True, "secretName": "tls"}}}}

# By case: the values that ask for it, and the path that the refusal names.
_ASKED: dict[str, tuple[str, Object]] = {
    "timeout": ("models.model.timeout", {"models": {"model": {**_MODEL, "timeout": 1}}}),
    "canary": ("models.model.canary", {"models": {"model": {**_MODEL, **_CANARY}}}),
    "second_domain": ("routing.additionalDomains", {"routing": {"additionalDomains": [SECOND]}}),
    "path_template": ("routing.pathTemplate", {"routing": {"pathTemplate": "/{{ .Name }}"}}),
    "tls": ("routing.gateway.tls", _TLS),
    "policies": (
        "routing.virtualService.allowNamespaces",
        {"routing": {"virtualService": {"allowNamespaces": ["apps"]}}},
    ),
    "redirect": ("routing.gateway.tls", _TLS),
}


def why(values: Object, case: str, folder: Path) -> str:
    """What a chart says when a case is asked for with these values; `folder` is for a file.

    Raises AssertionError where both charts take it, or refuse something else.
    """
    path, more = _ASKED[case]
    problem = rendering.refusal(merge(values, more), folder)
    assert problem.path == path, problem
    return f"{path}: {problem.message}"
