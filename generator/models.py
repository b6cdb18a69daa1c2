"""Models that people have, taken into the values file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from generator.errors import Problem, ValuesError
from generator.inferenceservice import Entry, from_manifest
from generator.insertion import insert
from generator.modelfolder import from_folder
from generator.schema import Node
from generator.values import read

_API_VERSION = "serving.kserve.io/v1beta1"


def read_source(source: Path, name: str | None = None) -> dict[str, Entry]:
    """The entries, by name, of a model folder or of the InferenceServices in a manifest.

    Raises ValuesError for a source that has none, or more than one for a given `name`.
    """
    if source.is_dir():
        entries = [from_folder(source)]
    else:
        entries = [from_manifest(it) for it in inference_services(source)]
    if name is not None and len(entries) > 1:
        message = f"has {len(entries)} InferenceServices, and --name is for one"
        raise ValuesError([Problem.of(source, message)])
    return {name or own: entry for own, entry in entries}


def inference_services(file: Path) -> list[Node]:
    """The InferenceServices of a manifest. Raises ValuesError for none, or one of an old API."""
    try:
        documents = list(yaml.load_all(file.read_bytes(), Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        message = f"not valid YAML: {' '.join(str(error).split())}"
        raise ValuesError([Problem.of(file, message)]) from None
    objects = (it for it in documents if isinstance(it, dict))
    found = [it for it in objects if it.get("kind") == "InferenceService"]
    if not found or any("name" not in it.get("metadata", {}) for it in found):
        raise ValuesError([Problem.of(file, "holds no InferenceService with a name")])
    for it in found:
        if it.get("apiVersion") != _API_VERSION:
            name, version = it["metadata"]["name"], it.get("apiVersion")
            message = f"{name} is of {version}; KServe takes {_API_VERSION}"
            raise ValuesError([Problem.of(file, message)])
    return found


def add(file: Path, entries: Mapping[str, Entry]) -> None:
    """Add entries to a values file, all of them or none.

    Raises ValuesError, with the file as it was, if one is there already or the values would be
    wrong with it.
    """
    draft = file.with_name(f".{file.name}.kserve-lite")
    try:
        for name, entry in entries.items():
            text = insert(draft if draft.exists() else file, "models", name, entry)
            draft.write_text(text, encoding="utf-8")
        read([draft])
        draft.replace(file)
    except ValuesError as error:
        raise ValuesError([replace(it, file=str(file)) for it in error.problems]) from None
    finally:
        draft.unlink(missing_ok=True)
