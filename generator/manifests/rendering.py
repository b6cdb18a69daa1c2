"""Rendered objects: what Helm makes of the charts and a set of values.

There is one renderer, Helm. Its output is split as text; nothing is parsed and written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from generator import CHART, MODELS
from generator.chart import cache
from generator.errors import GeneratorError, Problem, ValuesError
from generator.helm import template
from generator.manifests.parsing import Manifest, manifest, split
from generator.manifests.protection import KEEP
from generator.release import DEFAULT, Release
from generator.values.identity import NO_NAME, Identity, is_name, of_object
from generator.values.load import DECLARED, NOTHING, Values
from generator.yaml.data import JsonObject
from generator.yaml.writer import dump

if TYPE_CHECKING:
    from generator.teams import Team

Charts = Callable[[str], Path]
"""What gives the folder of a chart by its name."""


@dataclass(frozen=True)
class Installation:
    """What one `helm install` takes: a chart, values, and where they go."""

    chart: str
    values: Values
    release: Release


def render(
    values: Values = NOTHING,
    release: Release = DEFAULT,
    teams: Sequence[Team] = (),
    *,
    helm: str = "helm",
    charts: Charts = cache.folder,
) -> list[Manifest]:
    """The objects of the platform, of the models that the values declare, and of teams, CRDs first.

    Beside what Helm renders there are the Namespaces that `helm install --create-namespace` would
    make, but not those that tenants say are there already. Raises ValuesError, ToolMissing without
    Helm, ToolFailed with what Helm said.
    """
    with ThreadPoolExecutor() as pool:
        return begin(pool, values, release, teams, helm=helm, charts=charts)()


def begin(
    pool: Executor,
    values: Values,
    release: Release = DEFAULT,
    teams: Sequence[Team] = (),
    *,
    helm: str = "helm",
    charts: Charts = cache.folder,
) -> Callable[[], list[Manifest]]:
    """Have Helm begin with what `render` does, for who has something else to do meanwhile.

    What this returns gives the objects. Either raises what `render` does.
    """
    wanted = installations(values, release, teams)
    # Before anything else is done meanwhile: they take long to find beside that.
    folders = {each.chart: charts(each.chart) for each in wanted}
    tasks = [pool.submit(text, each, helm=helm, charts=folders.__getitem__) for each in wanted]
    return lambda: combined(wanted, [list(split(task.result())) for task in tasks])


def installations(
    values: Values, release: Release, teams: Sequence[Team] = ()
) -> list[Installation]:
    """What is installed: the platform first, then the models of the values, and of each team."""
    wanted = [Installation(CHART, values, release)]
    if has_models(values):
        wanted.append(Installation(MODELS, values, release))
    for team in teams:
        wanted.append(Installation(MODELS, team.values, replace(release, models=team.namespace)))
    return wanted


def combined(
    installed: Sequence[Installation], objects: Sequence[Sequence[Manifest]]
) -> list[Manifest]:
    """All objects of a cluster, of those of each installation, with the Namespaces they need first.

    Raises what `render` does for two objects of one identity.
    """
    _check_identities(installed, objects)
    rendered = [each for own in objects for each in own]
    spaces = [each.release.models for each in installed if each.chart == MODELS]
    used = [installed[0].release.namespace, *(name for name in spaces if name != "default")]
    declared = {each.name for each in rendered if (each.group, each.kind) == ("", "Namespace")}
    tenants = (installed[0].values.at("tenants") or {}).items()
    declared |= {name for name, tenant in tenants if tenant.get("createNamespace") is False}
    namespaces = [name for name in dict.fromkeys(used) if name not in declared]
    return [*(manifest(dump(namespace(name))) for name in namespaces), *rendered]


def text(wanted: Installation, *, helm: str = "helm", charts: Charts = cache.folder) -> str:
    """What Helm prints for an installation."""
    render_one = platform if wanted.chart == CHART else models
    return render_one(wanted.values, wanted.release, helm=helm, charts=charts)


def platform(
    values: Values,
    release: Release = DEFAULT,
    *,
    helm: str = "helm",
    charts: Charts = cache.folder,
) -> str:
    """What Helm prints for the platform, with the CRDs."""
    return template(
        charts(CHART),
        values,
        release=release.name,
        namespace=release.namespace,
        helm=helm,
        more=["--include-crds"],
    )


def models(
    values: Values,
    release: Release = DEFAULT,
    *,
    helm: str = "helm",
    charts: Charts = cache.folder,
) -> str:
    """What Helm prints for the models."""
    unsaid = platform_namespace(values, release)
    return template(
        charts(MODELS),
        values,
        release=release.models_name,
        namespace=release.models,
        helm=helm,
        more=["--set-string", f"global.platformNamespace={unsaid}"] if unsaid else [],
    )


def platform_namespace(values: Values, release: Release) -> str:
    """The platform's namespace as the models chart has to be given it; empty if the values do."""
    return "" if values.at("global", "platformNamespace") else release.namespace


def has_models(values: Values) -> bool:
    """Whether the values declare anything that the models chart renders."""
    return any(values.at(key) for key in DECLARED)


def _check_identities(
    installed: Sequence[Installation], objects: Sequence[Sequence[Manifest]]
) -> None:
    """Refuse names that no object can have, and two objects of one identity, by their values.

    The first is the platform's, whose `extraObjects` may be anywhere. Raises ValuesError, or
    GeneratorError where no value of the user's is to blame.
    """
    seen: dict[Identity, Manifest] = {}
    problems: list[Problem] = []
    for installation, own in zip(installed, objects, strict=True):
        values, release = installation.values, installation.release
        for each in own:
            if not is_name(each.group, each.name):
                path = values.path_named(each.name)
                problems.append(values.problem(path, f'"{each.name}" {NO_NAME}'))
            home = each.namespace or release.home(each.chart)
            identity = (each.group, each.kind, home, each.name)
            other = seen.setdefault(identity, each)
            if other is not each:
                problems += _twice(each, other, identity, installed[0])
    if problems:
        raise ValuesError(problems)


def _twice(
    each: Manifest, other: Manifest, identity: Identity, platform: Installation
) -> Iterator[Problem]:
    """A Problem for each of the `extraObjects` that is the same as another object."""
    extra, own = (each, other) if each.is_extra else (other, each)
    what = f"{each.kind} {each.name} is rendered twice, by {own.chart}/{own.source}"
    values = platform.values
    keys = declaring(values, identity, platform.release) if extra.is_extra else ()
    if not keys:
        raise GeneratorError(f"{what} and by {extra.chart}/{extra.source}; rename one of them")
    message = f"{what} and by this; use a value of the chart to change its object, or rename it"
    for key in keys:
        yield values.problem(("extraObjects", key), message)


def declaring(values: Values, identity: Identity, release: Release) -> list[str]:
    """The keys of `extraObjects` that are this object."""
    extra = (values.at("extraObjects") or {}).items()
    return [key for key, data in extra if of_object(data, release.namespace) == identity]


def namespace(name: str) -> JsonObject:
    """A Namespace, which Helm does not render: `--create-namespace` makes it. No tool prunes it."""
    metadata = {"name": name, "annotations": dict(KEEP)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
