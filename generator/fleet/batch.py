"""Several installations rendered by one run of Helm, which takes most of its time to start.

Helm gets a chart whose dependencies are one chart of ours under several names, an alias for each
installation. Each alias has the values of its installation, so that the templates make of them what
they make in a chart of their own. What is the same for all is taken once: CRDs, and the templates
that only define.

    fleet/Chart.yaml                 dependencies: kserve-lite as i0, i1 …
    fleet/crds/                      those of kserve-lite
    fleet/templates/_helpers.tpl     the definitions, which are Helm's for all charts alike
    fleet/charts/kserve-lite/        its other templates, and values.yaml
"""

from __future__ import annotations

import functools
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from generator import CHART, MODELS
from generator.chart import cache
from generator.errors import GeneratorError
from generator.helm import template
from generator.manifests import rendering
from generator.manifests.parsing import Manifest, documents, manifest, split
from generator.manifests.rendering import Charts, Installation
from generator.output import mirror
from generator.values.load import Values, merge
from generator.yaml.data import JsonObject

_ALIAS = re.compile(r"charts/i(\d+)/(.*)")
_ANY = ">=0.0.0-0"  # version
# Values are checked already, and nobody reads the rest: what Helm need not load, it does not.
_LEFT_OUT = ("values.schema.json", "README.md", "VALUES.md", "NOTES.txt")

Rendered = Sequence[Manifest] | GeneratorError
"""The objects of an installation, or why there are none."""


class Renderer:
    """Renders installations together; the charts for that are prepared once, in a folder."""

    def __init__(self, folder: Path, charts: Charts, go_on: Callable[[], None]) -> None:
        self._charts = charts
        self._folder = folder
        self._go_on = go_on
        self._prepared = functools.cache(self._prepare)

    def render(self, wanted: Sequence[Installation]) -> list[Rendered]:
        """What Helm makes of each, in order; an error of one of them is its own.

        The objects, and the errors, are those of `rendering.render`.
        """
        found: dict[int, Rendered] = {}
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, each in enumerate(wanted):
            home = (each.release.called(each.chart), each.release.home(each.chart))
            # A null takes away a default where Helm first sees one: not the same for a dependency.
            alone = (str(number),) if _has_null(each.values.merged) else ()
            groups.setdefault((each.chart, *home, *alone), []).append(number)
        for numbers in groups.values():
            together = self._together([wanted[number] for number in numbers])
            found |= dict(zip(numbers, together, strict=True))
        return [found[number] for number in range(len(wanted))]

    def _together(self, wanted: Sequence[Installation]) -> list[Rendered]:
        """What Helm makes of installations of one chart, under one name, into one namespace."""
        self._go_on()
        if len(wanted) == 1:
            return [self._alone(wanted[0])]
        try:
            return list(self._run(wanted))
        except GeneratorError:
            # Helm stops at the first that it cannot render, which the other half goes on without.
            half = len(wanted) // 2
            return [*self._together(wanted[:half]), *self._together(wanted[half:])]

    def _alone(self, wanted: Installation) -> Rendered:
        try:
            return list(split(rendering.text(wanted, charts=self._charts)))
        except GeneratorError as error:
            return error

    def _run(self, wanted: Sequence[Installation]) -> list[list[Manifest]]:
        chart, release = wanted[0].chart, wanted[0].release
        printed = template(
            self._prepared(chart, len(wanted)),
            Values.made({f"i{number}": _given(each) for number, each in enumerate(wanted)}),
            release=release.called(chart),
            namespace=release.home(chart),
            more=["--include-crds"] if chart == CHART else [],
        )
        shared: list[Manifest] = []
        own: list[list[Manifest]] = [[] for _ in wanted]
        for _, file, body in documents(printed):
            if alias := _ALIAS.fullmatch(file):
                own[int(alias[1])].append(manifest(body, chart, alias[2]))
            else:
                shared.append(manifest(body, chart, file))
        return [[*shared, *each] for each in own]

    def _prepare(self, chart: str, count: int) -> Path:
        """The chart that has one of ours `count` times."""
        aliases = [
            {"name": chart, "version": _ANY, "alias": f"i{number}"} for number in range(count)
        ]
        head = {"apiVersion": "v2", "name": "fleet", "version": "0.0.0", "dependencies": aliases}
        files = {"Chart.yaml": json.dumps(head)}
        for path, text in _files(self._charts(chart)).items():
            is_shared = path.startswith("crds/") or Path(path).name.startswith("_")
            files[path if is_shared else f"charts/{chart}/{path}"] = text
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        mirror.write(files, folder)
        return folder


@contextmanager
def renderer(
    charts: Charts = cache.folder, go_on: Callable[[], None] = lambda: None
) -> Iterator[Renderer]:
    """A Renderer, whose folder is removed at the end. `go_on` raises where nothing more is to be
    rendered.
    """
    folder = Path(tempfile.mkdtemp(prefix="kserve-lite-"))
    try:
        yield Renderer(folder, charts, go_on)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _files(chart: Path) -> dict[str, str]:
    """The files of a chart that its objects come from, by path."""
    return {
        file.relative_to(chart).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(chart.rglob("*"))
        if file.is_file() and file.name not in _LEFT_OUT
    }


def _given(wanted: Installation) -> JsonObject:
    """The values that Helm gets for an installation."""
    values = wanted.values
    if wanted.chart == MODELS and (known := rendering.platform_namespace(values, wanted.release)):
        merged: JsonObject = merge(values.merged, {"global": {"platformNamespace": known}})
        return merged
    return values.merged


def _has_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    if isinstance(value, list):
        return any(map(_has_null, value))
    return value is None
