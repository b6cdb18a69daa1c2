"""What `python -m tests.cluster.demo` runs in the namespaces: cluster, platform, model, question."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from generator import MODELS, process, tools
from generator.errors import GeneratorError
from tests.cluster.gateways import published
from tests.cluster.harness import flowers, iris, istio, own, quickstart, vanishing, waiting
from tests.cluster.harness.cluster import Cluster, Release
from tests.cluster.harness.forwarder import Address, forwarding
from tests.cluster.harness.plane import NODE
from tests.cluster.harness.steps import Steps
from tests.rendering import CHARTS, ROOT

_PLATFORM, _MODELS = "kserve", "default"  # namespaces, those of the README
_EXAMPLE = "examples/models/sklearn-iris.yaml"


@dataclass(frozen=True)
class Machine:
    """What this process was handed of the machine: two sockets that listen there, and its network.

    `network` is a descriptor of its network namespace; `folder` vanishes with the demo.
    """

    model: socket.socket
    api: socket.socket
    network: int
    folder: Path

    def run(self, command: str) -> str:
        """What a command prints in the machine's network, as it would in any terminal there."""
        enter = ["nsenter", f"--net=/proc/self/fd/{self.network}", "--"]
        return process.run([*enter, "sh", "-c", command], descriptors=[self.network])

    @property
    def kubeconfig(self) -> Path:
        """That of the cluster's administrator, once `open_api` has written it."""
        return self.folder / "kubeconfig"

    @property
    def address(self) -> str:
        """Where the model is asked."""
        return f"localhost:{self.model.getsockname()[1]}"


