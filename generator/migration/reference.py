"""The name of an image, taken apart into what our values have keys for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Reference:
    """The parts of an image's name; empty for what it does not say."""

    registry: str = ""
    repository: str = ""
    tag: str = ""
    digest: str = ""


def parse(text: str) -> Reference:
    """`quay.io/ours/agent:v1` in parts. A name without a registry is docker.io's, as to a runtime
    of containers; there, one without a folder is in `library`.
    """
    name, _, digest = text.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    first, _, rest = head.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return Reference(first, f"{rest}/{last}" if rest else last, tag, digest)
    return Reference("docker.io", f"{head}/{last}" if head else f"library/{last}", tag, digest)


def split(reference: Reference) -> Mapping[str, str]:
    """The parts that the name says, by their keys."""
    return {key: value for key, value in asdict(reference).items() if value}
