"""The folder of manifests: one file per object, in folders that are applied in order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from generator import MARK
from generator.errors import GeneratorError
from generator.manifests.parsing import Manifest

_LONGEST = 200  # characters of a file's name; file systems take 255 bytes


def files(manifests: Sequence[Manifest]) -> dict[str, str]:
    """A folder of manifests: `PHASE/KIND-NAME.yaml`, with the namespace where it is another than
    the release's, and the group where two would be the same.
    """
    home = next(each.name for each in manifests if each.kind == "Namespace")
    head = f"# {MARK} (`python -m generator manifests`); do not edit.\n"
    tree: dict[str, str] = {}
    for manifest in manifests:
        path = next((path for path in _paths(manifest, home) if path not in tree), None)
        if path is None:
            raise GeneratorError(f"{manifest.kind} {manifest.name} is rendered twice")
        # A CRD says already that it is generated, in its own first line.
        says_so = MARK in manifest.text.partition("\n")[0]
        tree[path] = manifest.text if says_so else head + manifest.text
    return tree


def _paths(manifest: Manifest, home: str) -> Iterator[str]:
    """Names for its file, the plainest first. No two objects share the last of them.

    They are names on every system: a role may be called system:Reader, and be as long as a file
    name may be altogether.
    """
    space = f"{manifest.namespace}-" if manifest.namespace not in (None, home) else ""
    plain = f"{manifest.kind}-{space}{manifest.name}"
    identity = "/".join((manifest.group, manifest.kind, manifest.namespace or "", manifest.name))
    mark = hashlib.sha256(identity.encode()).hexdigest()[:8]
    for name in (plain, f"{plain}-{manifest.group}".rstrip("-"), f"{plain}-{mark}"):
        safe = re.sub(r"[^a-z0-9.-]", "_", name.lower())
        short = safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 9]}-{mark}"
        yield f"{manifest.phase}/{short}.yaml"
