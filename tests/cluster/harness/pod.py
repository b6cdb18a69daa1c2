"""Pods: a network, a root file system and containers."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from generator import process
from tests.cluster.harness import environment, plane
from tests.cluster.harness import volume as volumes
from tests.cluster.harness.api import Api, Refused
from tests.cluster.harness.container import Container, now, status
from tests.cluster.harness.image import PATH, Image, image, is_model_server
from tests.rendering import Object

_FETCHES = "storage-initializer"  # the container that fetches a model, before the others start
_REFRESH = 1.0  # seconds between looks at Secrets and ConfigMaps
_BIND = """
while [ "$1" != -- ]; do
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
    if [ "$1" = /dev ]; then mount -t tmpfs shm "$2/shm"; fi
    shift 2
done
shift
exec "$@"
"""


class Pod:
    """A pod whose images are known: it runs."""

    def __init__(
        self, api: Api, pod: Object, address: str, folder: Path, logs: Path, *, dns: str = ""
    ) -> None:
        self.pod = pod
        self._api = api
        self._folder = folder
        self._logs = logs
        self._root = folder / "root"
        self._root.mkdir(parents=True)
        logs.mkdir(parents=True)
        self._mounted: dict[Path, Object] = {}
        self._refresh_at = 0.0
        self._end_at: float | None = None
        spec = pod["spec"]
        policy = spec.get("restartPolicy", "Always")
        once = "OnFailure" if policy == "Always" else policy
        self.init = [
            Container(container, restart=once) for container in spec.get("initContainers", [])
        ]
        self.main = [Container(container, restart=policy) for container in spec["containers"]]
        host = spec.get("hostNetwork", False)
        self.address = plane.NODE if host else address
        self._sandbox = None if host else _sandbox(address, spec.get("securityContext", {}))
        if dns and not host and spec.get("dnsPolicy") == "ClusterFirst":
            self._resolve_by(dns)

    def advance(self) -> None:
        """Do what is due. Raises OSError while something that the pod mounts is not there."""
        if time.monotonic() >= self._refresh_at:
            self._refresh_at = time.monotonic() + _REFRESH
            for path, volume in self._mounted.items():
                if volume.keys() & volumes.REFRESHED:
                    self._fill(path, volume)
        if all(container.exit_code is not None for container in self.main):
            self.end(0)
            return
        for container in self.init:
            container.advance(self._launch, self.address)
            if not container.done:
                return
        for container in self.main:
            container.advance(self._launch, self.address)

    def end(self, grace: float) -> bool:
        """Ask every container to end, and after `grace` seconds end it; whether all have.

        Sidecars are asked last.
        """
        running = [container for container in (*self.init, *self.main) if container.running]
        if self._end_at is None:
            self._end_at = time.monotonic() + grace
        others = [container for container in running if not container.sidecar]
        for container in others or running:
            container.terminate()
            if time.monotonic() >= self._end_at:
                container.kill()
        return not running

    def remove(self) -> None:
        """Take away what is left of it."""
        for container in (*self.init, *self.main):
            container.kill()
        if self._sandbox is not None:
            self._sandbox.kill()
            self._sandbox.wait()
        shutil.rmtree(self._folder)

    def status(self) -> Object:
        """Its status, without the times of its conditions."""
        prepared = all(container.done for container in self.init)
        codes = [container.exit_code for container in self.main]
        if not any(code is None for code in codes):
            phase = "Failed" if any(codes) else "Succeeded"
        elif any(container.exit_code for container in self.init):
            phase = "Failed"
        else:
            phase = (
                "Running"
                if prepared and any(container.started for container in self.main)
                else "Pending"
            )
        serving = (*self.main, *(container for container in self.init if container.sidecar))
        ready = phase == "Running" and all(container.ready for container in serving)
        conditions = {"Initialized": prepared, "ContainersReady": ready, "Ready": ready}
        return {
            **_status(phase, self.address, conditions),
            "initContainerStatuses": [container.status() for container in self.init],
            "containerStatuses": [container.status() for container in self.main],
        }

    def _launch(self, spec: Object) -> subprocess.Popen[bytes]:
        found = image(spec["image"])
        assert found is not None
        named = {volume["name"]: volume for volume in self.pod["spec"].get("volumes", [])}
        for mount in spec.get("volumeMounts", []):
            path = self._root / mount["mountPath"].removeprefix("/")
            self._fill(path, named[mount["name"]])
            self._mounted[path] = named[mount["name"]]
        network = [] if self._sandbox is None else _enter(self._sandbox)
        variables = environment.variables(spec, self._field)
        command = [*spec.get("command", found.entrypoint), *spec.get("args", [])]
        command = environment.expanded(command, variables)
        with (self._logs / f"{spec['name']}.log").open("ab") as log:
            return subprocess.Popen(
                [*network, *self._mount(found, spec), *self._chroot(spec, found.user), *command],
                env={"PATH": PATH} | found.environment | self._always() | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # One group of processes, which ends together.
            )

    def _resolve_by(self, server: str) -> None:
        """Names are looked up as dnsPolicy ClusterFirst wants."""
        namespace = self.pod["metadata"]["namespace"]
        domains = [f"{namespace}.svc.{plane.DOMAIN}", f"svc.{plane.DOMAIN}", plane.DOMAIN]
        lines = [f"nameserver {server}", f"search {' '.join(domains)}", "options ndots:5", ""]
        (self._root / "etc").mkdir()
        (self._root / "etc" / "resolv.conf").write_text("\n".join(lines), encoding="utf-8")

    def _mount(self, found: Image, spec: Object) -> list[str]:
        """Mount what is in an image, where only the container sees it."""
        if not spec.get("securityContext", {}).get("readOnlyRootFilesystem"):
            (self._root / "tmp").mkdir(exist_ok=True)
            (self._root / "tmp").chmod(0o1777)
        mounts = []
        for path, source in found.content().items():
            target = self._root / path.removeprefix("/")
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
            mounts += [str(source), str(target)]
        return [_which("unshare"), "--mount", "sh", "-ec", _BIND, "sh", *mounts, "--"]

    def _chroot(self, spec: Object, user: int) -> list[str]:
        context = self.pod["spec"].get("securityContext", {}) | spec.get("securityContext", {})
        user, group = context.get("runAsUser", user), context.get("runAsGroup", user)
        groups = context.get("fsGroup", group)
        return [
            _which("chroot"),
            f"--userspec={user}:{group}",
            f"--groups={groups}",
            str(self._root),
        ]

    def _always(self) -> dict[str, str]:
        return {
            "HOSTNAME": self.pod["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": plane.SERVICE,
            "KUBERNETES_SERVICE_PORT": "443",
        }

    def _field(self, path: str) -> str:
        pod = self.pod | {"status": {"podIP": self.address, "hostIP": plane.NODE}}
        return volumes.text(environment.field(pod, path))

    def _fill(self, path: Path, volume: Object) -> None:
        """Bring a mounted volume up to date; what was deleted stays as it was."""
        try:
            files = volumes.files(volume, self.pod, self._api, self._field)
        except Refused as error:
            if error.status == 404 and path in self._mounted:
                return
            raise
        if "emptyDir" in volume:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o777)
        elif {file.name: file.read_bytes() for file in path.glob("[!.]*")} != files:
            volumes.write(path, files)


def path_of(pod: Object) -> str:
    """Where the API server has a pod."""
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def containers_of(pod: Object) -> list[Object]:
    """All containers of a pod."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def runs(pod: Object) -> bool:
    """Whether a pod is run: all its images are known, and its model server finds a model of ours."""
    images = [container["image"] for container in containers_of(pod)]
    if not all(map(image, images)):
        return False
    fetched = [
        container["args"][0]
        for container in pod["spec"].get("initContainers", [])
        if container["name"] == _FETCHES
    ]
    # One that fetches nothing would look for its model in a volume that nobody fills here.
    if not fetched:
        return not any(map(is_model_server, images))
    return all(source.startswith(f"http://{plane.NODE}:") for source in fetched)


