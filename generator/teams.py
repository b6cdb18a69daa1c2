"""Teams: each has a namespace, and a file of values that declares the models in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from generator.errors import Problem, ValuesError
from generator.release import DEFAULT, Release, check_namespace
from generator.values.address import filled
from generator.values.check import refuse
from generator.values.load import DECLARED, Values
from generator.values.messages import nearest
from generator.values.schema import values_schema
from generator.values.sources import Source, tried_sources
from generator.yaml.data import JsonObject
from generator.yaml.path import Key, dotted

_TEMPLATES = ("domainTemplate", "pathTemplate")


@dataclass(frozen=True)
class Team:
    """A namespace, and the values of the models in it: the platform's, and those of the team."""

    namespace: str
    values: Values


def read_teams(
    files: Mapping[str, str],
    platform: Values,
    release: Release = DEFAULT,
    sources: Iterable[Source | ValuesError] | None = None,
) -> tuple[Team, ...]:
    """The teams of files by namespace, all checked. Models of the platform's values are not theirs.

    `sources` are what was read from the files, in their order, where somebody has done that.
    Raises GeneratorError for a name that is none, ValuesError with every problem of every file,
    where the platform's values declare models for the namespace of a team, or where models of two
    namespaces would be published at one address.
    """
    for namespace in files:
        check_namespace("--team", namespace)
    if release.models in files and (key := next(filter(platform.at, DECLARED), None)):
        what = f"is for namespace {release.models}, which is a team's"
        remedy = f"move it to {files[release.models]}, or name another with --models-namespace"
        raise ValuesError([platform.problem((key,), f"{what}; {remedy}")])
    shared = without_declared(platform)
    teams: list[Team] = []
    problems: list[Problem] = []
    tried = tried_sources(files.values()) if sources is None else sources
    for namespace, source in zip(files, tried, strict=True):
        try:
            teams.append(Team(namespace, _read(source, shared)))
        except ValuesError as error:
            problems += error.problems
    problems = problems or list(_clashes([Team(release.models, platform), *teams]))
    if problems:
        raise ValuesError(problems)
    return tuple(teams)


def without_declared(values: Values) -> Values:
    """The same values, but for the models, graphs and trained models that they declare."""
    kept = {key: value for key, value in values.merged.items() if key not in DECLARED}
    if kept == values.merged:
        return values
    return replace(values, sources=Values.made(kept).sources, merged=kept)


def _read(source: Source | ValuesError, shared: Values) -> Values:
    """The values of a team's file over those that all share. Raises ValuesError."""
    if isinstance(source, ValuesError):
        raise source
    own = Values.of([source])
    if problems := list(_foreign(own)):
        raise ValuesError(problems)
    values = shared.under(own)
    refuse(values)
    return values


def _clashes(installed: Sequence[Team]) -> Iterator[Problem]:
    """A Problem for each model or graph that has the host or the path of one in another namespace.

    Within a namespace the models chart compares them.
    """
    seen: dict[tuple[str, str, str], tuple[Team, Key]] = {}
    for team in installed:
        routing = team.values.whole["routing"]
        routed = routing["mode"] != "none" and routing["domain"]
        templates = {key: routing[key] for key in _TEMPLATES if routed and routing[key]}
        domain = _domain(team)
        for path, entry in _published(team.values):
            known = {
                "Name": str(path[1]),
                "Namespace": team.namespace,
                "Labels": entry.get("labels") or {},
                "Annotations": entry.get("annotations") or {},
            }
            for key, template in templates.items():
                address = filled(template, known)
                other, theirs = seen.setdefault((key, domain, address), (team, path))
                if other.namespace != team.namespace:
                    what = f"has the address of {dotted(theirs)} ({other.values.said(theirs)})"
                    remedy = f"make routing.{key} tell them apart, or rename one"
                    yield team.values.problem(path, f"{what}; {remedy}")


def _domain(team: Team) -> str:
    """The domain of the gateway that a tenant has to itself; empty for the shared one."""
    tenant = (team.values.at("tenants") or {}).get(team.namespace) or {}
    own = tenant.get("gateway")
    return "" if own is None else own.get("domain") or team.namespace


def _published(values: Values) -> Iterator[tuple[Key, JsonObject]]:
    """The models and graphs that have a route, with their paths."""
    for section in ("models", "graphs"):
        for name, entry in (values.at(section) or {}).items():
            if not entry.get("clusterLocal"):
                yield (section, name), entry


def _foreign(own: Values) -> Iterator[Problem]:
    """A Problem for every key that is not a team's to set."""
    has = f"a team's file has {', '.join(DECLARED)}"
    for key in own.merged:
        if key in DECLARED:
            continue
        message = f"unknown key; {has}"
        if key in values_schema()["properties"]:
            message = f"is the platform's, and {has}; move it to a file of -f"
        elif near := nearest(key, DECLARED):
            message = f"unknown key; did you mean {near}?"
        yield own.problem((key,), message)
