"""Reads what a user has of an install: values of upstream's charts, and objects of a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.errors import Problem, ValuesError
from generator.importer.objects import Object, read_objects
from generator.migration.cluster import read_object
from generator.migration.nulls import nulls
from generator.migration.rules import (
    ALL_IN_ONE,
    CHARTS,
    CRDS,
    RESOURCES,
    RUNTIMES,
    Rule,
    is_all_in_one,
    misfit,
    rules,
)
from generator.migration.state import Spot, State
from generator.values.identity import (
    NO_NAME,
    NO_NAMESPACE,
    is_name,
    is_namespace,
    of_object,
    unsaid,
)
from generator.values.messages import nearest
from generator.values.sources import Source, read_sources
from generator.yaml.data import JsonObject
from generator.yaml.document import Document
from generator.yaml.path import Key, value_at

# What `helm get values` prints above the values unless it is asked for YAML.
_HEADINGS = ("USER-SUPPLIED VALUES", "COMPUTED VALUES")
_MAPPINGS: tuple[Key, ...] = (("data",), ("spec",), ("status",))
_NUMBER = re.compile(r"v?([0-9]+\.[0-9]+)\b")
_VERSION: Key = ("kserve", "version")


@dataclass
class Install:
    """What was read: the settings, the models and other objects, and what to say about it."""

    state: State
    objects: list[Object] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def read(names: Iterable[str], *, chart: str | None = None, version: str = "") -> Install:
    """The install that files, or `-`, tell of; `chart` is for those whose keys do not say.

    `version` is upstream's, such as 0.19; by default it is what the values say, or their keys.
    Raises ValuesError for what cannot be read.
    """
    install = Install(State(version))
    values: list[tuple[Source, Document]] = []
    for source in read_sources(names):
        objects = _objects(source)
        if objects is None:
            values.append((source, _values(source)))
        else:
            install.objects += objects
    if not version:
        install.state.version = _said_version(document for _, document in values)
    for source, document in values:
        _read_values(source, document, chart, install)
    for found in install.objects:
        read_object(found, install.state)
    return install


def _objects(source: Source) -> list[Object] | None:
    """The objects in a source; None if it holds values. Raises ValuesError."""
    found = list(read_objects(source.content, source.name))
    if problems := [each for each in found if isinstance(each, Problem)]:
        raise ValuesError(problems)
    objects = [each for each in found if isinstance(each, Object)]
    if not any(_is_object(each) for each in objects):
        return None
    if problems := [problem for each in objects for problem in _unsound(each)]:
        raise ValuesError(problems)
    return objects


def _is_object(found: Object) -> bool:
    return isinstance(found.data, dict) and {"apiVersion", "kind"} <= found.data.keys()


def _unsound(found: Object) -> Iterator[Problem]:
    """Why no API server has made an object; its names end up in commands."""
    identity = of_object(found.data, "") if _is_object(found) else None
    if identity is None:
        yield found.problem(*unsaid(found.data, "apiVersion, kind and metadata.name"))
        return
    group, kind, namespace, name = identity
    if not is_name(group, name):
        yield found.problem(("metadata", "name"), f"{kind} {NO_NAME}")
    if namespace and not is_namespace(namespace):
        yield found.problem(("metadata", "namespace"), NO_NAMESPACE)
    for path in (*_MAPPINGS, ("metadata", "labels"), ("metadata", "annotations")):
        value = value_at(found.data, path[:-1]).get(path[-1])
        if not isinstance(value, dict | None):
            yield found.problem(path, f"is no mapping, in {kind} {name}")


def _values(source: Source) -> Document:
    """The values in a source. Raises ValuesError where they are no mapping."""
    document = source.document()
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise ValuesError([document.problem((), "is no mapping; values of a chart are one")])
    kept = {key: value for key, value in data.items() if key not in _HEADINGS}
    return Document(document.file, kept, document.positions)


def _said_version(documents: Iterable[Document]) -> str:
    """Upstream's version where values name it, as 0.19."""
    for document in documents:
        try:
            said = str(value_at(document.data, _VERSION))
        except (LookupError, TypeError):
            continue
        if found := _NUMBER.match(said):
            return found[1]
    return ""


