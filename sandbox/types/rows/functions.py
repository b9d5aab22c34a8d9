"""The SDK's functions that are POST actions (`listX`), by token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Function:
    """An action on a resource: the resource's token, the action's last path segment, and which arguments go
    into the query (SDK name -> wire name); the others that are no path parameters make the body."""

    resource: str
    action: str
    query: Mapping[str, str] = field(default_factory=dict)


_KUBECONFIG = {"serverFqdn": "server-fqdn", "format": "format"}

FUNCTIONS: Mapping[str, Function] = {
    "azure-native:containerservice:listManagedClusterAdminCredentials": Function(
        "azure-native:containerservice:ManagedCluster", "listClusterAdminCredential", _KUBECONFIG
    ),
    "azure-native:containerservice:listManagedClusterUserCredentials": Function(
        "azure-native:containerservice:ManagedCluster", "listClusterUserCredential", _KUBECONFIG
    ),
    "azure-native:containerservice:listManagedClusterMonitoringUserCredentials": Function(
        "azure-native:containerservice:ManagedCluster", "listClusterMonitoringUserCredential", _KUBECONFIG
    ),
    "azure-native:containerregistry:listRegistryCredentials": Function(
        "azure-native:containerregistry:Registry", "listCredentials"
    ),
    "azure-native:cosmosdb:listDatabaseAccountKeys": Function(
        "azure-native:cosmosdb:DatabaseAccount", "listKeys"
    ),
    "azure-native:cosmosdb:listDatabaseAccountConnectionStrings": Function(
        "azure-native:cosmosdb:DatabaseAccount", "listConnectionStrings"
    ),
    "azure-native:cognitiveservices:listAccountKeys": Function(
        "azure-native:cognitiveservices:Account", "listKeys"
    ),
    "azure-native:storage:listStorageAccountKeys": Function(
        "azure-native:storage:StorageAccount", "listKeys", {"expand": "$expand"}
    ),
    "azure-native:eventgrid:listTopicSharedAccessKeys": Function("azure-native:eventgrid:Topic", "listKeys"),
    "azure-native:operationalinsights:getSharedKeys": Function(
        "azure-native:operationalinsights:Workspace", "sharedKeys"
    ),
}
