"""Containers: a process each, probed and restarted as a kubelet would."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from tests.rendering import Object

_EAGER = 0.2  # Seconds between two questions of a probe that has not passed.


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Probe:
    """A probe of a running container; `passed` is None until it has an opinion.

    Until it passes it is asked more often than a kubelet would, and nobody waits for the next period;
    so thresholds count time, not answers.
    """

    def __init__(self, spec: Object) -> None:
        self._get = spec.get("httpGet")
        self._port = (self._get or spec["tcpSocket"])["port"]
        self._period = spec.get("periodSeconds", 10)
        self._timeout = spec.get("timeoutSeconds", 1)
        self._needed = {True: spec.get("successThreshold", 1), False: spec["failureThreshold"]}
        self._since = time.monotonic()
        self._next = self._since + spec.get("initialDelaySeconds", 0)
        self._last = False
        self.passed: bool | None = None

    def run(self, address: str, ports: Mapping[str, int]) -> None:
        """Ask, if it is time to."""
        asked = time.monotonic()
        if asked < self._next:
            return
        answer = self._ask(address, ports)
        if answer is not self._last:
            self._last, self._since = answer, asked
        if asked - self._since >= (self._needed[answer] - 1) * self._period:
            self.passed = answer
        self._next = asked + (self._period if self.passed else _EAGER)

    def _ask(self, address: str, ports: Mapping[str, int]) -> bool:
        port = ports.get(self._port, self._port)
        try:
            if self._get is None:
                socket.create_connection((address, port), self._timeout).close()
                return True
            url = f"http://{address}:{port}{self._get['path']}"
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=self._timeout):
                return True
        except OSError:
            return False


class Container:
    """One container of a pod, from its first start to its last end."""

    def __init__(self, spec: Object, *, restart: str) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.exit_code: int | None = None  # once it will not run again
        self.sidecar = spec.get("restartPolicy") == "Always"
        self.done = (
            False  # once the containers after it, if it is one that prepares a pod, may start
        )
        self._restart = "Always" if self.sidecar else restart
        self._restarts = 0
        self._start_at = 0.0
        self._terminate_at: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._probes: dict[str, Probe] = {}
        self._ports = {
            port["name"]: port["containerPort"] for port in spec.get("ports", []) if "name" in port
        }
        self._state: Object = {"waiting": {"reason": "ContainerCreating"}}
        self._last: Object = {}

    def advance(self, launch: Callable[[Object], subprocess.Popen[bytes]], address: str) -> None:
        """Start it, probe it, restart it: whatever is due."""
        if self.exit_code is not None:
            return
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self._process = launch(self.spec)
                self._probes = {
                    kind: Probe(self.spec[f"{kind}Probe"])
                    for kind in ("startup", "readiness", "liveness")
                    if f"{kind}Probe" in self.spec
                }
                self._state = {"running": {"startedAt": now()}}
        elif self._process.poll() is not None:
            self._ended(self._process.returncode)
        else:
            self._probe(address)
        self.done = self.done or (self.started if self.sidecar else self.exit_code == 0)

    def _ended(self, code: int) -> None:
        self.kill()  # What it started ends with it.
        self._process = None
        started = self._state["running"]["startedAt"]
        end = {"exitCode": code, "startedAt": started, "finishedAt": now()}
        end["reason"] = "Error" if code else "Completed"
        if self._restart == "Never" or (self._restart == "OnFailure" and code == 0):
            self.exit_code = code
            self._state = {"terminated": end}
        else:
            # At once, then after 10 s, 20 s, 40 s …: a kubelet's delays.
            delay = 10 * 2 ** (self._restarts - 1) if self._restarts else 0
            self._start_at = time.monotonic() + min(delay, 300)
            self._restarts += 1
            self._state = {"waiting": {"reason": "CrashLoopBackOff"}}
            # KServe reads what ended it, and takes for granted that this is there.
            self._last = {"terminated": end}

    def _probe(self, address: str) -> None:
        startup = self._probes.get("startup")
        if startup and not startup.passed:
            startup.run(address, self._ports)
        else:
            for kind in ("readiness", "liveness"):
                if kind in self._probes:
                    self._probes[kind].run(address, self._ports)
        if any(
            probe.passed is False for kind, probe in self._probes.items() if kind != "readiness"
        ):
            self.kill()

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def started(self) -> bool:
        """Whether it runs, and passed its startup probe."""
        startup = self._probes.get("startup")
        return self.running and (startup is None or bool(startup.passed))

    @property
    def ready(self) -> bool:
        """Whether it started, and passes its readiness probe."""
        readiness = self._probes.get("readiness")
        return self.started and (readiness is None or bool(readiness.passed))

    def terminate(self) -> None:
        """Ask it to end, once the sleep of its preStop hook is over; to be called until it has."""
        if self._terminate_at is None:
            hook = self.spec.get("lifecycle", {}).get("preStop", {})
            self._terminate_at = time.monotonic() + hook.get("sleep", {}).get("seconds", 0)
        if self._process is not None and time.monotonic() >= self._terminate_at:
            self._terminate_at = float("inf")  # Asked.
            self._process.terminate()

    def kill(self) -> None:
        """End it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def status(self) -> Object:
        """Its entry in the pod's status."""
        return status(
            self.spec,
            self._state,
            ready=self.ready or self.exit_code == 0,
            started=self.started,
            restarts=self._restarts,
            last=self._last,
        )


def status(
    spec: Object,
    state: Object,
    *,
    ready: bool,
    started: bool,
    restarts: int = 0,
    last: Object | None = None,
) -> Object:
    """The entry of a container in its pod's status; `last` is how it ended before."""
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": "",
        "ready": ready,
        "started": started,
        "restartCount": restarts,
        "state": state,
        "lastState": last or {},
    }
