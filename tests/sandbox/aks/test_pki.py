"""A cluster's keys: made once, renewed in time, and what they are good for."""

from __future__ import annotations

import base64
import ssl
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import jwt
import pytest
from cryptography import x509

from sandbox.aks import oidc, pki


def subject(certificate: Path) -> str:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).subject.rfc4514_string()


def test_certificates_are_kept_and_renewed_before_they_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = pki.Authority(tmp_path, "ca")
    certificate, key = authority.issue(tmp_path / "admin", "admin", "system:masters")
    assert subject(certificate) == "CN=admin,O=system:masters"
    assert key.stat().st_mode & 0o077 == 0
    first = certificate.read_text()
    pki.Authority(tmp_path, "ca").issue(tmp_path / "admin", "admin", "system:masters")
    assert certificate.read_text() == first
    monkeypatch.setattr(pki, "_RENEWAL", timedelta(days=10_000))
    authority.issue(tmp_path / "admin", "admin", "system:masters")
    assert certificate.read_text() != first


def test_a_half_written_pair_is_made_anew(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path, "ca")
    certificate, key = authority.issue(tmp_path / "one", "one")
    certificate.unlink()
    authority.issue(tmp_path / "one", "one")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_a_server_has_its_names_and_addresses(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path, "ca")
    certificate, _ = authority.issue(tmp_path / "node", "node", None, ["node", IPv4Address("10.0.0.1")])
    names = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["node"]
    assert names.value.get_values_for_type(x509.IPAddress) == [IPv4Address("10.0.0.1")]


def test_a_kubeconfig_names_cluster_and_user(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path, "ca")
    credentials = pki.certificate_credentials(*authority.issue(tmp_path / "admin", "admin"))
    config = pki.kubeconfig("https://there", "PEM", credentials, cluster="one", user="admin")
    assert config["current-context"] == "one"
    assert base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]) == b"PEM"
    assert b"PRIVATE KEY" in base64.b64decode(config["users"][0]["user"]["client-key-data"])


def test_the_issuers_keys_verify_service_account_tokens(tmp_path: Path) -> None:
    private = pki.service_account_key(tmp_path / "sa.key")
    assert pki.service_account_key(private) == private
    key = oidc.keys(pki.public_pem(private))["keys"][0]
    token = jwt.encode(
        {"sub": "system:serviceaccount:a:b"}, private.read_text(), "RS256", {"kid": key["kid"]}
    )
    assert jwt.decode(token, jwt.PyJWK(key).key, ["RS256"])["sub"] == "system:serviceaccount:a:b"
    document = oidc.discovery("https://issuer/x/")
    assert document["jwks_uri"] == "https://issuer/x/openid/v1/jwks"
