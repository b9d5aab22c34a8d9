"""Certificates of the ingress controller's sites, as files that nginx reads. A file's name holds a digest of
what is in it, so that nginx's configuration changes when a certificate does."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.aks.files import write
from sandbox.aks.ingressrules import Site
from sandbox.aks.pki import fresh
from sandbox.services import CertificateAuthority

#: (namespace, name) -> a TLS Secret's data, base64 as the API has it.
Secrets = Mapping[tuple[str, str], Mapping[str, str]]


class Certificates:
    """Paths lack `.crt` and `.key`."""

    def __init__(self, folder: Path, authority: CertificateAuthority) -> None:
        self._folder = folder
        self._authority = authority

    def of(self, sites: Iterable[Site], secrets: Secrets) -> dict[str, Path]:
        """By host. A site without a usable secret gets one of the sandbox's authority, which clients trust:
        what a certificate controller would have put there."""
        found: dict[str, Path] = {}
        for site in sites:
            data = secrets.get(site.secret) if site.secret else None
            held = self._held(data) if data else None
            if held is not None or site.tls:
                found[site.host] = held or self.issued(site.host)
        return found

    def issued(self, host: str) -> Path:
        path = self._folder / f"issued-{host.replace('*', '_')}"
        certificate = path.with_name(f"{path.name}.crt")
        if not fresh(certificate):
            chain, key = self._authority.issue([host])
            write(path.with_name(f"{path.name}.key"), key, mode=0o600)
            write(certificate, chain)
        return path

    def forget_all_but(self, kept: Iterable[Path]) -> None:
        """Remove the files of secrets that are not used any more."""
        names = {path.name for path in kept}
        for file in self._folder.glob("secret-*"):
            if file.stem not in names:
                file.unlink()

    def _held(self, data: Mapping[str, str]) -> Path | None:
        """None when the secret holds no certificate that nginx could use."""
        try:
            chain, key = (base64.b64decode(data[name]).decode() for name in ("tls.crt", "tls.key"))
        except (KeyError, binascii.Error, UnicodeDecodeError):
            return None
        path = self._folder / f"secret-{hashlib.sha256((chain + key).encode()).hexdigest()[:16]}"
        files = path.with_name(f"{path.name}.crt"), path.with_name(f"{path.name}.key")
        write(files[1], key, mode=0o600)
        write(files[0], chain)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
        except (ssl.SSLError, OSError):
            for file in files:
                file.unlink()
            return None
        return path
