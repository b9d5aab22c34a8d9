"""The sandbox's certificate authority, and the trust bundle clients on the host are pointed at.

Owns `state/ca`: `ca.pem` and `ca.key` (mode 600) made once, `system.pem` (the trust the machine had) and
`bundle.pem` (that plus our certificate). Keys are ECDSA P-256, which every client in use accepts.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.config import Config
from sandbox.host import files
from sandbox.host.errors import HostError

_CA_YEARS = 10
#: Longest life that strict clients (Apple's, browsers) accept for a server certificate.
_LEAF_DAYS = 397
#: Tolerates clocks that are a little behind.
_BACKDATE = dt.timedelta(hours=1)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
#: Where distributions keep their trust store, Debian first.
_SYSTEM_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Authority:
    """The `CertificateAuthority` of `sandbox.services`. Needs `ensure` to have run on this state folder."""

    def __init__(self, config: Config) -> None:
        try:
            self._certificate = x509.load_pem_x509_certificate(config.ca_certificate.read_bytes())
            key = serialization.load_pem_private_key(_key_path(config).read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise HostError(
                f"the sandbox's certificate authority in {config.ca_certificate.parent} cannot be used "
                f"({error}); `uv run sandbox up` makes it, `uv run sandbox reset` replaces it"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise HostError(
                f"{_key_path(config)} does not hold an elliptic curve key; run `uv run sandbox reset`"
            )
        self._key = key

    def issue(
        self, names: Sequence[str], *, client: str | None = None, group: str | None = None
    ) -> tuple[str, str]:
        """(certificate chain PEM, private key PEM) for DNS names (wildcards too) and IP addresses."""
        if not names and client is None:
            raise HostError("a certificate needs a name: give DNS names or IP addresses, or a client name")
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] if names else []
        life = dt.timedelta(days=_LEAF_DAYS)
        if client is not None:
            usages.append(ExtendedKeyUsageOID.CLIENT_AUTH)
        builder = (
            _builder(
                _subject(client or _common_name(names[0]), group),
                self._certificate.subject,
                key.public_key(),
                life,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(_key_identifier(self._key), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return _pem(certificate) + _pem(self._certificate), _key_pem(key)

    def sign(self, request: str, *, seconds: float) -> str:
        """The chain (PEM) for a server's certificate signing request (PEM), valid for `seconds` from now."""
        asked = x509.load_pem_x509_csr(request.encode())
        if not asked.is_signature_valid:
            raise ValueError("the certificate signing request is not signed by its own key")
        try:
            names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            raise ValueError("the certificate signing request has no alternative names") from None
        life = dt.timedelta(seconds=seconds)
        encipher = isinstance(asked.public_key(), rsa.RSAPublicKey)
        certificate = (
            _builder(asked.subject, self._certificate.subject, asked.public_key(), life)
            .add_extension(names.value, critical=names.critical or not list(asked.subject))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign=False, encipher=encipher), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_key_identifier(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return _pem(certificate) + _pem(self._certificate)


def ensure(config: Config, environment: Mapping[str, str]) -> None:
    """Make the authority if there is none, and the bundle from the trust of `environment` and the system."""
    if not config.ca_certificate.exists():
        _create(config)
    system = config.ca_certificate.parent / "system.pem"
    trust = _trusted(environment, config, system)
    files.write_if_changed(system, trust)
    files.write_if_changed(config.ca_bundle, trust + config.ca_certificate.read_text())


def _create(config: Config) -> None:
    """The key is written before the certificate, whose presence says that both are complete."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"{config.suffix} sandbox CA"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, config.netns),
        ]
    )
    certificate = (
        _builder(subject, subject, key.public_key(), dt.timedelta(days=365 * _CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(sign=True), critical=True)
        .add_extension(_key_identifier(key), critical=False)
        .sign(key, hashes.SHA256())
    )
    files.write(_key_path(config), _key_pem(key), mode=0o600)
    files.write(config.ca_certificate, _pem(certificate))


def _trusted(environment: Mapping[str, str], config: Config, kept: Path) -> str:
    """The certificates that the environment's bundles and the system's store hold, each once.

    A shell that was pointed at our own bundle names nothing new; what it named before is in `kept`.
    """
    named = [environment.get(variable) for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
    sources = [Path(path) for path in named if path]
    if config.ca_bundle in sources:
        sources = [path for path in sources if path != config.ca_bundle] + [kept]
    stores = [*_SYSTEM_STORES, ssl.get_default_verify_paths().cafile or ""]
    sources += [path for store in stores if store and (path := Path(store)) != config.ca_bundle]
    ours = set(_PEM.findall(config.ca_certificate.read_text()))
    found: dict[str, None] = {}
    for source in dict.fromkeys(sources):
        if source.is_file() and os.access(source, os.R_OK):
            found.update(dict.fromkeys(_PEM.findall(source.read_text(errors="replace"))))
    return "".join(f"{certificate}\n" for certificate in found if certificate not in ours)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, life: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _subject(common_name: str, group: str | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if group is not None:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _common_name(name: str) -> str:
    """For people only; clients look at the alternative names. It may have 64 characters (RFC 5280)."""
    return name if len(name) <= 64 else "sandbox"


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_identifier(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _key_usage(*, sign: bool, encipher: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=sign,
        crl_sign=sign,
        content_commitment=False,
        key_encipherment=encipher,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _key_path(config: Config) -> Path:
    return config.ca_certificate.parent / "ca.key"
