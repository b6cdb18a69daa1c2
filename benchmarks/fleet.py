"""`python -m benchmarks.fleet`, and part of `make bench`: what a fleet of 100 clusters costs.

Each cluster has a domain and a number of replicas of its own over a base that publishes models with
Istio. A fleet is rendered and written to the disk, into a new folder; the loops only render. A loop
over 100 clusters is measured over ten of them, which are new for each round.

upstream   `helm template` of KServe's own charts of the same version: CRDs, resources, runtimes
ours       `helm template` of our platform chart with its CRDs
memory     the most that any process of a run had, for 1,000 clusters and for 100
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.verdict import verdict
from codegen import upstream
from generator import process, tools
from generator.errors import GeneratorError

ROUNDS = 5
CLUSTERS, LOOPED, MANY = 100, 10, 1000
ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts" / "kserve-lite"
THEIRS = ("kserve-crd", "kserve-resources", "kserve-runtime-configs")
BASE = "routing: {mode: virtualService, domain: example.com}\ncontroller: {replicas: 2}\n"


class Bench:
    """The commands, with clusters in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._base = folder / "base.yaml"
        self._base.write_text(BASE)
        self._helm = str(tools.find("helm"))
        self._numbers = itertools.count()
        self.clusters = self.made("clusters", CLUSTERS)

    def made(self, name: str, count: int) -> Path:
        """A folder of so many clusters."""
        folder = self._folder / name
        folder.mkdir()
        for number in range(count):
            text = f"routing: {{domain: c{number}.example.com}}\n"
            text += f"controller: {{replicas: {number % 3 + 2}}}\n"
            (folder / f"c{number}.yaml").write_text(text)
        return folder

    def fleet(self, clusters: Path, output: Path | None = None) -> tuple[str, ...]:
        """The command that renders a fleet; into a new folder, if none is named."""
        output = output or self._folder / f"out{next(self._numbers)}"
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


def seconds(*commands: Sequence[str]) -> float:
    """Wall time of commands that must succeed, one after another."""
    start = time.perf_counter()
    for command in commands:
        process.run(command, cwd=ROOT)
    return time.perf_counter() - start


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
    for _ in range(ROUNDS):
        output = Path(tempfile.mkdtemp(dir=bench.clusters.parent)) / "out"
        took = seconds(bench.fleet(bench.clusters, output))
        again = seconds(bench.fleet(bench.clusters, output))
        ratios["unchanged"].append(again / seconds(bench.version()))
        ratios["ours"].append(took / (seconds(*bench.ours()) * share))
        if theirs:
            ratios["theirs"].append(took / (seconds(*theirs) * share))
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
