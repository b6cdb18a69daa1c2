"""The `models:` entry of a folder that holds a trained model, as tutorials have it."""

from __future__ import annotations

import re
from pathlib import Path

from generator.errors import Problem, ValuesError
from generator.inferenceservice import Entry
from generator.schema import catalog
from generator.yamlio import load


def from_folder(folder: Path) -> tuple[str, Entry]:
    """The name and the entry of a model folder: its files, and a `*server.yaml` that describes it.

    That says `modelFormat:` (a name, or name and version) and `modelUri:`, where the files will be;
    the folder's name is the model's. Raises ValuesError when the runtime would not find what it
    looks for.
    """
    described = sorted(folder.glob("*server.yaml"))
    if len(described) != 1:
        found = ", ".join(it.name for it in described) or "none"
        message = f"a model folder has one *server.yaml (modelFormat, modelUri); found {found}"
        raise ValuesError([Problem.of(folder, message)])
    document = load(described[0])
    facts = document.data if isinstance(document.data, dict) else {}
    form = facts.get("modelFormat")
    version = form.get("version") if isinstance(form, dict) else None
    name = form.get("name") if isinstance(form, dict) else form
    problems = []
    if not isinstance(name, str):
        problems.append(document.problem(("modelFormat",), "is missing; sklearn for instance"))
    elif complaint := _files_missing(folder, name):
        problems.append(document.problem(("modelFormat",), complaint))
    if not isinstance(facts.get("modelUri"), str):
        problems.append(document.problem(("modelUri",), "is missing; s3://… for instance"))
    if problems:
        raise ValuesError(problems)
    entry: Entry = {"format": name}
    if version is not None:
        entry["formatVersion"] = str(version)
    entry["storageUri"] = facts["modelUri"]
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-"), entry


def _files_missing(folder: Path, name: str) -> str | None:
    """What the format's runtime would not find in the folder, as a sentence."""
    rules = [
        runtime["files"]
        for runtime in catalog()["runtimes"].values()
        for form in runtime["spec"]["supportedModelFormats"]
        if "files" in runtime and form["name"] == name and form.get("autoSelect")
    ]
    if not rules:
        return None
    one, every = rules[0].get("one", []), rules[0].get("all", [])
    lacking = [pattern for pattern in every if not any(folder.glob(pattern))]
    if lacking:
        return f"the {name} runtime looks for {' and '.join(every)}; missing: {', '.join(lacking)}"
    matches = sorted({it.name for pattern in one for it in folder.glob(pattern)})
    if one and len(matches) != 1:
        found = ", ".join(matches) or "none"
        return f"the {name} runtime looks for one file like {' or '.join(one)}; found {found}"
    return None
