"""What clusters ask of the sandbox's Azure: documents of the issuer, metadata, authorization, admission."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from sandbox.aks import endpoint, layout, pki
from sandbox.aks.api import Api
from sandbox.aks.clusters import ManagedClusterHandler
from sandbox.aks.hooks import Hooks
from sandbox.aks.layout import ClusterLayout
from tests.sandbox.aks.objects import CLUSTER, cluster_put
from tests.sandbox.azure.conftest import World

METADATA = {"Metadata": "true"}
TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01"


class _Accounts:
    async def find(self, path: str) -> dict[str, Any]:
        assert path == "/api/v1/namespaces/mine/serviceaccounts/wi"
        return {"metadata": {"annotations": {"azure.workload.identity/client-id": "client"}}}


@pytest.fixture
async def cluster(world: World) -> ClusterLayout:
    properties = {"oidcIssuerProfile": {"enabled": True}}
    await world.aput(ManagedClusterHandler, CLUSTER, cluster_put(properties).body)
    made = layout.allocate(world.services.config, CLUSTER)
    key = pki.service_account_key(made.folder / "pki" / "service-account.key")
    (made.folder / "pki" / "service-account.pub").write_text(pki.public_pem(key))
    made.node("system")
    return made


@pytest.fixture
async def client(world: World, cluster: ClusterLayout) -> AsyncIterator[httpx.AsyncClient]:
    """Shows the cluster's secret."""
    app = Hooks(world.services, lambda _: cast("Api", _Accounts())).app()
    headers = {"Authorization": f"Bearer {endpoint.secret(cluster)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"https://there/{cluster.key}", headers=headers
    ) as made:
        yield made


async def test_the_issuer_publishes_its_keys(world: World, cluster: ClusterLayout) -> None:
    stored = world.store.get(CLUSTER)
    assert stored is not None
    url = stored.properties["oidcIssuerProfile"]["issuerURL"]
    app = Hooks(world.services, lambda _: cast("Api", None)).issuer_app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        document = (await client.get(f"{url}.well-known/openid-configuration")).json()
        assert document["issuer"] == url
        assert (await client.get(document["jwks_uri"])).json()["keys"][0]["kty"] == "RSA"
        other = url.replace("westeurope", "northeurope")
        assert (await client.get(f"{other}.well-known/openid-configuration")).status_code == 404
        stored.properties["oidcIssuerProfile"] = {"enabled": False}
        world.store.save(stored)
        assert (await client.get(f"{url}.well-known/openid-configuration")).status_code == 404


async def test_a_node_gets_tokens_of_the_kubelets_identity_only(client: httpx.AsyncClient) -> None:
    path = f"/nodes/1{TOKEN}&resource=https://management.azure.test/"
    refused = await client.get(path)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    other = await client.get(f"{path}&client_id=other", headers=METADATA)
    assert (other.status_code, other.json()["error_description"]) == (400, "Identity not found")
    assert (await client.get(f"/nodes/1{TOKEN}", headers=METADATA)).status_code == 400
    assert (await client.get(path.replace("nodes/1", "nodes/2"), headers=METADATA)).status_code == 404


async def test_a_node_learns_where_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nodes/1/metadata/instance?api-version=2021-02-01", headers=METADATA)
    compute = answer.json()["compute"]
    assert (compute["location"], compute["vmSize"]) == ("westeurope", "Standard_D2s_v5")
    assert (await client.get("/nodes/1/metadata/instance", headers=METADATA)).status_code == 400
    missing = await client.get("/nodes/1/metadata/none?api-version=2021-02-01", headers=METADATA)
    assert missing.status_code == 404


@pytest.mark.parametrize("path", ["/nodes/1/metadata/instance?api-version=2021-02-01", "/authorize"])
async def test_without_the_clusters_secret_there_is_no_answer(client: httpx.AsyncClient, path: str) -> None:
    method = "POST" if path == "/authorize" else "GET"
    for token in ("Bearer wrong", "", "Bearer "):
        answer = await client.request(method, path, headers={**METADATA, "Authorization": token}, json={})
        assert answer.status_code == 401
    elsewhere = str(client.base_url).rstrip("/").rpartition("/")[0] + "/another" + path
    assert (await client.request(method, elsewhere, headers=METADATA, json={})).status_code == 401


async def test_authorization_is_asked_of_role_assignments(world: World, client: httpx.AsyncClient) -> None:
    attributes = {"verb": "list", "resource": "pods", "namespace": "mine"}
    review = {"kind": "SubjectAccessReview", "spec": {"user": "someone", "resourceAttributes": attributes}}
    assert (await client.post("/authorize", json=review)).json()["status"]["allowed"] is False
    world.rbac.grant("someone", "Microsoft.ContainerService/managedClusters/pods/read", scope=CLUSTER)
    assert (await client.post("/authorize", json=review)).json()["status"]["allowed"] is True


async def test_pods_are_equipped_with_their_accounts_identity(client: httpx.AsyncClient) -> None:
    pod = {
        "metadata": {},
        "spec": {"serviceAccountName": "wi", "containers": [{"name": "main", "image": "x"}]},
    }
    request = {"uid": "1", "namespace": "mine", "object": pod}
    answer = await client.post("/workload-identity", json={"kind": "AdmissionReview", "request": request})
    patch = json.loads(base64.b64decode(answer.json()["response"]["patch"]))
    variables = {entry["name"]: entry["value"] for entry in patch[0]["value"][0]["env"]}
    assert variables["AZURE_CLIENT_ID"] == "client"
    assert variables["AZURE_AUTHORITY_HOST"] == "https://login.azure.test/"
