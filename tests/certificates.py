"""Certificates for tests: an authority, and what it signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LONG = timedelta(days=3650)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM texts."""

    certificate: str
    key: str


class Authority:
    """A CA that is valid for years around a day; it signs itself, unless another is to sign it."""

    def __init__(self, day: datetime, name: str = "ca", signer: Authority | None = None) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = name
        valid = (day - _LONG, day + _LONG)
        made = (signer or self)._made(name, self._key, valid, (), ca=True)
        self.certificate = _pem(made)

    def sign(self, hosts: Sequence[str], begin: datetime, end: datetime) -> Pair:
        """A server's certificate for some DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._made("server", key, (begin, end), hosts, ca=False)
        form = serialization.PrivateFormat.PKCS8
        text = key.private_bytes(
            serialization.Encoding.PEM, form, serialization.NoEncryption()
        ).decode()
        return Pair(_pem(made), text)

    def _made(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        valid: tuple[datetime, datetime],
        hosts: Sequence[str],
        *,
        ca: bool,
    ) -> x509.Certificate:
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)])
            for each in (name, self._name)
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid[0])
            .not_valid_after(valid[1])
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _pem(made: x509.Certificate) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode()
