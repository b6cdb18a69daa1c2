"""`python -m benchmarks.fleet`, and part of `make bench`: what a fleet of 100 clusters costs.

Each cluster has a domain and a number of replicas of its own over a base that publishes models with
Istio. A fleet is rendered and written to the disk, into a new folder; the loops only render. A loop
over 100 clusters is measured over ten of them, which are new for each round.

upstream   `helm template` of KServe's own charts of the same version: CRDs, resources, runtimes
ours       `helm template` of our platform chart with its CRDs
memory     the most that any process of a run had, for 1,000 clusters and for 100
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.timing import ROOT, environment, seconds, verdict
from codegen import upstream
from generator import tools
from generator.errors import GeneratorError

ROUNDS = 5
CLUSTERS, LOOPED, MANY = 100, 10, 1000
CHART = ROOT / "charts" / "kserve-lite"
THEIRS = ("kserve-crd", "kserve-resources", "kserve-runtime-configs")
BASE = "routing: {mode: virtualService, domain: example.com}\ncontroller: {replicas: 2}\n"


class Bench:
    """The commands, with clusters in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._base = folder / "base.yaml"
        self._base.write_text(BASE)
        self._helm = str(tools.find("helm"))
        self._numbers = itertools.count()
        self.clusters = self.made("clusters", CLUSTERS)

    def made(self, name: str, count: int) -> Path:
        """A folder of so many clusters."""
        folder = self.folder / name
        folder.mkdir()
        for number in range(count):
            text = f"routing: {{domain: c{number}.example.com}}\n"
            text += f"controller: {{replicas: {number % 3 + 2}}}\n"
            (folder / f"c{number}.yaml").write_text(text)
        return folder

    def fleet(self, clusters: Path, output: Path | None = None) -> tuple[str, ...]:
        """The command that renders a fleet; into a new folder, if none is named."""
        output = output or self.folder / f"out{next(self._numbers)}"
        words = ("-f", str(self._base), str(clusters), "-o", str(output), "--quiet")
        return (sys.executable, "-m", "generator", "fleet", *words)

    def ours(self) -> list[Sequence[str]]:
        """The commands of a loop over our chart, for LOOPED clusters."""
        return [
            (
                *(self._helm, "template", "kserve-lite", str(CHART), "-n", "kserve"),
                *("--include-crds", "-f", str(self._base), "-f", str(file)),
            )
            for file in self._some()
        ]

    def theirs(self) -> list[Sequence[str]]:
        """The commands of a loop over upstream's charts, for LOOPED clusters."""
        charts = upstream.folder(upstream.KSERVE) / "charts"
        return [
            (
                self._helm,
                "template",
                chart,
                str(charts / chart),
                "-n",
                "kserve",
                "--set",
                f"a={file.stem}",
            )
            for file in self._some()
            for chart in THEIRS
        ]

    def version(self) -> Sequence[str]:
        """The command that has Helm start and end."""
        return (self._helm, "version")

    def _some(self) -> list[Path]:
        return sorted(self.clusters.iterdir())[:LOOPED]


def peak(command: Sequence[str]) -> int:
    """The most memory, in KiB, that a command or one of its children had."""
    child = os.posix_spawn(command[0], list(command), os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ends with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss


def speed(bench: Bench) -> int:
    """Print the claims about time; how many do not hold."""
    try:
        theirs = bench.theirs()
    except GeneratorError as error:
        theirs = []
        print(f"not measured: upstream's charts: {error}")
    ratios: dict[str, list[float]] = {"theirs": [], "ours": [], "unchanged": []}
    share = CLUSTERS / LOOPED
    timed = functools.partial(seconds, environment=environment(bench.folder / "modules"))
    timed(bench.fleet(bench.clusters))  # To have the modules compiled.
    for number in range(ROUNDS):
        output = bench.folder / f"round{number}"
        took = timed(bench.fleet(bench.clusters, output))
        again = timed(bench.fleet(bench.clusters, output))
        ratios["unchanged"].append(again / timed(bench.version()))
        ratios["ours"].append(took / (timed(*bench.ours()) * share))
        if theirs:
            ratios["theirs"].append(took / (timed(*theirs) * share))
    claims = (
        ("theirs", "fleet of 100, to helm template of upstream's three charts for each", 0.1),
        ("ours", "fleet of 100, to helm template of our platform chart for each", 0.6),
        ("unchanged", "fleet of 100 that is unchanged, to helm version", 10),
    )
    return sum(
        not verdict(name, median(ratios[key]), limit) for key, name, limit in claims if ratios[key]
    )


def memory(bench: Bench) -> int:
    """Print the claim about memory; how many do not hold."""
    many = bench.made("many", MANY)
    ratio = peak(bench.fleet(many)) / peak(bench.fleet(bench.clusters))
    return not verdict("memory of a fleet of 1000, to one of 100", ratio, 1.25)


def main() -> int:
    """Print a line a claim; 1 if one does not hold."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        return 1 if speed(bench) + memory(bench) else 0


if __name__ == "__main__":
    raise SystemExit(main())