def _read_values(source: Source, document: Document, chart: str | None, install: Install) -> None:
    state = install.state
    told_by_keys = _chart_of(document.data)
    chosen = chart or told_by_keys
    if chosen is None:
        if not document.data:
            message = f"is empty, and says of no chart; name it with --chart ({', '.join(CHARTS)})"
            raise ValuesError([Problem.of(source.name, message)])
        chosen = RESOURCES
        says = f"read as values of {chosen}; --chart has another read"
        install.notes.append(Problem.of(source.name, says))
    if chosen in (ALL_IN_ONE, RUNTIMES) and not state.version and not _has_switch(document.data):
        chosen, state.version = ALL_IN_ONE, ALL_IN_ONE
        says = f"read as values of {RESOURCES} {ALL_IN_ONE}; --from says another version"
        install.notes.append(Problem.of(source.name, says))
    known = dict(_rules_of(chosen, state.version))
    state.know({path: rule for path, rule in known.items() if rule.is_in(state.version or "999")})
    for key, message in nulls(document.data, known):
        state.unknown.append((Spot(document, key), message))
    for key, value in _walk(document.data, known):
        rule = known.get(".".join(map(str, key)))
        spot = Spot(document, key)
        if rule is None:
            state.unknown.append((spot, _unknown(key, known, chosen)))
        elif value is not None:
            _give(rule, value, spot, state)


def _give(rule: Rule, value: Any, spot: Spot, state: State) -> None:
    """Take a value, unless it is of another kind than upstream's chart can use."""
    if wanted := misfit(rule, value):
        state.unknown.append((spot, f"upstream's chart wants {wanted} here"))
    else:
        state.give(rule, value, spot)


def _rules_of(chart: str, version: str) -> Mapping[str, Rule]:
    """The rules for a file; those of both charts for the one that was both."""
    both = chart == ALL_IN_ONE or (chart == RESOURCES and is_all_in_one(version))
    if not both:
        return rules(chart)
    once = {path: rule for path, rule in rules(RUNTIMES).items() if rule.is_in(ALL_IN_ONE)}
    return {**once, **rules(RESOURCES)}


def _has_switch(data: JsonObject) -> bool:
    """Whether values have the switch for all runtimes, which came with a chart of their own."""
    try:
        return value_at(data, ("kserve", "servingruntime", "enabled")) is not None
    except (LookupError, TypeError):
        return False


def _chart_of(data: JsonObject) -> str | None:
    """The chart that values are for, told by their keys; None if they do not tell."""
    strange = {
        chart: sum(1 for key, _ in _walk(data, known) if ".".join(map(str, key)) not in known)
        for chart in (RESOURCES, RUNTIMES, ALL_IN_ONE)
        if (known := _rules_of(chart, ""))
    }
    if strange[ALL_IN_ONE] < min(strange[RESOURCES], strange[RUNTIMES]):
        return ALL_IN_ONE
    if strange[RUNTIMES] < strange[RESOURCES]:
        return RUNTIMES
    return RESOURCES if strange[RESOURCES] < strange[RUNTIMES] else None


def _walk(
    data: Any, known: Mapping[str, Rule], path: Key = (), name: str = ""
) -> Iterator[tuple[Key, Any]]:
    """Every setting in values: what a rule is for, or what none is for."""
    if name in known or not isinstance(data, dict):
        if name in known or data is not None:
            yield path, data
        return
    if name and not any(other.startswith(f"{name}.") for other in known):
        yield path, data
        return
    for key, value in data.items():
        yield from _walk(value, known, (*path, key), f"{name}.{key}".removeprefix("."))


def _unknown(key: Key, known: Mapping[str, Rule], chart: str) -> str:
    name = ".".join(map(str, key))
    chart = RESOURCES if chart == ALL_IN_ONE else chart
    if chart == CRDS:
        return f"{CRDS} has no values"
    return f"{chart} has no such value{_misspelt(name, known)}"


def _misspelt(name: str, known: Mapping[str, Rule]) -> str:
    """The value that was probably meant: one beside it whose last word is nearly the same."""
    folder, _, word = name.rpartition(".")
    beside = {
        other.removeprefix(f"{folder}.").partition(".")[0]
        for other in known
        if other.startswith(f"{folder}.")
    }
    near = nearest(word, beside)
    return f"; did you mean {folder}.{near}?" if near else ""
