"""Where data of Kubernetes names an image: in fields, arguments, variables and URIs of models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from generator.values.formats import compiled, expand
from generator.yaml.path import Key

OCI = "oci://"
"""What the URI of a model begins with that is an image."""

_VOLUME = ("reference", "image")  # volumes[].image.reference
_URIS = ("storageUri", "uri")
_ARGUMENTS = ("args", "command")
# --config-reloader-image=REFERENCE, or the flag alone and the reference after it.
_FLAG = re.compile(r"--?(?:[\w.-]*-)?image(?:=(?P<image>\S+))?")
_VARIABLE = re.compile(r"(?:.*_)?IMAGE(?:_.*)?")
# In arguments and variables, where not every text is an image: with a registry, a tag or a digest.
_REFERENCE = re.compile(
    r"""(?: [a-z0-9-]+(?:\.[a-z0-9-]+)*(?:\.[a-z0-9-]+|:[0-9]+) (?:/[a-z0-9._-]+)+ (?:[:@][\w.:-]+)?
    | [a-z0-9._-]+ (?:/[a-z0-9._-]+)* (?::[\w.-]+ | (?::[\w.-]+)?@sha256:[0-9a-f]{64}) )""",
    re.VERBOSE,
)


def mentions(data: Any, path: Key = ()) -> Iterator[tuple[Key, str]]:
    """Every image that `data` names, with its path: to a field, or to a list of arguments or
    variables as a whole. A text that no cluster could pull is none, wherever it stands.
    """
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield from mentions(value, (*path, index))
    elif isinstance(data, Mapping):
        for key, value in data.items():
            here = (*path, key)
            if isinstance(value, str):
                named = _of_text(data, key, value, path)
            elif key in _ARGUMENTS and isinstance(value, list):
                named = _of_arguments(value)
            elif key == "env" and isinstance(value, list):
                named = _of_variables(value)
            else:
                yield from mentions(value, here)
                continue
            yield from ((here, image) for image in named if _is_image(image))


def _of_text(data: Mapping[str, Any], key: str, value: str, path: Key) -> Iterator[str]:
    """The image that a field with a text names."""
    if key == "image" or key.endswith("Image") or (key, *path[-1:]) == _VOLUME:
        # KServe joins the explainer's image and version itself.
        version = data.get("defaultImageVersion") if key == "image" else None
        yield f"{value}:{version}" if version else value
    elif key in _URIS and value.startswith(OCI):
        yield value.removeprefix(OCI)


def _of_arguments(words: Sequence[Any]) -> Iterator[str]:
    texts = [word if isinstance(word, str) else "" for word in words]
    for word, after in pairwise([*texts, ""]):
        if (flag := _FLAG.fullmatch(word)) and _REFERENCE.fullmatch(flag["image"] or after):
            yield flag["image"] or after


def _of_variables(variables: Sequence[Any]) -> Iterator[str]:
    # An object of another kind may have a list of names there.
    for each in (each for each in variables if isinstance(each, Mapping)):
        name, value = (str(each.get(key, "")) for key in ("name", "value"))
        if _VARIABLE.fullmatch(name) and _REFERENCE.fullmatch(value):
            yield value
        elif name == "STORAGE_URI" and value.startswith(OCI):
            yield value.removeprefix(OCI)


def _is_image(text: str) -> bool:
    """Whether a text is an image, as values have it: a field `image` may be a picture."""
    return bool(_image().search(text))


@cache
def _image() -> re.Pattern[str]:
    # Compiled when the first text is looked at: that takes as long as importing five modules.
    return compiled(expand({"x-format": "image"})["pattern"])
