"""Private keys and certificate signing requests as a Certificate's spec asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_CURVES: Mapping[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}
_DEFAULT_SIZE = {"RSA": 2048, "ECDSA": 256}


def generate(wanted: Mapping[str, Any]) -> str:
    """A new key (PEM) for `spec.privateKey`."""
    algorithm = wanted.get("algorithm") or "RSA"
    size = wanted.get("size") or _DEFAULT_SIZE.get(algorithm, 0)
    key: Key
    if algorithm == "Ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
    elif algorithm == "ECDSA":
        key = ec.generate_private_key(_CURVES[size]())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=size)
    older = wanted.get("encoding") != "PKCS8" and algorithm != "Ed25519"
    kind = serialization.PrivateFormat.TraditionalOpenSSL if older else serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    return pem.decode()


def load(pem: str | bytes) -> Key:
    """Raises ValueError for what is no such key."""
    data = pem.encode() if isinstance(pem, str) else pem
    key = serialization.load_pem_private_key(data, None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError(f"a {type(key).__name__} is of no use for a certificate")  # noqa: TRY004
    return key


def violations(key: Key, wanted: Mapping[str, Any]) -> list[str]:
    """Paths of the spec that a key does not fulfil."""
    algorithm = wanted.get("algorithm") or "RSA"
    if _algorithm(key) != algorithm:
        return ["spec.privateKey.algorithm"]
    size = wanted.get("size") or _DEFAULT_SIZE.get(algorithm)
    has = None if isinstance(key, ed25519.Ed25519PrivateKey) else key.key_size
    return ["spec.privateKey.size"] if size != has else []


def dns_names(spec: Mapping[str, Any]) -> list[str]:
    """The names to be certified, the common name among them."""
    return list(dict.fromkeys([*(spec.get("dnsNames") or ()), *filter(None, [spec.get("commonName")])]))


def request(spec: Mapping[str, Any], key: Key) -> str:
    """A certificate signing request (PEM)."""
    common = [x509.NameAttribute(NameOID.COMMON_NAME, spec["commonName"])] if spec.get("commonName") else []
    names: Sequence[x509.GeneralName] = [x509.DNSName(name) for name in dns_names(spec)]
    builder = x509.CertificateSigningRequestBuilder(x509.Name(common))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM).decode()


def names_of(asked: x509.CertificateSigningRequest | x509.Certificate) -> set[str]:
    """Its DNS names."""
    try:
        found = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return set(found.get_values_for_type(x509.DNSName))


def common_name(asked: x509.CertificateSigningRequest | x509.Certificate) -> str:
    found = asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _algorithm(key: Key) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "Ed25519"
