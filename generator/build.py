"""Everything in one go: chart, objects, validation; for a first look and for CI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from generator import CHART, MODELS, manifests, stock, validation
from generator.errors import GeneratorError, ToolMissing
from generator.manifests import DEFAULT, Release
from generator.schema import catalog
from generator.tree import write
from generator.values import read


def validate(values: Sequence[Path], release: Release = DEFAULT) -> str:
    """Check values, charts and objects; one line that says what was checked.

    Raises ValuesError, ToolMissing, ToolFailed, or GeneratorError with a line for each bad object.
    """
    read(values)
    with ThreadPoolExecutor() as pool:
        # Of models it finds nothing that schema and kubeconform do not, at three milliseconds each.
        linted = pool.submit(validation.lint, stock.folder(CHART), values)
        checked = _check(manifests.render(values, release))
        linted.result()
    return checked


def _check(objects: list[manifests.Manifest]) -> str:
    report = validation.kubeconform(objects)
    if report.problems or not report.valid:
        raise GeneratorError("\n".join(report.problems) or "nothing was rendered")
    return f"{report.valid} objects are valid for Kubernetes {catalog()['versions']['tested']}"


def build(values: Sequence[Path], output: Path, release: Release = DEFAULT) -> Iterator[str]:
    """Render charts and objects into `output`, validate them, and yield lines that say so.

    Without values the charts are the stock charts. A program that is missing costs its part only.
    """
    from generator import chart  # noqa: PLC0415 (what takes longest, and `validate` needs not)

    merged = read(values)
    for name in (CHART, MODELS):
        write(chart.render(merged if values else None, name), output / name)
        yield f"{output / name}/"
    try:
        objects = manifests.render(values, release)
        write(manifests.files(objects), output / "manifests")
        yield f"{output / 'manifests'}/"
        yield from _summary(objects)
    except ToolMissing as error:
        yield f"left out: the manifests and their validation: {error}"
    else:
        try:
            for name in (CHART, MODELS):
                validation.lint(output / name)
            yield f"  {_check(objects)}"
        except ToolMissing as error:
            yield f"left out: the validation of the manifests: {error}"
    yield ""
    yield "next, with a cluster:"
    install = "  helm install"
    yield f"{install} {release.name} {output / CHART} -n {release.namespace} --create-namespace"
    if manifests.has_models(values):
        yield f"{install} {release.name}-models {output / MODELS} -n {release.models}"


def _summary(objects: Sequence[manifests.Manifest]) -> Iterator[str]:
    phases: dict[str, list[str]] = {}
    for it in objects:
        phases.setdefault(it.phase, []).append(it.kind)
    for phase in sorted(phases):
        kinds = phases[phase]
        counted = [f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))]
        yield f"  {phase}/  {', '.join(counted)}"
