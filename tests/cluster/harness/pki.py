"""Certificates and kubeconfigs, made with openssl."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import process


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, two PEM files."""

    certificate: Path
    key: Path

    @property
    def base64(self) -> str:
        """The certificate as kubeconfigs and caBundles want it."""
        return _base64(self.certificate)


def make(
    folder: Path, name: str, *, subject: str, ca: Pair | None = None, names: Sequence[str] = ()
) -> Pair:
    """A certificate for `names` (as `DNS:…` or `IP:…`), signed by `ca`; without one, a CA."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    argv = ["openssl", "req", "-x509", "-days", "2", "-subj", subject, "-nodes"]
    argv += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    argv += ["-out", str(pair.certificate), "-keyout", str(pair.key)]
    if ca is not None:
        argv += ["-CA", str(ca.certificate), "-CAkey", str(ca.key)]
        argv += ["-addext", "basicConstraints=critical,CA:FALSE"]
        argv += ["-addext", "extendedKeyUsage=serverAuth,clientAuth"]
    if names:
        argv += ["-addext", f"subjectAltName={','.join(names)}"]
    process.run(argv)
    return pair


def kubeconfig(file: Path, *, server: str, ca: Pair, user: Pair) -> Path:
    """Write a kubeconfig for the user that a client certificate names; other files it needs none."""
    cluster = {"server": server, "certificate-authority-data": ca.base64}
    credentials = {
        "client-certificate-data": user.base64,
        "client-key-data": _base64(user.key),
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "own", "cluster": cluster}],
        "users": [{"name": "own", "user": credentials}],
        "contexts": [{"name": "own", "context": {"cluster": "own", "user": "own"}}],
        "current-context": "own",
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
