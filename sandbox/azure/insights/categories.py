"""Which logs and metrics each type of resource can send to a diagnostic setting.

https://learn.microsoft.com/azure/azure-monitor/reference/logs-index
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Groups of categories that stand for all logs, and for those that record what customers do.
GROUPS = ("allLogs", "audit")
#: Stands for every metric of a type, whatever its categories are called.
ALL_METRICS = "AllMetrics"


@dataclass(frozen=True)
class Categories:
    """`metrics` has further names than AllMetrics only where Azure does."""

    logs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = (ALL_METRICS,)


_STORAGE_SERVICE = Categories(
    ("StorageRead", "StorageWrite", "StorageDelete"), (ALL_METRICS, "Transaction", "Capacity")
)

KNOWN: Mapping[str, Categories] = {
    "Microsoft.CognitiveServices/accounts": Categories(
        ("Audit", "RequestResponse", "AzureOpenAIRequestUsage", "Trace")
    ),
    "Microsoft.ContainerRegistry/registries": Categories(
        ("ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents")
    ),
    "Microsoft.ContainerService/managedClusters": Categories(
        (
            "cloud-controller-manager",
            "cluster-autoscaler",
            "csi-azuredisk-controller",
            "csi-azurefile-controller",
            "csi-snapshot-controller",
            "fleet-mcs-controller-manager",
            "fleet-member-agent",
            "fleet-member-net-controller-manager",
            "guard",
            "karpenter-events",
            "kube-apiserver",
            "kube-audit",
            "kube-audit-admin",
            "kube-controller-manager",
            "kube-scheduler",
        )
    ),
    "Microsoft.Dashboard/grafana": Categories(("GrafanaLoginEvents", "GrafanaUsageInsightsEvents")),
    "Microsoft.DataProtection/backupVaults": Categories(
        (
            "AddonAzureBackupJobs",
            "AddonAzureBackupPolicy",
            "AddonAzureBackupProtectedInstance",
            "AzureBackupOperations",
            "CoreAzureBackup",
        ),
        (ALL_METRICS, "Health"),
    ),
    "Microsoft.DocumentDB/databaseAccounts": Categories(
        (
            "CassandraRequests",
            "ControlPlaneRequests",
            "DataPlaneRequests",
            "DataPlaneRequests15M",
            "DataPlaneRequests5M",
            "GremlinRequests",
            "MongoRequests",
            "PartitionKeyRUConsumption",
            "PartitionKeyStatistics",
            "QueryRuntimeStatistics",
            "TableApiRequests",
        ),
        (ALL_METRICS, "Requests", "SLI"),
    ),
    "Microsoft.EventGrid/systemTopics": Categories(("DeliveryFailures",)),
    "Microsoft.EventGrid/topics": Categories(("DataPlaneRequests", "DeliveryFailures", "PublishFailures")),
    "Microsoft.Insights/components": Categories(
        (
            "AppAvailabilityResults",
            "AppBrowserTimings",
            "AppDependencies",
            "AppEvents",
            "AppExceptions",
            "AppMetrics",
            "AppPageViews",
            "AppPerformanceCounters",
            "AppRequests",
            "AppSystemEvents",
            "AppTraces",
        )
    ),
    "Microsoft.KeyVault/vaults": Categories(("AuditEvent", "AzurePolicyEvaluationDetails")),
    "Microsoft.Network/natGateways": Categories(("NatGatewayFlowlogsV1",)),
    "Microsoft.Network/networkSecurityGroups": Categories(
        ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"), ()
    ),
    "Microsoft.Network/publicIPAddresses": Categories(
        ("DDoSMitigationFlowLogs", "DDoSMitigationReports", "DDoSProtectionNotifications")
    ),
    "Microsoft.Network/virtualNetworks": Categories(("VMProtectionAlerts",)),
    "Microsoft.OperationalInsights/workspaces": Categories(("Audit", "Jobs", "SummaryLogs")),
    "Microsoft.Resources/subscriptions": Categories(
        (
            "Administrative",
            "Alert",
            "Autoscale",
            "Policy",
            "Recommendation",
            "ResourceHealth",
            "Security",
            "ServiceHealth",
        ),
        (),
    ),
    "Microsoft.Sql/servers/databases": Categories(
        (
            "AutomaticTuning",
            "Blocks",
            "DatabaseWaitStatistics",
            "Deadlocks",
            "DevOpsOperationsAudit",
            "Errors",
            "QueryStoreRuntimeStatistics",
            "QueryStoreWaitStatistics",
            "SQLInsights",
            "SQLSecurityAuditEvents",
            "Timeouts",
        ),
        (ALL_METRICS, "Basic", "InstanceAndAppAdvanced", "WorkloadManagement"),
    ),
    "Microsoft.Storage/storageAccounts": Categories((), (ALL_METRICS, "Transaction", "Capacity")),
    "Microsoft.Storage/storageAccounts/blobServices": _STORAGE_SERVICE,
    "Microsoft.Storage/storageAccounts/fileServices": _STORAGE_SERVICE,
    "Microsoft.Storage/storageAccounts/queueServices": _STORAGE_SERVICE,
    "Microsoft.Storage/storageAccounts/tableServices": _STORAGE_SERVICE,
}

_BY_TYPE = {name.lower(): found for name, found in KNOWN.items()}


def of(type_name: str) -> Categories | None:
    """None for types without diagnostic settings."""
    return _BY_TYPE.get(type_name.lower())
