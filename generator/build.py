"""Everything in one go: chart, objects, validation; for a first look and for CI."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from generator import CHART, MODELS, helm
from generator.catalog import catalog
from generator.chart import cache
from generator.errors import GeneratorError, OutputError, Problem, ToolMissing
from generator.manifests import kubeconform, layout, parsing, rendering
from generator.output import mirror
from generator.output.record import NAME
from generator.output.writing import Tree
from generator.release import DEFAULT, Release
from generator.teams import Team
from generator.values.load import Values
from generator.yaml.data import JsonObject

_OBJECTS = "manifests"


@dataclass(frozen=True)
class Checked:
    """What a validation came to: how many objects are valid, and a line for each not checked."""

    valid: int
    unchecked: tuple[str, ...]

    @property
    def line(self) -> str:
        """How much was checked, in a line."""
        text = f"{self.valid} objects are valid for Kubernetes {catalog().versions.tested}"
        return text + (f", {len(self.unchecked)} not checked" if self.unchecked else "")

    def as_json(self) -> JsonObject:
        """The same for a program, with the version of Kubernetes."""
        version = catalog().versions.tested
        return {"valid": self.valid, "kubernetes": version, "unchecked": list(self.unchecked)}


@dataclass(frozen=True)
class Built:
    """Charts and objects, rendered and checked, and the lines that say so.

    `unchecked` has a line for each object that was not, `left_out` says what a missing program was
    in the way of, and how to get it.
    """

    trees: tuple[Tree, ...]
    report: tuple[str, ...]
    left_out: str = ""
    unchecked: tuple[str, ...] = ()


def validate(
    values: Values, release: Release = DEFAULT, teams: Sequence[Team] = (), *, strict: bool = False
) -> Checked:
    """Check charts and objects, those of teams too; the values are checked already.

    `strict` takes no object for good that cannot be checked. Raises ValuesError, ToolMissing,
    ToolFailed, or GeneratorError with a line for each bad object.
    """
    with ThreadPoolExecutor() as pool:
        # Of models it finds nothing that schema and kubeconform do not, at three milliseconds each.
        linted = pool.submit(helm.lint, cache.folder(CHART), values)
        checked = _check(rendering.render(values, release, teams), strict=strict)
        linted.result()
    return checked


def _check(objects: list[parsing.Manifest], *, strict: bool = False) -> Checked:
    report = kubeconform.check(objects)
    bad = (*report.problems, *report.unchecked) if strict else report.problems
    if bad or not report.valid:
        raise GeneratorError(*(bad or ["nothing was rendered"]))
    return Checked(report.valid, report.unchecked)


def build(values: Values, output: Path, release: Release = DEFAULT) -> Built:
    """Render charts and objects for `output` and validate them; nothing is written.

    Without values the charts are the stock charts. A program that is missing costs its part only,
    unless objects of an earlier run would stay beside charts that are newer.
    """
    charts = Tree(_charts(values), "chart")
    try:
        objects = rendering.render(values, release)
    except ToolMissing as error:
        if (output / _OBJECTS / NAME).exists():
            message = "are of an earlier run, and cannot be rendered anew"
            raise OutputError(Problem.output(output / _OBJECTS, f"{message}: {error}")) from None
        left_out = f"left out: the manifests and their validation: {error}"
        return Built((charts,), (), left_out)
    trees = (charts, Tree(layout.folder(objects, release), release.owner, _OBJECTS))
    report = tuple(_summary(objects))
    try:
        _lint(charts)
        checked = _check(objects)
    except ToolMissing as error:
        return Built(trees, report, f"left out: the validation of the manifests: {error}")
    return Built(trees, (*report, f"  {checked.line}"), unchecked=checked.unchecked)


def _charts(values: Values) -> dict[str, str]:
    # Imported here: it takes longer than all the rest, and `validate` does without it.
    from generator.chart.rendering import render_both  # noqa: PLC0415

    return render_both(values.merged if values.sources else None)


def _lint(charts: Tree) -> None:
    """Helm's own opinion of the charts, before anybody sees them."""
    with tempfile.TemporaryDirectory(prefix="kserve-lite-") as folder:
        mirror.write(charts.files, Path(folder))
        for name in (CHART, MODELS):
            helm.lint(Path(folder) / name)


def next_steps(values: Values, output: Path, release: Release = DEFAULT) -> Iterator[str]:
    """What to run next, with a cluster."""
    yield ""
    yield "next, with a cluster:"
    install = "  helm install"
    yield f"{install} {release.name} {output / CHART} -n {release.namespace} --create-namespace"
    if rendering.has_models(values):
        yield f"{install} {release.models_name} {output / MODELS} -n {release.models}"


def _summary(objects: Sequence[parsing.Manifest]) -> Iterator[str]:
    phases: dict[str, list[str]] = {}
    for manifest in objects:
        phases.setdefault(manifest.phase, []).append(manifest.kind)
    for phase in sorted(phases):
        kinds = phases[phase]
        counted = [f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))]
        yield f"  {phase}/  {', '.join(counted)}"
