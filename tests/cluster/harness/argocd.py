"""Argo CD: its controllers and its repository server as processes, by the cluster's API.

Of an installation of Argo CD there is what these read. Nobody asks its web server.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from codegen import upstream
from generator import process, tools
from tests.cluster.harness import debian, foreign
from tests.cluster.harness.cluster import Cluster
from tests.rendering import Object

PROGRAMS = ("argocd", "kustomize")
NAMESPACE = "argocd"
OWN_KEY = "timeout.reconciliation.jitter"
"""A key of argocd-cm that is not ours."""

_REDIS, _REPOSITORIES = 6379, 8081
_LABELS = {"app.kubernetes.io/part-of": "argocd"}


@dataclass(frozen=True)
class ArgoCd:
    """A running Argo CD."""

    cluster: Cluster

    def application(self, name: str) -> Object | None:
        """An Application, if it is there."""
        return self.cluster.get("application", name, NAMESPACE)

    def until_synced(self, name: str, revision: str, health: str = "Healthy") -> Object:
        """Wait until an Application has synced a commit, and has that health; what it is then."""
        what = f"is synced and {health}"
        return self.until(name, what, lambda found: is_synced(found, revision, health))

    def until(self, name: str, what: str, is_so: Callable[[Object], bool]) -> Object:
        """Wait until an Application, compared with Git again and again, is so; what it is then.

        Every retry of a sync waits twice as long as the one before.
        """

        def found() -> Object | None:
            application = self.refreshed(name)
            return application if application and is_so(application) else None

        try:
            return self.cluster.wait(f"{name} {what}", found, timeout=300)
        except AssertionError as error:
            status = (self.application(name) or {}).get("status", {})
            said = {
                key: status.get(key) for key in ("sync", "health", "conditions", "operationState")
            }
            raise AssertionError(f"{error}\n{json.dumps(said, indent=1)[:6000]}") from None

    def name_cluster(self, name: str) -> None:
        """Give the cluster that Argo CD runs in another name than in-cluster, as a list of many has."""
        data = {"name": name, "server": "https://kubernetes.default.svc", "config": "{}"}
        secret = _named("Secret", f"cluster-{name}")
        secret["metadata"]["labels"] = {"argocd.argoproj.io/secret-type": "cluster"}
        self.cluster.apply({**secret, "stringData": data}, namespace=NAMESPACE)

    def look(self, name: str) -> None:
        """Tell an ApplicationSet to look at Git now, as a webhook of the forge would."""
        refresh = ("argocd.argoproj.io/application-set-refresh=true", "--overwrite")
        self.cluster.kubectl("annotate", "applicationset", name, "-n", NAMESPACE, *refresh)

    def refreshed(self, name: str) -> Object | None:
        """An Application, which Argo CD is said to compare with Git now."""
        found = self.application(name)
        if found and "argocd.argoproj.io/refresh" not in found["metadata"].get("annotations", {}):
            refresh = ("argocd.argoproj.io/refresh=normal", "--overwrite")
            self.cluster.kubectl("annotate", "application", name, "-n", NAMESPACE, *refresh)
        return found


def is_synced(application: Object, revision: str, health: str) -> bool:
    """Whether an Application has synced a commit, has nothing else to do, and has that health.

    One that finds everything there has never done anything, and has no operationState.
    """
    status = application.get("status", {})
    sync = status.get("sync", {})
    done = status.get("operationState", {"phase": "Succeeded"})
    return (
        (sync.get("status"), sync.get("revision")) == ("Synced", revision)
        and status.get("health", {}).get("status") == health
        and done["phase"] == "Succeeded"
        and "operation" not in application
    )


def build() -> None:
    """Build what is missing. Raises ToolMissing or ToolFailed."""
    for name in PROGRAMS:
        tools.build(name)
    debian.REDIS.build()
    upstream.source(tools.TOOLS["argocd"])  # Its CRDs; where the tests run is no network.


def install(cluster: Cluster) -> None:
    """Its CRDs, its namespace, and the configuration that its programs read."""
    crds = upstream.source(tools.TOOLS["argocd"]) / "manifests" / "crds"
    apply = ("apply", "--server-side")
    for name in ("application", "applicationset", "appproject"):
        cluster.kubectl(*apply, "-f", str(crds / f"{name}-crd.yaml"))
        foreign.established(cluster, f"crd/{name}s.argoproj.io")
    cluster.kubectl("create", "namespace", NAMESPACE)
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }
    secret = {**_named("Secret", "argocd-secret"), "stringData": {"server.secretkey": "a" * 32}}
    names = ("argocd-cm", "argocd-cmd-params-cm", "argocd-rbac-cm")
    configuration = (_named("ConfigMap", name) for name in names)
    cluster.apply(project, secret, *configuration, namespace=NAMESPACE)
    # As somebody has set it, by the same `kubectl apply` that installs Argo CD as a rule.
    own = {**_named("ConfigMap", "argocd-cm"), "data": {OWN_KEY: "5s"}}
    cluster.apply(own, namespace=NAMESPACE)


def _named(kind: str, name: str) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _LABELS}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


@contextlib.contextmanager
def running(cluster: Cluster, folder: Path) -> Iterator[ArgoCd]:
    """Argo CD, which has been installed, until the block ends; its files and logs are in a folder."""
    environment = _environment(cluster, folder)
    redis = ["redis-server", "--port", str(_REDIS), "--save", "", "--bind", "127.0.0.1"]
    program = str(tools.find("argocd"))
    with contextlib.ExitStack() as stack:

        def start(name: str, *argv: str, **more: str) -> None:
            log = stack.enter_context((cluster_logs(folder) / f"{name}.log").open("wb"))
            running = subprocess.Popen(
                argv, env={**environment, **more}, cwd=folder, stdout=log, stderr=log
            )
            stack.callback(_end, running)

        start("redis", *redis, **debian.REDIS.environment())
        _listens(_REDIS)
        start(
            "argocd-repo-server",
            program,
            "--disable-tls",
            "--address=127.0.0.1",
            f"--port={_REPOSITORIES}",
            "--metrics-address=127.0.0.1",
            f"--redis=127.0.0.1:{_REDIS}",
            ARGOCD_BINARY_NAME="argocd-repo-server",
        )
        _listens(_REPOSITORIES)
        start(
            "argocd-application-controller",
            program,
            f"--namespace={NAMESPACE}",
            f"--repo-server=127.0.0.1:{_REPOSITORIES}",
            "--repo-server-plaintext",
            f"--redis=127.0.0.1:{_REDIS}",
            ARGOCD_BINARY_NAME="argocd-application-controller",
        )
        start(
            "argocd-applicationset-controller",
            program,
            f"--namespace={NAMESPACE}",
            f"--argocd-repo-server=127.0.0.1:{_REPOSITORIES}",
            "--repo-server-plaintext",
            "--metrics-addr=127.0.0.1:0",
            "--probe-addr=127.0.0.1:0",
            "--webhook-addr=127.0.0.1:0",
            ARGOCD_BINARY_NAME="argocd-applicationset-controller",
        )
        yield ArgoCd(cluster)


def health(manifest: Path, config: Path) -> str:
    """What Argo CD's own command says of the health of an object, by an argocd-cm in a file."""
    argv = ["admin", "settings", "resource-overrides", "health", str(manifest)]
    more = {"ARGOCD_BINARY_NAME": "argocd"}
    return process.run(
        [str(tools.find("argocd")), *argv, f"--argocd-cm-path={config}"], environment=more
    )


def cluster_logs(folder: Path) -> Path:
    """Where its programs write what they do."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    return logs


def _environment(cluster: Cluster, folder: Path) -> Mapping[str, str]:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "kustomize").symlink_to(tools.find("kustomize"))
    # It may run itself under this name, to be asked for credentials.
    (programs / "argocd").symlink_to(tools.find("argocd"))
    for name in ("tls", "ssh", "gpg", "tmp"):
        (folder / name).mkdir()
    return {
        **os.environ,
        **cluster.environment,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_TLS_DATA_PATH": str(folder / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "ssh"),
        "ARGOCD_GNUPGHOME": str(folder / "gpg"),
        "ARGOCD_CONTROLLER_REPLICAS": "1",
        "POD_NAMESPACE": NAMESPACE,
    }


def _listens(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on {port}")


def _end(running: subprocess.Popen[bytes]) -> None:
    running.terminate()
    try:
        running.wait(timeout=10)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
