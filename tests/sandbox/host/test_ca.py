"""Certificates that strict clients accept, and a trust bundle that loses no trust."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.config import Config
from sandbox.host import ca
from sandbox.host.errors import HostError
from sandbox.host.tls import ssl_context

_STRICT = ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(state=tmp_path, suffix="azure79.test")
    ca.ensure(made, {})
    return made


async def _served_names(server: ssl.SSLContext, config: Config, name: str) -> set[str]:
    """Names in the certificate that a client gets which asks for `name` and verifies strictly."""
    client = ssl.create_default_context(cafile=str(config.ca_certificate))
    client.verify_flags |= _STRICT

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=server)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        certificate = writer.get_extra_info("ssl_object").getpeercert()
        writer.close()
    return {value for _, value in certificate["subjectAltName"]}


async def test_wildcards_and_names_asked_for_are_served(config: Config) -> None:
    server = ssl_context(ca.Authority(config), ["*.azure79.test"], "azure79.test")
    assert await _served_names(server, config, "login.azure79.test") == {"*.azure79.test"}
    deep = "acc.blob.storage.azure79.test"
    assert await _served_names(server, config, deep) == {deep}


async def test_names_outside_the_suffix_get_no_certificate(config: Config) -> None:
    server = ssl_context(ca.Authority(config), ["*.azure79.test"], "azure79.test")
    for name in ("example.com", "azure79.test.example.com", "notazure79.test"):
        with pytest.raises(ssl.SSLCertVerificationError):
            await _served_names(server, config, name)


def test_a_client_certificate_names_user_and_group(config: Config) -> None:
    chain, _ = ca.Authority(config).issue([], client="admin", group="system:masters")
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    assert [a.value for a in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["admin"]
    assert [a.value for a in leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == [
        "system:masters"
    ]
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_addresses_become_ip_names(config: Config) -> None:
    chain, _ = ca.Authority(config).issue(["10.79.1.10", "kubernetes.default.svc"])
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.79.1.10"]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]


def test_a_name_longer_than_a_common_name_may_be_is_issued(config: Config) -> None:
    ca.Authority(config).issue([f"{'a' * 60}.{'b' * 60}.azure79.test"])


def test_a_certificate_for_nobody_is_refused(config: Config) -> None:
    with pytest.raises(HostError, match="needs a name"):
        ca.Authority(config).issue([])


def test_the_authority_is_made_once_and_its_key_is_private(config: Config) -> None:
    before = config.ca_certificate.read_bytes()
    ca.ensure(config, {})
    assert config.ca_certificate.read_bytes() == before
    assert (config.ca_certificate.parent / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_kill_between_key_and_certificate_is_made_good(config: Config) -> None:
    config.ca_certificate.unlink()
    ca.ensure(config, {})
    ca.Authority(config).issue(["a.azure79.test"])


def test_a_missing_authority_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="sandbox up"):
        ca.Authority(Config(state=tmp_path))


def _certificate(tmp_path: Path, name: str) -> tuple[Path, str]:
    other = Config(state=tmp_path / name, suffix=f"{name}.test")
    ca.ensure(other, {})
    return other.ca_certificate, other.ca_certificate.read_text().strip()


def test_the_bundle_holds_the_environments_trust_the_systems_and_ours(config: Config, tmp_path: Path) -> None:
    path, corporate = _certificate(tmp_path, "corporate")
    ca.ensure(config, {"SSL_CERT_FILE": str(path), "REQUESTS_CA_BUNDLE": "/nowhere"})
    bundle = config.ca_bundle.read_text()
    assert corporate in bundle
    assert config.ca_certificate.read_text() in bundle
    assert bundle.count(corporate) == 1
    ssl.create_default_context(cafile=str(config.ca_bundle))


def test_a_shell_that_already_points_at_the_bundle_loses_no_trust(config: Config, tmp_path: Path) -> None:
    path, corporate = _certificate(tmp_path, "corporate")
    ca.ensure(config, {"SSL_CERT_FILE": str(path)})
    once = config.ca_bundle.read_text()
    ours = str(config.ca_bundle)
    ca.ensure(config, {"SSL_CERT_FILE": ours, "REQUESTS_CA_BUNDLE": ours})
    assert corporate in config.ca_bundle.read_text()
    assert config.ca_bundle.read_text() == once


def _request(key: rsa.RSAPrivateKey, *names: str) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(key, hashes.SHA256())


async def test_a_request_is_signed_for_its_own_key_and_names(config: Config, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    request = _request(key, "a.azure79.test", "b.azure79.test")
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    chain = ca.Authority(config).sign(_pem(request), seconds=7200)
    leaf, issuer = x509.load_pem_x509_certificates(chain.encode())
    assert issuer == x509.load_pem_x509_certificate(config.ca_certificate.read_bytes())
    assert leaf.public_key() == key.public_key()
    assert (
        dt.timedelta(0) <= leaf.not_valid_after_utc - before - dt.timedelta(hours=2) < dt.timedelta(seconds=9)
    )
    (tmp_path / "chain").write_text(chain)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "chain", tmp_path / "key")
    assert await _served_names(server, config, "b.azure79.test") == {"a.azure79.test", "b.azure79.test"}


def test_a_request_that_names_nothing_or_was_changed_is_refused(config: Config) -> None:
    authority, key = ca.Authority(config), rsa.generate_private_key(65537, 2048)
    with pytest.raises(ValueError, match="no alternative names"):
        authority.sign(_pem(_request(key)), seconds=60)
    der = bytearray(_request(key, "a.azure79.test").public_bytes(Encoding.DER))
    der[-1] ^= 1
    changed = x509.load_der_x509_csr(bytes(der))
    with pytest.raises(ValueError, match="not signed by its own key"):
        authority.sign(_pem(changed), seconds=60)


def _pem(request: x509.CertificateSigningRequest) -> str:
    return request.public_bytes(Encoding.PEM).decode()
