"""A side of a comparison: the objects of values, manifests or charts, as text."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from generator import CHART, MODELS, helm
from generator.errors import GeneratorError
from generator.manifests import rendering
from generator.manifests.parsing import split
from generator.release import DEFAULT, Release
from generator.values.check import read
from generator.values.load import Values
from generator.values.sources import read_sources
from generator.yaml.document import decode, parse

_MANIFESTS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Text:
    """One document as text, and what to call it in messages."""

    text: str
    source: str


@dataclass(frozen=True)
class Side:
    """What is on one side: documents, each with one object or a list of them."""

    name: str
    texts: tuple[Text, ...]

    def mentions(self, word: str) -> bool:
        """Whether the text of any object has `word` in it."""
        return any(word in each.text for each in self.texts)


def read_side(name: str, values: Sequence[str], release: Release) -> Side:
    """What `name` stands for: a values file or `-`, a folder of manifests, a chart or its .tgz.

    `values` are for charts, which are rendered with them. Raises GeneratorError for what is none of
    these, and whatever reading or rendering raises.
    """
    path = Path(name)
    if name.endswith(".tgz") and path.is_file():
        return Side(name, tuple(_chart(path, read(values), release)))
    if not path.is_dir():
        rendered = rendering.render(read([name]), release)
        return Side(name, tuple(Text(each.text, name) for each in rendered))
    # `generator chart` puts both charts side by side into a folder.
    folders = (path, path / CHART, path / MODELS)
    charts = [folder for folder in folders if (folder / "Chart.yaml").is_file()]
    if charts:
        given = read(values)
        return Side(name, tuple(text for each in charts for text in _chart(each, given, release)))
    return Side(name, tuple(_folder(path)))


def read_sides(
    old: str, new: str, values: Sequence[str] = (), release: Release = DEFAULT
) -> tuple[Side, Side]:
    """Both sides, which are read at the same time. Raises what `read_side` raises."""
    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(read_side, name, values, release) for name in (old, new)]
        first, second = (task.result() for task in tasks)
    return first, second


def _chart(chart: Path, values: Values, release: Release) -> Iterator[Text]:
    """What Helm makes of a chart; models have a release and a namespace of their own."""
    ours = _chart_name(chart) == MODELS
    rendered = helm.template(
        chart,
        values,
        release=release.models_name if ours else release.name,
        namespace=release.models if ours else release.namespace,
        more=["--include-crds"],
    )
    yield from (Text(each.text, f"{chart}/{each.source}") for each in split(rendered))


def _chart_name(chart: Path) -> str:
    """The name in a chart's Chart.yaml. Raises GeneratorError for a .tgz without one."""
    if chart.is_dir():
        text = (chart / "Chart.yaml").read_text(encoding="utf-8")
    else:
        try:
            with tarfile.open(chart) as archive:
                names = [name for name in archive.getnames() if name.count("/") == 1]
                inside = next(name for name in names if name.endswith("/Chart.yaml"))
                file = archive.extractfile(inside)
                text = file.read().decode() if file else ""
        except (tarfile.TarError, StopIteration, OSError):
            raise GeneratorError(f"{chart}: is not a packaged chart; see helm package") from None
    data = parse(text, str(chart / "Chart.yaml")).data
    return str(data.get("name")) if isinstance(data, dict) else ""


def _folder(folder: Path) -> Iterator[Text]:
    """The manifests below a folder, whatever is hidden aside."""
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix in _MANIFESTS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    if not files:
        raise GeneratorError(f"{folder}: holds no manifest (.yaml, .yml, .json) and no chart")
    for source in read_sources(files):
        yield Text(decode(source.content, source.name), source.name)
