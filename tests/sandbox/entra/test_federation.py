"""Workload identity: an outside issuer's token stands for a principal, if everything about it fits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.arm.catalogue import Catalogue
from sandbox.config import TENANT_ID
from sandbox.entra.principals import MANAGED_IDENTITY
from tests.sandbox.clouds import TYPES
from tests.sandbox.served import Served, served

HOST = "westeurope.oic.prod-aks.azure.test"
ISSUER = f"https://{HOST}/tenant/cluster/"
SUBJECT = "system:serviceaccount:agents-dev:notification-agent"
AUDIENCE = "api://AzureADTokenExchange"


class Cluster:
    """A cluster's OIDC issuer, and its service account tokens."""

    def __init__(self) -> None:
        self.rotate()

    def rotate(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "iat": now, "nbf": now, "exp": now + 600}
        return jwt.encode({**claims, **changes}, self.key, algorithm="RS256", headers={"kid": "one"})

    def app(self) -> Starlette:
        root = "/tenant/cluster"
        return Starlette(
            routes=[
                Route(root + "/.well-known/openid-configuration", self._configuration),
                Route(root + "/openid/v1/jwks", self._keys),
            ]
        )

    async def _configuration(self, _request: Request) -> Response:
        return JSONResponse({"issuer": ISSUER, "jwks_uri": f"{ISSUER}openid/v1/jwks"})

    async def _keys(self, _request: Request) -> Response:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return JSONResponse({"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]})


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> Iterator[Served]:
    with served(tmp_path, monkeypatch, Catalogue(TYPES), []) as found:
        found.cloud.router.mount(HOST, cluster.app())
        yield found


@pytest.fixture
def client_id(cloud: Served) -> str:
    """A managed identity that trusts the cluster's service account."""
    principals = cloud.cloud.services.principals
    object_id, found = principals.create(
        "id-notification", MANAGED_IDENTITY, resource_id="/subscriptions/s/x"
    )
    principals.federate(object_id, "k8s", issuer=ISSUER, subject=SUBJECT, audiences=[AUDIENCE])
    return found


def exchange(cloud: Served, client_id: str, assertion: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": "https://vault.azure.test/.default",
    }
    return httpx.post(f"{cloud.authority}/oauth2/v2.0/token", data=form)


def test_the_official_client(cloud: Served, client_id: str, cluster: Cluster) -> None:
    credential = ClientAssertionCredential(
        TENANT_ID,
        client_id,
        cluster.token,
        authority="https://login.azure.test",
        disable_instance_discovery=True,
    )
    token = credential.get_token("https://vault.azure.test/.default").token
    principal = cloud.cloud.services.tokens.verify(token, ["https://vault.azure.test"])
    assert principal.client_id == client_id
    assert principal.claims["xms_mirid"] == "/subscriptions/s/x"
    stranger = ClientAssertionCredential(
        TENANT_ID,
        client_id,
        lambda: cluster.token(sub="system:serviceaccount:agents-dev:other"),
        authority="https://login.azure.test",
        disable_instance_discovery=True,
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        stranger.get_token("https://vault.azure.test/.default")


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"iss": "https://elsewhere.azure.test/"}, 700211),
        ({"iss": ISSUER.rstrip("/")}, 700211),
        ({"sub": SUBJECT + "x"}, 700213),
        ({"aud": "api://other"}, 700212),
        ({"exp": 1}, 700024),
        ({"nbf": 4102444800}, 700024),
    ],
)
def test_every_claim_counts(
    cloud: Served, client_id: str, cluster: Cluster, changes: dict[str, Any], number: int
) -> None:
    answer = exchange(cloud, client_id, cluster.token(**changes))
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [number])


def test_the_signature_counts(cloud: Served, client_id: str, cluster: Cluster) -> None:
    assert exchange(cloud, client_id, cluster.token()).status_code == 200
    assert exchange(cloud, client_id, Cluster().token()).json()["error_codes"] == [700027]
    unsigned = jwt.encode(
        jwt.decode(cluster.token(), options={"verify_signature": False}), "", algorithm="none"
    )
    assert exchange(cloud, client_id, unsigned).status_code == 401
    assert exchange(cloud, client_id, "nonsense").json()["error_codes"] == [50027]


def test_a_cluster_made_anew_is_trusted_by_its_new_keys(
    cloud: Served, client_id: str, cluster: Cluster
) -> None:
    assert exchange(cloud, client_id, cluster.token()).status_code == 200
    old = cluster.token()
    cluster.rotate()
    assert exchange(cloud, client_id, cluster.token()).status_code == 200
    assert exchange(cloud, client_id, old).json()["error_codes"] == [700027]


def test_an_issuer_that_does_not_answer(cloud: Served, client_id: str, cluster: Cluster) -> None:
    principals = cloud.cloud.services.principals
    object_id, other = principals.create("id-other", MANAGED_IDENTITY)
    gone = "https://gone.azure.test/"
    principals.federate(object_id, "gone", issuer=gone, subject=SUBJECT, audiences=[AUDIENCE])
    answer = exchange(cloud, other, cluster.token(iss=gone))
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [50166])
    assert gone in answer.json()["error_description"]


def test_trust_can_be_withdrawn(cloud: Served, client_id: str, cluster: Cluster) -> None:
    principals = cloud.cloud.services.principals
    assert exchange(cloud, client_id, cluster.token()).status_code == 200
    object_id, _ = principals.create("id-notification", MANAGED_IDENTITY, resource_id="/subscriptions/s/x")
    principals.unfederate(object_id, "k8s")
    assert exchange(cloud, client_id, cluster.token()).json()["error_codes"] == [700211]
    principals.remove(object_id)
    assert exchange(cloud, client_id, cluster.token()).json()["error_codes"] == [700016]
