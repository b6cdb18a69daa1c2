"""Helm: how it is called with values, and what its errors mean in terms of those values.

Helm reads the bytes that were checked, from descriptors; in what it says about them stand the names
that the user gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from generator import process, tools
from generator.catalog import catalog
from generator.errors import GeneratorError, Problem, ToolFailed, ValuesError
from generator.values.load import NOTHING, Values
from generator.values.sources import opened
from generator.yaml.path import Key

_DESCRIPTOR = re.compile(r"/dev/fd/(\d+)\b")
# A line that says no more than that there are others below is left out.
_AT = re.compile(r"^ *- at '(?P<path>[^']*)': (?!.*failed$)(?P<fact>.+)$", re.MULTILINE)
_TEMPLATE = re.compile(r"(?P<chart>[a-z-]+)/(?P<file>templates/[\w./-]+)")
_READS = re.compile(r"(?:\.Values|\$)\.([A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*)")
_WAY = re.compile(r"^.*(?:error converting YAML to JSON: |(?= at <[^>]*>: ))")
_NOISE = re.compile(r"^(?:helm \w+: )?(?:Error: )?|\n*Use --debug flag.*$", re.DOTALL)


def template(
    folder: Path,
    values: Values = NOTHING,
    *,
    release: str,
    namespace: str,
    helm: str = "helm",
    more: Sequence[str] = (),
) -> str:
    """What `helm template` prints for the chart in `folder`.

    Raises ValuesError for values that the chart refuses, GeneratorError for what it cannot render,
    ToolMissing without Helm, ToolFailed for whatever else it says.
    """
    # The version is pinned, or it would be the one that this Helm happens to be built with.
    version = catalog().versions.tested
    arguments = ("template", release, str(folder), "--namespace", namespace)
    return _run((*arguments, "--kube-version", version, *more), values, helm)


def lint(folder: Path, values: Values = NOTHING, *, helm: str = "helm") -> None:
    """`helm lint --strict`. Raises what `template` does, ToolFailed with the findings."""
    _run(("lint", "--strict", "--quiet", str(folder)), values, helm)


def record(release: str, namespace: str) -> str | None:
    """The objects that Helm keeps of a release, as it applied them; None if it knows none.

    Raises ToolFailed where its record may not be read, or no cluster answers.
    """
    program = str(tools.find("helm"))
    try:
        return process.run([program, "get", "manifest", release, "--namespace", namespace])
    except ToolFailed as error:
        if "release: not found" in str(error):
            return None
        raise ToolFailed(_NOISE.sub("", str(error).partition(": ")[2])) from None


def _run(arguments: Sequence[str], values: Values, helm: str) -> str:
    program = tools.find(helm)
    with opened(values.sources) as descriptors:
        given = [word for number in descriptors for word in ("--values", f"/dev/fd/{number}")]
        try:
            return process.run(
                [str(program), *arguments, *given],
                environment=process.brief(),
                descriptors=descriptors,
            )
        except ToolFailed as error:
            names = dict(zip(map(str, descriptors), values.sources, strict=True))
            said = _DESCRIPTOR.sub(
                lambda found: names[found[1]].name if found[1] in names else found[0], str(error)
            )
            raise meaning(said, values) from None


def meaning(said: str, values: Values) -> GeneratorError:
    """The error that stands for what Helm said: with file and line where values are to blame."""
    if "ERROR: " in said:
        return values.refusals(said)
    if values.documents and "values don't meet the specifications of the schema" in said:
        return _refused(said, values)
    where = _TEMPLATE.search(said)
    if where is None or not re.search(r"YAML parse error|template: |execution error", said):
        return ToolFailed(_NOISE.sub("", said) if "\n" in said else said)
    return _unrendered(said, where, values)


def _refused(said: str, values: Values) -> ValuesError:
    """Helm's schema findings, each at the value it is about."""
    problems = []
    for finding in _AT.finditer(said):
        steps = finding["path"].strip("/").split("/") if finding["path"] else []
        path = values.key(step.replace("~1", "/").replace("~0", "~") for step in steps)
        problems.append(values.problem(path, f"Helm refuses it: {finding['fact']}"))
    if not problems:
        problems = [Problem.plain(_NOISE.sub("", said))]
    return ValuesError(sorted(set(problems)))


def _unrendered(said: str, where: re.Match[str], values: Values) -> GeneratorError:
    """A template that these values break, at the values it reads there."""
    reason = " ".join(_NOISE.sub("", said).split())
    # The innermost place comes last, and says why.
    reason = _WAY.sub("", reason).strip()
    text = f"{where['chart']}: {where['file']} gives nothing usable with these values: {reason}"
    report = "and please report it: it should be refused"
    if paths := list(_read_there(said, values)):
        message = f"{text}; change it, {report}"
        return ValuesError([values.problem(path, message) for path in paths])
    part = "the models' entries" if "models" in where["chart"] else "the values of that component"
    return GeneratorError(f"{text}; look at {part}, {report}")


def _read_there(said: str, values: Values) -> Iterator[Key]:
    """What the user says of the values that an error names, or of their nearest parents."""
    for found in _READS.findall(said):
        steps = found.split(".")
        while steps and values.at(*steps) is None:
            steps.pop()
        if steps:
            yield values.key(steps)
