"""The folder of manifests: one file per object, in phases, each with a kustomization.yaml.

    gitops/kustomization.yaml                00 to 20: the platform, without the models
    gitops/00-crds/                          CRDs and Namespaces
    gitops/10-platform/
    gitops/20-runtimes/
    gitops/30-models/kustomization.yaml      every namespace with models
    gitops/30-models/fraud/                  the models of one namespace

`kubectl apply -k` takes the phases in this order; steps.py has the waits between them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from generator import MARK
from generator.errors import GeneratorError
from generator.manifests.parsing import MODELS_PHASE, Manifest
from generator.release import DEFAULT, Release
from generator.yaml.data import JsonObject
from generator.yaml.writer import dump

KUSTOMIZATION = "kustomization.yaml"
_HEAD = f"# {MARK} (`python -m generator manifests`); do not edit.\n"
_LONGEST = 200  # characters of a file's name; file systems take 255 bytes


def folder(
    manifests: Sequence[Manifest], release: Release = DEFAULT, namespaces: Sequence[str] = ()
) -> dict[str, str]:
    """A folder of manifests, by path: the objects, and kustomize's files, which change no object.

    Each of the `namespaces` has a folder of models, and be it without a model: a GitOps tool prunes
    what an empty one had, and fails where there is none. Raises GeneratorError for an object that
    is rendered twice.
    """
    tree = files(manifests, release)
    return tree | _kustomizations(tree, namespaces)


def kustomization(resources: Sequence[str], **more: object) -> str:
    """The text of a kustomization.yaml that names files and folders, with `more` of its fields."""
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return generated({**head, "resources": list(resources), **more})


def listed(folder: str, objects: Iterable[JsonObject]) -> dict[str, str]:
    """A folder of objects beside the phases, by path: `KIND-NAME.yaml`, and kustomize's list."""
    texts = {
        f"{each['kind'].lower()}-{each['metadata']['name']}.yaml": generated(each)
        for each in objects
    }
    texts[KUSTOMIZATION] = kustomization(sorted(texts))
    return {f"{folder}/{file}": text for file, text in texts.items()}


def generated(data: JsonObject) -> str:
    """The text of a file beside the objects, which says that it is generated."""
    return _HEAD + dump(data)


def files(manifests: Sequence[Manifest], release: Release = DEFAULT) -> dict[str, str]:
    """The objects alone: `PHASE/KIND-NAME.yaml`, with the namespace where it is another than the
    folder's, and the group where two would be the same. Raises GeneratorError as `folder` does.
    """
    tree: dict[str, str] = {}
    for manifest in manifests:
        path = next((path for path in _paths(manifest, release) if path not in tree), None)
        if path is None:
            raise GeneratorError(f"{manifest.kind} {manifest.name} is rendered twice")
        # A CRD says already that it is generated, in its own first line.
        says_so = MARK in manifest.text.partition("\n")[0]
        tree[path] = manifest.text if says_so else _HEAD + manifest.text
    return tree


def _kustomizations(files: Iterable[str], namespaces: Sequence[str]) -> dict[str, str]:
    """A kustomization.yaml for each folder, which names what is in it; see above for the top."""
    within: dict[PurePosixPath, set[str]] = {}
    for file in map(PurePosixPath, files):
        for path in (file, *file.parents[:-1]):
            if str(path) != MODELS_PHASE:
                within.setdefault(path.parent, set()).add(path.name)
    for namespace in namespaces:
        within.setdefault(PurePosixPath(MODELS_PHASE), set()).add(namespace)
        within.setdefault(PurePosixPath(MODELS_PHASE, namespace), set())
    return {
        str(folder / KUSTOMIZATION): kustomization(sorted(names))
        for folder, names in within.items()
    }


def _paths(manifest: Manifest, release: Release) -> Iterator[str]:
    """Names for its file, the plainest first. No two objects share the last of them.

    They are names on every system: a role may be called system:Reader, and be as long as a file
    name may be altogether.
    """
    home = release.home(manifest.chart)
    where = manifest.phase
    if where == MODELS_PHASE:
        home = manifest.namespace or home
        where = f"{where}/{home}"
    space = f"{manifest.namespace}-" if manifest.namespace not in (None, home) else ""
    plain = f"{manifest.kind}-{space}{manifest.name}"
    identity = "/".join((manifest.group, manifest.kind, manifest.namespace or "", manifest.name))
    mark = hashlib.sha256(identity.encode()).hexdigest()[:8]
    for name in (plain, f"{plain}-{manifest.group}".rstrip("-"), f"{plain}-{mark}"):
        safe = re.sub(r"[^a-z0-9.-]", "_", name.lower())
        short = safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 9]}-{mark}"
        yield f"{where}/{short}.yaml"
