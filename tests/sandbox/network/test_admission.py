"""Firewalls of the services, asked from every place there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import httpx
import pytest

from sandbox.arm.resource import Resource
from sandbox.azure import cognitiveservices, containerregistry, documentdb, eventgrid, keyvault, storage
from sandbox.network.admission import Connection, Reason, Rules, between, of_acls, ranges, refusal
from tests.sandbox.azure import fakes
from tests.sandbox.network.world import Paper

HOST, GATEWAY, LOOPBACK = "10.77.0.254", "10.77.0.1", "127.0.0.1"
NODE, OTHER_NODE, OUTSIDE = "10.77.1.11", "10.77.2.11", "203.0.113.10"
CLOSED = Rules(public=False)


@dataclass
class Stage:
    """A vault `kv` with a private endpoint in the network of the cluster at NODE; OTHER_NODE's has none."""

    cloud: Paper
    vault: Resource
    way: str

    def refused(
        self, rules: Rules, peer: str, local: str = GATEWAY, *, group: str = "vault", target: Any = None
    ) -> tuple[Reason, str] | None:
        connection = Connection(IPv4Address(peer), IPv4Address(local))
        found = refusal(self.cloud.world.services, target or self.vault, group, rules, connection)
        return (found.reason, str(found.address)) if found else None


@pytest.fixture
def stage(cloud: Paper) -> Stage:
    gateway = cloud.nat_gateway("nat")
    network = cloud.network("one", natGateway={"id": str(gateway.id)})
    cloud.cluster("a", network)
    cloud.cluster("b", cloud.network("two"))
    vault = cloud.vault("kv")
    cloud.endpoint("pe", network, vault, "vault")
    return Stage(cloud, vault, "10.77.252.1")


def test_what_is_closed_answers_through_its_endpoint_alone(stage: Stage) -> None:
    assert stage.refused(CLOSED, NODE, stage.way) is None
    assert stage.refused(CLOSED, HOST, stage.way) is None
    assert stage.refused(CLOSED, HOST) == (Reason.PUBLIC_ACCESS_DISABLED, "198.51.100.1")
    assert stage.refused(CLOSED, OUTSIDE) == (Reason.PUBLIC_ACCESS_DISABLED, OUTSIDE)
    # As seen from outside: by the NAT gateway of the subnet, or by the cluster's own address.
    assert stage.refused(CLOSED, NODE) == (Reason.PUBLIC_ACCESS_DISABLED, "198.18.0.1")
    assert stage.refused(CLOSED, OTHER_NODE) == (Reason.PUBLIC_ACCESS_DISABLED, "198.51.100.3")


def test_an_endpoint_leads_to_its_own_resource_and_sub_resource(stage: Stage) -> None:
    other = stage.cloud.vault("other")
    assert stage.refused(CLOSED, NODE, stage.way, target=other) is not None
    assert stage.refused(CLOSED, NODE, stage.way, group="managedhsm") is not None
    assert stage.refused(CLOSED, NODE, "10.77.252.9") is not None


def test_an_endpoint_that_is_gone_or_not_approved_leads_nowhere(stage: Stage) -> None:
    store = stage.cloud.world.store
    endpoint = next(iter(store.list(type="Microsoft.Network/privateEndpoints")))
    state = {"status": "Rejected", "description": "no", "actionsRequired": "None"}
    connection = endpoint.properties["privateLinkServiceConnections"][0]["properties"]
    connection["privateLinkServiceConnectionState"] = state
    store.save(endpoint)
    assert stage.refused(CLOSED, NODE, stage.way) is not None
    stage.cloud.delete(endpoint)
    assert stage.refused(CLOSED, NODE, stage.way) is not None


def test_rules_name_public_addresses_and_subnets(stage: Stage) -> None:
    def rules(**more: Any) -> Rules:
        return Rules(default=False, **more)

    assert stage.refused(rules(), HOST) == (Reason.NOT_LISTED, "198.51.100.1")
    assert stage.refused(rules(ranges=ranges(["198.51.100.1"])), HOST) is None
    assert stage.refused(rules(ranges=ranges(["203.0.113.0/24"])), OUTSIDE) is None
    assert stage.refused(rules(ranges=ranges(["198.18.0.0/15"])), NODE) is None
    assert stage.refused(rules(ranges=ranges(["198.18.0.0/15"])), OTHER_NODE) is not None
    subnet = f"{next(iter(stage.cloud.world.store.list(type='Microsoft.Network/virtualNetworks'))).id}"
    inside = rules(subnets=frozenset({f"{subnet}/subnets/nodes".lower()}))
    assert stage.refused(inside, NODE) is None
    assert stage.refused(inside, OTHER_NODE) is not None
    assert stage.refused(rules(ranges=tuple(between("203.0.113.9", "203.0.113.10"))), OUTSIDE) is None
    assert stage.refused(rules(ranges=tuple(between("203.0.113.11", "203.0.113.99"))), OUTSIDE) is not None


