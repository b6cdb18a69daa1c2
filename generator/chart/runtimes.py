"""What templates ask about runtimes: the protocols there are, and what a runtime serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.catalog import formats
from generator.values.schema import find, values_schema


def protocols() -> list[str]:
    """Every inference protocol: what KServe lets a runtime speak that lists none."""
    model = find(values_schema(), ("models", "*", "protocol"))
    return list(model["enum"]) if model else []


def served(spec: Mapping[str, Any]) -> list[str]:
    """What a runtime serves without being named, as FORMAT/PROTOCOL.

    KServe tells upper and lower case apart (GetSupportingRuntimes in
    pkg/apis/serving/v1beta1/predictor_model.go).
    """
    found = {
        f"{each.name}/{protocol}": None
        for each in formats(spec)
        if each.automatic
        for protocol in spec.get("protocolVersions", protocols())
    }
    return list(found)
