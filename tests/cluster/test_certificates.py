"""The webhooks' certificate: what can go wrong with it, and the documented ways back."""

import json

import pytest

from generator.errors import ToolFailed
from tests.cluster.harness import pki, webhooks
from tests.cluster.harness.cluster import BOTH_HELMS

pytestmark = BOTH_HELMS


def rerun(platform, generation):
    """The documented way to have the certificate Job run again."""
    platform.upgrade("--set", f"webhook.certificate.generation={generation}")


def test_a_deleted_secret(cluster, platform, models):
    lost = webhooks.authority(cluster, platform.namespace)
    cluster.kubectl("delete", "secret", webhooks.SECRET, "-n", platform.namespace)
    rerun(platform, 2)
    new = cluster.wait("a Secret", lambda: webhooks.authority(cluster, platform.namespace))
    assert new != lost
    cluster.wait("its CA in every webhook", lambda: webhooks.bundles(cluster) == {new})
    webhooks.wait(cluster, models)


def test_an_emptied_ca_bundle(cluster, platform, models):
    for configuration in webhooks.configurations(cluster):
        count = len(configuration["webhooks"])
        paths = [f"/webhooks/{index}/clientConfig/caBundle" for index in range(count)]
        patch = json.dumps([{"op": "remove", "path": path} for path in paths])
        cluster.kubectl("patch", configuration["kind"], webhooks.NAME, "--type=json", "-p", patch)
    assert webhooks.bundles(cluster) == {""}
    assert "certificate signed by unknown authority" in webhooks.refusal(cluster, models)
    rerun(platform, 3)
    webhooks.wait(cluster, models)
    assert webhooks.bundles(cluster) == {webhooks.authority(cluster, platform.namespace)}


def test_a_certificate_of_ones_own_and_back(cluster, platform, models, tmp_path):
    ca = pki.make(tmp_path, "ca", subject="/CN=mine")
    host = f"DNS:kserve-webhook-server-service.{platform.namespace}.svc"
    pair = pki.make(tmp_path, "mine", subject="/CN=mine", ca=ca, names=[host])
    files = (f"--cert={pair.certificate}", f"--key={pair.key}")
    cluster.kubectl("create", "secret", "tls", "mine", "-n", platform.namespace, *files)

    values = {"mode": "existing", "secretName": "mine", "caBundle": ca.base64}
    existing = [f"--set=webhook.certificate.{key}={value}" for key, value in values.items()]
    if platform.program == "helm":
        # Helm 4 takes no field that somebody else owns, unless it is told to.
        with pytest.raises(ToolFailed, match='conflicts with "kube-webhook-certgen"'):
            platform.upgrade(*existing)
        existing.append("--force-conflicts")
    platform.upgrade(*existing)
    assert webhooks.bundles(cluster) == {ca.base64}
    webhooks.wait(cluster, models)
    assert cluster.list("jobs", platform.namespace) == []

    platform.upgrade("--set", "webhook.certificate.mode=selfSigned")
    authority = webhooks.authority(cluster, platform.namespace)
    cluster.wait("the CA of the Job", lambda: webhooks.bundles(cluster) == {authority})
    webhooks.wait(cluster, models)


def test_a_secret_of_somebody_elses_is_not_taken_for_the_jobs(cluster, platform, models):
    """Without a CA in it the init container says so, and nothing is patched."""
    before = webhooks.bundles(cluster)
    secret = ("secret", webhooks.SECRET, "-n", platform.namespace)
    cluster.kubectl("delete", *secret)
    cluster.kubectl("create", "secret", "generic", *secret[1:], "--from-literal=tls.crt=x")
    arguments = ("--set", "webhook.certificate.generation=4", "-n", platform.namespace)
    upgrade = ("upgrade", platform.name, str(platform.chart), *arguments)
    cluster.helm(*upgrade, program=platform.program)

    def said():
        pods = cluster.list("pods", platform.namespace, "app.kubernetes.io/component=certificate")
        lines = [
            line
            for pod in pods
            # Not one of the Job that is being deleted.
            if pod["metadata"]["annotations"]["kserve-lite/generation"] == "4"
            for line in cluster.kubectl(
                "logs", pod["metadata"]["name"], "-c", "create", "-n", platform.namespace
            ).splitlines()
        ]
        # Beside client-go's own lines.
        return [json.loads(line) for line in lines if line.startswith("{")]

    first = cluster.wait("what it says", said)[0]
    assert first["level"] == "ERROR"
    assert "has no key ca.crt" in first["msg"]
    assert webhooks.bundles(cluster) == before
    # As certgen named it once; in one step, or the Job makes a Secret of its own between two.
    patch = ("--type=merge", "-p", '{"data": {"ca": "eA=="}}')
    cluster.kubectl("patch", *secret, *patch)
    cluster.wait("its CA in every webhook", lambda: webhooks.bundles(cluster) == {"eA=="})
