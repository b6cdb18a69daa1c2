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
    """The models whose runtimes are installed by others: what those run is not in the list."""
    for path, name in unknown(values.whole):
        message = (
            f"no runtime of these values serves {name}, so the image of its server is not known"
        )
        yield values.problem(path, message)
