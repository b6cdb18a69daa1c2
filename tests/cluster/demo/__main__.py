"""`make demo`, or `python -m tests.cluster.demo`: the README's quick start, on a cluster of its own.

Builds what is missing, then runs inside.py in the namespaces of the cluster, and hands it what leads
out of them: two sockets that listen on the machine, the machine's network, a folder that is gone
when this process is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import click

from codegen import upstream
from generator.errors import GeneratorError, ToolMissing
from tests.cluster.harness import (
    debian,
    envoy,
    foreign,
    istio,
    modelserver,
    own,
    quickstart,
    vanishing,
)
from tests.cluster.harness.steps import Steps
from tests.rendering import ROOT

MODES = ("ingress", "gatewayApi", "virtualService")
_CLIENTS = ("kubectl", "helm")
_LOOPBACK = "127.0.0.1"


@click.command()
@click.option("--mode", type=click.Choice(MODES), help="Publish the model through Istio, this way.")
@click.option("--ask", type=click.Choice(["once"]), help="End after the first answer.")
def main(*, mode: str | None, ask: str | None) -> None:
    """Install the platform and its example model, ask the model, and say how to ask again.

    Without --mode the model is not published, as in the README. Ctrl-C ends it, and leaves nothing.
    """
    os.chdir(ROOT)
    steps = Steps(start := time.monotonic())
    try:
        own.check()
        if shutil.which("curl") is None:
            raise ToolMissing("curl is missing; install curl")
        build(steps, mode)
        raise SystemExit(_run(mode, once=ask is not None, start=start))
    except GeneratorError as error:
        click.echo(f"ERROR: {error}", err=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        click.echo("\nended; nothing is left of the cluster", err=True)
        raise SystemExit(128 + signal.SIGINT) from None


def build(steps: Steps, mode: str | None) -> None:
    """Get what the mode needs, and no more."""
    with steps.step("the model server's packages"):
        modelserver.build()
    more = () if mode is None else (*own.SERVICES, *istio.PROGRAMS)
    with steps.step("the programs of the cluster; compiling them takes minutes, but only once"):
        own.build(clients=_CLIENTS, more=more)
    if mode is not None:
        with steps.step("nft and Envoy, and the CRDs of the Gateway API"):
            debian.NFT.build()
            envoy.build()
            upstream.folder(foreign.PROJECTS["gateway-api"][0])


def _run(mode: str | None, *, once: bool, start: float) -> int:
    """Run inside.py until it ends; its exit code."""
    with (
        vanishing.folder() as folder,
        listening(int(quickstart.MODEL.rpartition(":")[2])) as model,
        listening(0) as api,
        Path("/proc/self/ns/net").open("rb") as network,
    ):
        argv = [sys.executable, "-m", "tests.cluster.demo.inside", f"--start={start}"]
        argv += [f"--folder={folder}", *(["--once"] if once else [])]
        argv += [] if mode is None else [f"--mode={mode}"]
        handed = {"model": model.fileno(), "api": api.fileno(), "network": network.fileno()}
        argv += [f"--{name}={descriptor}" for name, descriptor in handed.items()]
        return own.inside(argv, descriptors=tuple(handed.values()), apart=True)


def listening(port: int) -> socket.socket:
    """A socket that listens on a port of loopback; on another one, where that is taken."""
    with contextlib.suppress(OSError):
        return socket.create_server((_LOOPBACK, port))
    return socket.create_server((_LOOPBACK, 0))


if __name__ == "__main__":
    main()
