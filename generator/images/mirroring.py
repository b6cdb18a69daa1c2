"""A list of images in the forms of the tools that copy them, and of people and programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

from generator.errors import ValuesError
from generator.images.inventory import images
from generator.images.usage import Listed, Use, within
from generator.values.load import Values
from generator.yaml.path import dotted
from generator.yaml.writer import dump


def as_text(values: Values) -> str:
    """Each image with its platforms and uses, a blank line after each."""
    return "\n".join("\n".join([*_paragraph(image), ""]) for image in images(values))


def as_json(values: Values) -> str:
    """`{"images": […]}`, an object for each."""
    return json.dumps({"images": [_object(image) for image in images(values)]}, indent=2) + "\n"


def as_list(values: Values) -> str:
    """The references that the cluster pulls, one a line."""
    return "".join(f"{image.reference}\n" for image in images(values))


def as_skopeo(values: Values) -> str:
    """A shell script that copies each image to where the cluster pulls it from.

    `skopeo sync` would put docker.io/kserve/agent at MIRROR/agent, or with --scoped at
    MIRROR/docker.io/kserve/agent (cmd/skopeo/sync.go); the cluster asks for MIRROR/kserve/agent.
    Raises ValuesError without global.imageRegistry.
    """
    registry = values.whole["global"]["imageRegistry"]
    if not registry:
        message = "is empty, so nothing says where to copy to; set it to the mirror"
        raise ValuesError([values.problem(("global", "imageRegistry"), message)])
    lines = ["#!/bin/sh", f"# Copies images, for all platforms, to {registry}.", "set -eu"]
    copied, left = _split(values)
    for image in copied:
        if image.source != image.reference:
            ends = [f"docker://{each}" for each in (image.source, image.reference)]
            command = ["skopeo", "copy", "--all", "--preserve-digests", "--retry-times=3", *ends]
            lines.append(shlex.join(command))
        else:
            lines.append(f"# Not copied, since the values name another registry: {image.reference}")
    lines += [f"# Named from {registry}, so put there by you: {name}" for name in left]
    return "\n".join(lines) + "\n"


def as_oc_mirror(values: Values) -> str:
    """An ImageSetConfiguration of oc-mirror v2."""
    return _document(
        values,
        "mirror.openshift.io/v2alpha1",
        "ImageSetConfiguration",
        lambda names: {"mirror": {"additionalImages": names}},
    )


def as_hauler(values: Values) -> str:
    """A manifest of Hauler."""
    return _document(
        values,
        "content.hauler.cattle.io/v1",
        "Images",
        lambda names: {"metadata": {"name": "kserve-lite"}, "spec": {"images": names}},
    )


FORMATS: Mapping[str, Callable[[Values], str]] = {
    "list": as_list,
    "skopeo": as_skopeo,
    "oc-mirror": as_oc_mirror,
    "hauler": as_hauler,
}


def _document(
    values: Values,
    version: str,
    kind: str,
    body: Callable[[Sequence[Mapping[str, str]]], Mapping[str, object]],
) -> str:
    copied, left = _split(values)
    names = [{"name": source} for source in sorted({image.source for image in copied})]
    note = "".join(f"# Named from the mirror, so put there by you: {name}\n" for name in left)
    return note + dump({"apiVersion": version, "kind": kind, **body(names)})


def _split(values: Values) -> tuple[list[Listed], list[str]]:
    """The images that are copied, and the references that are the mirror's own."""
    registry = values.whole["global"]["imageRegistry"]
    every = images(values)
    own = {each.reference for each in every if registry and within(registry, each.source)}
    return [each for each in every if each.reference not in own], sorted(own)


def _paragraph(image: Listed) -> Iterator[str]:
    yield image.reference
    if image.source != image.reference:
        yield f"  copied from  {image.source}"
    yield f"  platforms    {', '.join(image.platforms) or 'not known'}"
    head = "  used by      "
    for use in image.uses:
        yield f"{head}{use.object}: {use.field}{_why(use)}"
        head = " " * len(head)


def _why(use: Use) -> str:
    return f", for a model {use.derived}" if use.derived else ""


def _object(image: Listed) -> dict[str, object]:
    return {
        "image": image.reference,
        "source": image.source,
        "platforms": list(image.platforms),
        "usedBy": [
            {
                "object": use.object,
                "field": use.field,
                "value": dotted(use.value),
                "derived": f"for a model {use.derived}" if use.derived else "",
            }
            for use in image.uses
        ],
    }
