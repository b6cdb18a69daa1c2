"""A side of a comparison: the objects of values, manifests or charts, as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from generator import CHART, MODELS, helm
from generator.errors import GeneratorError, Problem, ValuesError
from generator.importer.objects import documents as split
from generator.manifests import rendering
from generator.manifests.parsing import documents
from generator.output.record import NAME
from generator.release import DEFAULT, Release
from generator.values.load import Values
from generator.values.sources import Source, read_source, read_sources
from generator.yaml.data import JsonObject
from generator.yaml.document import decode, parse
from generator.yaml.kubernetes import KubernetesReader

_MANIFESTS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Text:
    """One document as text, what to call it in messages, and the lines of the file before it.

    `data` is the object in it, where that is known already.
    """

    text: str
    source: str
    lines_before: int = 0
    data: JsonObject | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, data: JsonObject, source: str) -> Text:
        """The text of an object."""
        return cls(json.dumps(data, sort_keys=True), source, data=data)


@dataclass(frozen=True)
class Side:
    """What is on one side: documents, each with one object or a list of them."""

    name: str
    texts: tuple[Text, ...]
    is_charts: bool = False


def charts_in(name: str) -> list[Path]:
    """The charts that `name` stands for: itself, a .tgz, or what `generator chart` writes into a
    folder, side by side; none if it is something else.
    """
    path = Path(name)
    if name.endswith(".tgz") and path.is_file():
        return [path]
    folders = (path, path / CHART, path / MODELS)
    return [folder for folder in folders if (folder / "Chart.yaml").is_file()]


def clusters_in(name: str) -> list[str]:
    """The clusters in a folder that `generator fleet` writes; none if it is something else.

    A folder that has other manifests as well is no fleet: they would be passed over.
    """
    folder = Path(name)
    if not folder.is_dir() or (folder / NAME).exists():
        return []
    visible = [each for each in folder.iterdir() if not each.name.startswith(".")]
    clusters = {each.name for each in visible if (each / NAME).is_file()}
    others = (each for each in visible if each.name not in clusters)
    if any(each.is_dir() or each.suffix in _MANIFESTS for each in others):
        return []
    return sorted(clusters)


def read_side(name: str, values: Sequence[str], release: Release) -> Side:
    """What `name` stands for: a values file or `-`, a folder of manifests, a chart or its .tgz.

    `values` are for charts, which are rendered with them. Raises GeneratorError for what is none of
    these, and whatever reading or rendering raises.
    """
    (side,) = _read([name], values, release)
    return side


def applied_side(name: str | None, values: Sequence[str], release: Release) -> Side:
    """What would be applied: what `name` stands for, or without a name what Helm makes of values.

    The Namespaces beside that are what `helm install --create-namespace` makes, and no upgrade.
    """
    if name is not None:
        return read_side(name, values, release)
    from generator.values.check import read  # noqa: PLC0415

    rendered = rendering.render(read(values), release)
    texts = (Text(each.text, f"{each.chart}/{each.source}") for each in rendered if each.source)
    return Side(", ".join(values) or "the default values", tuple(texts))


def read_sides(
    old: str,
    new: str,
    values: Sequence[str] = (),
    release: Release = DEFAULT,
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Side, Side]:
    """Both sides, which are read at the same time. Raises what `read_side` raises, for both.

    What this process itself has to do, `meanwhile` as well, it does while Helm renders.
    """
    one, other = _read([old, new], values, release, meanwhile=meanwhile)
    return one, other


def _read(
    names: Sequence[str],
    values: Sequence[str],
    release: Release,
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Side]:
    """The sides of these names. Raises ValuesError with what is wrong with any of them."""
    # Once for all charts: standard input and pipes cannot be read again.
    given = read_sources(values) if any(map(charts_in, names)) else ()
    sides: list[Side] = []
    problems: list[Problem] = []
    with ThreadPoolExecutor() as pool:
        begun = [_begin(pool, name, given, release) for name in names]
        meanwhile()
        for end in begun:
            try:
                sides.append(end())
            except ValuesError as error:
                problems += error.problems
    if problems:
        raise ValuesError(problems)
    return sides


def _begin(
    pool: Executor, name: str, given: Sequence[Source], release: Release
) -> Callable[[], Side]:
    """Begin to read a side; what ends it, and raises what is wrong with the values in it."""
    try:
        if charts := charts_in(name):
            tasks = [pool.submit(_chart, each, given, release) for each in charts]
            return lambda: _of_charts(name, [task.result() for task in tasks])
        if Path(name).is_dir():
            return lambda: Side(name, tuple(_folder(Path(name))))
        parsed = Values.parsed([name])
        rendered = rendering.begin(pool, parsed, release)
    except ValuesError as error:
        failed = Future[Side]()
        failed.set_exception(error)
        return failed.result

    def end() -> Side:
        _refuse(parsed)
        return Side(name, tuple(Text(each.text, name) for each in rendered()))

    return end


def _refuse(values: Values) -> None:
    """Raise ValuesError for values that are wrong. Imported here: Helm renders meanwhile."""
    from generator.values.check import refuse  # noqa: PLC0415

    refuse(values)


def _of_charts(name: str, texts: Sequence[Sequence[Text]]) -> Side:
    return Side(name, tuple(chain.from_iterable(texts)), is_charts=True)


def _chart(chart: Path, given: Sequence[Source], release: Release) -> list[Text]:
    """What Helm makes of a chart; models have a release and a namespace of their own.

    The values of our charts are checked; what values those of others have, their charts know.
    """
    name = _chart_name(chart)
    ours = name in (CHART, MODELS)
    values = Values.of(given) if ours else Values(tuple(given))
    _refuse(values)
    more = ["--include-crds"]
    # The default is the charts' own, unless values that are baked in say another.
    unsaid = rendering.platform_namespace(values, release)
    if name == MODELS and unsaid not in ("", DEFAULT.namespace):
        more += ["--set-string", f"global.platformNamespace={unsaid}"]
    rendered = helm.template(
        chart,
        values,
        release=release.called(name),
        namespace=release.home(name),
        more=more,
    )
    return [Text(text, f"{chart}/{file}") for _, file, text in documents(rendered)]


def _chart_name(chart: Path) -> str:
    """The name in a chart's Chart.yaml. Raises GeneratorError for a .tgz without one."""
    name = str(chart / "Chart.yaml")
    content = read_source(name).content if chart.is_dir() else _packed(chart)
    data = parse(decode(content, name), name, reader=KubernetesReader).data
    return str(data.get("name")) if isinstance(data, dict) else ""


