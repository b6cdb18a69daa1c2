"""The control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, a process each."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from generator import process, tools
from tests.cluster.harness import debian, pki
from tests.cluster.harness.api import Api

# Addresses of the node, and of the Service `kubernetes`, at which pods find the API server.
NODE = "10.244.0.1"
NODE_NAME = "node"
SERVICE = "10.96.0.1"
# Of the cluster's DNS, where there is one.
DNS = "10.96.0.10"
DOMAIN = "cluster.local"
BRIDGE = "node0"

_ETCD = "https://127.0.0.1:2379"
# With an address of its own: a bridge takes over those of its ports, and pods would not find it.
_NETWORK = f"""
link set lo up
addr add {SERVICE}/32 dev lo
link add {BRIDGE} address 02:00:00:00:00:01 type bridge
addr add {NODE}/16 dev {BRIDGE}
link set {BRIDGE} up
"""
# Addresses of Services are reached by a route, and turned into a pod's on the way.
_SERVICES = f"route add default dev {BRIDGE}"


class ControlPlane:
    """Started once; its parts can be killed and run again on the same data.

    With `services` there is a kube-proxy, so that pods and the node reach the addresses of Services.
    """

    def __init__(self, folder: Path, *, services: bool = False) -> None:
        if socket.if_nameindex() != [(1, "lo")]:
            raise RuntimeError("the control plane wants a network namespace of its own")
        self.folder = folder
        self.services = services
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        process.run(["ip", "-batch", "-"], stdin=_NETWORK + _SERVICES * services)
        self._certificates()
        self.api = Api(NODE, ca=self.ca, user=self._admin)
        self.kubeconfig = self._kubeconfig("admin", self._admin)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def _certificates(self) -> None:
        folder = self.folder
        self.ca = pki.make(folder, "ca", subject="/CN=own")
        self._admin = self._certificate("admin", "/O=system:masters/CN=admin")
        self._certificate("etcd", "/CN=etcd", "IP:127.0.0.1")
        self._certificate("etcd-client", "/CN=kube-apiserver")
        names = (f"IP:{NODE}", f"IP:{SERVICE}", "IP:127.0.0.1", "DNS:kubernetes.default.svc")
        self._certificate("kube-apiserver", "/CN=kube-apiserver", *names)
        node = f"/O=system:nodes/CN=system:node:{NODE_NAME}"
        self._kubeconfig("kubelet", self._certificate("kubelet", node, f"IP:{NODE}"))
        for name in ("kube-controller-manager", "kube-proxy", "kube-scheduler"):
            self._kubeconfig(name, self._certificate(name, f"/CN=system:{name}"))
        # Signs the tokens of ServiceAccounts.
        self._certificate("service-account", "/CN=service-account")

    def _certificate(self, name: str, subject: str, *names: str) -> pki.Pair:
        return pki.make(self.folder, name, subject=subject, ca=self.ca, names=names)

    def _kubeconfig(self, name: str, user: pki.Pair) -> Path:
        file = self.folder / f"{name}.kubeconfig"
        return pki.kubeconfig(file, server=f"https://{NODE}", ca=self.ca, user=user)

    def write_kubeconfig(self, file: Path, *, port: int) -> None:
        """Write the administrator's for where a port of loopback leads to the API server."""
        server = f"https://127.0.0.1:{port}"
        pki.kubeconfig(file, server=server, ca=self.ca, user=self._admin)

    def start(self) -> None:
        """Run all; returns when the API server is ready."""
        self.run("etcd")
        self.run("kube-apiserver")
        deadline = time.monotonic() + 60
        while not self.api.healthy():
            for name, part in self._processes.items():
                if part.poll() is not None:
                    raise RuntimeError(f"{name} ended: {self.log(name)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"kube-apiserver is not ready: {self.log('kube-apiserver')}")
            time.sleep(0.1)
        self.run("kube-controller-manager")
        self.run("kube-scheduler")
        if self.services:
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
            self.run("kube-proxy")

    def run(self, name: str) -> None:
        """Start a part, again if it was killed."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*self._before(name), str(tools.find(name)), *self._flags(name)],
                env=os.environ | debian.NFT.environment() if name == "kube-proxy" else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, name: str) -> None:
        """End a part as a power cut would."""
        self._processes[name].kill()
        self._processes[name].wait()

    def stop(self) -> None:
        """End all parts; nothing of them is needed any more."""
        for name in reversed(self._processes):
            self.kill(name)

    def log(self, name: str) -> str:
        """The end of what a part had to say."""
        return (self.logs / f"{name}.log").read_text(encoding="utf-8")[-5000:]

    def _before(self, name: str) -> list[str]:
        """What makes volumes has /tmp to itself, and shares it with who mounts them."""
        if name != "kube-controller-manager":
            return []
        volumes = self.folder / "tmp"
        volumes.mkdir(exist_ok=True)
        return ["unshare", "--mount", "sh", "-c", f'mount --bind {volumes} /tmp && exec "$@"', "sh"]

    def _flags(self, name: str) -> list[str]:
        at = self.folder
        if name == "etcd":
            return [
                f"--data-dir={at}/etcd",
                f"--listen-client-urls={_ETCD}",
                f"--advertise-client-urls={_ETCD}",
                f"--cert-file={at}/etcd.crt",
                f"--key-file={at}/etcd.key",
                f"--trusted-ca-file={at}/ca.crt",
                "--client-cert-auth",
                "--log-level=warn",
            ]
        if name == "kube-apiserver":
            return [
                f"--etcd-servers={_ETCD}",
                f"--etcd-cafile={at}/ca.crt",
                f"--etcd-certfile={at}/etcd-client.crt",
                f"--etcd-keyfile={at}/etcd-client.key",
                "--secure-port=443",
                f"--advertise-address={NODE}",
                f"--service-cluster-ip-range={SERVICE}/16",
                f"--tls-cert-file={at}/kube-apiserver.crt",
                f"--tls-private-key-file={at}/kube-apiserver.key",
                f"--client-ca-file={at}/ca.crt",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                f"--service-account-key-file={at}/service-account.crt",
                f"--service-account-signing-key-file={at}/service-account.key",
                f"--kubelet-certificate-authority={at}/ca.crt",
                f"--kubelet-client-certificate={at}/admin.crt",
                f"--kubelet-client-key={at}/admin.key",
                "--kubelet-preferred-address-types=InternalIP",
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                # Even without kube-proxy: the API server goes to a Service's endpoints itself.
                "--enable-aggregator-routing",
            ]
        if name == "kube-proxy":
            return [
                f"--kubeconfig={at}/kube-proxy.kubeconfig",
                f"--hostname-override={NODE_NAME}",
                "--proxy-mode=nftables",
                "--detect-local-mode=BridgeInterface",
                f"--pod-bridge-interface={BRIDGE}",
                # Only the machine's own network namespace may set the limits of conntrack.
                "--conntrack-max-per-core=0",
                "--conntrack-tcp-timeout-established=0",
                "--conntrack-tcp-timeout-close-wait=0",
            ]
        if name == "kube-scheduler":
            return [
                f"--kubeconfig={at}/kube-scheduler.kubeconfig",
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
            ]
        return [
            f"--kubeconfig={at}/kube-controller-manager.kubeconfig",
            f"--root-ca-file={at}/ca.crt",
            f"--service-account-private-key-file={at}/service-account.key",
            "--use-service-account-credentials",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--enable-hostpath-provisioner",
            # On a busy machine the node may be late to say that it lives.
            "--node-monitor-grace-period=10m",
        ]
