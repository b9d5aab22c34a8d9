"""A cluster's own keys: its client certificate authority, the front proxy's, and the service account keys.

Each cluster has its own authority, so that one cluster's certificates open no other. The API server's own
certificate is not made here: it comes from the sandbox's authority, which clients trust already.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.aks.files import write

_AUTHORITY_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=730)
#: A certificate that ends sooner is issued anew when the cluster starts.
_RENEWAL = timedelta(days=60)


class Authority:
    """A certificate authority in a folder (`<name>.crt`, `<name>.key`), made when first asked for."""

    def __init__(self, folder: Path, name: str) -> None:
        self.certificate = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        self._name = name
        if not (self.certificate.is_file() and self.key.is_file()):
            self._create()

    def certificate_pem(self) -> str:
        return self.certificate.read_text()

    def issue(
        self, path: Path, name: str, group: str | None = None, addresses: Sequence[str | IPv4Address] = ()
    ) -> tuple[Path, Path]:
        """(certificate, key) files `path`.crt and .key of `name` in `group`; a server's too when it has
        `addresses` (DNS names or IP addresses). Kept until 60 days before they end."""
        certificate, key = path.with_suffix(".crt"), path.with_suffix(".key")
        if key.is_file() and fresh(certificate):
            return certificate, key
        private = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if group is not None:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = _builder(x509.Name(attributes), private.public_key(), _LIFE)
        if addresses:
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
            names = [x509.IPAddress(a) if isinstance(a, IPv4Address) else x509.DNSName(a) for a in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        signer = serialization.load_pem_private_key(self.key.read_bytes(), None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self.key} holds no elliptic curve key")
        signed = builder.issuer_name(authority.subject).sign(signer, hashes.SHA256())
        write(key, _private_pem(private), mode=0o600)
        write(certificate, signed.public_bytes(serialization.Encoding.PEM).decode())
        return certificate, key

    def _create(self) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)])
        certificate = (
            _builder(subject, private.public_key(), _AUTHORITY_LIFE)
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                    key_encipherment=False, data_encipherment=False, key_agreement=False,
                    encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )
            .sign(private, hashes.SHA256())
        )  # fmt: skip
        write(self.key, _private_pem(private), mode=0o600)
        write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())


def service_account_key(path: Path) -> Path:
    """The key that signs service account tokens; made when first asked for, then kept."""
    if not path.is_file():
        write(path, _private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)), mode=0o600)
    return path


def public_pem(private: Path) -> str:
    """The public half of a private key file."""
    key = serialization.load_pem_private_key(private.read_bytes(), None)
    public = key.public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def kubeconfig(
    server: str, authority: str, credentials: Mapping[str, Any], *, cluster: str, user: str
) -> dict[str, Any]:
    """A kubeconfig of one cluster and one user. `authority` is PEM; `credentials` the user's entry."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": cluster, "cluster": {"certificate-authority-data": encode(authority), "server": server}}
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
        "preferences": {},
        "users": [{"name": user, "user": credentials}],
    }


def certificate_credentials(certificate: Path, key: Path) -> dict[str, Any]:
    """A kubeconfig user that shows a client certificate."""
    return {
        "client-certificate-data": encode(certificate.read_text()),
        "client-key-data": encode(key.read_text()),
    }


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def expires(certificate: Path) -> datetime:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def fresh(certificate: Path) -> bool:
    """Whether it need not be issued anew."""
    return certificate.is_file() and expires(certificate) - datetime.now(UTC) > _RENEWAL


def _builder(
    subject: x509.Name, public_key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        # Clocks of client and server may differ by a little.
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + life)
    )


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
