"""Whether a Certificate's Secret is what its spec asks for, and when it is to be renewed. Pure.

The order of the checks and their words are those of cert-manager's policy chain
(internal/controller/certificates/policies).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from sandbox.aks.certmanager import keys
from sandbox.aks.certmanager.objects import Known, notes_of, stamp, status

ISSUER_NAME, ISSUER_KIND, ISSUER_GROUP = (
    f"cert-manager.io/issuer-{part}" for part in ("name", "kind", "group")
)
CERTIFICATE_NAME = "cert-manager.io/certificate-name"
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True)
class Finding:
    """Why a certificate is not as it should be."""

    reason: str
    message: str


def duration(text: str) -> timedelta:
    """Go's spelling: `2160h`, `1h30m`. Raises ValueError."""
    parts = list(_DURATION.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        raise ValueError(f"'{text}' is no duration such as 2160h or 1h30m")
    return timedelta(seconds=sum(float(part["number"]) * _UNITS[part["unit"]] for part in parts))


def issuer(spec: Mapping[str, Any]) -> tuple[str, str, str]:
    """(name, kind, group) of the issuer a spec refers to, defaults filled in."""
    reference = spec["issuerRef"]
    return (
        reference["name"],
        reference.get("kind") or "Issuer",
        reference.get("group") or "cert-manager.io",
    )


def data(secret: Known, key: str) -> bytes:
    """A value of a Secret; empty when it is not there or damaged."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(key) or "")
    except binascii.Error:
        return b""


def leaf(secret: Known) -> x509.Certificate:
    """Raises ValueError for a Secret without a usable certificate."""
    return x509.load_pem_x509_certificates(data(secret, "tls.crt"))[0]


def due(certificate: Known, secret: Known | None, request: Known | None, at: datetime) -> Finding | None:
    """Why it must be issued now. `request` is the CertificateRequest of the current revision."""
    found = unusable(certificate, secret, request)
    if found is not None or secret is None:
        return found
    renewal = renewal_time(leaf(secret), certificate["spec"])
    if renewal is not None and renewal <= at:
        scheduled = status(certificate).get("renewalTime") or stamp(renewal)
        return Finding("Renewing", f"Renewing certificate as renewal was scheduled at {scheduled}")
    return None


def unready(certificate: Known, secret: Known | None, request: Known | None, at: datetime) -> Finding | None:
    """Why it is not ready."""
    found = unusable(certificate, secret, request)
    if found is not None or secret is None:
        return found
    end = leaf(secret).not_valid_after_utc
    if end <= at:
        return Finding("Expired", f"Certificate expired on {stamp(end)}")
    return None


def unusable(certificate: Known, secret: Known | None, request: Known | None) -> Finding | None:
    """Why its Secret cannot be used as it is; None when it can, however old it is."""
    if secret is None:
        return Finding("DoesNotExist", "Issuing certificate as Secret does not exist")
    return (
        _unreadable(secret, certificate["spec"])
        or _of_another(certificate, secret)
        or _changed(certificate["spec"], leaf(secret), request)
    )


def _unreadable(secret: Known, spec: Mapping[str, Any]) -> Finding | None:
    """What is wrong with a Secret's key and certificate by themselves."""
    for key, what in (("tls.key", "a private key"), ("tls.crt", "a certificate")):
        if not data(secret, key):
            return Finding("MissingData", f"Issuing certificate as Secret does not contain {what}")
    try:
        private = keys.load(data(secret, "tls.key"))
    except ValueError as error:
        text = f"Issuing certificate as Secret contains invalid private key data: {error}"
        return Finding("InvalidKeyPair", text)
    try:
        held = leaf(secret)
    except ValueError as error:
        text = f"Issuing certificate as Secret contains an invalid certificate: {error}"
        return Finding("InvalidCertificate", text)
    if held.public_key() != private.public_key():
        text = "Issuing certificate as Secret contains a private key that does not match the certificate"
        return Finding("InvalidKeyPair", text)
    wrong = keys.violations(private, spec.get("privateKey") or {})
    if wrong:
        text = f"Existing private key is not up to date for spec: [{' '.join(wrong)}]"
        return Finding("SecretMismatch", text)
    return None


def _of_another(certificate: Known, secret: Known) -> Finding | None:
    notes = notes_of(secret)
    before = tuple(notes.get(key) for key in (ISSUER_NAME, ISSUER_KIND, ISSUER_GROUP))
    if any(before) and before != issuer(certificate["spec"]):
        shown = f"{before[1]}.{before[2]}/{before[0]}"
        return Finding("IncorrectIssuer", f'Issuing certificate as Secret was previously issued by "{shown}"')
    other = notes.get(CERTIFICATE_NAME)
    if other and other != certificate["metadata"]["name"]:
        return Finding(
            "IncorrectCertificate",
            f'Secret was issued for "{other}". If this message is not transient, you might have two '
            "conflicting Certificates pointing to the same secret.",
        )
    return None


def _changed(spec: Mapping[str, Any], held: x509.Certificate, request: Known | None) -> Finding | None:
    if request is None:
        if keys.names_of(held) != set(keys.dns_names(spec)):
            text = "Issuing certificate as Existing issued Secret is not up to date for spec: [spec.dnsNames]"
            return Finding("SecretMismatch", text)
        return None
    wrong = request_violations(request, spec)
    if wrong:
        text = f"Fields on existing CertificateRequest resource not up to date: [{' '.join(wrong)}]"
        return Finding("RequestChanged", text)
    return None


def request_violations(request: Known, spec: Mapping[str, Any]) -> list[str]:
    """Paths of the spec that a CertificateRequest does not ask for."""
    asked = request["spec"]
    try:
        signing = x509.load_pem_x509_csr(base64.b64decode(asked["request"]))
    except ValueError:
        return ["spec.request"]
    wrong = []
    if keys.common_name(signing) != (spec.get("commonName") or ""):
        wrong.append("spec.commonName")
    if keys.names_of(signing) != set(keys.dns_names(spec)):
        wrong.append("spec.dnsNames")
    if _seconds(asked.get("duration")) != _seconds(spec.get("duration")):
        wrong.append("spec.duration")
    if issuer(asked) != issuer(spec):
        wrong.append("spec.issuerRef")
    return wrong


def renewal_time(held: x509.Certificate, spec: Mapping[str, Any]) -> datetime | None:
    """`renewBefore` or its percentage before the end, else after two thirds of the life; None for never."""
    if (spec.get("renewal") or {}).get("policy") == "Disabled":
        return None
    start, end = held.not_valid_before_utc, held.not_valid_after_utc
    life = end - start
    before = life / 3
    if spec.get("renewBefore"):
        before = duration(spec["renewBefore"])
    elif spec.get("renewBeforePercentage"):
        before = life * (spec["renewBeforePercentage"] / 100)
    if before >= life:
        before = life / 3
    return (end - before).replace(microsecond=0)


def _seconds(text: str | None) -> timedelta | None:
    return duration(text) if text else None
