"""What templates ask about runtimes: which formats and protocols each claims and serves."""

from __future__ import annotations

from generator.catalog import Node
from generator.values.schema import find, values_schema


def claims(spec: Node) -> list[str]:
    """What a runtime claims for automatic selection, as FORMAT/VERSION/PRIORITY/PROTOCOL.

    The webhook compares runtimes that list a protocol both, whatever the case of the format; one
    that lists none clashes with nobody, nor does one of several models
    (validateServingRuntimePriority).
    """
    if spec.get("multiModel"):
        return []
    return [
        f"{form['name'].lower()}/{form.get('version', '')}/{form['priority']}/{protocol}"
        for form in spec["supportedModelFormats"]
        if form.get("autoSelect") and "priority" in form
        for protocol in spec.get("protocolVersions", [])
    ]


def protocols() -> list[str]:
    """Every inference protocol: what KServe lets a runtime speak that lists none."""
    model = find(values_schema(), ("models", "*", "protocol"))
    return list(model["enum"]) if model else []


def served(spec: Node) -> list[str]:
    """What a runtime serves without being named, as FORMAT/PROTOCOL.

    KServe tells upper and lower case apart (GetSupportingRuntimes in
    pkg/apis/serving/v1beta1/predictor_model.go).
    """
    found = {
        f"{form['name']}/{protocol}": None
        for form in spec["supportedModelFormats"]
        if form.get("autoSelect")
        for protocol in spec.get("protocolVersions", protocols())
    }
    return list(found)
