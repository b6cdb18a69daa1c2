"""A cluster as its users see it: through kubectl and Helm.

cluster.kubectl("get", "pods", "-A")              what kubectl prints; ToolFailed if it refuses
cluster.helm("list", "-A", program="helm3")       the same for Helm
cluster.bash("kubectl …; helm …")                 what lines of a shell print
cluster.apply(text, object, …)                    kubectl apply of YAML or objects
cluster.get("deployment", "name", "namespace")    an object, or None
cluster.list("pods", "namespace", "a=b")          objects
cluster.wait("what", lambda: …)                   what the function returns, once that is true
cluster.namespace("models")                       a new namespace with a name of its own
cluster.empty()                                   no KServe, not even its CRDs
cluster.control_plane, cluster.node               to kill; None where the cluster is a given one

with installed(cluster, "--set", "a=b") as release: …   and all of it is gone afterwards
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pytest

from generator import MODELS, process, tools
from generator.errors import ToolFailed
from tests.cluster.harness import removal
from tests.cluster.harness.node import Node
from tests.cluster.harness.plane import ControlPlane
from tests.cluster.harness.reader import Reader
from tests.rendering import ROOT, STOCK, Object

T = TypeVar("T")

BOTH_HELMS = pytest.mark.parametrize("program", ["helm", "helm3"], scope="module")

_GROUP = ".serving.kserve.io"
_WAITING = ("install", "upgrade", "rollback")
_PATIENCE = 10  # A given cluster pulls images and runs them.
_LEAVING = re.compile(r"resource (\w+)/([^/\s]*)/(\S+) still exists\. status: Terminating")
_LIMIT = 660  # Seconds: longer than anything waits, so that what hangs fails and is named.


class Cluster:
    """A cluster of our own, or with `control_plane` and `node` None, a given one."""

    def __init__(
        self,
        environment: Mapping[str, str] = {},
        control_plane: ControlPlane | None = None,
        node: Node | None = None,
    ) -> None:
        self.environment = environment
        self.control_plane = control_plane
        self.node = node
        self._namespaces: list[str] = []

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.environment, self.control_plane.folder if self.control_plane else None)

    def kubectl(
        self, *arguments: str, stdin: str | None = None, accept: Sequence[int] = (0,)
    ) -> str:
        """Run kubectl. Raises ToolFailed with what it said, unless `accept` has its exit code."""
        if arguments[0] == "wait":  # By itself for half a minute, which is little under load.
            arguments = ("wait", "--timeout=3m", *arguments[1:])
        argv = [str(tools.find("kubectl")), *arguments]
        return process.run(
            argv, environment=self.environment, stdin=stdin, accept=accept, timeout=_LIMIT
        )

    def helm(self, *arguments: str, program: str = "helm") -> str:
        """Run Helm 4, or `program` helm3. Raises ToolFailed with what it said."""
        argv = [str(tools.find(program)), *arguments]
        return process.run(argv, environment=self.environment, timeout=_LIMIT)

    def bash(self, script: str, cwd: Path = ROOT) -> str:
        """Run lines of a page or of NOTES as printed, until one fails; what they print."""
        argv = ["bash", "-ec", script]
        return process.run(argv, cwd=cwd, environment=self.terminal, timeout=_LIMIT)

    @property
    def terminal(self) -> dict[str, str]:
        """The variables of a terminal: it finds kubectl and Helm, and they this cluster."""
        folders = {str(tools.find(name).parent) for name in ("helm", "kubectl")}
        path = os.pathsep.join([*sorted(folders), os.environ["PATH"]])
        return {**self.environment, "PATH": path}

    def apply(self, *objects: Object | str, namespace: str = "default") -> str:
        """`kubectl apply` of objects, or of YAML."""
        texts = [
            manifest if isinstance(manifest, str) else json.dumps(manifest) for manifest in objects
        ]
        return self.kubectl("apply", "-n", namespace, "-f", "-", stdin="\n---\n".join(texts))

    def get(self, kind: str, name: str, namespace: str = "default") -> Object | None:
        """An object, if it is there."""
        return self._reader.get(kind, name, namespace)

    def list(self, kind: str, namespace: str = "", selector: str = "") -> list[Object]:
        """The objects of a kind, of one namespace or of all, that have some labels or any."""
        return self._reader.list(kind, namespace, selector)

    def wait(self, what: str, probe: Callable[[], T | None], timeout: float = 180) -> T:
        """What `probe` returns, as soon as that is true; that it is refused counts as not yet."""
        deadline = time.monotonic() + timeout * (1 if self.node else _PATIENCE)
        while True:
            refusal = ""
            try:
                if found := probe():
                    return found
            except ToolFailed as error:
                refusal = f": {error}"
            assert time.monotonic() < deadline, f"not within {timeout:.0f} s: {what}{refusal}"
            time.sleep(0.2)

    def namespace(self, prefix: str, *, enforce: str = "restricted") -> str:
        """A new namespace that enforces a level of Pod Security, with all it is given; its name."""
        name = f"{prefix}-{secrets.token_hex(3)}"
        self._namespaces.append(name)
        metadata = {"name": name, "labels": {"pod-security.kubernetes.io/enforce": enforce}}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        # Without its ServiceAccount it takes no pod.
        given = (("serviceaccount", "default"), ("configmap", "kube-root-ca.crt"))
        self.wait(f"{name} has {given}", lambda: all(self.get(*each, name) for each in given))
        return name

    def uninstall(self, *arguments: str, program: str = "helm") -> str:
        """`helm uninstall`; what it prints.

        Helm 4's wait may end while something is on its way out, which Helm then calls an error
        (waitForDelete in its pkg/kube/statuswait.go). In that case this waits.
        """
        try:
            return self.helm("uninstall", *arguments, program=program)
        except ToolFailed as error:
            said = str(error)
            leaving = _LEAVING.findall(said)
            if f"completed with {len(leaving)} error(s)" not in said:
                raise
        self.wait(said, lambda: not any(self.get(kind, name, home) for kind, home, name in leaving))
        return said

    def reset(self) -> None:
        """Take away the releases and the models that tests have left. CRDs and namespaces stay."""
        releases = json.loads(self.helm("list", "--all-namespaces", "-o", "json"))
        # The platform last: without its controller nothing lets go of a model.
        for release in sorted(releases, key=lambda release: release["name"] == Release.name):
            if release["namespace"] in self._namespaces:
                self.uninstall(release["name"], "-n", release["namespace"], "--wait")
        if kinds := ",".join(self.crds(_GROUP)):
            for resource in self.list(kinds):
                metadata = resource["metadata"]
                if "finalizers" in metadata:  # Without the controller nobody takes them off.
                    where = (resource["kind"], metadata["name"], "-n", metadata["namespace"])
                    nothing = '{"metadata": {"finalizers": null}}'
                    self.kubectl("patch", *where, "--type=merge", "--patch", nothing)
            self.kubectl("delete", kinds, "--all", "--all-namespaces")

    def empty(self) -> None:
        """`reset`, and take the CRDs away."""
        self.reset()
        removal.made_of_models(self)
        self.delete_crds(self.crds(_GROUP))

    def crds(self, group: str = "") -> set[str]:
        """The names of the CRDs that are there, all or those of a group."""
        return {name for name in self._reader.names("crd") if name.endswith(group)}

    def delete_crds(self, names: Iterable[str]) -> None:
        """Delete CRDs, until they are gone."""
        removal.crds(self, names)

    def leave(self) -> None:
        """`empty`, and take the namespaces away: nothing of the tests is left."""
        self.empty()
        for name in self._namespaces:
            self.kubectl("delete", "namespace", name, "--ignore-not-found")


@dataclass(frozen=True)
class Release:
    """A release of a chart, and the Helm that it is handled with.

    What changes it waits, unless it is one of models: Helm cannot wait for those (docs/waiting.md).
    """

    cluster: Cluster
    namespace: str
    program: str = "helm"
    chart: Path = STOCK
    name: str = "kserve-lite"

    def install(self, *arguments: str) -> str:
        """`helm install`; what it prints."""
        return self.helm("install", *arguments)

    def upgrade(self, *arguments: str) -> str:
        """`helm upgrade`; what it prints."""
        return self.helm("upgrade", *arguments)

    def rollback(self, revision: int) -> str:
        """`helm rollback`; what it prints."""
        return self.helm("rollback", str(revision))

    def uninstall(self, *arguments: str) -> str:
        """`helm uninstall`; what it prints."""
        _, *rest = self.command("uninstall", *arguments)
        return self.cluster.uninstall(*rest, program=self.program)

    def helm(self, verb: str, *arguments: str) -> str:
        """Any command of Helm that takes the release; what it prints."""
        return self.cluster.helm(*self.command(verb, *arguments), program=self.program)

    def command(self, verb: str, *arguments: str) -> list[str]:
        """The arguments of Helm for a command on the release."""
        chart = [str(self.chart)] if verb in ("install", "upgrade") else []
        waits = verb == "uninstall" or (verb in _WAITING and self.chart.name != MODELS)
        wait = ["--wait"] if waits else []
        return [verb, self.name, *chart, "--namespace", self.namespace, *wait, *arguments]


@contextlib.contextmanager
def installed(cluster: Cluster, *arguments: str, program: str = "helm") -> Iterator[Release]:
    """The platform, installed with `arguments` in a namespace of its own and removed afterwards."""
    release = Release(cluster, cluster.namespace("kserve"), program)
    try:
        release.install(*arguments)
        yield release
    finally:
        cluster.reset()
