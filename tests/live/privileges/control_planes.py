"""Operations on the platform itself: Resource Manager, the cluster's API, and what only roles tell.

Writes have bodies that no resource can have: who may write is told so, and nothing changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.live.privileges.operations import ALLOWED, REFUSED, Ask, operation, register, verdict
from tests.live.privileges.world import AKS, AUTHORIZATION, World, bearer

_NEW = "0badf00d-0000-4000-8000-000000000000"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_CLUSTERS = "Microsoft.ContainerService/managedClusters"
_WRONG: Mapping[str, Any] = {"location": "westeurope", "properties": {"nonsense": True}}


def _in(kind: str, name: str) -> str:
    return f"/providers/{kind}/{name}"


_OPENAI, _COSMOS = "Microsoft.CognitiveServices/accounts", "Microsoft.DocumentDB/databaseAccounts"
_STORAGE, _VAULT = "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"
_TOPICS, _WORKSPACES = "Microsoft.EventGrid/topics", "Microsoft.OperationalInsights/workspaces"
_COMPONENTS, _SUBNETS = "Microsoft.Insights/components", "Microsoft.Network/virtualNetworks"
_CONTAINER = "stagents{env}/blobServices/default/containers/dead-letters"


@dataclass(frozen=True)
class _Request:
    """`{env}` in `path` is the environment; an empty `kind` is the resource group itself."""

    name: str
    title: str
    method: str
    kind: str
    path: str
    version: str
    body: object = None


def _on_arm(request: _Request) -> Ask:
    async def ask(world: World, who: str) -> str:
        below = _in(request.kind, request.path.format(env=world.environment)) if request.kind else ""
        answer = await world.arm(
            request.method, f"{world.group}{below}", request.version, request.body, who=who
        )
        return verdict(answer, 403, "AuthorizationFailed")

    return ask


_ARM = (
    _Request("group", "Resource group: read", "GET", "", "", "2024-03-01"),
    _Request("tag", "Resource group: change", "PATCH", "", "", "2024-03-01", {"tags": 5}),
    _Request(
        *("identity", "Resource group: make an identity", "PUT"),
        *(_IDENTITIES, "id-privileges", "2023-01-31"),
        body=_WRONG,
    ),
    _Request(
        *("assign", "Resource group: assign a role", "PUT"),
        *(f"{AUTHORIZATION}/roleAssignments", _NEW, "2022-04-01"),
        body={"properties": {}},
    ),
    _Request("vault", "Key Vault: read its settings", "GET", _VAULT, "kv-agents-{env}", "2023-07-01"),
    _Request("openai", "Azure OpenAI: read its settings", "GET", _OPENAI, "oai-agents-{env}", "2023-05-01"),
    _Request(
        *("deploy", "Azure OpenAI: deploy a model", "PUT"),
        *(_OPENAI, "oai-agents-{env}/deployments/privileges", "2023-05-01"),
        body=_WRONG,
    ),
    _Request(
        *("openai-keys", "Azure OpenAI: list the keys", "POST"),
        *(_OPENAI, "oai-agents-{env}/listKeys", "2023-05-01"),
        body={},
    ),
    _Request(
        *("cosmos-keys", "Cosmos DB: list the keys", "POST"),
        *(_COSMOS, "cosmos-agents-{env}/listKeys", "2024-05-15"),
        body={},
    ),
    _Request(
        *("storage-keys", "Storage: list the keys", "POST"),
        *(_STORAGE, "stagents{env}/listKeys", "2023-01-01"),
        body={},
    ),
    _Request(
        *("container", "Dead letters: read the container's settings", "GET"),
        *(_STORAGE, _CONTAINER, "2023-01-01"),
    ),
    _Request(
        "topic", "Event Grid: read the topic's settings", "GET", _TOPICS, "topic-agents-{env}", "2022-06-15"
    ),
    _Request(
        *("workspace", "Log Analytics: read the workspace's settings", "GET"),
        *(_WORKSPACES, "log-agents-{env}", "2022-10-01"),
    ),
    _Request(
        *("insights", "Application Insights: read its settings", "GET"),
        *(_COMPONENTS, "appi-agents-{env}", "2020-02-02"),
    ),
    _Request(
        *("kubelet", "The kubelet's identity: read", "GET"),
        *(_IDENTITIES, "id-kubelet-agents-{env}", "2023-01-31"),
    ),
    _Request(
        *("subnet", "The nodes' subnet: change", "PUT", _SUBNETS, "vnet-agents-{env}/subnets/nodes"),
        version="2023-11-01",
        body={"properties": {"addressPrefix": "nonsense"}},
    ),
    _Request(
        "cluster", "AKS: read the cluster's settings", "GET", _CLUSTERS, "aks-agents-{env}", "2024-05-01"
    ),
    _Request(
        *("kubeconfig", "AKS: get a user's kubeconfig", "POST", _CLUSTERS),
        *("aks-agents-{env}/listClusterUserCredential", "2024-05-01"),
        body={},
    ),
    _Request(
        *("admin-kubeconfig", "AKS: get the local administrator's kubeconfig", "POST", _CLUSTERS),
        *("aks-agents-{env}/listClusterAdminCredential", "2024-05-01"),
        body={},
    ),
)
for _request in _ARM:
    register(f"arm.{_request.name}", _request.title, _on_arm(_request))


# The cluster's API.


async def _kubernetes(world: World, token: str, method: str, path: str) -> str:
    url = f"{world.cluster}/api/v1/namespaces/{world.namespace}/{path}"
    return verdict(await world.http.request(method, url, headers=bearer(token)), 403, "is forbidden")


# The API server remembers for minutes what somebody may do with an object: no two requests name the same one.


@operation("kubernetes.secrets", "Cluster: read a secret of the namespace, signed in with Entra ID")
async def _secrets(world: World, who: str) -> str:
    return await _kubernetes(world, await world.token(who, AKS), "GET", f"secrets/{uuid4()}")


@operation("kubernetes.pods", "Cluster: delete a pod, signed in with Entra ID")
async def _pods(world: World, who: str) -> str:
    return await _kubernetes(world, await world.token(who, AKS), "DELETE", f"pods/{uuid4()}")


@operation("kubernetes.own", "Cluster: read a secret of the namespace as the own service account")
async def _own(world: World, who: str) -> str:
    account = world.cast[who].account
    if account is None:
        return REFUSED
    token = await world.account_token(account, world.issuer)
    return await _kubernetes(world, token, "GET", f"secrets/{uuid4()}")


# What has no data plane of its own in the sandbox: rights as Resource Manager knows them.


def _by_role(action: str, scope: str) -> Ask:
    async def ask(world: World, who: str) -> str:
        target = f"{world.group}{scope.format(env=world.environment)}"
        assignments = f"{target}/providers/{AUTHORIZATION}/roleAssignments"
        listed = await world.arm_done("GET", assignments, "2022-04-01")
        for found in listed["value"]:
            properties = found["properties"]
            above = f"{target}/".lower().startswith(f"{properties['scope']}/".lower())
            if not above or properties["principalId"] != world.cast[who].object_id:
                continue
            role = await world.arm_done("GET", properties["roleDefinitionId"], "2022-04-01")
            if any(_covered(action, one) for one in role["properties"]["permissions"]):
                return ALLOWED
        return REFUSED

    return ask


def _covered(action: str, permission: Mapping[str, Any]) -> bool:
    return _matches(permission["dataActions"], action) and not _matches(permission["notDataActions"], action)


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), action, re.IGNORECASE) for one in patterns)


for _name, _title, _action, _scope in (
    (
        "telemetry.write",
        "Application Insights: send telemetry (by role)",
        "Microsoft.Insights/Telemetry/Write",
        _in("Microsoft.Insights/components", "appi-agents-{env}"),
    ),
    (
        "logs.query",
        "Log Analytics: query (by role)",
        "Microsoft.OperationalInsights/workspaces/tables/data/read",
        _in("Microsoft.OperationalInsights/workspaces", "log-agents-{env}"),
    ),
    (
        "metrics.query",
        "Azure Monitor workspace: query metrics (by role)",
        "Microsoft.Monitor/accounts/data/metrics/read",
        _in("Microsoft.Monitor/accounts", "amw-agents-{env}"),
    ),
    (
        "grafana.admin",
        "Grafana: administer (by role)",
        "Microsoft.Dashboard/grafana/ActAsGrafanaAdmin/action",
        _in("Microsoft.Dashboard/grafana", "amg-agents-{env}"),
    ),
):
    register(_name, _title, _by_role(_action, _scope))
