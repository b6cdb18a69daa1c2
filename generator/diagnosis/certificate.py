"""The webhooks: their certificate, their CA, and whether the API server reaches them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from generator import CHART, CONTROLLER
from generator.diagnosis.finding import Finding, Findings, label, line
from generator.diagnosis.snapshot import GROUP, Snapshot, secret_name
from generator.values.identity import called
from generator.yaml.data import JsonObject
from generator.yaml.fields import at

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SOON = timedelta(days=14)
_CALL = re.compile(r"failed calling webhook|failed to call webhook|no endpoints available")


def check_certificate(seen: Snapshot) -> Findings:
    """The certificate is there, of today, for the webhooks' address, and of the CA they name."""
    if seen.controller is None or seen.certificate is None:
        return
    secret = secret_name(seen.controller)
    where = called("Secret", secret, seen.release.namespace)
    remedy = _renewal(seen, secret)
    if not seen.certificate:
        fact = "is not there, or holds no tls.crt; a controller cannot start without it"
        yield Finding("certificate-missing", where, fact, remedy)
        return
    chain = _certificates(seen.certificate)
    if not chain:
        yield Finding("certificate-missing", where, "holds a tls.crt that is no PEM", remedy)
        return
    leaf = chain[0]
    until = leaf.not_valid_after_utc
    if not leaf.not_valid_before_utc <= seen.now <= until:
        fact = f"is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to {until:%Y-%m-%d %H:%M} UTC"
        yield Finding("certificate-expired", where, fact, remedy)
    elif until - seen.now < _SOON:
        fact = f"is valid until {until:%Y-%m-%d %H:%M} UTC only"
        yield Finding("certificate-expiring", where, fact, remedy)
    for fact in dict.fromkeys(_mismatches(seen, chain)):
        yield Finding("certificate-mismatch", where, fact, remedy)


def _renewal(seen: Snapshot, secret: str) -> str:
    """What makes a new certificate, by the mode that the Secret's name tells."""
    release = seen.release
    deletion = f"kubectl -n {release.namespace} delete secret {secret} --ignore-not-found"
    if secret.endswith("-self-signed"):
        # The Job keeps a Secret that is there, and runs for a number it has not had: the minute.
        generation = int(seen.now.timestamp()) // 60
        return (
            f"{deletion} && helm upgrade {release.name} charts/{CHART} -n {release.namespace} "
            f"-f my.yaml --set webhook.certificate.generation={generation} --wait"
        )
    if secret.endswith("-cert-manager"):
        return f"kubectl -n {release.namespace} describe certificates,certificaterequests,issuers"
    if secret.endswith("-openshift"):
        return f"{deletion}, and OpenShift makes it anew"
    return f"put a valid certificate into Secret {secret}, and its CA into webhook.certificate"


def _mismatches(seen: Snapshot, chain: Sequence[Certificate]) -> Iterator[str]:
    """What does not fit between the certificate and the webhook configurations."""
    names = _names(chain[0])
    for configuration in webhooks(seen):
        for webhook in configuration["webhooks"]:
            service = at(webhook, "clientConfig.service") or {}
            host = f"{service.get('name')}.{service.get('namespace')}.svc"
            if service and host not in names:
                yield f"is for {', '.join(sorted(names)) or 'no name'}, not for {host}"
            bundle = str(at(webhook, "clientConfig.caBundle") or "")
            authorities = _certificates(_decoded(bundle))
            if not authorities:
                yield f"has no CA in {label(configuration)}: its caBundle is empty or no PEM"
            elif not _issued(chain, authorities):
                yield f"is not of the CA in {label(configuration)}"


def webhooks(seen: Snapshot) -> list[JsonObject]:
    """The webhook configurations that are asked about KServe's objects."""
    return [
        each
        for each in seen.of("mutating", "validating")
        if any(GROUP in rule.get("apiGroups", ()) for rule in _rules(each))
    ]


def _rules(configuration: JsonObject) -> Iterator[JsonObject]:
    for webhook in configuration.get("webhooks") or []:
        yield from webhook.get("rules") or []


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _certificates(text: str) -> list[Certificate]:
    """The certificates in a PEM text; none if it is no such text."""
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.load_pem_x509_certificates(text.encode("ascii"))
    except ValueError:
        return []


def _names(certificate: Certificate) -> set[str]:
    """The DNS names that a certificate is for."""
    from cryptography import x509  # noqa: PLC0415

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return set()
    return set(extension.value.get_values_for_type(x509.DNSName))


def _issued(chain: Sequence[Certificate], authorities: Sequence[Certificate]) -> bool:
    """Whether a chain of certificates, the server's first, ends at one of the authorities."""
    known = [*authorities]
    for certificate in reversed(chain):
        if certificate in known or any(_signed(certificate, each) for each in known):
            known.append(certificate)
    return chain[0] in known


def _signed(certificate: Certificate, authority: Certificate) -> bool:
    """Whether an authority has signed a certificate."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def check_webhooks(seen: Snapshot) -> Findings:
    """Webhooks are asked for a controller that is there, and the API server gets an answer."""
    for configuration in webhooks(seen):
        for home in _homes(configuration) if "controllers" in seen.found else ():
            if seen.named("controllers", CONTROLLER, home) is None:
                kind, name = configuration["kind"].lower(), at(configuration, "metadata.name")
                yield Finding(
                    "webhook-orphaned",
                    label(configuration),
                    f"asks namespace {home}, where no controller is, about every model",
                    f"install the platform there, or: kubectl delete {kind} {name}",
                )
    if _CALL.search(seen.admission):
        yield Finding(
            "webhook-fails",
            called("InferenceService", "any", seen.release.models),
            line(seen.admission),
            "docs/troubleshooting.md has each of these messages, and what mends it",
        )


def _homes(configuration: JsonObject) -> dict[str, None]:
    """The namespaces that a configuration's webhooks are in, each once."""
    services = (at(each, "clientConfig.service") or {} for each in configuration["webhooks"])
    return dict.fromkeys(str(each["namespace"]) for each in services if "namespace" in each)
