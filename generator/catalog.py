"""The catalog: the versions, images and runtimes of upstream that the charts are made of."""

from __future__ import annotations

from functools import cache
from typing import Any

from generator import DATA
from generator.yaml.document import load_fast

Node = dict[str, Any]
"""A mapping of JSON types whose keys are data, or are checked by a schema."""


@cache
def catalog() -> Node:
    """The `versions`, `images` and `runtimes` of catalog.yaml. Not to be changed in place."""
    data: Node = load_fast(DATA / "catalog.yaml")
    return data
