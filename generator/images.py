"""The images that a set of values uses, those that KServe derives at run time included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from generator.catalog import Image, catalog


def platform_images(values: Mapping[str, Any]) -> list[Image]:
    """The images of the platform and of the runtimes that are on, each once, sorted by name.

    `values` are whole: the defaults with the user's merged over them.
    """
    found: dict[str, Image] = {}
    # What an object names comes before what KServe derives: one runtime's image may be both.
    for image in sorted(_images(values), key=lambda image: bool(image.hardware)):
        found.setdefault(image.reference, image)
    return sorted(found.values(), key=lambda image: (image.name, image.reference))


def _images(values: Mapping[str, Any]) -> Iterator[Image]:
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
    for key, chosen in used.items():
        yield _image(catalog().images[key], chosen, registry)
    for key, runtime in values["runtimes"].items():
        if runtime["enabled"]:
            image = _image(catalog().runtimes[key].image, runtime["image"], registry)
            yield image
            if (other := image.other()) is not None:
                yield other


def _image(known: Image, chosen: Mapping[str, Any], registry: str) -> Image:
    """The catalog's image with the values' parts of its name, from one registry where there is."""
    image = replace(known, **chosen)
    return replace(
        image,
        registry=registry or image.registry,
        tag=image.tag or catalog().versions.kserve,
    )