def pretended(pod: Object, address: str) -> Object:
    """The status of a pod that is not run, and reported Ready."""
    spec = pod["spec"]
    conditions = dict.fromkeys(("Initialized", "ContainersReady", "Ready"), True)
    over = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": now()}}
    running = {"running": {"startedAt": now()}}
    init = [
        status(container, over, ready=True, started=False)
        for container in spec.get("initContainers", [])
    ]
    return {
        **_status("Running", address, conditions),
        "initContainerStatuses": init,
        "containerStatuses": [
            status(container, running, ready=True, started=True) for container in spec["containers"]
        ],
    }


def unpulled(pod: Object, missing: Collection[str]) -> Object:
    """The status of a pod that waits for images."""
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no registry has it"}}
    conditions = dict.fromkeys(("Initialized", "ContainersReady", "Ready"), False)
    whole = _status("Pending", "", conditions)
    # It has no address yet.
    kept = {key: value for key, value in whole.items() if not key.startswith("podIP")}
    kinds = {"initContainerStatuses": "initContainers", "containerStatuses": "containers"}
    return kept | {
        key: [
            status(container, waiting, ready=False, started=False)
            for container in pod["spec"].get(kind, [])
            if container["image"] in missing
        ]
        for key, kind in kinds.items()
    }


def _status(phase: str, address: str, conditions: dict[str, bool]) -> Object:
    return {
        "phase": phase,
        "hostIP": plane.NODE,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": kind, "status": str(is_so)} for kind, is_so in conditions.items()],
    }


def _sandbox(address: str, context: Object) -> subprocess.Popen[bytes]:
    """A process that holds a network namespace, linked to the node's bridge; with its sysctls."""
    hold = ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"]
    sandbox = subprocess.Popen(hold, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert sandbox.stdout is not None
    with sandbox.stdout as signal:
        signal.readline()  # It has the namespace.
    link = f"veth{sandbox.pid}"
    outside = (
        f"link add {link} type veth peer name eth0 netns {sandbox.pid}\n"
        f"link set {link} master {plane.BRIDGE} up\n"
    )
    inside = (
        "link set lo up\nlink set eth0 up\n"
        f"addr add {address}/16 dev eth0\nroute add default via {plane.NODE}\n"
    )
    process.run(["ip", "-batch", "-"], stdin=outside)
    process.run([*_enter(sandbox), "ip", "-batch", "-"], stdin=inside)
    for sysctl in context.get("sysctls", []):
        file = f"/proc/sys/{sysctl['name'].replace('.', '/')}"
        process.run([*_enter(sandbox), "tee", file], stdin=sysctl["value"])
    return sandbox


def _enter(sandbox: subprocess.Popen[bytes]) -> Sequence[str]:
    return (_which("nsenter"), f"--net=/proc/{sandbox.pid}/ns/net", "--")


def _which(program: str) -> str:
    found = shutil.which(program)
    assert found is not None, f"{program} is not there"
    return found
