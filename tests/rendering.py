"""The cases of the tests, and what Helm and the generator make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from generator import CHART, chart, manifests, tools
from generator.tree import write
from generator.values import read

ROOT = Path(__file__).parent.parent
STOCK = ROOT / "charts" / CHART

Object = dict[str, Any]
Identity = tuple[str, str, str, str]

CASES: dict[str, Path] = {
    file.stem: file
    for folder in (ROOT / "values", ROOT / "tests" / "cases")
    for file in sorted(folder.glob("*.yaml"))
}
FLAVOURS = [name for name, file in CASES.items() if file.parent.name == "values"]


@cache
def template(
    case: str,
    *,
    helm: str = "helm",
    namespace: str = "kserve",
    folder: Path = STOCK,
    crds: bool = False,
) -> str:
    """What `helm template` prints for a case."""
    values = [CASES[case]] if folder == STOCK else []
    more = ("--include-crds",) if crds else ()
    return manifests.helm_template(folder, values, namespace=namespace, helm=helm, more=more)


def objects(case: str, *, helm: str = "helm", namespace: str = "kserve") -> list[Object]:
    """The rendered objects of a case, without the CRDs; fresh copies."""
    return parse(template(case, helm=helm, namespace=namespace))


def parse(text: str) -> list[Object]:
    """The objects in a stream of YAML documents."""
    return [it for it in yaml.load_all(text, Loader=yaml.CSafeLoader) if it]


def identity(it: Object) -> Identity:
    """What makes an object the same object: API version, kind, namespace, name."""
    metadata = it["metadata"]
    return it["apiVersion"], it["kind"], metadata.get("namespace", ""), metadata["name"]


def by_identity(them: Sequence[Object]) -> dict[Identity, Object]:
    """Objects by identity; an object that is there twice is an error."""
    found = {identity(it): it for it in them}
    assert len(found) == len(them), "an object is rendered twice"
    return found


def of_kind(them: Sequence[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [it for it in them if it["kind"] in kinds]


def only(them: Sequence[Object], kind: str, name: str | None = None) -> Object:
    """The one object of a kind (and name)."""
    found = [it for it in of_kind(them, kind) if name is None or it["metadata"]["name"] == name]
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
    return read([CASES[case]])


def write_chart(case: str, folder: Path) -> Path:
    """The chart specialised for a case, in `folder`."""
    target = folder / CHART
    write(chart.render(values_of(case)), target)
    return target


def helm(*arguments: str, program: str = "helm", accept: Sequence[int] = (0,)) -> str:
    """Run Helm itself."""
    return tools.run([str(tools.find(program)), *arguments], accept=accept)


def pod_specs(them: Sequence[Object]) -> Iterator[tuple[str, Object, bool]]:
    """Every pod template: a label, its spec, and whether it is a whole pod.

    What KServe turns into pods counts: a runtime's spec (and its worker's), the storage container.
    """
    for it in them:
        label = f"{it['kind']} {it['metadata']['name']}"
        spec = it.get("spec", {})
        if it["kind"] in ("Deployment", "Job"):
            yield label, spec["template"]["spec"], True
        elif it["kind"] == "ClusterServingRuntime":
            yield label, spec, False
            if "workerSpec" in spec:
                yield f"{label} worker", spec["workerSpec"], False
        elif it["kind"] == "ClusterStorageContainer":
            yield label, {"containers": [spec["container"]]}, False
