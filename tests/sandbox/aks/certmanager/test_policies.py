"""Durations, the moment of renewal, the choice of a solver, and what proves an ACME account's key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.aks.certmanager import http01, keys, policies
from sandbox.aks.certmanager.http01 import Challenges

START = datetime(2026, 1, 1, tzinfo=UTC)


def held(life: timedelta) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(START).not_valid_after(START + life)
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize(
    ("text", "seconds"), [("2160h", 7776000), ("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("500ms", 0.5)]
)
def test_durations_are_spelt_as_in_go(text: str, seconds: float) -> None:
    assert policies.duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "90", "1d", "PT1H", "1h 30m"])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        policies.duration(text)


@pytest.mark.parametrize(
    ("spec", "days"),
    [
        ({}, 60),
        ({"renewBefore": "360h"}, 75),
        ({"renewBeforePercentage": 10}, 81),
        ({"renewBefore": "3000h"}, 60),  # more than its whole life
    ],
)
def test_the_moment_of_renewal(spec: dict[str, Any], days: int) -> None:
    assert policies.renewal_time(held(timedelta(days=90)), spec) == START + timedelta(days=days)


def test_renewal_can_be_switched_off() -> None:
    assert policies.renewal_time(held(timedelta(days=90)), {"renewal": {"policy": "Disabled"}}) is None


@pytest.mark.parametrize(
    ("wanted", "algorithm"),
    [({}, "RSA"), ({"algorithm": "ECDSA", "size": 384}, "ECDSA"), ({"algorithm": "Ed25519"}, "Ed25519")],
)
def test_keys_are_made_as_asked(wanted: dict[str, Any], algorithm: str) -> None:
    key = keys.load(keys.generate(wanted))
    assert keys.violations(key, wanted) == []
    assert keys.violations(key, {"algorithm": "RSA", "size": 4096}) != []
    assert keys._algorithm(key) == algorithm


def test_the_narrowest_solver_is_chosen() -> None:
    solvers = [
        {"http01": {"ingress": {"class": "any"}}},
        {"http01": {"ingress": {"class": "zone"}}, "selector": {"dnsZones": ["example.com"]}},
        {"http01": {"ingress": {"class": "name"}}, "selector": {"dnsNames": ["a.example.com"]}},
    ]
    issuer = {"spec": {"acme": {"solvers": solvers}}}

    def chosen(host: str) -> str:
        found = http01.solver_for(issuer, host)
        assert found is not None
        return str(found["http01"]["ingress"]["class"])

    assert [chosen(host) for host in ("a.example.com", "b.example.com", "a.test")] == ["name", "zone", "any"]
    assert http01.solver_for({"spec": {"acme": {"solvers": solvers[2:]}}}, "a.test") is None


def test_a_key_authorization_belongs_to_one_account() -> None:
    account = keys.generate({})
    first, second = (http01.key_authorization("token", account) for _ in range(2))
    assert first == second
    token, _, thumbprint = first.partition(".")
    assert (token, len(thumbprint)) == ("token", 43)
    assert http01.key_authorization("token", keys.generate({})) != first


def test_challenges_are_told_apart_and_forgotten() -> None:
    challenges = Challenges()
    assert challenges.present("a.test", "t", "t.x")
    assert not challenges.present("a.test", "t", "t.x")
    assert challenges.present("a.test", "u", "u.x")
    assert challenges.keep({("a.test", "u")})
    assert challenges.served == {"a.test": {"u": "u.x"}}
    assert not challenges.keep({("a.test", "u")})
    assert challenges.keep(set())
    assert challenges.served == {}
