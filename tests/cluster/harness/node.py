"""The node: a kubelet and containerd, with a registry that has every image."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

from generator import process
from tests.cluster.harness import cgroup, debian, image, kubelet
from tests.cluster.harness.hub import Hub
from tests.cluster.harness.plane import NODE_NAME, ControlPlane
from tests.rendering import Object

# What it says it has, so that what pods ask for always fits. Of each it is said once.
_PLENTY = {"cpu": "1000", "memory": "10Ti", "ephemeral-storage": "10Ti", "nvidia.com/gpu": "100"}
# What values and examples want of nodes.
_LABELS = {"pool": "models", "topology.kubernetes.io/zone": "here"}
# Claims get folders; which nobody needs to ask for by name.
_VOLUMES = {
    "metadata": {
        "name": "folder",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "kubernetes.io/host-path",
}
_NODE = f"/api/v1/nodes/{NODE_NAME}"


class Node:
    """Takes every pod of the cluster, and runs it."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._api = control_plane.api
        self._folder = control_plane.folder
        self._hub = Hub()
        kubelet.write(control_plane, group=cgroup.make(), hub=self._hub.host)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; returns when the node is ready."""
        self._hub.start()
        self._process = kubelet.start(self._folder)
        deadline = time.monotonic() + 60
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the node is not ready: {self._log()}")
            time.sleep(0.1)
        status = {"capacity": _PLENTY, "allocatable": _PLENTY}
        self._api.patch(f"{_NODE}/status", {"status": status})
        self._api.patch(_NODE, {"metadata": {"labels": _LABELS}})
        self._api.post("/apis/storage.k8s.io/v1/storageclasses", _VOLUMES)

    def stop(self) -> None:
        """End it, with all that runs on it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._hub.stop()

    def kill(self, container: str, pod: str = "") -> int:
        """End all running containers of that name, or those of one pod, as an OOM killer would.

        How many there were.
        """
        pods = self._api.get("/api/v1/pods")["items"]
        running = [
            status["containerID"].removeprefix("containerd://")
            for each in pods
            for status in each["status"].get("containerStatuses", [])
            if pod in ("", each["metadata"]["name"])
            and status["name"] == container
            and "running" in status["state"]
        ]
        for identity in running:
            for number in cgroup.processes(identity):
                with contextlib.suppress(ProcessLookupError):  # It ended meanwhile.
                    os.kill(number, signal.SIGKILL)
        return len(running)

    def digest(self, name: str) -> str:
        """The digest of an image in the registry that has every image."""
        return self._hub.manifest(name)

    @contextlib.contextmanager
    def asking_only(self, host: str) -> Iterator[None]:
        """It has no images any more, and gets them from one registry only, until the block ends."""
        registries, kept = self._folder / "registries", self._folder / "registries.before"
        registries.rename(kept)
        try:
            kubelet.ask(self._folder, host, host)
            kubelet.ask(self._folder, self._hub.host, image.PAUSE.partition("/")[0])
            if images := self._containerd("image", "ls", "-q").split():
                self._containerd("image", "rm", *images)
            yield
        finally:
            shutil.rmtree(registries)
            kept.rename(registries)

    def _containerd(self, *arguments: str) -> str:
        argv = ["ctr", f"--address={self._folder}/containerd.sock", "--namespace=k8s.io"]
        return process.run([*argv, *arguments], environment=debian.CONTAINERD.environment())

    def _is_ready(self) -> bool:
        try:
            found: Object = self._api.get(_NODE)
        except OSError:
            return False  # Not yet registered.
        conditions = found["status"].get("conditions", [])
        return ("Ready", "True") in [(each["type"], each["status"]) for each in conditions]

    def _log(self) -> str:
        logs = [self._folder / "logs" / f"{name}.log" for name in ("node", "containerd", "kubelet")]
        return "\n".join(log.read_text("utf-8")[-2000:] for log in logs if log.exists())
