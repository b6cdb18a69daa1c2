"""The `models:` entry of a folder that holds a trained model, as tutorials have it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.catalog import catalog
from generator.errors import Problem, ValuesError
from generator.importer.fitting import Entry
from generator.importer.leftovers import NO_KEY, left_out
from generator.importer.objects import Object, read_objects
from generator.values.sources import read_source
from generator.yaml.data import JsonObject


def from_folder(folder: Path) -> tuple[str, Entry, list[str]]:
    """The name and the entry of a model folder: its files, and a `*server.yaml` that describes it.

    That says `modelFormat:` (a name, or name and version) and `modelUri:`, where the files will be;
    the folder's name is the model's. Third comes a line for each thing that the entry does not
    carry. Raises ValuesError when the runtime would not find what it looks for, or the folder
    cannot be read.
    """
    described = _description(folder)
    facts: JsonObject = described.data
    name, version = _format(facts)
    problems = []
    if not isinstance(name, str) or not name:
        problems.append(
            described.problem(("modelFormat",), "is missing; name one, such as sklearn")
        )
    elif complaint := _files_missing(folder, name):
        problems.append(described.problem(("modelFormat",), complaint))
    if not isinstance(version, str | int | float | None) or isinstance(version, bool):
        problems.append(described.problem(("modelFormat", "version"), 'is not text; "1" is'))
    uri = facts.get("modelUri")
    if not isinstance(uri, str) or not uri:
        problems.append(described.problem(("modelUri",), "is missing; name one, such as s3://…"))
    if problems:
        raise ValuesError(problems)
    entry: Entry = {"format": name}
    if version is not None:
        entry["formatVersion"] = str(version)
    entry["storageUri"] = uri
    own = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return own, entry, [left_out(key, value, NO_KEY) for key, value in _other_keys(facts)]


def _description(folder: Path) -> Object:
    """The one `*server.yaml` of a model folder, a mapping. Raises ValuesError if there is none."""
    try:
        described = sorted(path for path in folder.iterdir() if path.match("*server.yaml"))
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ValuesError([Problem.of(folder, message)]) from None
    if len(described) != 1:
        found = ", ".join(path.name for path in described) or "none"
        message = f"a model folder has one *server.yaml (modelFormat, modelUri); found {found}"
        raise ValuesError([Problem.of(folder, message)])
    source = read_source(described[0])
    file = source.name
    found_in_it = list(read_objects(source.content, file))
    if problems := [each for each in found_in_it if isinstance(each, Problem)]:
        raise ValuesError(problems)
    objects = [each for each in found_in_it if isinstance(each, Object)]
    if len(objects) != 1 or not isinstance(objects[0].data, dict):
        message = "is not a mapping with modelFormat and modelUri"
        raise ValuesError([Problem.of(file, message)])
    return objects[0]


def _other_keys(facts: JsonObject) -> Iterator[tuple[str, Any]]:
    for key, value in facts.items():
        if key == "modelFormat" and isinstance(value, dict):
            others = value.keys() - {"name", "version"}
            yield from ((f"{key}.{name}", value[name]) for name in value if name in others)
        elif key not in ("modelFormat", "modelUri"):
            yield key, value


def _format(facts: JsonObject) -> tuple[Any, Any]:
    """The format's name and version, as they are in the description."""
    form = facts.get("modelFormat")
    return (form.get("name"), form.get("version")) if isinstance(form, dict) else (form, None)


def _files_missing(folder: Path, name: str) -> str | None:
    """What the format's runtime would not find in the folder, as a sentence."""
    rules = (
        runtime.files
        for runtime in catalog().runtimes.values()
        for each in runtime.formats
        if runtime.files is not None and each.name == name and each.automatic
    )
    files = next(rules, None)
    if files is None:
        return None
    one, every = files.one, files.all
    lacking = [pattern for pattern in every if not any(folder.glob(pattern))]
    if lacking:
        return f"the {name} runtime looks for {' and '.join(every)}; missing: {', '.join(lacking)}"
    matches = sorted({path.name for pattern in one for path in folder.glob(pattern)})
    if one and len(matches) != 1:
        found = ", ".join(matches) or "none"
        return f"the {name} runtime looks for one file like {' or '.join(one)}; found {found}"
    return None
