"""The images that a set of values uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.schema import Node, catalog


@dataclass(frozen=True)
class Image:
    """An image: its short name, its reference, the platforms it is published for."""

    name: str
    image: str
    platforms: tuple[str, ...]


def platform_images(values: Mapping[str, Any]) -> list[Image]:
    """The images of the platform and of the runtimes that are on, sorted by name.

    `values` are whole: the defaults with the user's merged over them.
    """
    return sorted(_images(values), key=lambda it: it.name)


def _images(values: Mapping[str, Any]) -> Iterator[Image]:
    known = catalog()["images"]
    registry = values["global"]["imageRegistry"]
    certificate = values["webhook"]["certificate"]
    inference = values["inference"]
    used = {
        "controller": values["controller"]["image"],
        "agent": inference["agent"]["image"],
        "router": inference["router"]["image"],
        "artExplainer": inference["artExplainer"]["image"],
        "storageInitializer": values["storage"]["initializer"]["image"],
    }
    if certificate["mode"] == "selfSigned":
        used["certgen"] = certificate["image"]
    for key, image in used.items():
        yield _image(image, known[key], registry)
    for key, runtime in values["runtimes"].items():
        if runtime["enabled"]:
            yield _image(runtime["image"], catalog()["runtimes"][key]["image"], registry)


def _image(image: Node, known: Node, registry: str) -> Image:
    name = f"{registry or image['registry']}/{image['repository']}"
    tag = image["tag"] or catalog()["versions"]["kserve"]
    reference = f"{name}@{image['digest']}" if image.get("digest") else f"{name}:{tag}"
    return Image(image["repository"].split("/")[-1], reference, tuple(known["platforms"]))