@click.command()
@click.option("--mode")
@click.option("--once", is_flag=True)
@click.option("--start", type=float, required=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--model", type=int, required=True)
@click.option("--api", type=int, required=True)
@click.option("--network", type=int, required=True)
def main(
    *,
    mode: str | None,
    once: bool,
    start: float,
    folder: Path,
    model: int,
    api: int,
    network: int,
) -> None:
    """Install, ask and print; then wait to be killed, unless it is to ask once."""
    machine = Machine(socket.socket(fileno=model), socket.socket(fileno=api), network, folder)
    try:
        with contextlib.ExitStack() as stack:
            curl = _demonstrate(stack, Steps(start), machine, mode)
            if not once:
                click.echo(_invitation(machine, curl))
                signal.pause()
    except (GeneratorError, AssertionError) as error:
        for name, text in own.recent_logs().items():
            click.echo(f"--- {name}\n{text}", err=True)
        click.echo(f"ERROR: {error}", err=True)
        raise SystemExit(1) from None


def _demonstrate(
    stack: contextlib.ExitStack, steps: Steps, machine: Machine, mode: str | None
) -> str:
    """From nothing to an answer, which is printed; the command that it is the answer to."""
    cluster = _cluster(stack, steps, machine, mode)
    with steps.step(f"a model is trained, in place of the one of {_EXAMPLE}"):
        bucket = own.FOLDER / "bucket"
        bucket.mkdir()
        model = stack.enter_context(flowers.served(bucket))
    began = time.monotonic()
    release = _platform(cluster, steps, mode)
    _model(cluster, steps, mode, model.uri)
    curl = _reach(stack, release, machine, mode)
    with steps.step(curl.replace(" \\\n ", "")):
        answer = cluster.wait("the model predicts", lambda: _prediction(machine.run(curl)))
    click.echo(answer)
    click.echo(f"{time.monotonic() - began:.1f} s from `helm install` to this answer")
    return curl


def _cluster(
    stack: contextlib.ExitStack, steps: Steps, machine: Machine, mode: str | None
) -> Cluster:
    """The cluster, with Istio if a mode wants that, and its API server on the machine."""
    with steps.step("etcd, kube-apiserver, kube-controller-manager and a node start"):
        cluster = stack.enter_context(own.running(services=mode is not None))
    assert cluster.control_plane is not None
    port = machine.api.getsockname()[1]
    cluster.control_plane.write_kubeconfig(machine.kubeconfig, port=port)
    vanishing.give(machine.kubeconfig)
    stack.enter_context(forwarding(machine.api, lambda: (NODE, 443)))
    if mode is not None:
        with steps.step("istioctl install"):
            stack.enter_context(istio.running(cluster))
    return cluster


def _platform(cluster: Cluster, steps: Steps, mode: str | None) -> Release:
    release = Release(cluster, _PLATFORM)
    _install(release, steps, "--create-namespace", *_routing(mode))
    return release


def _model(cluster: Cluster, steps: Steps, mode: str | None, uri: str) -> None:
    release = Release(cluster, _MODELS, chart=CHARTS[MODELS], name="iris")
    where = f"--set=models.{iris.NAME}.storageUri={uri}"
    _install(release, steps, f"--values={_EXAMPLE}", where, *_routing(mode))
    with steps.step(f"kubectl wait inferenceservice/{iris.NAME}", lambda: _pending(cluster)):
        waiting.until_ready(cluster, f"inferenceservice/{iris.NAME}", _MODELS)


def _install(release: Release, steps: Steps, *arguments: str) -> None:
    command = shlex.join(["helm", *release.command("install", *arguments)])
    with steps.step(command.replace(f"{ROOT}/", ""), lambda: _pending(release.cluster)):
        release.install(*arguments)


def _pending(cluster: Cluster) -> str:
    """What is being waited for: the pods that are neither ready nor over, and their containers."""
    assert cluster.control_plane is not None
    try:
        pods = cluster.control_plane.api.get("/api/v1/pods")["items"]
    except OSError:
        return ""  # The next time will do.
    waiting_for = []
    for pod in pods:
        statuses = pod["status"].get("initContainerStatuses", [])
        statuses += pod["status"].get("containerStatuses", [])
        names = [each["name"] for each in statuses if not each["ready"]]
        if pod["status"]["phase"] != "Succeeded" and names:
            waiting_for.append(f"{pod['metadata']['name']} ({', '.join(names)})")
    return ", ".join(waiting_for)


def _routing(mode: str | None) -> Sequence[str]:
    if mode is None:
        return ()
    return f"--set=routing.mode={mode}", f"--set=routing.domain={published.DOMAIN}"


def _reach(
    stack: contextlib.ExitStack, release: Release, machine: Machine, mode: str | None
) -> str:
    """Let the machine reach the model, through the mode's gateway; the command that asks it there."""
    curl = quickstart.curl().replace(quickstart.MODEL, machine.address)
    if mode is None:
        stack.enter_context(forwarding(machine.model, lambda: _endpoint(release.cluster)))
        return curl
    address = published.address(release, mode)
    stack.enter_context(forwarding(machine.model, lambda: (address, 80)))
    url = published.Platform(mode, {}, release, address).url(iris.NAME)
    return f"{curl} \\\n  -H 'Host: {urlsplit(url).netloc}'"


def _endpoint(cluster: Cluster) -> Address:
    """A ready pod behind the model's Service, as `kubectl port-forward` chooses one."""
    assert cluster.control_plane is not None
    path = f"/apis/discovery.k8s.io/v1/namespaces/{_MODELS}/endpointslices"
    selector = f"labelSelector=kubernetes.io/service-name={iris.NAME}"
    for piece in cluster.control_plane.api.get(f"{path}?{selector}")["items"]:
        for endpoint in piece["endpoints"] or ():
            if endpoint["conditions"]["ready"]:
                return endpoint["addresses"][0], piece["ports"][0]["port"]
    raise OSError(f"no pod of the Service {iris.NAME} is ready")


def _prediction(text: str) -> str | None:
    """The text, if a model said it; a gateway that has no route yet says something else."""
    try:
        return text if "predictions" in json.loads(text) else None
    except ValueError:
        return None


def _invitation(machine: Machine, curl: str) -> str:
    """What to type in another terminal of the machine; its commands are indented."""
    missing = {
        str(tools.find(name).parent) for name in ("kubectl", "helm") if not shutil.which(name)
    }
    path = os.pathsep.join(["$PATH", *sorted(missing)])
    return "\n".join(
        [
            "",
            "In another terminal, until Ctrl-C in this one takes all of it away:",
            "",
            *(f"  {line}" for line in curl.splitlines()),
            "",
            f"  export KUBECONFIG={machine.kubeconfig}",
            *([f'  export PATH="{path}"'] if missing else []),
            f"  kubectl get inferenceservices -n {_MODELS}",
            "  helm list -A",
        ]
    )


if __name__ == "__main__":
    main()
