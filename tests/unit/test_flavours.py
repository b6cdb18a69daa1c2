"""What the flavours in values/ must have beside them to work on any cluster."""

import pytest

from tests.rendering import FLAVOURS, objects, of_kind, only


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_controllers_priority_class_comes_with_the_flavour(flavour):
    """GKE keeps the cluster's own two for kube-system."""
    them = objects(flavour)
    pod = only(them, "Deployment")["spec"]["template"]["spec"]
    classes = {
        priority_class["metadata"]["name"]: priority_class["value"]
        for priority_class in of_kind(them, "PriorityClass")
    }
    if "priorityClassName" in pod:
        # The most that a class of one's own may have.
        assert 0 < classes[pod["priorityClassName"]] <= 1_000_000_000


def test_a_flavour_gives_the_controller_priority():
    pod = only(objects("ha"), "Deployment")["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "kserve-controller"


def test_a_renewal_of_the_webhooks_certificate_leaves_its_ca():
    them = of_kind(objects("cert-manager-own-issuer"), "Certificate", "Issuer")
    issuers = {
        manifest["metadata"]["name"]: manifest["spec"]
        for manifest in them
        if manifest["kind"] == "Issuer"
    }
    secrets = {
        manifest["spec"]["secretName"]: manifest["spec"]
        for manifest in them
        if manifest["kind"] == "Certificate"
    }
    serving = next(secret for secret in secrets.values() if "dnsNames" in secret)
    # The API server is given the CA of this certificate, which another one signed.
    authority = secrets[issuers[serving["issuerRef"]["name"]]["ca"]["secretName"]]
    assert authority["isCA"]
    assert issuers[authority["issuerRef"]["name"]] == {"selfSigned": {}}
    # A renewed CA verifies what the former signed.
    assert authority["privateKey"]["rotationPolicy"] == "Never"
    assert len(issuers) == len(secrets) == 2
