"""`python -m benchmarks.cluster`, as root: what CRDs cost a cluster, ours beside upstream's.

Upstream's are the full ones of the same version, read from its Go module. "The same six" are the
kinds that our chart has too; "all" are also those of its LLM and local model charts. Each set is
measured on a fresh control plane (tests/cluster), one after the other; claims are ratios within a
round, and as elsewhere their median.

memory    growth of the API server's live heap, from no CRDs to all of them served
served    from `kubectl apply` to the last kind Established and in the API server's OpenAPI
accepted  from `helm install --wait` of the platform with these CRDs to an accepted model.
          The certificate Job and the controller's start take most of it whatever the CRDs are, so
          that all it can show is that ours make no first install slower
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.timing import verdict
from codegen import upstream
from generator.errors import GeneratorError
from tests.cluster.harness import own, webhooks
from tests.cluster.harness.cluster import Cluster, Release
from tests.rendering import STOCK

ROUNDS = 3

Figures = dict[str, float]


@dataclass(frozen=True)
class Claim:
    """A figure of our CRDs is at most `limit` times that of upstream's."""

    name: str
    measure: str
    figure: str
    theirs: str
    limit: float


CLAIMS = (
    Claim("API server's heap, CRDs / upstream's same six", "crds", "memory", "six", 0.4),
    Claim("API server's heap, CRDs / all of upstream's", "crds", "memory", "all", 0.15),
    Claim("seconds to served CRDs / upstream's same six", "crds", "served", "six", 0.7),
    Claim("seconds to served CRDs / all of upstream's", "crds", "served", "all", 0.3),
    Claim("seconds to a first model / with upstream's same six", "install", "accepted", "six", 1.1),
)


def files(whose: str) -> list[Path]:
    """The CRDs: "ours", "six" or "all"."""
    ours = sorted((STOCK / "crds").iterdir())
    theirs = upstream.folder(upstream.KSERVE) / "config" / "crd" / "full"
    found = {file.name: file for file in sorted(theirs.rglob("serving.kserve.io_*.yaml"))}
    return {
        "ours": ours,
        "six": [found[crd.name] for crd in ours],
        "all": list(found.values()),
    }[whose]


def crds(cluster: Cluster, them: Sequence[Path]) -> Figures:
    """Apply CRDs to a cluster that has none."""
    arguments = [word for file in them for word in ("-f", str(file))]
    before = heap(cluster)
    start = time.perf_counter()
    cluster.kubectl("apply", "--server-side", *arguments)
    # `kubectl wait` fails at once on a CRD that has no conditions yet.
    established = ("wait", "--for=condition=Established", *arguments)
    cluster.wait("all are Established", lambda: cluster.kubectl(*established))
    wanted = {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
        for crd in cluster.list("crd")
        for version in crd["spec"]["versions"]
    }
    cluster.wait(
        "all are in OpenAPI", lambda: wanted <= served(cluster, {group for group, _ in wanted})
    )
    seconds = time.perf_counter() - start
    return {"memory": heap(cluster) - before, "served": seconds}


def served(cluster: Cluster, versions: set[str]) -> set[tuple[str, str]]:
    """The kinds that OpenAPI knows in some group versions."""
    return {
        (version, kind["kind"])
        for version in versions
        for schema in json.loads(cluster.kubectl("get", "--raw", f"/openapi/v3/apis/{version}"))[
            "components"
        ]["schemas"].values()
        for kind in schema.get("x-kubernetes-group-version-kind", [])
    }


def heap(cluster: Cluster) -> float:
    """The API server's live heap in MiB: the least of some readings, garbage collected for each."""
    found = []
    for _ in range(4):
        time.sleep(1)
        profile = cluster.kubectl("get", "--raw", "/debug/pprof/heap?gc=1&debug=1")
        found.append(int(re.findall(r"# HeapAlloc = (\d+)", profile)[0]) / 2**20)
    return min(found)


def install(cluster: Cluster, them: Sequence[Path]) -> Figures:
    """Install the platform, with these CRDs in the place of its own, until it takes a model."""
    chart = shutil.copytree(STOCK, own.FOLDER / "chart", ignore=lambda *_: ["crds"])
    (chart / "crds").mkdir()
    for file in them:
        shutil.copy(file, chart / "crds")
    models = cluster.namespace("models")
    release = Release(cluster, cluster.namespace("kserve"), chart=chart)
    start = time.perf_counter()
    release.install()
    webhooks.wait(cluster, models)
    return {"accepted": time.perf_counter() - start}


MEASURES: dict[str, Callable[[Cluster, Sequence[Path]], Figures]] = {
    "crds": crds,
    "install": install,
}


def measured(measure: str, whose: str) -> Figures:
    """The figures of one set of CRDs on a control plane of its own."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        argv = [sys.executable, "-m", "benchmarks.cluster", measure, whose]
        if code := own.inside(argv, stdout=answer):
            raise SystemExit(code)
        answer.seek(0)
        figures: Figures = json.load(answer)
    said = ", ".join(f"{name} {figure:.1f}" for name, figure in figures.items())
    print(f"{measure} {whose}: {said}", file=sys.stderr, flush=True)
    return figures


def main(arguments: Sequence[str]) -> int:
    """Print a line a claim; 1 if one does not hold. With arguments, take one measure."""
    if arguments:
        measure, whose = arguments
        with own.running() as cluster:
            print(json.dumps(MEASURES[measure](cluster, files(whose))))
        return 0
    pairs = sorted({(claim.measure, whose) for claim in CLAIMS for whose in ("ours", claim.theirs)})
    try:
        own.check()
        own.build()
        upstream.folder(upstream.KSERVE)  # Where it is measured is no network.
        rounds = [{pair: measured(*pair) for pair in pairs} for _ in range(ROUNDS)]
    except GeneratorError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    missed = 0
    for claim in CLAIMS:
        ratio = median(
            figures[claim.measure, "ours"][claim.figure]
            / figures[claim.measure, claim.theirs][claim.figure]
            for figures in rounds
        )
        missed += not verdict(claim.name, ratio, claim.limit)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
