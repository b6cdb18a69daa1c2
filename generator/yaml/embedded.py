"""JSON inside of the texts of a ConfigMap, as data."""

from __future__ import annotations

import json
from typing import Any

from generator.yaml.data import JsonObject


def opened(data: JsonObject) -> JsonObject:
    """A ConfigMap with the JSON in its values as data; any other object as it is."""
    if data.get("kind") != "ConfigMap" or not isinstance(data.get("data"), dict):
        return data
    return data | {"data": {key: _json(text) for key, text in data["data"].items()}}


def _json(text: Any) -> Any:
    try:
        data = json.loads(text)
    except (TypeError, ValueError):
        return text
    return data if isinstance(data, dict | list) else text
