"""The smallest production stack that keeps every rule."""

from __future__ import annotations

from typing import Any

from tests.infra.policy.declared import DIGEST, Declarations, Declared, by_name

_GROUP = "/subscriptions/0/resourceGroups/rg-agents-prod"
_TAGS = {"environment": "prod", "application": "agents", "managed-by": "pulumi"}
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def azure(kind: str, name: str, inputs: dict[str, Any], **options: Any) -> Declared:
    return Declared(f"azure-native:{kind}", name, inputs, **options)


def kubernetes(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Declared:
    inputs = {"metadata": {"name": name, "namespace": "agents-prod", **metadata}, "spec": spec}
    return Declared(f"kubernetes:{kind}", name, inputs)


def placed(**inputs: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "resourceGroupName": "rg-agents-prod",
        "tags": dict(_TAGS),
        **inputs,
    }


def _endpoint(target: str) -> list[Declared]:
    return [
        azure(
            "network:PrivateEndpoint",
            f"pe-{target}",
            placed(privateEndpointName=f"pe-{target}", privateLinkServiceConnections=[{"name": target}]),
            references={"privateLinkServiceConnections": [target]},
        ),
        azure(
            "network:PrivateDnsZoneGroup",
            f"names-{target}",
            {"privateEndpointName": f"pe-{target}"},
            references={"privateEndpointName": [f"pe-{target}"]},
        ),
    ]


def _diagnostics(target: str) -> Declared:
    return azure(
        "monitor:DiagnosticSetting",
        f"{target}-diagnostics",
        {"workspaceId": f"{_GROUP}/logs", "logs": [{"categoryGroup": "allLogs", "enabled": True}]},
        references={"resourceUri": [target]},
    )


def _data() -> list[Declared]:
    database = {"serverName": "sql-agents-prod", "databaseName": "AgentsDB"}
    return [
        azure(
            "cosmosdb:DatabaseAccount",
            "cosmos",
            placed(
                accountName="cosmos-agents-prod",
                disableLocalAuth=True,
                minimalTlsVersion="Tls12",
                publicNetworkAccess="Disabled",
                enableAutomaticFailover=True,
                locations=[{"locationName": "westeurope"}, {"locationName": "northeurope"}],
                backupPolicy={
                    "type": "Continuous",
                    "continuousModeProperties": {"tier": "Continuous30Days"},
                },
            ),
            protect=True,
        ),
        azure(
            "cosmosdb:SqlResourceSqlRoleAssignment",
            "cosmos-role",
            {"scope": f"{_GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/cosmos/dbs/AgentsDB"},
        ),
        azure(
            "sql:Server",
            "sql",
            placed(
                serverName="sql-agents-prod",
                administrators={"azureADOnlyAuthentication": True},
                minimalTlsVersion="1.2",
                publicNetworkAccess="Disabled",
            ),
            protect=True,
        ),
        azure(
            "sql:Database",
            "database",
            placed(**database, requestedBackupStorageRedundancy="Geo"),
            protect=True,
            references={"serverName": ["sql"]},
        ),
        azure("sql:TransparentDataEncryption", "tde", {**database, "state": "Enabled"}),
        azure("sql:BackupShortTermRetentionPolicy", "short", {**database, "retentionDays": 35}),
        azure("sql:LongTermRetentionPolicy", "long", {**database, "weeklyRetention": "P5W"}),
        azure(
            "sql:ExtendedServerBlobAuditingPolicy",
            "auditing",
            {"serverName": "sql-agents-prod", "state": "Enabled"},
        ),
        azure("sql:FailoverGroup", "failover", {"serverName": "sql-agents-prod"}),
        azure("sql:FirewallRule", "office", {"startIpAddress": "203.0.113.1", "endIpAddress": "203.0.113.9"}),
        azure(
            "storage:StorageAccount",
            "storage",
            placed(
                accountName="stagentsprod",
                allowSharedKeyAccess=False,
                allowBlobPublicAccess=False,
                enableHttpsTrafficOnly=True,
                minimumTlsVersion="TLS1_2",
                publicNetworkAccess="Disabled",
            ),
            protect=True,
        ),
        azure(
            "storage:BlobServiceProperties",
            "blobs",
            {
                "accountName": "stagentsprod",
                "isVersioningEnabled": True,
                "deleteRetentionPolicy": {"enabled": True, "days": 14},
                "containerDeleteRetentionPolicy": {"enabled": True, "days": 14},
            },
        ),
        azure(
            "storage:BlobContainer",
            "dead-letters",
            {"accountName": "stagentsprod", "containerName": "dead-letters", "publicAccess": "None"},
            protect=True,
        ),
        azure(
            "keyvault:Vault",
            "vault",
            placed(
                vaultName="kv-agents-prod",
                properties={
                    "enableRbacAuthorization": True,
                    "enableSoftDelete": True,
                    "enablePurgeProtection": True,
                    "publicNetworkAccess": "Disabled",
                },
            ),
            protect=True,
        ),
    ]


def _platform() -> list[Declared]:
    return [
        azure("resources:ResourceGroup", "group", placed(resourceGroupName="rg-agents-prod")),
        azure(
            "authorization:ManagementLockByScope",
            "lock",
            {"level": "CanNotDelete"},
            references={"scope": ["group"]},
        ),
        azure(
            "authorization:RoleAssignment",
            "role",
            {
                "scope": f"{_GROUP}/providers/Microsoft.KeyVault/vaults/kv-agents-prod",
                "roleDefinitionId": "/x/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6",
            },
        ),
        azure(
            "authorization:RoleDefinition",
            "own-role",
            {
                "permissions": [{"actions": ["Microsoft.Insights/metrics/read"]}],
                "assignableScopes": [_GROUP],
            },
        ),
        azure(
            "managedidentity:FederatedIdentityCredential",
            "federation",
            {
                "subject": "system:serviceaccount:agents-prod:notification-agent",
                "issuer": "https://oidc.example.com/",
                "audiences": ["api://AzureADTokenExchange"],
            },
        ),
        azure(
            "consumption:Budget",
            "budget",
            {
                "notifications": {
                    "spent": {"enabled": True, "thresholdType": "Actual"},
                    "going": {"enabled": True, "thresholdType": "Forecasted"},
                }
            },
        ),
        azure(
            "network:VirtualNetwork",
            "network",
            placed(subnets=[{"name": "nodes", "networkSecurityGroup": {"id": "nsg"}}]),
        ),
        azure(
            "network:NetworkSecurityGroup",
            "nsg",
            placed(
                securityRules=[
                    {
                        "name": "web",
                        "direction": "Inbound",
                        "access": "Allow",
                        "sourceAddressPrefix": "Internet",
                        "destinationPortRanges": ["80", "443"],
                    }
                ]
            ),
        ),
        azure(
            "operationalinsights:Workspace",
            "logs",
            placed(workspaceName="log-agents-prod", features={"disableLocalAuth": True}),
        ),
        azure("applicationinsights:Component", "telemetry", placed(disableLocalAuth=True)),
        azure("dashboard:Grafana", "grafana", placed(properties={"apiKey": "Disabled"})),
        azure(
            "eventgrid:Topic",
            "topic",
            placed(
                topicName="topic-agents-prod",
                disableLocalAuth=True,
                minimumTlsVersionAllowed="1.2",
                publicNetworkAccess="Disabled",
            ),
        ),
        azure(
            "eventgrid:EventSubscription",
            "subscription",
            {"deadLetterWithResourceIdentity": {"identity": {"type": "SystemAssigned"}}},
        ),
        azure(
            "cognitiveservices:Account",
            "openai",
            placed(
                accountName="oai-agents-prod",
                properties={"disableLocalAuth": True, "publicNetworkAccess": "Disabled"},
            ),
        ),
        azure(
            "containerregistry:Registry",
            "registry",
            placed(
                registryName="acragentsprod",
                adminUserEnabled=False,
                publicNetworkAccess="Disabled",
            ),
            protect=True,
        ),
        azure(
            "containerservice:ManagedCluster",
            "cluster",
            placed(
                resourceName="aks-agents-prod",
                disableLocalAccounts=True,
                enableRBAC=True,
                aadProfile={"managed": True, "enableAzureRBAC": True},
                oidcIssuerProfile={"enabled": True},
                securityProfile={"workloadIdentity": {"enabled": True}},
                networkProfile={"networkPolicy": "cilium"},
                autoUpgradeProfile={"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"},
                apiServerAccessProfile={"enablePrivateCluster": True},
                sku={"name": "Base", "tier": "Standard"},
                agentPoolProfiles=[{"name": "system", "availabilityZones": ["1", "2", "3"]}],
            ),
        ),
        azure("containerservice:AgentPool", "user", {"availabilityZones": ["1", "2"]}),
    ]


def _workload() -> list[Declared]:
    container = {
        "name": "agent",
        "image": f"acragentsprod.azurecr.io/agents-api-notification:1.0.0@{DIGEST}",
        "securityContext": dict(_RESTRICTED),
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "readinessProbe": {"httpGet": {"path": "/readyz"}},
        "livenessProbe": {"httpGet": {"path": "/healthz"}},
        "env": [
            {
                "name": "APPLICATIONINSIGHTS_CONNECTION_STRING",
                "value": "InstrumentationKey=11111111-2222-3333-4444-555555555555",
            },
            {"name": "CosmosDb__Endpoint", "value": "https://cosmos-agents-prod.documents.azure.com"},
            {"name": "AZURE_FEDERATED_TOKEN_FILE", "value": "/var/run/secrets/azure/token"},
            {"name": "PagerDuty__RoutingKey", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
    }
    template = {
        "metadata": {"labels": {"app": "notification-agent"}},
        "spec": {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            "topologySpreadConstraints": [{"topologyKey": "topology.kubernetes.io/zone"}],
        },
    }
    agent = "notification-agent"
    namespace = {"pod-security.kubernetes.io/enforce": "restricted"}
    return [
        kubernetes("core/v1:Namespace", "agents-prod", {}, labels=namespace),
        kubernetes("apps/v1:Deployment", agent, {"template": template}),
        kubernetes(
            "policy/v1:PodDisruptionBudget", "budget-of-pods", {"selector": {"matchLabels": {"app": agent}}}
        ),
        kubernetes("autoscaling/v2:HorizontalPodAutoscaler", "scaler", {"scaleTargetRef": {"name": agent}}),
        kubernetes(
            "networking.k8s.io/v1:NetworkPolicy",
            "default-deny",
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        ),
        kubernetes("core/v1:ResourceQuota", "quota", {"hard": {"pods": "50"}}),
        Declared("kubernetes:core/v1:ConfigMap", "prompts", {"data": {"compose.md": "Write a message."}}),
        kubernetes(
            "networking.k8s.io/v1:Ingress",
            "ingress",
            {
                "tls": [{"hosts": ["agents.example.com"], "secretName": "agents-tls"}],
                "rules": [{"host": "agents.example.com"}],
            },
        ),
    ]


CLOSED = ("cosmos", "sql", "storage", "vault", "topic", "openai", "registry")
DIAGNOSED = ("cosmos", "database", "storage", "vault", "topic", "openai", "registry", "cluster")

PRODUCTION: Declarations = by_name(
    *_data(),
    *_platform(),
    *_workload(),
    *(resource for target in CLOSED for resource in _endpoint(target)),
    *(_diagnostics(target) for target in DIAGNOSED),
)
