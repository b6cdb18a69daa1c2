"""Everything in one go: chart, objects, validation; for a first look and for CI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from generator import CHART, manifests, stock, validation
from generator.errors import GeneratorError, ToolMissing
from generator.schema import catalog
from generator.tree import write
from generator.values import read


def validate(values: Sequence[Path], *, namespace: str = "kserve") -> str:
    """Check values, chart and objects; one line that says what was checked.

    Raises ValuesError, ToolMissing, ToolFailed, or GeneratorError with a line for each bad object.
    """
    read(values)
    folder = stock.folder()
    with ThreadPoolExecutor() as pool:
        linted = pool.submit(validation.lint, folder, values)
        text = manifests.helm_template(folder, values, namespace=namespace)
        checked = _check(list(manifests.split(text)))
        linted.result()
    return checked


def _check(objects: list[manifests.Manifest]) -> str:
    report = validation.kubeconform(objects)
    if report.problems or not report.valid:
        raise GeneratorError("\n".join(report.problems) or "nothing was rendered")
    return f"{report.valid} objects are valid for Kubernetes {catalog()['versions']['tested']}"


def build(values: Sequence[Path], output: Path, *, namespace: str = "kserve") -> Iterator[str]:
    """Render chart and objects into `output`, validate them, and yield lines that say so.

    Without values the chart is the stock chart. A program that is missing costs its part only.
    """
    from generator import chart  # noqa: PLC0415 (what takes longest, and `validate` needs not)

    merged = read(values)
    folder = output / CHART
    write(chart.render(merged if values else None), folder)
    yield f"{folder}/"
    yield "  the Helm chart"
    try:
        objects = manifests.render(values, namespace=namespace)
        write(manifests.files(objects), output / "manifests")
        yield f"{output / 'manifests'}/"
        yield from _summary(objects)
    except ToolMissing as error:
        yield f"left out: the manifests and their validation: {error}"
    else:
        try:
            validation.lint(folder)
            yield f"  {_check(objects)}"
        except ToolMissing as error:
            yield f"left out: the validation of the manifests: {error}"
    yield ""
    yield "next, with a cluster:"
    yield f"  helm install {CHART} {folder} -n {namespace} --create-namespace"


def _summary(objects: Sequence[manifests.Manifest]) -> Iterator[str]:
    phases: dict[str, list[str]] = {}
    for it in objects:
        phases.setdefault(it.phase, []).append(it.kind)
    for phase in sorted(phases):
        kinds = phases[phase]
        counted = [f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))]
        yield f"  {phase}/  {', '.join(counted)}"
