"""What `make demo` is made of, without a cluster."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from codegen import upstream
from generator import tools
from generator.errors import GeneratorError
from generator.values.schema import values_schema
from tests.cluster.demo.__main__ import MODES, build, listening
from tests.cluster.demo.__main__ import main as demo
from tests.cluster.harness import debian, envoy, modelserver, own, quickstart, vanishing
from tests.cluster.harness.forwarder import forwarding
from tests.cluster.harness.steps import Steps
from tests.rendering import ROOT

LOOPBACK = "127.0.0.1"


def port(listener):
    return listener.getsockname()[1]


def asked(listener, text):
    """What comes back of a text, after which nothing more is sent."""
    with socket.create_connection((LOOPBACK, port(listener)), timeout=10) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(4096), b""))


@pytest.fixture
def echo():
    """A server that answers once it knows that nothing more comes; its address."""

    def answer(connection):
        with connection:
            text = b"".join(iter(lambda: connection.recv(4096), b""))
            connection.sendall(text.upper())

    def serve():
        while True:
            try:
                threading.Thread(target=answer, args=server.accept()[:1], daemon=True).start()
            except OSError:
                return

    with socket.create_server((LOOPBACK, 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield LOOPBACK, port(server)
        server.shutdown(socket.SHUT_RDWR)


def test_a_forwarder_hands_on_both_ways_to_the_end(echo):
    listener = listening(0)
    text = b"flowers" * 100_000
    with forwarding(listener, lambda: echo):
        assert asked(listener, text) == text.upper()
        assert asked(listener, b"again") == b"AGAIN"


def test_a_forwarder_closes_where_nobody_is(echo):
    def target():
        if not there:
            raise OSError("no pod is ready")
        return echo

    there = []
    listener = listening(0)
    with forwarding(listener, target):
        assert asked(listener, b"") == b""
        there.append(True)
        assert asked(listener, b"now") == b"NOW"


def test_a_forwarder_ends():
    listener = listening(0)
    number = port(listener)
    with forwarding(listener, lambda: (LOOPBACK, 1)):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, number))


def test_a_port_that_is_taken_is_another():
    with listening(0) as first, listening(port(first)) as second:
        assert port(second) not in (0, port(first))


def test_a_step_says_when_it_begins_and_that_it_goes_on(capsys):
    steps = Steps(time.monotonic() - 90, every=0.2)
    with steps.step("helm install", lambda: "a pod is not ready"):
        time.sleep(0.5)
    with steps.step("kubectl wait"):
        pass
    first, *more, last = capsys.readouterr().err.splitlines()
    assert first.endswith(" s  helm install") and float(first.split()[0]) >= 90
    assert len(more) == 2
    assert all(line.endswith("  … for 0 s: a pod is not ready") for line in more)
    assert last.endswith(" s  kubectl wait")


HOLD = """
import time
from tests.cluster.harness import vanishing
with vanishing.folder() as folder:
    (folder / "kubeconfig").touch()
    print(folder, flush=True)
    time.sleep({seconds})
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, None])
def test_a_folder_vanishes_with_its_process(how):
    code = HOLD.format(seconds=60 if how else 0)
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        folder = Path(process.stdout.readline().strip())
        assert folder.name.startswith(vanishing.PREFIX)
        assert how is None or (folder / "kubeconfig").exists()
        if how:
            process.send_signal(how)
    deadline = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_who_ran_sudo_may_read(monkeypatch, tmp_path):
    monkeypatch.setenv("SUDO_UID", "4711")
    monkeypatch.setenv("SUDO_GID", "4712")
    vanishing.give(tmp_path)
    assert (tmp_path.stat().st_uid, tmp_path.stat().st_gid) == (4711, 4712)
    with vanishing.folder() as folder:
        assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (4711, 0o700)


def test_root_is_asked_for_before_anything_is_done(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(own, "build", lambda **_: pytest.fail("it builds"))
    done = CliRunner().invoke(demo, [])
    assert done.exit_code == 1
    assert done.output == "ERROR: namespaces need root; use sudo (the tests also take KUBECONFIG)\n"


@pytest.mark.parametrize(
    ("program", "remedy"),
    [("ip", "install iproute2"), ("unshare", "install util-linux"), ("openssl", "install openssl")],
)
def test_what_the_system_lacks_is_said_with_its_package(monkeypatch, tmp_path, program, remedy):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in {*own.SYSTEM} - {program}:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GeneratorError, match=f"^{program} is missing; {remedy}$"):
        own.check()


def test_the_modes_are_those_that_publish():
    modes = values_schema()["properties"]["routing"]["properties"]["mode"]["enum"]
    assert {*MODES, "none"} == set(modes)
    done = CliRunner().invoke(demo, ["--mode=none"])
    assert done.exit_code == 2
    assert "'none' is not one of 'ingress', 'gatewayApi', 'virtualService'" in done.output


@pytest.mark.parametrize("mode", [None, *MODES])
def test_only_what_a_mode_needs_is_built(monkeypatch, mode):
    built = set()
    monkeypatch.setattr(tools, "build", built.add)
    monkeypatch.setattr(modelserver, "build", lambda: built.add("modelserver"))
    monkeypatch.setattr(envoy, "build", lambda: built.add("envoy"))
    monkeypatch.setattr(debian.Program, "build", lambda program: built.add(program.name))
    monkeypatch.setattr(upstream, "folder", built.add)
    build(Steps(time.monotonic()), mode)
    parts = {tools.TOOLS[name].folder for name in built & tools.TOOLS.keys()}
    gateway = {"istio", "coredns"} if mode else set()
    assert parts == {"etcd", "kubernetes", "kserve", "certgen", "standin", "helm", *gateway}
    more = {"envoy", "nft", "sigs.k8s.io/gateway-api"} if mode else set()
    always = {"modelserver", "containerd", upstream.KSERVE}
    assert built - tools.TOOLS.keys() == always | more


def test_make_hands_on_what_it_is_told():
    command = ["make", "--dry-run", "--silent", "demo", "MODE=ingress", "ASK=once"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said.rstrip().endswith("-m tests.cluster.demo --mode=ingress --ask=once")


def test_the_curl_is_that_of_the_readme():
    lines = quickstart.curl().splitlines()
    assert lines[0].startswith(f"curl {quickstart.MODEL}/v1/models/sklearn-iris:predict ")
    assert all(line.endswith("\\") for line in lines[:-1])
    assert not lines[-1].endswith("\\")