@pytest.mark.parametrize("peer", [GATEWAY, LOOPBACK])
def test_azures_own_services_pass_where_they_are_trusted(stage: Stage, peer: str) -> None:
    assert stage.refused(Rules(public=False, trusted=True), peer) is None
    assert stage.refused(Rules(default=False, trusted=True), peer) is None
    assert stage.refused(CLOSED, peer) is not None


def test_a_service_may_let_in_whatever_runs_in_azure(stage: Stage) -> None:
    rules = Rules(default=False, anything_in_azure=True)
    for peer in (NODE, OTHER_NODE, GATEWAY):
        assert stage.refused(rules, peer) is None
    for peer in (HOST, OUTSIDE):
        assert stage.refused(rules, peer) is not None


def test_an_open_service_asks_nobody(stage: Stage) -> None:
    for peer in (HOST, NODE, OTHER_NODE, OUTSIDE):
        assert stage.refused(Rules(), peer) is None


def test_acls_are_read_with_their_defaults() -> None:
    assert of_acls({}) == Rules(trusted=True)
    assert of_acls({}, bypass="None") == Rules()
    acls = {
        "defaultAction": "Deny",
        "bypass": "Logging, AzureServices",
        "ipRules": [{"value": "203.0.113.7"}, {"value": "2001:db8::/32"}],
        "virtualNetworkRules": [{"id": "/Subscriptions/S/x"}],
    }
    found = of_acls({"publicNetworkAccess": "Disabled", "networkAcls": acls})
    assert not found.public
    assert not found.default
    assert found.trusted
    assert [str(one) for one in found.ranges] == ["203.0.113.7/32"]
    assert found.subnets == {"/subscriptions/s/x"}


# Each service in its own words, over HTTP.

ENDPOINT, DENY = {"publicNetworkAccess": "Disabled"}, {"defaultAction": "Deny"}


@dataclass(frozen=True)
class Service:
    """`closed` has no public access, `listed` answers no address that a rule does not name."""

    module: Any
    type: str
    host: str
    path: str
    open: Mapping[str, Any]
    closed: Mapping[str, Any]
    listed: Mapping[str, Any]
    refused: Callable[[httpx.Response, str], bool]
    audience: str | None = None


