"""Where resources of the program lie in Resource Manager: ids by type and inputs.

Written out, because neither the SDK nor a preview says it; as https://learn.microsoft.com/rest/api documents
the paths. Path parameters are called as the SDK calls the inputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_GROUP: Final = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
#: Type -> the type that it lies in ("*": a resource group, "": nothing), its path there, its API's version.
_ROWS: Final[Mapping[str, tuple[str, str, str]]] = {
    "alertsmanagement:PrometheusRuleGroup": (
        "*",
        "Microsoft.AlertsManagement/prometheusRuleGroups/{ruleGroupName}",
        "2023-03-01",
    ),
    "applicationinsights:Component": ("*", "Microsoft.Insights/components/{resourceName}", "2020-02-02"),
    "authorization:ManagementLockByScope": (
        "",
        "/{scope}/providers/Microsoft.Authorization/locks/{lockName}",
        "2020-05-01",
    ),
    "authorization:RoleAssignment": (
        "",
        "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        "2022-04-01",
    ),
    "authorization:RoleDefinition": (
        "",
        "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
        "2022-05-01-preview",
    ),
    "cognitiveservices:Account": ("*", "Microsoft.CognitiveServices/accounts/{accountName}", "2025-06-01"),
    "cognitiveservices:Deployment": (
        "cognitiveservices:Account",
        "deployments/{deploymentName}",
        "2025-06-01",
    ),
    "cognitiveservices:RaiPolicy": ("cognitiveservices:Account", "raiPolicies/{raiPolicyName}", "2025-06-01"),
    "consumption:Budget": ("", "/{scope}/providers/Microsoft.Consumption/budgets/{budgetName}", "2024-08-01"),
    "containerregistry:AgentPool": (
        "containerregistry:Registry",
        "agentPools/{agentPoolName}",
        "2019-06-01-preview",
    ),
    "containerregistry:Registry": (
        "*",
        "Microsoft.ContainerRegistry/registries/{registryName}",
        "2023-01-01-preview",
    ),
    "containerregistry:Replication": (
        "containerregistry:Registry",
        "replications/{replicationName}",
        "2024-11-01-preview",
    ),
    "containerservice:AgentPool": (
        "containerservice:ManagedCluster",
        "agentPools/{agentPoolName}",
        "2025-09-01",
    ),
    "containerservice:MaintenanceConfiguration": (
        "containerservice:ManagedCluster",
        "maintenanceConfigurations/{configName}",
        "2025-09-01",
    ),
    "containerservice:ManagedCluster": (
        "*",
        "Microsoft.ContainerService/managedClusters/{resourceName}",
        "2025-09-01",
    ),
    "cosmosdb:DatabaseAccount": ("*", "Microsoft.DocumentDB/databaseAccounts/{accountName}", "2025-10-15"),
    "cosmosdb:SqlResourceSqlContainer": (
        "cosmosdb:SqlResourceSqlDatabase",
        "containers/{containerName}",
        "2025-10-15",
    ),
    "cosmosdb:SqlResourceSqlDatabase": (
        "cosmosdb:DatabaseAccount",
        "sqlDatabases/{databaseName}",
        "2025-10-15",
    ),
    "cosmosdb:SqlResourceSqlRoleAssignment": (
        "cosmosdb:DatabaseAccount",
        "sqlRoleAssignments/{roleAssignmentId}",
        "2025-10-15",
    ),
    "cosmosdb:SqlResourceSqlRoleDefinition": (
        "cosmosdb:DatabaseAccount",
        "sqlRoleDefinitions/{roleDefinitionId}",
        "2025-10-15",
    ),
    "dashboard:Grafana": ("*", "Microsoft.Dashboard/grafana/{workspaceName}", "2024-10-01"),
    "dataprotection:BackupInstance": (
        "dataprotection:BackupVault",
        "backupInstances/{backupInstanceName}",
        "2025-01-01",
    ),
    "dataprotection:BackupPolicy": (
        "dataprotection:BackupVault",
        "backupPolicies/{backupPolicyName}",
        "2025-01-01",
    ),
    "dataprotection:BackupVault": ("*", "Microsoft.DataProtection/backupVaults/{vaultName}", "2025-01-01"),
    "dns:RecordSet": ("dns:Zone", "{recordType}/{relativeRecordSetName}", "2023-07-01-preview"),
    "dns:Zone": ("*", "Microsoft.Network/dnsZones/{zoneName}", "2023-07-01-preview"),
    "eventgrid:EventSubscription": (
        "",
        "/{scope}/providers/Microsoft.EventGrid/eventSubscriptions/{eventSubscriptionName}",
        "2025-02-15",
    ),
    "eventgrid:Topic": ("*", "Microsoft.EventGrid/topics/{topicName}", "2025-02-15"),
    "keyvault:Key": ("keyvault:Vault", "keys/{keyName}", "2024-11-01"),
    "keyvault:Secret": ("keyvault:Vault", "secrets/{secretName}", "2024-11-01"),
    "keyvault:Vault": ("*", "Microsoft.KeyVault/vaults/{vaultName}", "2024-11-01"),
    "managedidentity:FederatedIdentityCredential": (
        "managedidentity:UserAssignedIdentity",
        "federatedIdentityCredentials/{federatedIdentityCredentialResourceName}",
        "2023-01-31",
    ),
    "managedidentity:UserAssignedIdentity": (
        "*",
        "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}",
        "2023-01-31",
    ),
    "monitor:ActionGroup": ("*", "Microsoft.Insights/actionGroups/{actionGroupName}", "2024-10-01-preview"),
    "monitor:ActivityLogAlert": (
        "*",
        "Microsoft.Insights/activityLogAlerts/{activityLogAlertName}",
        "2020-10-01",
    ),
    "monitor:AzureMonitorWorkspace": (
        "*",
        "Microsoft.Monitor/accounts/{azureMonitorWorkspaceName}",
        "2023-04-03",
    ),
    "monitor:DataCollectionEndpoint": (
        "*",
        "Microsoft.Insights/dataCollectionEndpoints/{dataCollectionEndpointName}",
        "2022-06-01",
    ),
    "monitor:DataCollectionRule": (
        "*",
        "Microsoft.Insights/dataCollectionRules/{dataCollectionRuleName}",
        "2022-06-01",
    ),
    "monitor:DataCollectionRuleAssociation": (
        "",
        "/{resourceUri}/providers/Microsoft.Insights/dataCollectionRuleAssociations/{associationName}",
        "2022-06-01",
    ),
    "monitor:DiagnosticSetting": (
        "",
        "/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
        "2021-05-01-preview",
    ),
    "network:NatGateway": ("*", "Microsoft.Network/natGateways/{natGatewayName}", "2024-05-01"),
    "network:NetworkSecurityGroup": (
        "*",
        "Microsoft.Network/networkSecurityGroups/{networkSecurityGroupName}",
        "2024-05-01",
    ),
    "network:PrivateDnsZoneGroup": (
        "network:PrivateEndpoint",
        "privateDnsZoneGroups/{privateDnsZoneGroupName}",
        "2024-05-01",
    ),
    "network:PrivateEndpoint": (
        "*",
        "Microsoft.Network/privateEndpoints/{privateEndpointName}",
        "2024-05-01",
    ),
    "network:PublicIPAddress": (
        "*",
        "Microsoft.Network/publicIPAddresses/{publicIpAddressName}",
        "2024-05-01",
    ),
    "network:VirtualNetwork": ("*", "Microsoft.Network/virtualNetworks/{virtualNetworkName}", "2024-05-01"),
    "operationalinsights:Workspace": (
        "*",
        "Microsoft.OperationalInsights/workspaces/{workspaceName}",
        "2023-09-01",
    ),
    "privatedns:PrivateZone": ("*", "Microsoft.Network/privateDnsZones/{privateZoneName}", "2024-06-01"),
    "privatedns:VirtualNetworkLink": (
        "privatedns:PrivateZone",
        "virtualNetworkLinks/{virtualNetworkLinkName}",
        "2024-06-01",
    ),
    "resources:Deployment": ("*", "Microsoft.Resources/deployments/{deploymentName}", "2024-03-01"),
    "resources:ResourceGroup": (
        "",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}",
        "2024-03-01",
    ),
    "sql:BackupShortTermRetentionPolicy": (
        "sql:Database",
        "backupShortTermRetentionPolicies/{policyName}",
        "2023-08-01",
    ),
    "sql:Database": ("sql:Server", "databases/{databaseName}", "2023-08-01"),
    "sql:FailoverGroup": ("sql:Server", "failoverGroups/{failoverGroupName}", "2023-08-01"),
    "sql:FirewallRule": ("sql:Server", "firewallRules/{firewallRuleName}", "2023-08-01"),
    "sql:LongTermRetentionPolicy": (
        "sql:Database",
        "backupLongTermRetentionPolicies/{policyName}",
        "2023-08-01",
    ),
    "sql:Server": ("*", "Microsoft.Sql/servers/{serverName}", "2023-08-01"),
    "sql:ServerBlobAuditingPolicy": ("sql:Server", "auditingSettings/{blobAuditingPolicyName}", "2023-08-01"),
    "sql:TransparentDataEncryption": ("sql:Database", "transparentDataEncryption/{tdeName}", "2023-08-01"),
    "storage:BlobContainer": (
        "storage:StorageAccount",
        "blobServices/default/containers/{containerName}",
        "2024-01-01",
    ),
    "storage:BlobContainerImmutabilityPolicy": (
        "storage:BlobContainer",
        "immutabilityPolicies/{immutabilityPolicyName}",
        "2024-01-01",
    ),
    "storage:BlobServiceProperties": (
        "storage:StorageAccount",
        "blobServices/{blobServicesName}",
        "2024-01-01",
    ),
    "storage:ManagementPolicy": (
        "storage:StorageAccount",
        "managementPolicies/{managementPolicyName}",
        "2024-01-01",
    ),
    "storage:Queue": ("storage:StorageAccount", "queueServices/default/queues/{queueName}", "2024-01-01"),
    "storage:StorageAccount": ("*", "Microsoft.Storage/storageAccounts/{accountName}", "2024-01-01"),
}
TYPES: Final = frozenset(f"azure-native:{name}" for name in _ROWS)


def version(token: str) -> str:
    """The API's version that a type is read with."""
    return _ROWS[token.removeprefix("azure-native:")][2]


def template(token: str) -> str:
    """The id of a type such as `azure-native:sql:Server`, with parameters in braces."""
    within, path, _ = _ROWS[token.removeprefix("azure-native:")]
    if not within:
        return path
    return f"{_GROUP}/providers/{path}" if within == "*" else f"{template(within)}/{path}"


def resource_id(token: str, inputs: Mapping[str, Any], subscription: str) -> str | None:
    """The id of what would be created with these inputs; None while a part of it is not known."""
    values = {**inputs, "subscriptionId": subscription}
    parts = {name: values.get(name) for name in _PARAMETER.findall(template(token))}
    if not all(isinstance(value, str) and value for value in parts.values()):
        return None
    return template(token).format(**{name: str(value).strip("/") for name, value in parts.items()})
