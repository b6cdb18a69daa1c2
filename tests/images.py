"""Images as the list has them, and as objects name them, to be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from generator.images.inventory import images
from generator.images.mention import mentions
from generator.values.load import Values
from generator.yaml.embedded import opened
from generator.yaml.path import dotted
from tests.rendering import Object

Named = tuple[str, str, str]


def listed(values: Values, *, derived: bool = False) -> set[Named]:
    """Every use of an image by an object, or by KServe: (image, object, field)."""
    return {
        (image.reference, use.object, use.field)
        for image in images(values)
        for use in image.uses
        if bool(use.derived) == derived
    }


def named(manifests: Iterable[Object]) -> Iterator[Named]:
    """What objects name: (image, object, field). The Job's name ends in a hash."""
    for data in manifests:
        name = data["metadata"]["name"]
        name = re.sub(r"(?<=^kserve-webhook-certificate-)[0-9a-f]{8}$", "*", name)
        for path, image in mentions(opened(data)):
            yield image, f"{data['kind']} {name}", dotted(path)
