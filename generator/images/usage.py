"""What uses an image: a field that names it, or KServe, which makes it of another image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generator.yaml.path import Key


@dataclass(frozen=True)
class Use:
    """One use of an image: `field` of `object`, such as "data.agent.image" of "ConfigMap
    inferenceservice-config", set by the value at `value`.

    `reference` is what the cluster pulls, `source` where it is copied from (the same, unless
    global.imageRegistry stands before it), `platforms` what the catalog knows. Where KServe makes
    the image of the one in `field`, `derived` says for which model: "that asks for a GPU", or
    "with runtimeVersion v0.19.0".
    """

    reference: str
    object: str
    field: str
    value: Key
    source: str = ""
    platforms: tuple[str, ...] = ()
    derived: str = ""


@dataclass(frozen=True)
class Listed:
    """An image, and all that uses it."""

    reference: str
    uses: tuple[Use, ...]

    @property
    def source(self) -> str:
        """Where it is copied from; the reference itself where nothing else is known."""
        return next(filter(None, (use.source for use in self.uses)), self.reference)

    @property
    def platforms(self) -> tuple[str, ...]:
        """What the catalog says of it; nothing for an image of the user's."""
        return next(filter(None, (use.platforms for use in self.uses)), ())

    @property
    def derived(self) -> str:
        """For which model KServe runs it, where no object names it."""
        named = any(not use.derived for use in self.uses)
        return "" if named else self.uses[0].derived

    @property
    def name(self) -> str:
        """The short name: `agent` of docker.io/kserve/agent:v1."""
        return repository(self.reference).rpartition("/")[2]


def listed(uses: Iterable[Use]) -> list[Listed]:
    """The images of some uses, each once, sorted by name."""
    found: dict[str, list[Use]] = {}
    for use in uses:
        found.setdefault(use.reference, []).append(use)
    images = [Listed(reference, tuple(own)) for reference, own in found.items()]
    return sorted(images, key=lambda image: (image.name, image.reference))


def repository(reference: str) -> str:
    """An image without its tag and its digest: `docker.io/kserve/agent`."""
    name = reference.partition("@")[0]
    before, colon, tag = name.rpartition(":")
    return before if colon and "/" not in tag else name


def within(registry: str, reference: str) -> bool:
    """Whether an image comes from a registry, which may have a path."""
    return reference.startswith(f"{registry}/")
