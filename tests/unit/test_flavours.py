"""What the flavours in values/ must have beside them to work on any cluster."""

import pytest

from tests.rendering import FLAVOURS, objects, of_kind, only


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_controllers_priority_class_comes_with_the_flavour(flavour):
    """GKE keeps the cluster's own two for kube-system."""
    them = objects(flavour)
    pod = only(them, "Deployment")["spec"]["template"]["spec"]
    classes = {it["metadata"]["name"]: it["value"] for it in of_kind(them, "PriorityClass")}
    if "priorityClassName" in pod:
        # The most that a class of one's own may have.
        assert 0 < classes[pod["priorityClassName"]] <= 1_000_000_000


def test_a_flavour_gives_the_controller_priority():
    pod = only(objects("ha"), "Deployment")["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "kserve-controller"


def test_a_renewal_of_the_webhooks_certificate_leaves_its_ca():
    them = of_kind(objects("cert-manager-own-issuer"), "Certificate", "Issuer")
    issuers = {it["metadata"]["name"]: it["spec"] for it in them if it["kind"] == "Issuer"}
    secrets = {it["spec"]["secretName"]: it["spec"] for it in them if it["kind"] == "Certificate"}
    serving = next(it for it in secrets.values() if "dnsNames" in it)
    # The API server is given the CA of this certificate, which another one signed.
    authority = secrets[issuers[serving["issuerRef"]["name"]]["ca"]["secretName"]]
    assert authority["isCA"]
    assert issuers[authority["issuerRef"]["name"]] == {"selfSigned": {}}
    # A renewed CA verifies what the former signed.
    assert authority["privateKey"]["rotationPolicy"] == "Never"
    assert len(issuers) == len(secrets) == 2
