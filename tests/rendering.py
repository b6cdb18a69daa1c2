"""The cases of the tests, and what Helm and the generator make of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from generator import CHART, MODELS, process, tools
from generator import helm as helm_program
from generator.chart.rendering import render as render_chart
from generator.errors import Problem, ValuesError
from generator.manifests import parsing, rendering
from generator.output.mirror import write
from generator.values.check import read
from generator.values.load import NOTHING, Values
from tests.once import once

ROOT = Path(__file__).parent.parent
CHARTS = {name: ROOT / "charts" / name for name in (CHART, MODELS)}
STOCK = CHARTS[CHART]
# Where each chart is installed unless a test says otherwise.
NAMESPACES = {CHART: "kserve", MODELS: "default"}

Object = dict[str, Any]
Identity = tuple[str, str, str, str]

CASES: dict[str, Path] = {
    file.stem: file
    for folder in ("values", "tests/cases", "examples/models")
    for file in sorted((ROOT / folder).glob("*.yaml"))
}
# What only law 3 measures in, beside the cases.
MODES = {file.stem: file for file in sorted((ROOT / "tests" / "modes").glob("*.yaml"))}
FLAVOURS = [name for name, file in CASES.items() if file.parent.name == "values"]
WITH_MODELS = [name for name, file in CASES.items() if rendering.has_models(Values.parsed([file]))]
# Every chart that has something to render in a case.
CHART_CASES = [(CHART, case) for case in CASES] + [(MODELS, case) for case in WITH_MODELS]


def helm_template(
    folder: Path,
    values: Values = NOTHING,
    *,
    release: str = CHART,
    namespace: str = "kserve",
    helm: str = "helm",
    more: Sequence[str] = ("--include-crds",),
) -> str:
    """`helm.template`, with the names that things have unless a test says otherwise."""
    return helm_program.template(
        folder, values, release=release, namespace=namespace, helm=helm, more=more
    )


@once
def template(
    case: str,
    *,
    chart: str = CHART,
    helm: str = "helm",
    namespace: str | None = None,
    folder: Path | None = None,
    crds: bool = False,
) -> str:
    """What `helm template` prints for a case; with `folder`, the specialised chart in it."""
    values = NOTHING if folder else given(case)
    return helm_template(
        folder or CHARTS[chart],
        values,
        release=CHART if chart == CHART else f"{CHART}-models",
        namespace=namespace or NAMESPACES[chart],
        helm=helm,
        more=("--include-crds",) if crds else (),
    )


def objects(
    case: str, *, chart: str = CHART, helm: str = "helm", namespace: str | None = None
) -> list[Object]:
    """The rendered objects of a case, without the CRDs; fresh copies."""
    return parse(template(case, chart=chart, helm=helm, namespace=namespace))


def parse(text: str) -> list[Object]:
    """The objects in a stream of YAML documents; fresh copies."""
    return [deepcopy(data) for data in map(parsed, documents(text)) if data]


def documents(text: str) -> list[str]:
    """The documents in a stream of YAML.

    `---` at the start of a line always ends a document: block scalars are indented.
    """
    return re.split(r"^---.*\n", text, flags=re.MULTILINE)


@lru_cache(maxsize=4096)
def parsed(document: str) -> Object | None:
    """One document; most are the same in most cases, and reading them takes long.

    Not to be changed in place.
    """
    return cast(Object | None, yaml.load(document, Loader=yaml.CSafeLoader))


def identity(manifest: Object) -> Identity:
    """What makes an object the same object: API version, kind, namespace, name."""
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def by_identity(them: Sequence[Object]) -> dict[Identity, Object]:
    """Objects by identity; an object that is there twice is an error."""
    found = {identity(manifest): manifest for manifest in them}
    assert len(found) == len(them), "an object is rendered twice"
    return found


def of_kind(them: Sequence[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [manifest for manifest in them if manifest["kind"] in kinds]


def only(them: Sequence[Object], kind: str, name: str | None = None) -> Object:
    """The one object of a kind (and name)."""
    found = [
        manifest
        for manifest in of_kind(them, kind)
        if name is None or manifest["metadata"]["name"] == name
    ]
    assert len(found) == 1, f"{len(found)} objects {kind} {name or ''}"
    return found[0]


def config(them: Sequence[Object]) -> dict[str, Any]:
    """inferenceservice-config, each key parsed as JSON."""
    data = only(them, "ConfigMap", "inferenceservice-config")["data"]
    return {key: json.loads(text) for key, text in data.items()}


def walk(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value below `value`, with its path."""
    yield path, value
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from walk(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from walk(child, (*path, index))


def values_of(case: str) -> dict[str, Any]:
    """The values of a case, checked, without the defaults."""
    return given(case).merged


@once
def through_door_two(case: str) -> tuple[parsing.Manifest, ...]:
    """The objects that `generator manifests` renders of a case, with CRDs and Namespaces."""
    return tuple(rendering.render(given(case)))


@cache
def given(case: str) -> Values:
    """The values of a case as a command takes them: read and checked."""
    return read([(CASES | MODES)[case]])


def write_chart(case: str, folder: Path, name: str = CHART) -> Path:
    """A chart specialised for a case, in `folder`."""
    target = folder / name
    write(render_chart(values_of(case), name), target)
    return target


def helm(*arguments: str, program: str = "helm", accept: Sequence[int] = (0,)) -> str:
    """Run Helm itself."""
    return process.run([str(tools.find(program)), *arguments], accept=accept)


def pod_specs(them: Sequence[Object]) -> Iterator[tuple[str, Object, bool]]:
    """Every pod template: a label, its spec, and whether it is a whole pod.

    What KServe turns into pods counts: a runtime's spec (and its worker's), the storage container.
    """
    for manifest in them:
        label = f"{manifest['kind']} {manifest['metadata']['name']}"
        spec = manifest.get("spec", {})
        if manifest["kind"] in ("Deployment", "Job"):
            yield label, spec["template"]["spec"], True
        elif manifest["kind"] == "ClusterServingRuntime":
            yield label, spec, False
            if "workerSpec" in spec:
                yield f"{label} worker", spec["workerSpec"], False
        elif manifest["kind"] == "ClusterStorageContainer":
            yield label, {"containers": [spec["container"]]}, False


def printing_chart(folder: Path) -> Path:
    """A chart, in `folder`, that renders `values: …`, its values as JSON in a text."""
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: mirror\nversion: 0.1.0\n")
    (folder / "templates" / "values.yaml").write_text("values: {{ toJson .Values | quote }}\n")
    return folder


def both_charts(values: Mapping[str, Any], folder: Path, *, namespace: str = "default") -> str:
    """What both charts render for some values, the models' into `namespace`.

    Raises ValuesError when the generator or either chart refuses them. `folder` is for the file.
    """
    file = folder / "values.yaml"
    file.write_text(json.dumps(values))
    given = read([file])
    platform = helm_template(STOCK, given, more=())
    models = helm_template(CHARTS[MODELS], given, namespace=namespace, more=())
    return f"{platform}\n---\n{models}"


def refusal(values: Mapping[str, Any], folder: Path) -> Problem:
    """The one thing that the generator or either chart refuses of some values, as `both_charts`."""
    try:
        both_charts(values, folder)
    except ValuesError as error:
        (problem,) = error.problems
        return problem
    raise AssertionError("nothing is refused")
