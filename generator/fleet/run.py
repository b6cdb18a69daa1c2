"""A run over a fleet: each cluster read, rendered and written by itself, several at once.

1. The files of a cluster are read, and the cluster is passed over if its folder is what the last
   run left and comes from the same (memory.py).
2. The others are checked, and rendered in batches by as many runs of Helm as there are processors
   (work.py, batch.py).
3. Each folder is written as `manifests` writes one: all of it or nothing, by its own record.

What is wrong with a cluster ends nothing but that cluster, whose folder stays as it is.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait

from generator.fleet import batch, memory
from generator.fleet.discovery import Cluster
from generator.fleet.work import Fleet, Outcome, Read, Work

_BATCH = 16  # clusters for one run of Helm, which takes some 3 MB for each
_QUEUED = 2  # batches per job: one at work, one waiting


def run(fleet: Fleet, clusters: Sequence[Cluster]) -> Iterator[Outcome]:
    """Render the clusters; the outcome of each, in the order in which they are done.

    Whoever stops asking ends the run: each folder is then before or after. Raises ToolMissing
    without Helm.
    """
    jobs = fleet.jobs or len(os.sched_getaffinity(0))
    size = min(_BATCH, math.ceil(len(clusters) / jobs))
    names = {cluster.name for cluster in clusters}
    recalled = memory.recall(fleet.output).items()
    work = Work(fleet, {name: each for name, each in recalled if name in names})
    try:
        with batch.renderer(go_on=work.go_on) as renderer, ThreadPoolExecutor(jobs) as pool:
            try:
                yield from _Batches(work, renderer, pool, jobs).take(clusters, size)
            except BaseException:
                work.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        if fleet.writes:
            memory.keep(fleet.output, work.known)


class _Batches:
    """Hands clusters to the pool, a batch at a time, so that few are in memory."""

    def __init__(self, work: Work, renderer: batch.Renderer, pool: Executor, jobs: int) -> None:
        self._work, self._renderer, self._pool = work, renderer, pool
        self._queued = jobs * _QUEUED
        self._tasks: set[Future[list[Outcome]]] = set()

    def take(self, clusters: Sequence[Cluster], size: int) -> Iterator[Outcome]:
        """The outcomes of clusters, `size` of which are a batch."""
        waiting: list[Read] = []
        for cluster in clusters:
            found = self._work.read(cluster)
            if isinstance(found, Outcome):
                yield found
                continue
            waiting.append(found)
            if len(waiting) == size:
                yield from self._submit(waiting)
                waiting = []
        if waiting:
            yield from self._submit(waiting)
        while self._tasks:
            yield from self._done()

    def _submit(self, found: list[Read]) -> Iterator[Outcome]:
        self._tasks.add(self._pool.submit(self._work.render, self._renderer, found))
        if len(self._tasks) >= self._queued:
            yield from self._done()

    def _done(self) -> Iterator[Outcome]:
        done, self._tasks = wait(self._tasks, return_when=FIRST_COMPLETED)
        for task in done:
            yield from task.result()
