"""Rendered objects: what Helm makes of the charts and a set of values.

There is one renderer, Helm. Its output is split as text; nothing is parsed and written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from generator import CHART, MODELS
from generator.chart import cache
from generator.errors import GeneratorError, Problem, ValuesError
from generator.helm import template
from generator.manifests.parsing import Manifest, manifest, split
from generator.manifests.protection import KEEP
from generator.release import DEFAULT, Release
from generator.values.identity import NO_NAME, Identity, is_name, of_object
from generator.values.load import NOTHING, Values
from generator.yaml.writer import dump

DECLARED = ("models", "graphs", "trainedModels")
"""The top-level values that the models chart makes objects of."""


Charts = Callable[[str], Path]
"""What gives the folder of a chart by its name."""


def render(
    values: Values = NOTHING,
    release: Release = DEFAULT,
    *,
    helm: str = "helm",
    charts: Charts = cache.folder,
) -> list[Manifest]:
    """The objects of the platform and of the models that the values declare, CRDs first.

    Beside what Helm renders there are the Namespaces that `helm install --create-namespace` would
    make. Raises ValuesError, ToolMissing without Helm, ToolFailed with what Helm said.
    """
    rendered = list(split(platform(values, release, helm=helm, charts=charts)))
    namespaces = [release.namespace]
    if has_models(values):
        rendered += split(models(values, release, helm=helm, charts=charts))
        if release.models not in ("default", release.namespace):
            namespaces.append(release.models)
    check_identities(rendered, values, release)
    declared = {each.name for each in rendered if (each.group, each.kind) == ("", "Namespace")}
    return [*(_namespace(name) for name in namespaces if name not in declared), *rendered]


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
    known = () if values.at("global", "platformNamespace") else (release.namespace,)
    return template(
        charts(MODELS),
        values,
        release=release.models_name,
        namespace=release.models,
        helm=helm,
        more=[
            word
            for namespace in known
            for word in ("--set-string", f"global.platformNamespace={namespace}")
        ],
    )


def has_models(values: Values) -> bool:
    """Whether the values declare anything that the models chart renders."""
    return any(values.at(key) for key in DECLARED)


def check_identities(manifests: Sequence[Manifest], values: Values, release: Release) -> None:
    """Refuse names that no object can have, and two objects of one identity, by their values.

    Raises ValuesError, or GeneratorError where no value of the user's is to blame.
    """
    seen: dict[Identity, Manifest] = {}
    problems: list[Problem] = []
    for each in manifests:
        if not is_name(each.group, each.name):
            problems.append(
                values.problem(values.path_named(each.name), f'"{each.name}" {NO_NAME}')
            )
        identity = (each.group, each.kind, each.namespace or release.home(each.chart), each.name)
        other = seen.setdefault(identity, each)
        if other is each:
            continue
        extra, own = (each, other) if each.is_extra else (other, each)
        what = f"{each.kind} {each.name} is rendered twice, by {own.chart}/{own.source}"
        keys = declaring(values, identity, release) if extra.is_extra else ()
        if not keys:
            raise GeneratorError(f"{what} and by {extra.chart}/{extra.source}; rename one of them")
        message = f"{what} and by this; use a value of the chart to change its object, or rename it"
        problems += [values.problem(("extraObjects", key), message) for key in keys]
    if problems:
        raise ValuesError(problems)


def declaring(values: Values, identity: Identity, release: Release) -> list[str]:
    """The keys of `extraObjects` that are this object."""
    extra = (values.at("extraObjects") or {}).items()
    return [key for key, data in extra if of_object(data, release.namespace) == identity]


def _namespace(name: str) -> Manifest:
    """A Namespace, which Helm does not render: `--create-namespace` makes it. No tool prunes it."""
    metadata = {"name": name, "annotations": dict(KEEP)}
    return manifest(dump({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