def _packed(chart: Path) -> bytes:
    """The Chart.yaml of a packaged chart."""
    import tarfile  # noqa: PLC0415

    try:
        with tarfile.open(chart) as archive:
            names = [name for name in archive.getnames() if name.count("/") == 1]
            file = archive.extractfile(next(name for name in names if name.endswith("/Chart.yaml")))
            return file.read() if file else b""
    except (tarfile.TarError, StopIteration, OSError, EOFError):
        raise GeneratorError(f"{chart}: is not a packaged chart; see helm package") from None


def _folder(folder: Path) -> Iterator[Text]:
    """The manifests below a folder."""
    files = sorted(_files(folder, set()))
    if not files:
        raise GeneratorError(f"{folder}: holds no manifest (.yaml, .yml, .json) and no chart")
    for source in read_sources(files):
        for lines_before, text in split(source.content, source.name):
            yield Text(text, source.name, lines_before)


def _files(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """The files with manifests, behind links too; neither what is hidden nor kustomize's own."""
    seen.add(folder.resolve())
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.resolve() not in seen:
                yield from _files(path, seen)
        elif path.suffix not in _MANIFESTS or path.stem == "kustomization":
            continue
        # A link that leads nowhere is an error of whoever reads it; a pipe would not end.
        elif path.is_file() or not path.exists():
            yield path
