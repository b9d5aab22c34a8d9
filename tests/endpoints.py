"""Every endpoint of the running sandbox that takes a body, on every plane, and resources to aim at."""

from __future__ import annotations

from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from tests.planes import GROUP, Endpoint


def _providers(*tails: str) -> list[str]:
    return [f"{GROUP}/providers/Microsoft.{tail}" for tail in tails]


#: One of each type of the dev stack: those that are there, and names that are not.
RESOURCES = [
    GROUP,
    *_providers(
        "ManagedIdentity/userAssignedIdentities/id-notification-agents-dev",
        "Network/virtualNetworks/vnet-agents-dev",
        "Network/dnsZones/azure.test",
        "Network/dnsZones/azure.test/A/agents-dev",
        "ContainerRegistry/registries/acragentsdev",
        "ContainerService/managedClusters/aks-agents-dev",
        "ContainerService/managedClusters/aks-agents-dev/agentPools/user",
        "DocumentDB/databaseAccounts/cosmos-agents-dev",
        "DocumentDB/databaseAccounts/cosmos-agents-dev/sqlDatabases/AgentsDB",
        "DocumentDB/databaseAccounts/cosmos-agents-dev/sqlDatabases/AgentsDB/containers/Events",
        "DocumentDB/databaseAccounts/cosmos-agents-dev/sqlDatabases/AgentsDB/containers/Events"
        "/throughputSettings/default",
        "KeyVault/vaults/kv-agents-dev",
        "CognitiveServices/accounts/oai-agents-dev",
        "CognitiveServices/accounts/oai-agents-dev/deployments/gpt-5.4-mini",
        "OperationalInsights/workspaces/log-agents-dev",
    ),
]
_NEW = "0badf00d-0000-4000-8000-000000000000"
ABSENT = [
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-bad-input",
    *_providers(
        "ManagedIdentity/userAssignedIdentities/id-bad-input",
        "ManagedIdentity/userAssignedIdentities/id-notification-agents-dev/federatedIdentityCredentials/bad",
        f"Authorization/roleAssignments/{_NEW}",
        f"Authorization/roleDefinitions/{_NEW}",
        "Authorization/locks/bad-input",
        "Network/virtualNetworks/vnet-bad-input",
        "Network/virtualNetworks/vnet-agents-dev/subnets/bad-input",
        "Network/dnsZones/azure.test/A/bad-input",
        "ContainerRegistry/registries/badinput",
        "ContainerService/managedClusters/aks-bad-input",
        "ContainerService/managedClusters/aks-agents-dev/agentPools/bad",
        "DocumentDB/databaseAccounts/cosmos-bad-input",
        "DocumentDB/databaseAccounts/cosmos-agents-dev/sqlDatabases/Bad",
        "DocumentDB/databaseAccounts/cosmos-agents-dev/sqlDatabases/AgentsDB/containers/Bad",
        f"DocumentDB/databaseAccounts/cosmos-agents-dev/sqlRoleDefinitions/{_NEW}",
        f"DocumentDB/databaseAccounts/cosmos-agents-dev/sqlRoleAssignments/{_NEW}",
        "KeyVault/vaults/kv-bad-input",
        "KeyVault/vaults/kv-agents-dev/secrets/bad-input",
        "CognitiveServices/accounts/oai-bad-input",
        "CognitiveServices/accounts/oai-agents-dev/deployments/bad",
        "OperationalInsights/workspaces/log-bad-input",
        "Storage/storageAccounts/stbadinput",
    ),
]
_ACTIONS = {
    "ContainerRegistry/registries/acragentsdev/scheduleRun": "json",
    "ContainerRegistry/registries/acragentsdev/listBuildSourceUploadUrl": "nothing",
    "ContainerService/managedClusters/aks-agents-dev/listClusterUserCredential": "nothing",
    "DocumentDB/databaseAccounts/cosmos-agents-dev/listKeys": "nothing",
    "DocumentDB/databaseAccounts/cosmos-agents-dev/regenerateKey": "json",
    "CognitiveServices/accounts/oai-agents-dev/regenerateKey": "json",
    "CognitiveServices/accounts/oai-agents-dev/listKeys": "nothing",
}
_DOCUMENTS = "/dbs/AgentsDB/colls/Events/docs"
_KEY = {"x-ms-documentdb-partitionkey": '["bad-input"]'}

ENDPOINTS = [
    *(Endpoint("arm", method, path) for path in RESOURCES for method in ("PUT", "PATCH")),
    *(Endpoint("arm", "PUT", path) for path in ABSENT),
    *(
        Endpoint("arm", "POST", f"{GROUP}/providers/Microsoft.{path}", takes)
        for path, takes in _ACTIONS.items()
    ),
    Endpoint(
        "arm",
        "POST",
        f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.KeyVault/checkNameAvailability",
    ),
    Endpoint("graph", "POST", "/v1.0/directoryObjects/getByIds"),
    Endpoint("vault", "PUT", "/secrets/bad-input", query={"api-version": "7.4"}),
    Endpoint("vault", "PATCH", "/secrets/bad-input", query={"api-version": "7.4"}),
    Endpoint("vault", "POST", "/secrets/restore", query={"api-version": "7.4"}),
    *(
        Endpoint("model", "POST", f"/openai/{path}", query={"api-version": "2024-10-21"})
        for path in (
            "deployments/gpt-5.4-mini/chat/completions",
            "deployments/gpt-5.4-mini/embeddings",
            "v1/chat/completions",
            "v1/embeddings",
        )
    ),
    Endpoint("cosmos", "POST", _DOCUMENTS, headers=_KEY),
    Endpoint("cosmos", "POST", _DOCUMENTS, headers={**_KEY, "x-ms-documentdb-is-upsert": "True"}),
    Endpoint("cosmos", "PUT", f"{_DOCUMENTS}/bad-input", headers=_KEY),
    Endpoint("cosmos", "PATCH", f"{_DOCUMENTS}/bad-input", headers=_KEY),
    Endpoint("cosmos", "POST", _DOCUMENTS, headers={**_KEY, "x-ms-documentdb-isquery": "True"}),
    Endpoint("cosmos", "POST", _DOCUMENTS, headers={**_KEY, "x-ms-cosmos-is-batch-request": "True"}),
    Endpoint("registry", "POST", "/oauth2/exchange", "form", open=True),
    Endpoint("registry", "POST", "/oauth2/token", "form", open=True),
    Endpoint("registry", "PATCH", "/acr/v1/agents-api-notification", "optional"),
    Endpoint("registry", "PUT", "/v2/agents-api-notification/manifests/bad"),
    Endpoint("entra", "POST", f"/{TENANT_ID}/oauth2/v2.0/token", "form", open=True),
    Endpoint("entra", "POST", f"/{TENANT_ID}/oauth2/token", "form", open=True),
    Endpoint("hooks", "POST", "/{cluster}/authorize"),
    Endpoint("hooks", "POST", "/{cluster}/workload-identity", open=True),
    Endpoint("agent", "POST", "/api/notification/execute", open=True),
]
