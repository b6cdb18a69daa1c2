"""The clusters of a fleet: what a folder says that there are, and the files of each.

clusters/prod.yaml              a cluster whose values are one file
clusters/lab/platform.yaml      a cluster whose teams have files of their own
clusters/lab/teams/fraud.yaml   the models of namespace fraud
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generator.errors import GeneratorError, Problem, ValuesError
from generator.values.identity import LABEL
from generator.values.messages import nearest

PLATFORM, TEAMS = "platform", "teams"
_YAML = (".yaml", ".yml")
_LONGEST = 63  # characters of a namespace


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

    Raises GeneratorError where there is none, ValuesError where two have one name.
    """
    found: dict[str, Cluster] = {}
    ignored: list[Path] = []
    twice: list[Problem] = []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise GeneratorError(
            Problem.of(folder, f"cannot be read: {error.strerror}; name a folder of clusters")
        ) from None
    for path in filter(_counts, entries):
        if (cluster := _cluster(path)) is None:
            ignored.append(path)
        elif other := found.get(cluster.name):
            where = other.values if other.values.parent == folder else other.values.parent
            message = f"is cluster {cluster.name}, and so is {where}; leave one of them out"
            twice.append(Problem.of(path, message))
        else:
            found[cluster.name] = cluster
    if twice:
        raise ValuesError(twice)
    if not found:
        message = "holds no cluster; put a file of values into it, such as prod.yaml"
        raise GeneratorError(Problem.of(folder, message))
    return Found(tuple(found[name] for name in sorted(found)), tuple(ignored))


def _counts(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix != ".md"


def _cluster(path: Path) -> Cluster | None:
    """The cluster that a file or a folder is, if it is one."""
    if path.is_dir():
        return _of_folder(path)
    return Cluster(path.stem, path) if path.suffix in _YAML else None


def _of_folder(folder: Path) -> Cluster:
    files = {path.stem: path for path in _values(folder)}
    problems = list(_strange(folder))
    platform = files.get(PLATFORM)
    if platform is None:
        platform = folder / f"{PLATFORM}.yaml"
        if not problems:
            problems.append(Problem.of(platform, "is missing; add it, empty if it has no values"))
    teams: dict[str, Path] = {}
    for path in _values(folder / TEAMS):
        if not LABEL.fullmatch(path.stem) or len(path.stem) > _LONGEST:
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
    return [path for path in sorted(folder.iterdir()) if _counts(path) and path.suffix in _YAML]


def _strange(folder: Path) -> Iterator[Problem]:
    """A Problem for each thing in a cluster's folder that it would be wrong to pass over."""
    for path in filter(_counts, sorted(folder.iterdir())):
        is_values = path.suffix in _YAML
        if path.name == TEAMS if path.is_dir() else is_values and path.stem == PLATFORM:
            continue
        if not (path.is_dir() or is_values):
            continue
        near = nearest(path.stem, (PLATFORM, TEAMS))
        remedy = f"did you mean {near}?" if near else f"move it to {TEAMS}/, or leave it out"
        has = f"a cluster's folder has {PLATFORM}.yaml and {TEAMS}/"
        yield Problem.of(path, f"belongs to nothing: {has}; {remedy}")
