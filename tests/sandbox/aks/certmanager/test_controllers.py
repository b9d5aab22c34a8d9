"""Certificates from their request to their renewal, on a real API server with cert-manager's definitions."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography import x509

from sandbox.aks.api import ApiError
from sandbox.aks.certmanager import certificates, objects, policies
from sandbox.aks.certmanager.objects import (
    CERTIFICATES,
    CHALLENGES,
    CLUSTER_ISSUERS,
    ORDERS,
    REQUESTS,
    SECRETS,
    condition,
    inside,
)
from tests.sandbox.aks.certmanager.conftest import SPACE, World, certificate, issuer, ready

pytestmark = pytest.mark.slow


def chain(secret: objects.Object | None) -> list[x509.Certificate]:
    assert secret is not None
    return x509.load_pem_x509_certificates(policies.data(secret, "tls.crt"))


async def test_a_certificate_is_issued(world: World) -> None:
    await world.api.post(CLUSTER_ISSUERS, issuer())
    template = {"labels": {"team": "agents"}}
    await world.api.post(inside(CERTIFICATES, SPACE), certificate(secretTemplate=template))
    found = await world.rounds(ready)
    secret = await world.secret()
    assert secret is not None
    assert secret["type"] == "kubernetes.io/tls"
    leaf, authority = chain(secret)
    assert authority.subject == leaf.issuer
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["agents.azure.test"]
    notes = secret["metadata"]["annotations"]
    assert notes["cert-manager.io/alt-names"] == "agents.azure.test"
    assert notes["cert-manager.io/issuer-kind"] == "ClusterIssuer"
    assert notes["cert-manager.io/certificate-name"] == "agents-tls"
    assert secret["metadata"]["labels"]["team"] == "agents"
    status = found["status"]
    assert status["revision"] == 1
    assert status["notAfter"] == objects.stamp(leaf.not_valid_after_utc)
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert life > dt.timedelta(days=90)
    assert objects.moment(status["renewalTime"]) == (leaf.not_valid_after_utc - life / 3).replace(
        microsecond=0
    )
    assert await world.events("agents-tls") == ["Issuing", "Generated", "Requested", "Issuing"]
    assert "nextPrivateKeySecretName" not in status
    assert await world.all(CHALLENGES) == []
    assert world.challenges.served == {}
    assert [one["status"]["state"] for one in await world.all(ORDERS)] == ["valid"]
    (request,) = await world.all(REQUESTS)
    assert condition(request, "Ready")["reason"] == "Issued"
    ready_at = condition(found, "Ready")["lastTransitionTime"]
    again = await world.rounds(ready)
    assert condition(again, "Ready")["lastTransitionTime"] == ready_at
    (acme,) = (await world.api.get(CLUSTER_ISSUERS))["items"]
    assert condition(acme, "Ready")["reason"] == "ACMEAccountRegistered"
    assert acme["status"]["acme"]["lastRegisteredEmail"] == "platform@example.com"


async def test_a_name_that_leads_elsewhere_is_not_certified_until_it_leads_here(world: World) -> None:
    await world.api.post(CLUSTER_ISSUERS, issuer())
    del world.names["agents.azure.test"]
    await world.api.post(inside(CERTIFICATES, SPACE), certificate())
    for _ in range(6):
        await world.manager.reconcile()
    assert not ready(found := await world.certificate())
    assert condition(found, "Issuing")["status"] == "True"
    (challenge,) = await world.all(CHALLENGES)
    assert challenge["status"]["state"] == "pending"
    assert "lookup agents.azure.test: no such host" in challenge["status"]["reason"]
    (request,) = await world.all(REQUESTS)
    assert condition(request, "Ready")["reason"] == "Pending"
    world.names["agents.azure.test"] = "127.0.0.1:1"
    await world.manager.reconcile()
    (challenge,) = await world.all(CHALLENGES)
    assert "dial tcp 127.0.0.1:1" in challenge["status"]["reason"]
    world.names["agents.azure.test"] = world.address
    await world.rounds(ready)


async def test_a_class_that_no_controller_serves_is_not_solved(world: World) -> None:
    other = [{"http01": {"ingress": {"ingressClassName": "nginx"}}}]
    await world.api.post(CLUSTER_ISSUERS, issuer(solvers=other))
    await world.api.post(inside(CERTIFICATES, SPACE), certificate())
    for _ in range(6):
        await world.manager.reconcile()
    (challenge,) = await world.all(CHALLENGES)
    assert "wrong status code '404', expected '200'" in challenge["status"]["reason"]


async def test_what_no_solver_is_for_fails_and_waits(world: World) -> None:
    await world.api.post(CLUSTER_ISSUERS, issuer())
    await world.api.post(inside(CERTIFICATES, SPACE), certificate(dnsNames=["*.azure.test"]))

    def failed(one: objects.Object) -> bool:
        return condition(one, "Issuing").get("reason") == "Failed"

    found = await world.rounds(failed)
    assert "no configured challenge solvers" in condition(found, "Issuing")["message"]
    assert found["status"]["failedIssuanceAttempts"] == 1
    for _ in range(3):
        await world.manager.reconcile()
    assert (await world.certificate())["status"]["failedIssuanceAttempts"] == 1
    path = f"{inside(CERTIFICATES, SPACE)}/agents-tls"
    await world.api.patch(path, {"spec": {"dnsNames": ["agents.azure.test"]}})
    assert "failedIssuanceAttempts" not in (await world.rounds(ready))["status"]


async def test_an_issuer_that_is_missing_or_of_another_kind_is_waited_for(world: World) -> None:
    await world.api.post(inside(CERTIFICATES, SPACE), certificate())
    for _ in range(4):
        await world.manager.reconcile()
    (request,) = await world.all(REQUESTS)
    assert 'Referenced "ClusterIssuer" not found' in condition(request, "Ready")["message"]
    other = issuer()
    other["spec"] = {"selfSigned": {}}
    await world.api.post(CLUSTER_ISSUERS, other)
    await world.manager.reconcile()
    (found,) = (await world.api.get(CLUSTER_ISSUERS))["items"]
    assert condition(found, "Ready")["reason"] == "NotSupported"
    await world.api.delete(f"{CLUSTER_ISSUERS}/acme")
    await world.api.post(CLUSTER_ISSUERS, issuer())
    await world.rounds(ready)


async def test_a_deleted_secret_is_issued_again_and_a_deleted_certificate_leaves_it(world: World) -> None:
    await world.api.post(CLUSTER_ISSUERS, issuer())
    await world.api.post(inside(CERTIFICATES, SPACE), certificate())
    await world.rounds(ready)
    first = chain(await world.secret())[0]
    path = f"{inside(SECRETS, SPACE)}/agents-tls"
    await world.api.delete(path)
    found = await world.rounds(lambda one: one["status"].get("revision") == 2 and ready(one))
    second = chain(await world.secret())[0]
    assert second.serial_number != first.serial_number
    assert second.public_key() != first.public_key()
    assert [one["metadata"]["name"] for one in await world.all(REQUESTS)] == ["agents-tls-2"]
    await world.api.delete(f"{inside(CERTIFICATES, SPACE)}/agents-tls")
    await world.manager.reconcile()
    assert await world.secret() is not None
    await world.api.post(inside(CERTIFICATES, SPACE), certificate())
    found = await world.rounds(ready)
    assert "revision" not in found["status"]
    assert chain(await world.secret())[0] == second


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"dnsNames": ["agents.azure.test", "other.azure.test"]}, "RequestChanged"),
        ({"privateKey": {"algorithm": "ECDSA", "size": 384}}, "SecretMismatch"),
        ({"commonName": "agents.azure.test"}, "RequestChanged"),
    ],
)
async def test_a_changed_spec_is_issued_again(world: World, spec: dict[str, Any], reason: str) -> None:
    world.names["other.azure.test"] = world.address
    await world.api.post(CLUSTER_ISSUERS, issuer())
    await world.api.post(inside(CERTIFICATES, SPACE), certificate())
    await world.rounds(ready)
    await world.api.patch(f"{inside(CERTIFICATES, SPACE)}/agents-tls", {"spec": spec})
    await world.manager.reconcile()
    assert condition(await world.certificate(), "Issuing")["reason"] == reason
    await world.rounds(lambda one: one["status"].get("revision") == 2 and ready(one))


async def test_a_damaged_secret_is_mended(world: World) -> None:
    await world.api.post(CLUSTER_ISSUERS, issuer())
    await world.api.post(inside(CERTIFICATES, SPACE), certificate(privateKey={"rotationPolicy": "Never"}))
    await world.rounds(ready)
    key = policies.data(await world.secret() or {}, "tls.key")
    path = f"{inside(SECRETS, SPACE)}/agents-tls"
    await world.api.patch(path, {"data": {"tls.crt": base64.b64encode(b"no certificate").decode()}})
    await world.manager.reconcile()
    found = await world.certificate()
    assert condition(found, "Issuing")["reason"] == "InvalidCertificate"
    await world.rounds(lambda one: one["status"].get("revision") == 2 and ready(one))
    assert policies.data(await world.secret() or {}, "tls.key") == key
    assert "Reused" in await world.events("agents-tls")


async def test_it_is_renewed_before_it_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.api.post(CLUSTER_ISSUERS, issuer(enableDurationFeature=True))
    body = certificate(duration="10h", renewBefore="2h")
    await world.api.post(inside(CERTIFICATES, SPACE), body)
    found = await world.rounds(ready)
    end = objects.moment(found["status"]["notAfter"])
    assert abs(end - objects.now() - dt.timedelta(hours=10)) < dt.timedelta(minutes=5)
    assert objects.moment(found["status"]["renewalTime"]) == end - dt.timedelta(hours=2)
    late = end - dt.timedelta(hours=2)
    monkeypatch.setattr(certificates, "now", lambda: late - dt.timedelta(seconds=1))
    await world.manager.reconcile()
    assert not condition(await world.certificate(), "Issuing")
    monkeypatch.setattr(certificates, "now", lambda: late)
    await world.manager.reconcile()
    found = await world.certificate()
    assert condition(found, "Issuing")["reason"] == "Renewing"
    assert condition(found, "Ready")["status"] == "True"
    monkeypatch.undo()
    await world.rounds(lambda one: one["status"].get("revision") == 2 and ready(one))


async def test_without_the_release_nothing_is_done(world: World) -> None:
    path = "/api/v1/namespaces/cert-manager/secrets/sh.helm.release.v1.cm.v1"
    release = await world.api.get(path)
    await world.api.delete(path)
    try:
        await world.api.post(CLUSTER_ISSUERS, issuer())
        await world.api.post(inside(CERTIFICATES, SPACE), certificate())
        await world.manager.reconcile()
        assert "status" not in await world.certificate()
    finally:
        release["metadata"] = {key: release["metadata"][key] for key in ("name", "namespace", "labels")}
        await world.api.post("/api/v1/namespaces/cert-manager/secrets", release)
    await world.rounds(ready)


async def test_the_definitions_refuse_unknown_algorithms(world: World) -> None:
    with pytest.raises(ApiError, match=r"privateKey\.algorithm"):
        await world.api.post(inside(CERTIFICATES, SPACE), certificate(privateKey={"algorithm": "DSA"}))
