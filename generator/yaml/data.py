"""What YAML and JSON are once they are read."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
"""A mapping of JSON types with free keys: a user's values, a Kubernetes object, a JSON schema."""
