"""Every image that an installation uses: the platform's, the models', and what KServe derives."""

from __future__ import annotations

from collections.abc import Iterator

from generator.errors import Problem
from generator.images.platform import platform_uses
from generator.images.serving import model_uses, unknown
from generator.images.usage import Listed, listed, within
from generator.values.load import Values


def images(values: Values) -> list[Listed]:
    """The images of both charts' objects with checked values, each once, sorted by name."""
    return listed([*platform_uses(values.whole), *model_uses(values.whole)])


def escapes(values: Values) -> Iterator[Problem]:
    """The uses of images that do not come from global.imageRegistry."""
    registry = values.whole["global"]["imageRegistry"]
    if not registry:
        message = "is empty, so images come from many registries; set it to yours"
        yield values.problem(("global", "imageRegistry"), message)
        return
    for image in images(values):
        for use in image.uses:
            if not within(registry, image.reference):
                message = f"{image.reference} is not from {registry}; copy it there and name that"
                yield values.problem(use.value, message)


def gaps(values: Values) -> Iterator[Problem]:
    """What the list leaves out: the images of runtimes that others install, and all but one of
    those that global.imageRegistry gives the same name.
    """
    for path, name in unknown(values.whole):
        message = (
            f"no runtime of these values serves {name}, so the image of its server is not known"
        )
        yield values.problem(path, message)
    for image in images(values):
        for use in image.uses:
            if use.source not in ("", image.source):
                message = (
                    f"{use.source} has the same name in the mirror as {image.source}, and one "
                    "would run for the other; give one another repository or tag"
                )
                yield values.problem(use.value, message)
