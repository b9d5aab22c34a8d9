"""Certificates of sites: those of secrets, and the sandbox's where a secret is missing or of no use."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography import x509

from sandbox.aks.certificates import Certificates
from sandbox.aks.ingressrules import Site
from tests.sandbox.azure.fakes import Authority

SITE = Site("web.azure.test", tls=True, secret=("default", "cert"))


def encoded(chain: str, key: str) -> dict[str, str]:
    return {
        "tls.crt": base64.b64encode(chain.encode()).decode(),
        "tls.key": base64.b64encode(key.encode()).decode(),
    }


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path, Authority())


def names(path: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate(path.with_name(f"{path.name}.crt").read_bytes())
    return certificate.extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    ).value.get_values_for_type(x509.DNSName)


def test_a_secrets_certificate_is_used_and_a_changed_one_has_another_file(certificates: Certificates) -> None:
    other = Authority()
    data = encoded(*other.issue(["theirs.test"]))
    path = certificates.of([SITE], {("default", "cert"): data})[SITE.host]
    assert names(path) == ["theirs.test"]
    assert certificates.of([SITE], {("default", "cert"): data})[SITE.host] == path
    changed = encoded(*other.issue(["theirs.test"]))
    renewed = certificates.of([SITE], {("default", "cert"): changed})[SITE.host]
    assert renewed != path
    certificates.forget_all_but([renewed])
    assert not path.with_name(f"{path.name}.key").exists()
    assert renewed.with_name(f"{renewed.name}.key").exists()


def test_a_missing_secret_is_stood_in_for(certificates: Certificates) -> None:
    assert names(certificates.of([SITE], {})[SITE.host]) == ["web.azure.test"]


def test_a_secret_of_no_use_is_stood_in_for(certificates: Certificates, tmp_path: Path) -> None:
    chain, key = Authority().issue(["theirs.test"])
    other_key = Authority().issue(["theirs.test"])[1]
    for data in (
        {},
        encoded("no", "certificate"),
        encoded(chain, other_key),
        {"tls.crt": "%", "tls.key": key},
    ):
        path = certificates.of([SITE], {("default", "cert"): data})[SITE.host]
        assert names(path) == ["web.azure.test"]
    assert not list(tmp_path.glob("secret-*"))


def test_plain_sites_have_none(certificates: Certificates) -> None:
    assert certificates.of([Site("plain.test")], {}) == {}
