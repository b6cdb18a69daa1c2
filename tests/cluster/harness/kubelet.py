"""How containerd and the kubelet are set up, in a folder of ours.

The machine's other processes notice neither.
"""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
from pathlib import Path

from generator import process, tools
from tests.cluster.harness import debian, image, plane
from tests.cluster.harness.plane import ControlPlane
from tests.rendering import Object

PORT = 10250

# Of the machine: a kubelet sets them. Here it finds files in their stead.
_SYSCTLS = (
    *("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"),
    *("kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys"),
)
# What both keep in fixed folders is seen by them alone. $1 is a folder, the others those of images.
_START = f"""
folder=$1; shift
for root; do
    mkdir -p "$folder{image.MACHINE}$root"
    mount --bind "$root" "$folder{image.MACHINE}$root"
done
for sysctl in {" ".join(_SYSCTLS)}; do
    file="$folder/sysctl/$sysctl"
    mkdir -p "$(dirname "$file")"
    cat "/proc/sys/$sysctl" > "$file"
    mount --bind "$file" "/proc/sys/$sysctl"
done
for hidden in /run /var/lib /var/log; do
    mount -t tmpfs -o mode=755 tmpfs "$hidden"
done
mount --bind "$folder/tmp" /tmp
containerd --config "$folder/containerd.toml" > "$folder/logs/containerd.log" 2>&1 &
until [ -S "$folder/containerd.sock" ]; do sleep 0.02; done
kubelet --config "$folder/kubelet.json" --kubeconfig "$folder/kubelet.kubeconfig" \\
    --root-dir "$folder/kubelet.d" --hostname-override {plane.NODE_NAME} --node-ip {plane.NODE} \\
    > "$folder/logs/kubelet.log" 2>&1 &
wait
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Run both, until the process is killed; then all that they have started is gone too."""
    apart = ("unshare", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child")
    found = os.environ | debian.CONTAINERD.environment()
    found["PATH"] = f"{tools.find('kubelet').parent}:{found['PATH']}"
    roots = sorted(map(str, image.roots()))
    with (folder / "logs" / "node.log").open("wb") as log:
        return subprocess.Popen(
            [*apart, "sh", "-ec", _START, "sh", str(folder), *roots],
            env=found,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is not for them.
        )


def write(control_plane: ControlPlane, *, group: str, hub: str) -> None:
    """Write what `start` wants; `group` is a control group, `hub` the address of the registry."""
    folder = control_plane.folder
    (folder / "containerd.toml").write_text(_containerd(folder), encoding="utf-8")
    (folder / "spec.json").write_text(json.dumps(_spec(folder)), encoding="utf-8")
    (folder / "cni").mkdir()
    (folder / "cni" / "pods.conflist").write_text(json.dumps(_network(folder)), encoding="utf-8")
    (folder / "resolv.conf").touch()
    settings = _kubelet(folder, group, dns=control_plane.services)
    (folder / "kubelet.json").write_text(json.dumps(settings), encoding="utf-8")
    ask(folder, hub)


def ask(folder: Path, host: str, registry: str = "_default") -> None:
    """Have containerd get the images of a registry, or of all others, from a host without TLS."""
    file = folder / "registries" / registry / "hosts.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = f'[host."http://{host}"]\ncapabilities = ["pull", "resolve"]\n'
    file.write_text(f'server = "http://{host}"\n{text}', encoding="utf-8")


def _containerd(folder: Path) -> str:
    """Strings, numbers and booleans are the same in JSON and TOML."""
    plugin = 'plugins."io.containerd.grpc.v1.cri"'
    runc = f"{plugin}.containerd.runtimes.runc"
    tables: dict[str, Object] = {
        "grpc": {"address": str(folder / "containerd.sock")},
        "ttrpc": {"address": str(folder / "containerd.ttrpc.sock")},
        plugin: {
            "sandbox_image": image.PAUSE,
            # The machine need not let its processes be made safer from its OOM killer.
            "restrict_oom_score_adj": True,
            "disable_apparmor": True,
            "enable_unprivileged_ports": True,
            "netns_mounts_under_state_dir": True,
        },
        f"{plugin}.containerd": {"default_runtime_name": "runc"},
        runc: {
            "runtime_type": "io.containerd.runc.v2",
            "base_runtime_spec": str(folder / "spec.json"),
            "container_annotations": ["io.kubernetes.container.ports"],
        },
        f"{runc}.options": {"Root": str(folder / "runc")},
        f"{plugin}.cni": {
            "bin_dir": str(debian.CONTAINERD.folder / "usr/lib/cni"),
            "conf_dir": str(folder / "cni"),
        },
        f"{plugin}.registry": {"config_path": str(folder / "registries")},
    }
    top: Object = {"version": 2, "root": f"{folder}/containerd", "state": f"{folder}/containerd.d"}
    lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines)


def _spec(folder: Path) -> Object:
    """What every container begins with: containerd's own, the folders that images link to, and who
    writes down its ports.
    """
    argv = ["ctr", "oci", "spec"]
    spec: Object = json.loads(process.run(argv, environment=debian.CONTAINERD.environment()))
    machine = {"source": f"{folder}{image.MACHINE}", "destination": image.MACHINE}
    spec["mounts"].append({**machine, "type": "bind", "options": ["rbind", "ro"]})
    spec["hooks"] = {"createRuntime": [{"path": str(tools.find("standin")), "args": ["hook"]}]}
    return spec


def _network(folder: Path) -> Object:
    """Every pod has an address of the node's network, on its bridge."""
    addresses = {
        "type": "host-local",
        "subnet": str(ipaddress.ip_network(f"{plane.NODE}/16", strict=False)),
        "gateway": plane.NODE,
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(folder / "addresses"),
    }
    bridge = {"type": "bridge", "bridge": plane.BRIDGE, "hairpinMode": True, "ipam": addresses}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}


def _kubelet(folder: Path, group: str, *, dns: bool) -> Object:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{folder}/containerd.sock",
        "address": plane.NODE,
        "port": PORT,
        "tlsCertFile": f"{folder}/kubelet.crt",
        "tlsPrivateKeyFile": f"{folder}/kubelet.key",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{folder}/ca.crt"},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": group,
        "enforceNodeAllocatable": ["none"],
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "resolvConf": f"{folder}/resolv.conf",
        "podLogsDir": f"{folder}/logs/pods",
        "clusterDomain": plane.DOMAIN,
        # Where there is none, nobody there says so at once.
        "clusterDNS": [plane.DNS if dns else plane.NODE],
        "maxPods": 1000,
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        # Nothing is evicted or collected because the machine is full of other things.
        "evictionHard": dict.fromkeys(_SIGNALS, "0%"),
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        # It says once what the node has, which is then changed.
        "nodeStatusUpdateFrequency": "24h",
        "nodeStatusReportFrequency": "24h",
        # How soon a changed Secret reaches a pod; a minute is what kubelets have.
        "syncFrequency": "5s",
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
    }


_SIGNALS = (
    *("memory.available", "nodefs.available", "nodefs.inodesFree"),
    *("imagefs.available", "imagefs.inodesFree"),
)