def _error(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    return error


def _vault(response: httpx.Response, address: str) -> bool:
    error = _error(response)
    inner = error["innererror"]["code"]
    words = error["message"]
    assert "Vault: thing;location=westeurope" in words
    assert "Caller: appid=" in words
    if inner == "ForbiddenByFirewall":
        return f"Client address: {address}\r\n" in words
    return inner == "ForbiddenByConnection" and "Public network access is disabled" in words


SERVICES = {
    "vault": Service(
        keyvault,
        "Microsoft.KeyVault/vaults",
        "thing.vault.azure.test",
        "/secrets?api-version=7.4",
        {"vaultUri": "https://thing.vault.azure.test/"},
        {**ENDPOINT, "networkAcls": {"bypass": "None"}},
        {"networkAcls": {**DENY, "bypass": "None"}},
        _vault,
        "https://vault.azure.net",
    ),
    "blob": Service(
        storage,
        "Microsoft.Storage/storageAccounts",
        "thing.blob.storage.azure.test",
        "/?comp=list",
        {},
        {**ENDPOINT, "networkAcls": {"bypass": "None"}},
        {"networkAcls": {**DENY, "bypass": "None"}},
        lambda response, _: "<Code>AuthorizationFailure</Code>" in response.text,
    ),
    "Sql": Service(
        documentdb,
        "Microsoft.DocumentDB/databaseAccounts",
        "thing.documents.azure.test",
        "/",
        {"locations": []},
        ENDPOINT,
        {"ipRules": [{"ipAddressOrRange": "192.0.2.77"}]},
        lambda response, address: response.json()["message"].startswith(
            f"Request originated from IP {address} through public internet."
        ),
    ),
    "registry": Service(
        containerregistry,
        "Microsoft.ContainerRegistry/registries",
        "thing.azurecr.azure.test",
        "/v2/",
        {},
        {**ENDPOINT, "networkRuleBypassOptions": "None"},
        {"networkRuleSet": DENY, "networkRuleBypassOptions": "None"},
        lambda response, address: (
            response.json()["errors"][0]["code"] == "DENIED"
            and f"client with IP '{address}' is not allowed access" in response.text
        ),
    ),
    "account": Service(
        cognitiveservices,
        "Microsoft.CognitiveServices/accounts",
        "thing.openai.azure.test",
        "/openai/models?api-version=2024-10-21",
        {"endpoint": "https://thing.openai.azure.test/", "customSubDomainName": "thing"},
        ENDPOINT,
        {"networkAcls": DENY},
        lambda response, _: (
            _error(response)
            in (
                {"code": "403", "message": "Public access is disabled. Please configure private endpoint."},
                {"code": "403", "message": "Access denied due to Virtual Network/Firewall rules."},
            )
        ),
    ),
    "topic": Service(
        eventgrid,
        "Microsoft.EventGrid/topics",
        "thing.westeurope-1.eventgrid.azure.test",
        "/api/events",
        {
            "endpoint": "https://thing.westeurope-1.eventgrid.azure.test/api/events",
            "inputSchema": "CloudEventSchemaV1_0",
        },
        ENDPOINT,
        {"inboundIpRules": [{"ipMask": "192.0.2.0/28", "action": "Allow"}]},
        lambda response, address: (
            f"by client {address} is rejected due to IpAddress filtering rules" in _error(response)["message"]
        ),
    ),
}


@dataclass
class Asker:
    cloud: Paper
    service: Service

    def ask(self, peer: str, local: str = GATEWAY) -> httpx.Response:
        return asyncio.run(self._ask(peer, local))

    async def _ask(self, peer: str, local: str) -> httpx.Response:
        router = self.cloud.world.router

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await router({**scope, "client": (peer, 1), "server": (local, 443)}, receive, send)

        headers = {}
        if self.service.audience:
            headers["authorization"] = f"Bearer {fakes.token('someone', self.service.audience)}"
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport) as client:
            method = "POST" if self.service.module is eventgrid else "GET"
            url = f"https://{self.service.host}{self.service.path}"
            return await client.request(method, url, headers=headers)


@pytest.fixture(params=sorted(SERVICES))
def asker(request: pytest.FixtureRequest, cloud: Paper) -> Asker:
    service = SERVICES[request.param]
    service.module.mount(cloud.world.services)
    return Asker(cloud, service)


def _thing(asker: Asker, properties: Mapping[str, Any]) -> Resource:
    return asker.cloud.save(f"{asker.service.type}/thing", {**asker.service.open, **properties})


def test_every_service_refuses_strangers_in_its_own_words(asker: Asker) -> None:
    network = asker.cloud.network("one")
    asker.cloud.cluster("a", network)
    thing = _thing(asker, asker.service.closed)
    group = next(name for name, one in SERVICES.items() if one is asker.service)
    asker.cloud.endpoint("pe", network, thing, group)
    for peer, address in ((OUTSIDE, OUTSIDE), (HOST, "198.51.100.1"), (NODE, "198.51.100.2")):
        answer = asker.ask(peer)
        assert answer.status_code == 403
        assert asker.service.refused(answer, address), answer.text
    # Through the endpoint, only roles decide.
    for peer in (HOST, NODE):
        assert not _is_refusal(asker, asker.ask(peer, "10.77.252.1"))


def test_every_service_holds_rules_against_addresses(asker: Asker) -> None:
    _thing(asker, asker.service.listed)
    answer = asker.ask(OUTSIDE)
    assert answer.status_code == 403
    assert asker.service.refused(answer, OUTSIDE), answer.text
    _thing(asker, {})
    assert not _is_refusal(asker, asker.ask(OUTSIDE))


def _is_refusal(asker: Asker, answer: httpx.Response) -> bool:
    try:
        return answer.status_code == 403 and asker.service.refused(answer, OUTSIDE)
    except (KeyError, AssertionError, ValueError):
        return False
