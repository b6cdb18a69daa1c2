"""The node: a kubelet that knows a few images."""

from __future__ import annotations

import ipaddress
import ssl
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from generator import tools
from tests.cluster.harness.container import now
from tests.cluster.harness.pki import Pair
from tests.cluster.harness.plane import DNS, NODE, NODE_NAME, ControlPlane
from tests.cluster.harness.pod import Pod, containers_of, path_of, pretended, runs, unpulled
from tests.rendering import Object

_PORT = 10250


class Node:
    """Takes every pod of the cluster. Runs those that it can, calls the others Ready."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._api = control_plane.api
        self._dns = DNS if control_plane.services else ""
        self._folder = control_plane.folder / "pods"
        self._logs = control_plane.logs / "pods"
        self._log = control_plane.logs / "node.log"
        network = ipaddress.ip_network(f"{NODE}/16", strict=False)
        self._addresses = (str(address) for address in network.hosts() if str(address) != NODE)
        self._pods: dict[str, Pod] = {}
        self._sent: dict[str, Object] = {}
        self._said: dict[str, str] = {}
        self._pulled: set[str] = set()
        # Whether it gets an image; one that it has, it need not get again.
        self.pulls: Callable[[str], bool] = lambda _: True
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._server = _log_server(control_plane.kubelet, self._logs)

    def start(self) -> None:
        """Register with the API server, and look after pods from now on."""
        status = {
            "addresses": [{"type": "InternalIP", "address": NODE}],
            # By its version Istio decides how it adds its sidecars.
            "nodeInfo": {"kubeletVersion": tools.TOOLS["kube-apiserver"].pinned},
            "daemonEndpoints": {"kubeletEndpoint": {"Port": _PORT}},
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now()}],
        }
        self._api.post("/api/v1/nodes", {"metadata": {"name": NODE_NAME}, "status": status})
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._thread.start()

    def stop(self) -> None:
        """End every pod, and look after none any more."""
        self._halt.set()
        self._thread.join()
        self._server.shutdown()
        self._server.server_close()
        for pod in self._pods.values():
            pod.remove()

    def kill(self, container: str, pod: str = "") -> int:
        """End all running containers of that name, or those of one pod, as an OOM killer would.

        How many there were.
        """
        pods = [each for each in self._pods.values() if pod in ("", each.pod["metadata"]["name"])]
        running = [
            candidate
            for each in pods
            for candidate in each.main
            if candidate.name == container and candidate.running
        ]
        for candidate in running:
            candidate.kill()
        return len(running)

    def _run(self) -> None:
        while not self._halt.wait(0.1):
            try:
                pods = self._api.get("/api/v1/pods?resourceVersion=0")["items"]
            except OSError:
                continue  # The control plane is away.
            for pod in pods:
                self._look_after(pod)
            for uid in self._pods.keys() - {pod["metadata"]["uid"] for pod in pods}:
                self._pods.pop(uid).remove()

    def _look_after(self, pod: Object) -> None:
        try:
            if "deletionTimestamp" in pod["metadata"]:
                self._end(pod)
            elif "nodeName" not in pod["spec"]:
                binding = {
                    "metadata": {"name": pod["metadata"]["name"]},
                    "target": {"name": NODE_NAME},
                }
                self._api.post(f"{path_of(pod)}/binding", binding)
            elif missing := self._missing(pod):
                self._send(pod, unpulled(pod, missing))
            elif runs(pod):
                self._advance(pod)
            elif pod["metadata"]["uid"] not in self._sent:
                self._send(pod, pretended(pod, next(self._addresses)))
        except OSError as error:
            # As a rule something that a volume wants is not there yet.
            self._say(pod, str(error))
        except Exception:
            self._say(pod, traceback.format_exc())

    def _missing(self, pod: Object) -> set[str]:
        """The images of a pod that it has not, and does not get."""
        wanted = {container["image"] for container in containers_of(pod)} - self._pulled
        missing = {image for image in wanted if not self.pulls(image)}
        self._pulled |= wanted - missing
        return missing

    def forget_images(self) -> None:
        """Have no image any more, and get each anew."""
        self._pulled.clear()

    def _advance(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._pods:
            name = f"{pod['metadata']['namespace']}_{pod['metadata']['name']}"
            folders = (self._folder / uid, self._logs / name)
            self._pods[uid] = Pod(self._api, pod, next(self._addresses), *folders, dns=self._dns)
        try:
            self._pods[uid].advance()
        finally:
            self._send(pod, self._pods[uid].status())

    def _end(self, pod: Object) -> None:
        metadata = pod["metadata"]
        running = self._pods.get(metadata["uid"])
        if running is not None and not running.end(metadata["deletionGracePeriodSeconds"]):
            return
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        self._api.delete(path_of(pod), options)

    def _send(self, pod: Object, status: Object) -> None:
        """Tell the API server what changed."""
        uid = pod["metadata"]["uid"]
        before = self._sent.get(uid, {"conditions": []})
        if status == before:
            return
        # Conditions merge by their type; those that did not change keep their times.
        changed = [
            condition for condition in status["conditions"] if condition not in before["conditions"]
        ]
        timed = [{**condition, "lastTransitionTime": now()} for condition in changed]
        self._api.patch(f"{path_of(pod)}/status", {"status": {**status, "conditions": timed}})
        self._sent[uid] = status

    def _say(self, pod: Object, text: str) -> None:
        if self._said.get(pod["metadata"]["uid"]) != text:
            self._said[pod["metadata"]["uid"]] = text
            with self._log.open("a", encoding="utf-8") as log:
                print(now(), path_of(pod), text, file=log)


def _log_server(pair: Pair, folder: Path) -> ThreadingHTTPServer:
    """What `kubectl logs` asks, by way of the API server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """/containerLogs/NAMESPACE/POD/CONTAINER?…"""
            _, _, namespace, pod, container = self.path.partition("?")[0].split("/")
            file = folder / f"{namespace}_{pod}" / f"{container}.log"
            self.send_response(200 if file.exists() else 404)
            self.end_headers()
            if file.exists():
                self.wfile.write(file.read_bytes())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((NODE, _PORT), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server
