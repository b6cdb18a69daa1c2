"""Pods: a network, a root file system and containers."""

from __future__ import annotations

import base64
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from generator import process
from tests.cluster.harness import plane
from tests.cluster.harness.api import Api, Refused
from tests.cluster.harness.container import Container, now, status
from tests.cluster.harness.image import Image, image
from tests.rendering import Object

_MODEL = "serving.kserve.io/inferenceservice"  # the label of a model's pods
_REFRESH = 1.0  # seconds between looks at Secrets and ConfigMaps
_BIND = """
while [ "$1" != -- ]; do
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
    shift 2
done
shift
exec "$@"
"""


class Pod:
    """A pod whose images are known: it runs."""

    def __init__(self, api: Api, pod: Object, address: str, folder: Path, logs: Path) -> None:
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
        self._sandbox = None if host else _sandbox(address)

    def advance(self) -> None:
        """Do what is due. Raises OSError while something that the pod mounts is not there."""
        if time.monotonic() >= self._refresh_at:
            self._refresh_at = time.monotonic() + _REFRESH
            for path, volume in self._mounted.items():
                if volume.keys() & {"secret", "configMap"}:
                    self._fill(path, volume)
        for container in self.init:
            container.advance(self._launch, self.address)
            if container.exit_code != 0:
                return
        for container in self.main:
            container.advance(self._launch, self.address)

    def end(self, grace: float) -> bool:
        """Ask every container to end, and after `grace` seconds end it; whether all have."""
        running = [container for container in (*self.init, *self.main) if container.running]
        if self._end_at is None:
            self._end_at = time.monotonic() + grace
            for container in running:
                container.terminate()
        elif time.monotonic() >= self._end_at:
            for container in running:
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
        prepared = all(container.exit_code == 0 for container in self.init)
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
        ready = phase == "Running" and all(container.ready for container in self.main)
        conditions = {"Initialized": prepared, "ContainersReady": ready, "Ready": ready}
        return {
            **_status(phase, self.address, conditions),
            "initContainerStatuses": [container.status() for container in self.init],
            "containerStatuses": [container.status() for container in self.main],
        }

    def _launch(self, spec: Object) -> subprocess.Popen[bytes]:
        found = image(spec["image"])
        assert found is not None
        volumes = {volume["name"]: volume for volume in self.pod["spec"].get("volumes", [])}
        for mount in spec.get("volumeMounts", []):
            path = self._root / mount["mountPath"].removeprefix("/")
            self._fill(path, volumes[mount["name"]])
            self._mounted[path] = volumes[mount["name"]]
        network = [] if self._sandbox is None else _enter(self._sandbox)
        command = [*spec.get("command", found.entrypoint), *spec.get("args", [])]
        with (self._logs / f"{spec['name']}.log").open("ab") as log:
            return subprocess.Popen(
                [*network, *self._mount(found), *self._chroot(spec, found.user), *command],
                env=found.environment | dict(self._environment(spec)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _mount(self, found: Image) -> list[str]:
        """Mount what is in an image, where only the container sees it."""
        mounts = []
        for path, source in found.content().items():
            target = self._root / path.removeprefix("/")
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
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

    def _environment(self, spec: Object) -> Iterator[tuple[str, str]]:
        yield "HOSTNAME", self.pod["metadata"]["name"]
        yield "KUBERNETES_SERVICE_HOST", plane.SERVICE
        yield "KUBERNETES_SERVICE_PORT", "443"
        for variable in spec.get("env", []):
            source = variable.get("valueFrom")
            yield (
                variable["name"],
                self._field(source["fieldRef"]) if source else variable.get("value", ""),
            )

    def _field(self, reference: Object) -> str:
        value: Any = self.pod | {"status": {"podIP": self.address, "hostIP": plane.NODE}}
        for key in reference["fieldPath"].split("."):
            value = value[key]
        return str(value)

    def _fill(self, path: Path, volume: Object) -> None:
        """Bring a mounted volume up to date; what was deleted stays as it was."""
        try:
            files = self._files(volume)
        except Refused as error:
            if error.status == 404 and path in self._mounted:
                return
            raise
        if "emptyDir" in volume:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o777)
        elif {file.name: file.read_bytes() for file in path.glob("[!.]*")} != files:
            _write(path, files)

    def _files(self, volume: Object) -> dict[str, bytes]:
        if "emptyDir" in volume:
            return {}
        if "projected" in volume:
            files: dict[str, bytes] = {}
            for source in volume["projected"]["sources"]:
                files |= self._files(source)
            return files
        namespace, name = (self.pod["metadata"][key] for key in ("namespace", "name"))
        core = f"/api/v1/namespaces/{namespace}"
        if "secret" in volume:
            data = self._api.get(f"{core}/secrets/{volume['secret']['secretName']}").get("data", {})
            return {key: base64.b64decode(value) for key, value in data.items()}
        if "configMap" in volume:
            data = self._api.get(f"{core}/configmaps/{volume['configMap']['name']}").get("data", {})
            return {key: value.encode() for key, value in data.items()}
        if "downwardAPI" in volume:
            items = volume["downwardAPI"]["items"]
            return {item["path"]: self._field(item["fieldRef"]).encode() for item in items}
        wanted = volume["serviceAccountToken"]
        account = self.pod["spec"]["serviceAccountName"]
        pod = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": self.pod["metadata"]["uid"]}
        spec = {"boundObjectRef": pod, "expirationSeconds": wanted["expirationSeconds"]}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        path = f"{core}/serviceaccounts/{account}/token"
        answer = self._api.post(path, {**request, "spec": spec})
        return {wanted["path"]: answer["status"]["token"].encode()}


def path_of(pod: Object) -> str:
    """Where the API server has a pod."""
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def containers_of(pod: Object) -> list[Object]:
    """All containers of a pod."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def runs(pod: Object) -> bool:
    """Whether a pod is run: all its images are known, and a model is there to be fetched."""
    containers = containers_of(pod)
    if _MODEL in pod["metadata"].get("labels", {}):
        arguments = [argument for container in containers for argument in container.get("args", [])]
        if not any(argument.startswith(f"http://{plane.NODE}:") for argument in arguments):
            return False
    return all(image(container["image"]) for container in containers)


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


def _status(phase: str, address: str, conditions: dict[str, bool]) -> Object:
    return {
        "phase": phase,
        "hostIP": plane.NODE,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": kind, "status": str(is_so)} for kind, is_so in conditions.items()],
    }


def _sandbox(address: str) -> subprocess.Popen[bytes]:
    """A process that holds a network namespace, linked to the node's bridge."""
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
    return sandbox


def _enter(sandbox: subprocess.Popen[bytes]) -> Sequence[str]:
    return (_which("nsenter"), f"--net=/proc/{sandbox.pid}/ns/net", "--")


def _which(program: str) -> str:
    found = shutil.which(program)
    assert found is not None, f"{program} is not there"
    return found


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Replace the files of a volume at one stroke, by a symbolic link, as kubelets do."""
    before = list(folder.glob("..[0-9]*"))
    version = folder / f"..{time.time_ns()}"
    version.mkdir(parents=True)
    for name, content in files.items():
        (version / name).write_bytes(content)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    link = folder / "..next"
    link.symlink_to(version.name)
    link.replace(folder / "..data")
    for old in before:
        shutil.rmtree(old)
