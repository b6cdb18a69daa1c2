"""The versions in catalog.yaml, without the rest of the catalog: every run of Helm asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from generator import DATA
from generator.yaml.document import load_fast


@dataclass(frozen=True)
class Versions:
    """The versions of the chart and of upstream; `kubernetes` is a range, `tested` one of it."""

    chart: str
    kserve: str
    kubernetes: str
    tested: str


@cache
def versions() -> Versions:
    """What catalog.yaml says of versions. Raises TypeError for a key that nothing here has."""
    return Versions(**load_fast(DATA / "catalog.yaml")["versions"])
