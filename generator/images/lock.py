"""A lock of images: the digest of each, in a file, and the values that pin images by them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.errors import Problem, ValuesError
from generator.images.inventory import images
from generator.images.mention import OCI
from generator.images.serving import pinned_by_tag
from generator.images.usage import Listed, Use, repository
from generator.values.load import Values, content_of, merge
from generator.values.schema import find, values_schema
from generator.values.sources import read_source
from generator.yaml.data import JsonObject
from generator.yaml.path import Key, dotted, value_at
from generator.yaml.writer import scalar

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEAD = """\
# The digest of each image, by where it is copied from. Those that are empty are filled by
#   {command}
# and applied by: images -f my.yaml --digests {file} --format values > digests.yaml
"""
_FILE = "images.lock"
FILL = (
    f"""for image in $(sed -n 's/: ""$//p' {_FILE}); do """
    """digest=$(skopeo inspect --no-tags --format '{{.Digest}}' "docker://$image") && """
    f"""sed -i.bak "s|^$image: .*|$image: $digest|" {_FILE}; done"""
)
"""The shell command that fills images.lock from the registries that its images come from."""


@dataclass(frozen=True)
class Pinned:
    """Values with digests: `values` are all of them, `added` what a lock adds; `notes` say which
    images it does not pin, and why.
    """

    values: Values
    added: JsonObject
    notes: tuple[str, ...]


def lock(values: Values) -> str:
    """A lock of the images, with the digests that are known; the others are empty."""
    known = {image.source: _digest_of(image.source) for image in images(values)}
    lines = [f'{scalar(source)}: "{digest}"\n' for source, digest in sorted(known.items())]
    return _HEAD.format(command=FILL, file=_FILE) + "".join(lines)


def pin(values: Values, name: str) -> Pinned:
    """The values with the digests of the lock `name`. Raises ValuesError for what is no lock, or
    one without an image that the values use.
    """
    document = read_source(name).document()
    digests = content_of(document)
    problems = [
        document.problem((key,), f'"{digest}" is not a digest; write sha256: and 64 digits, or ""')
        for key, digest in digests.items()
        if digest != "" and not (isinstance(digest, str) and _DIGEST.fullmatch(digest))
    ]
    every = images(values)
    problems += (
        Problem.of(document.file, f"has no line for {source}; make it anew with --format lock")
        for source in sorted({image.source for image in every} - digests.keys())
    )
    if problems:
        raise ValuesError(problems)
    added: JsonObject = {}
    notes = []
    for image, use, reason in _open(every, values, digests):
        if reason:
            notes.append(f"not pinned: {image.reference} at {dotted(use.value)}: {reason}")
        else:
            added = merge(added, _pinning(values, image, use, digests[image.source]))
    more = Values.made(added)
    whole = merge(values.merged, added, keep_null=True)
    sources, documents = values.sources + more.sources, values.documents + more.documents
    return Pinned(Values(sources, documents, whole), added, tuple(dict.fromkeys(notes)))


def _open(
    every: list[Listed], values: Values, digests: Mapping[str, str]
) -> Iterator[tuple[Listed, Use, str]]:
    """The uses of images without a digest, and why they stay so; empty where they need not."""
    chosen = {use.value for image in every for use in image.uses if use.derived}
    tagged = pinned_by_tag(values.whole)
    seen: set[tuple[str, Key]] = set()
    for image in every:
        for use in image.uses:
            if use.derived or (image.reference, use.value) in seen or _digest_of(image.reference):
                continue
            seen.add((image.reference, use.value))
            if use.value in tagged:
                reason = "a model sets its tag by runtimeVersion, and a digest would win over that"
            elif use.value in chosen:
                reason = "KServe chooses it by hardware, and a digest would switch that off"
            else:
                reason = _no_room(values, image, use)
            if not (reason or digests[image.source]):
                reason = "the lock has no digest for it"
            yield image, use, reason


def _no_room(values: Values, image: Listed, use: Use) -> str:
    """Why a value can take no digest; empty where it can."""
    if "art" in use.field.split(".") and use.field.startswith("data.explainers"):
        return "KServe joins its name and tag, and takes no digest"
    try:
        current = value_at(values.whole, use.value)
    except (LookupError, TypeError):
        current = None
    node = find(values_schema(), tuple(map(str, use.value))) or {}
    if "digest" in node.get("properties", {}):
        return ""
    listed = any(isinstance(step, int) for step in use.value)
    if not listed and current in (image.reference, OCI + image.reference):
        return ""
    return "a file of values cannot change a part of a list or a text; write the digest there"


def _pinning(values: Values, image: Listed, use: Use, digest: str) -> JsonObject:
    """The values that pin one use."""
    current = value_at(values.whole, use.value)
    path, pinned = use.value, f"{repository(image.reference)}@{digest}"
    if isinstance(current, Mapping):
        path, pinned = (*path, "digest"), digest
    elif current.startswith(OCI):
        pinned = OCI + pinned
    whole: Any = pinned
    for step in reversed(path):
        whole = {step: whole}
    return dict(whole)


def _digest_of(reference: str) -> str:
    digest = reference.partition("@")[2]
    return digest if _DIGEST.fullmatch(digest) else ""
