"""What templates ask about runtimes: every protocol there is."""

from __future__ import annotations

from generator.values.schema import find, values_schema


def protocols() -> list[str]:
    """Every inference protocol: what KServe lets a runtime speak that lists none."""
    model = find(values_schema(), ("models", "*", "protocol"))
    return list(model["enum"]) if model else []
