"""What a runtime claims: Python writes it for the catalog's, Helm for custom ones; they agree."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from generator.catalog import catalog
from tests.rendering import STOCK, helm

SPECS: dict[str, dict[str, Any]] = {
    key: dict(runtime.spec) for key, runtime in catalog().runtimes.items()
}
SKLEARN = SPECS["sklearn"]


def formats(**changes: Any) -> dict[str, Any]:
    (form,) = SKLEARN["supportedModelFormats"]
    return SKLEARN | {"supportedModelFormats": [form | changes]}


SPECS |= {
    "of several models": SKLEARN | {"multiModel": True},
    "of one model, said": SKLEARN | {"multiModel": False},
    "for no protocol": SKLEARN | {"protocolVersions": []},
    "not chosen by itself": formats(autoSelect=False),
    "in capitals": formats(name="SKLearn"),
    "without a version": SKLEARN
    | {"supportedModelFormats": [{"name": "sklearn", "autoSelect": True, "priority": 1}]},
    "without a priority": SKLEARN
    | {"supportedModelFormats": [{"name": "sklearn", "version": "1", "autoSelect": True}]},
    "of a great priority": formats(priority=1_000_000),
}


@pytest.fixture(scope="module")
def by_helm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the platform chart's define says of each spec."""
    chart = tmp_path_factory.mktemp("claims")
    (chart / "templates").mkdir()
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: claims, version: 0.0.0}\n")
    (chart / "values.yaml").write_text(json.dumps({"specs": SPECS}))
    define = STOCK / "templates" / "runtimes" / "_check.tpl"
    (chart / "templates" / "_check.tpl").write_text(define.read_text())
    (chart / "templates" / "claims.yaml").write_text(
        "{{- range $name, $spec := .Values.specs }}\n"
        '{{ $name | quote }}: {{ include "kserve-lite.runtimes.claims" $spec }}\n'
        "{{- end }}\n"
    )
    text = helm("template", "claims", str(chart))
    found: dict[str, list[str]] = json.loads(
        "{" + ",".join(line for line in text.splitlines() if line.startswith('"')) + "}"
    )
    return found


def test_helm_was_asked_for_every_runtime(by_helm: dict[str, list[str]]) -> None:
    assert by_helm.keys() == SPECS.keys()
    assert len([name for name, claimed in by_helm.items() if claimed]) > 10


@pytest.mark.parametrize("name", SPECS)
def test_python_and_helm_claim_the_same(name: str, by_helm: dict[str, list[str]]) -> None:
    runtime = replace(catalog().runtimes["sklearn"], spec=SPECS[name])
    assert runtime.claims == by_helm[name]
