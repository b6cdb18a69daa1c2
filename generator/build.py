"""Everything in one go: chart, objects, validation; for a first look and for CI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from generator import CHART, MODELS, helm, manifests, stock, validation
from generator.errors import GeneratorError, ToolMissing
from generator.release import DEFAULT, Release
from generator.schema import catalog
from generator.tree import write
from generator.values import Values


@dataclass(frozen=True)
class Checked:
    """What a validation came to: a line that says how much was checked, and one for each not."""

    line: str
    unchecked: tuple[str, ...]


def validate(values: Values, release: Release = DEFAULT, *, strict: bool = False) -> Checked:
    """Check charts and objects; the values are checked already.

    `strict` takes no object for good that cannot be checked. Raises ValuesError, ToolMissing,
    ToolFailed, or GeneratorError with a line for each bad object.
    """
    with ThreadPoolExecutor() as pool:
        # Of models it finds nothing that schema and kubeconform do not, at three milliseconds each.
        linted = pool.submit(helm.lint, stock.folder(CHART), values)
        checked = _check(manifests.render(values, release), strict=strict)
        linted.result()
    return checked


def _check(objects: list[manifests.Manifest], *, strict: bool = False) -> Checked:
    report = validation.kubeconform(objects)
    bad = (*report.problems, *report.unchecked) if strict else report.problems
    if bad or not report.valid:
        raise GeneratorError("\n".join(bad) or "nothing was rendered")
    line = f"{report.valid} objects are valid for Kubernetes {catalog()['versions']['tested']}"
    if report.unchecked:
        line += f", {len(report.unchecked)} not checked"
    return Checked(line, report.unchecked)


def build(values: Values, output: Path, release: Release = DEFAULT) -> Iterator[str]:
    """Render charts and objects into `output`, validate them, and yield lines that say so.

    Without values the charts are the stock charts. Without Helm or kubeconform it does what it can,
    and raises ToolMissing at the end, with what was left out and how to get it.
    """
    from generator import chart  # noqa: PLC0415 (what takes longest, and `validate` needs not)

    missing: ToolMissing | None = None
    objects: list[manifests.Manifest] = []
    try:
        # First of all: what Helm refuses leaves nothing behind.
        objects = manifests.render(values, release)
    except ToolMissing as error:
        missing = ToolMissing(f"left out: the manifests and their validation: {error}")
    for name in (CHART, MODELS):
        write(chart.render(values.merged if values.sources else None, name), output / name)
        yield f"{output / name}/"
    if objects:
        write(manifests.files(objects), output / "manifests")
        yield f"{output / 'manifests'}/"
        yield from _summary(objects)
        try:
            for name in (CHART, MODELS):
                helm.lint(output / name)
            checked = _check(objects)
            yield from (f"  {line}" for line in (checked.line, *checked.unchecked))
        except ToolMissing as error:
            missing = ToolMissing(f"left out: the validation of the manifests: {error}")
    yield ""
    yield "next, with a cluster:"
    install = "  helm install"
    yield f"{install} {release.name} {output / CHART} -n {release.namespace} --create-namespace"
    if manifests.has_models(values):
        yield f"{install} {release.models_name} {output / MODELS} -n {release.models}"
    if missing is not None:
        raise missing


def _summary(objects: Sequence[manifests.Manifest]) -> Iterator[str]:
    phases: dict[str, list[str]] = {}
    for it in objects:
        phases.setdefault(it.phase, []).append(it.kind)
    for phase in sorted(phases):
        kinds = phases[phase]
        counted = [f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))]
        yield f"  {phase}/  {', '.join(counted)}"
