"""The clusters of a fleet: what a folder says that there are, and the files of each.

clusters/prod.yaml              a cluster whose values are one file
clusters/lab/platform.yaml      a cluster whose teams have files of their own
clusters/lab/teams/fraud.yaml   the models of namespace fraud
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generator.errors import GeneratorError, Problem, ValuesError
from generator.values.identity import is_namespace
from generator.values.messages import nearest

PLATFORM, TEAMS = "platform", "teams"
# What a shell and a comment on a pull request take as it is.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
YAML = (".yaml", ".yml")
"""How the name of a file of values ends."""


@dataclass(frozen=True)
class Cluster:
    """A cluster: its name, the file of its values, and those of its teams by namespace.

    `problems` are what is wrong with how its files are laid out; then it cannot be rendered.
    """

    name: str
    values: Path
    teams: Mapping[str, Path] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of it, in the order in which they are read."""
        return (self.values, *self.teams.values())


@dataclass(frozen=True)
class Found:
    """The clusters in a folder by name, and the files there that belong to none."""

    clusters: tuple[Cluster, ...]
    ignored: tuple[Path, ...]


def find(folder: Path) -> Found:
    """The clusters in `folder`. Hidden files and Markdown are passed over in silence.

    Raises GeneratorError where there is none, ValuesError where two have one name, or one has a
    name that no folder should have.
    """
    found: dict[str, Cluster] = {}
    ignored: list[Path] = []
    wrong: list[Problem] = []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise GeneratorError(
            Problem.of(folder, f"cannot be read: {error.strerror}; name a folder of clusters")
        ) from None
    for path in filter(_counts, entries):
        if (cluster := _cluster(path)) is not None and not _NAME.fullmatch(cluster.name):
            message = "a cluster's name is of letters, digits, dots, hyphens and underscores"
            wrong.append(Problem.of(path, f"{message}; rename it"))
        elif cluster is None:
            ignored.append(path)
        elif other := found.get(cluster.name):
            where = other.values if other.values.parent == folder else other.values.parent
            message = f"is cluster {cluster.name}, and so is {where}; leave one of them out"
            wrong.append(Problem.of(path, message))
        else:
            found[cluster.name] = cluster
    if wrong:
        raise ValuesError(wrong)
    if not found:
        message = "holds no cluster; put a file of values into it, such as prod.yaml"
        raise GeneratorError(Problem.of(folder, message))
    return Found(tuple(found[name] for name in sorted(found)), tuple(ignored))


def _counts(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix != ".md"


def _cluster(path: Path) -> Cluster | None:
    """The cluster that a file or a folder is, if it is one."""
    try:
        if path.is_dir():
            return _of_folder(path)
    except OSError as error:
        fact = f"cannot be read: {error.strerror}; make it readable"
        return Cluster(path.name, path, problems=(Problem.of(error.filename or path, fact),))
    return Cluster(path.stem, path) if _is_values(path) else None


def _is_values(path: Path) -> bool:
    """Whether a path is that of a file of values, or of a link to none."""
    return path.suffix in YAML and (path.is_file() or not path.exists())


def _of_folder(folder: Path) -> Cluster:
    problems = list(_strange(folder))
    found = [path for path in _values(folder) if path.stem == PLATFORM]
    platform = found[0] if found else folder / f"{PLATFORM}.yaml"
    if not found and not problems:
        problems.append(Problem.of(platform, "is missing; add it, empty if it has no values"))
    for path in found[1:]:
        problems.append(Problem.of(path, f"and {platform} are both there; leave one out"))
    teams: dict[str, Path] = {}
    for path in _values(folder / TEAMS):
        if not is_namespace(path.stem):
            what = "is no name for a namespace: lower-case letters, digits and hyphens; rename it"
            problems.append(Problem.of(path, f'"{path.stem}" {what}'))
        elif (other := teams.setdefault(path.stem, path)) is not path:
            what = f"is of namespace {path.stem}, and so is {other}; make one file of them"
            problems.append(Problem.of(path, what))
    return Cluster(folder.name, platform, teams, tuple(problems))


def _values(folder: Path) -> list[Path]:
    """The files of values in a folder, if it is one."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if _counts(path) and _is_values(path)]


def _strange(folder: Path) -> Iterator[Problem]:
    """A Problem for each thing in a cluster's folder that it would be wrong to pass over."""
    teams = folder / TEAMS
    if teams.is_dir():
        for path in filter(_counts, sorted(teams.iterdir())):
            if not _is_values(path):
                fact = f"is no file of a team's models, such as {TEAMS}/fraud.yaml"
                yield Problem.of(path, f"{fact}; move it away")
    for path in filter(_counts, sorted(folder.iterdir())):
        is_values = _is_values(path)
        if path.name == TEAMS if path.is_dir() else is_values and path.stem == PLATFORM:
            continue
        if not (path.is_dir() or is_values or path.name == TEAMS):
            continue
        near = nearest(path.stem, (PLATFORM, TEAMS))
        remedy = f"did you mean {near}?" if near else f"move it to {TEAMS}/, or leave it out"
        has = f"a cluster's folder has {PLATFORM}.yaml and {TEAMS}/"
        yield Problem.of(path, f"belongs to nothing: {has}; {remedy}")
