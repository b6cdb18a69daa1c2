"""The cells of the matrix that need no gateway: refused, or without a route to ask through."""

from __future__ import annotations

import pytest

from generator.values.load import merge
from tests.cluster.gateways import matrix, refused
from tests.cluster.gateways.published import DOMAIN
from tests.cluster.harness import envoygateway
from tests.rendering import both_charts, config, of_kind, parse

_MODEL = {"format": "sklearn", "storageUri": "s3://models/1"}
_PART = {"image": "registry.example.com/part:1"}
# What a model must have for a case.
_MODELS = {
    "v1": {},
    "v2": {"protocol": "v2"},
    "grpc_v2": {"spec": {"predictor": {"model": {"ports": [{"name": "h2c", "containerPort": 1}]}}}},
    "transformer": {"transformer": _PART},
    "explainer": {"explainer": _PART},
    "graph": {},
    "logger": {"logger": {}},
    "batcher": {"batcher": {}},
}
_GRAPH = {"nodes": {"root": {"type": "Ensemble", "steps": [{"model": "model-v1"}]}}}
_ROUTES = ("GRPCRoute", "HTTPRoute", "Ingress", "VirtualService")


def _values(mode: str) -> dict[str, object]:
    mode, _, other = mode.partition(" on ")
    written = {"gatewayApi": {"writeRoutes": True}} if mode == "gatewayApi+" else {}
    own = {"gateway": {"className": envoygateway.CLASS}} if other else {}
    return {"routing": {"mode": mode.removesuffix("+"), "domain": DOMAIN, **written, **own}}


@pytest.mark.parametrize(
    ("mode", "case"),
    [
        ("ingress", "tls"),
        ("ingress", "redirect"),
        ("ingress", "policies"),
        *((mode, "policies") for mode in matrix.MODES if mode.startswith("gatewayApi")),
        *(("none", case) for case in matrix.CASES if case not in _MODELS),
    ],
)
def test_a_mode_refuses_what_it_cannot_do(mode, case, tmp_path):
    cell = matrix.cell(mode, case)
    cell("refused", refused.why(_values(mode), case, tmp_path))


@pytest.mark.parametrize("case", _MODELS)
def test_nobody_writes_routes_in_mode_none(case, tmp_path):
    cell = matrix.cell("none", case)
    name = f"model-{case.replace('_', '-')}"
    entries = {"models": {"model-v1": _MODEL, name: {**_MODEL, **_MODELS[case]}}}
    graphs = {"graphs": {"both": _GRAPH}} if case == "graph" else {}
    them = parse(both_charts(merge(_values("none"), entries | graphs), tmp_path))
    assert of_kind(them, "InferenceService") and not of_kind(them, *_ROUTES)
    assert config(them)["ingress"]["disableIngressCreation"] is True
    cell(
        "not possible",
        "in routing.mode none nobody writes routes; models answer inside the cluster",
    )
