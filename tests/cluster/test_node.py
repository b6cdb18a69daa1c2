"""The node of our own cluster does to pods what a node does, which the other tests take for granted."""

import json

import pytest

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture(scope="module")
def namespace(cluster):
    if cluster.node is None:
        pytest.skip("a given cluster's nodes are not ours")
    name = cluster.namespace("node")
    yield name
    cluster.kubectl("delete", "pods", "--all", "-n", name, "--grace-period=1")


@pytest.fixture
def started(cluster, namespace):
    """Start a pod of one container that runs a script: `started(name, script, …)`."""

    def start(name, script, **container):
        spec = {
            "name": "main",
            "image": "registry.example.com/shell:1",
            "command": ["sh", "-c", script],
            "securityContext": RESTRICTED,
            **container,
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
        pod["spec"] = {"containers": [spec], "terminationGracePeriodSeconds": 1}
        cluster.apply(pod, namespace=namespace)

    return start


@pytest.fixture
def status(cluster, namespace):
    """Wait until the status of a pod's container is as wanted: `status(name, is_so)`."""

    def wait(name, is_so):
        def found():
            statuses = cluster.get("pod", name, namespace)["status"].get("containerStatuses", [])
            return next((each for each in statuses if is_so(each)), None)

        return cluster.wait(f"the container of {name} is as wanted", found)

    return wait


def test_a_container_is_what_the_restricted_level_wants(cluster, namespace, started, status):
    started("restricted", "cat /proc/self/status; touch /file; exec sleep 600")
    status("restricted", lambda each: each["ready"])
    # It is ready as soon as it runs.
    said_last = "touch: "
    log = cluster.wait(
        "its script has come to touch",
        lambda: (
            said_last in (said := cluster.kubectl("logs", "restricted", "-n", namespace)) and said
        ),
    )
    said = dict(line.split(":\t", 1) for line in log.splitlines() if ":\t" in line)
    assert said["Uid"].split() == ["1000"] * 4
    assert said["CapBnd"] == "0" * 16
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    assert "/file': Read-only file system" in log
    entered = cluster.kubectl("exec", "restricted", "-n", namespace, "--", "sh", "-c", "echo $PPID")
    assert entered == "0\n"


def test_who_uses_more_than_its_memory_is_killed(started, status):
    hog = "data=$(head -c 100000000 /dev/zero | tr '\\0' x); echo $data"
    started("hog", hog, resources={"limits": {"memory": "32Mi"}})
    found = status("hog", lambda each: "terminated" in each["lastState"])
    assert found["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_a_container_that_ends_is_started_again_after_a_while(started, status):
    started("ends", "exit 3")
    found = status("ends", lambda each: each["restartCount"] and "waiting" in each["state"])
    assert found["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert found["lastState"]["terminated"]["exitCode"] == 3


@pytest.mark.parametrize("kind", ["httpGet", "tcpSocket", "grpc", "exec"])
def test_a_container_is_ready_when_its_probe_passes(started, status, kind):
    """A stand-in's own port, and another, where nobody is."""
    probes = {
        "httpGet": lambda port: {"path": "/", "port": port},
        "tcpSocket": lambda port: {"port": port},
        "grpc": lambda port: {"port": port},
        "exec": lambda port: {"command": ["sh", "-c", f"exit {port - 9000}"]},
    }
    for name, port in (f"passes-{kind.lower()}", 9000), (f"fails-{kind.lower()}", 9001):
        # On a busy machine one try may take longer than the second that it has.
        probe = {kind: probes[kind](port), "periodSeconds": 1, "failureThreshold": 5}
        started(name, "exec serve --port=9000", livenessProbe=probe | {"initialDelaySeconds": 2})
    status(f"fails-{kind.lower()}", lambda each: each["restartCount"])
    assert status(f"passes-{kind.lower()}", lambda each: each["ready"])["restartCount"] == 0


def test_a_changed_secret_reaches_a_pod(cluster, namespace):
    cluster.kubectl("create", "secret", "generic", "word", "--from-literal=a=1", "-n", namespace)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "reader"},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "registry.example.com/shell:1",
                    "command": ["sh", "-c", "while :; do cat /word/a; echo; sleep 1; done"],
                    "securityContext": RESTRICTED,
                    "volumeMounts": [{"name": "word", "mountPath": "/word"}],
                }
            ],
            "volumes": [{"name": "word", "secret": {"secretName": "word"}}],
        },
    }
    cluster.apply(pod, namespace=namespace)

    def said(word):
        return word in cluster.kubectl("logs", "reader", "-n", namespace).split()

    cluster.wait("it has read it", lambda: said("1"))
    patch = json.dumps({"stringData": {"a": "2"}})
    cluster.kubectl("patch", "secret", "word", "-n", namespace, "-p", patch)
    cluster.wait("it has read the new one", lambda: said("2"))
