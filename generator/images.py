"""The images that a set of values uses, those that KServe derives at run time included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.catalog import Node, catalog


@dataclass(frozen=True)
class Image:
    """An image: its short name, its reference, the platforms it is published for.

    `hardware` is what a model must ask for, such as "a GPU", where KServe runs the image in place
    of another that the objects name; it is empty for an image that the objects name themselves.
    """

    name: str
    image: str
    platforms: tuple[str, ...]
    hardware: str = ""


def platform_images(values: Mapping[str, Any]) -> list[Image]:
    """The images of the platform and of the runtimes that are on, each once, sorted by name.

    `values` are whole: the defaults with the user's merged over them.
    """
    found: dict[str, Image] = {}
    # What an object names comes before what KServe derives: one runtime's image may be both.
    for image in sorted(_images(values), key=lambda image: bool(image.hardware)):
        found.setdefault(image.image, image)
    return sorted(found.values(), key=lambda image: (image.name, image.image))


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
            data = catalog()["runtimes"][key]["image"]
            yield _image(runtime["image"], data, registry)
            yield from _derived(runtime["image"], data, registry)


def _image(image: Node, known: Node, registry: str) -> Image:
    name = f"{registry or image['registry']}/{image['repository']}"
    reference = f"{name}@{image['digest']}" if image.get("digest") else f"{name}:{_tag(image)}"
    return Image(image["repository"].split("/")[-1], reference, tuple(known["platforms"]))


def _derived(image: Node, known: Node, registry: str) -> Iterator[Image]:
    """The image that KServe makes of this one by a model's hardware: with a digest, none."""
    rule = known.get("derived")
    if rule is None or image["digest"]:
        return
    changed = dict(image, tag=_tag(image))
    for part in ("repository", "tag"):
        # KServe adds nothing to a name that ends in it already.
        if not changed[part].endswith(rule.get(part, "")):
            changed[part] += rule[part]
    derived = _image(changed, known, registry)
    yield Image(derived.name, derived.image, derived.platforms, rule["hardware"])


def _tag(image: Node) -> str:
    return str(image["tag"] or catalog()["versions"]["kserve"])
