"""Alerts on what is done to the environment, and on what happens to Azure itself: from the activity log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, monitor

from infra.azure.place import Place

# Nothing of this is deleted in daily work; each takes data or the way to it along.
DELETIONS = (
    "Microsoft.ContainerRegistry/registries/delete",
    "Microsoft.ContainerService/managedClusters/delete",
    "Microsoft.DocumentDB/databaseAccounts/delete",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/delete",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/delete",
    "Microsoft.KeyVault/vaults/delete",
    "Microsoft.Sql/servers/delete",
    "Microsoft.Sql/servers/databases/delete",
    "Microsoft.Storage/storageAccounts/delete",
)
# Who may do what, and what would have told of it.
SECURITY = (
    "Microsoft.Authorization/locks/delete",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleAssignments/delete",
    "Microsoft.Insights/diagnosticSettings/delete",
    "Microsoft.Insights/actionGroups/delete",
    "Microsoft.Network/networkSecurityGroups/write",
    "Microsoft.Network/networkSecurityGroups/delete",
    "Microsoft.Sql/servers/firewallRules/write",
    "Microsoft.Sql/servers/auditingSettings/write",
    "Microsoft.Storage/storageAccounts/listKeys/action",
)
# As Azure's notices write them.
_REGIONS: Mapping[str, str] = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "swedencentral": "Sweden Central",
    "germanywestcentral": "Germany West Central",
    "eastus2": "East US 2",
    "centralus": "Central US",
}
_TROUBLE = ("Incident", "Security")
_NOTICES = ("Maintenance", "Informational", "ActionRequired")


@dataclass(frozen=True)
class ActivityAlertsArgs:
    """`critical` and `warning` are ids of action groups."""

    place: Place
    resource_group_id: pulumi.Input[str]
    critical: Sequence[pulumi.Input[str]]
    warning: Sequence[pulumi.Input[str]]


class ActivityAlerts(pulumi.ComponentResource):
    """Deletions and trouble with Azure are critical; changes of security and Azure's notices are warnings.

    https://learn.microsoft.com/azure/azure-monitor/alerts/activity-log-alerts
    """

    def __init__(
        self, name: str, args: ActivityAlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("agents:azure:ActivityAlerts", name, None, opts)
        self._args = args
        self._done("deletions", "Something that holds data was deleted.", DELETIONS, args.critical)
        self._done("security", "Who may do what, or what tells of it, was changed.", SECURITY, args.warning)
        self._health("service-health", "Azure has trouble in this region.", _TROUBLE, args.critical)
        self._health("service-notices", "Azure plans or advises something here.", _NOTICES, args.warning)
        self.register_outputs({})

    def _done(
        self, name: str, says: str, operations: Sequence[str], groups: Sequence[pulumi.Input[str]]
    ) -> None:
        """Any of `operations`, once it has succeeded, on anything in the resource group."""
        conditions = [
            _equals("category", "Administrative"),
            _equals("status", "Succeeded"),
            _any_of("operationName", operations),
        ]
        self._alert(name, says, self._args.resource_group_id, conditions, groups)

    def _health(
        self, name: str, says: str, kinds: Sequence[str], groups: Sequence[pulumi.Input[str]]
    ) -> None:
        """Azure tells of its own health per subscription, and names the regions."""
        place = self._args.place
        subscription = authorization.get_client_config_output().subscription_id
        regions = [region for region in (place.location, place.paired) if region]
        here = monitor.AlertRuleAnyOfOrLeafConditionArgs(
            field="properties.impactedServices[*].ImpactedRegions[*].RegionName",
            contains_any=["Global", *(_REGIONS.get(region, region) for region in regions)],
        )
        conditions = [
            _equals("category", "ServiceHealth"),
            _any_of("properties.incidentType", kinds),
            here,
        ]
        self._alert(name, says, pulumi.Output.concat("/subscriptions/", subscription), conditions, groups)

    def _alert(
        self,
        name: str,
        says: str,
        scope: pulumi.Input[str],
        conditions: list[monitor.AlertRuleAnyOfOrLeafConditionArgs],
        groups: Sequence[pulumi.Input[str]],
    ) -> None:
        place = self._args.place
        monitor.ActivityLogAlert(
            name,
            activity_log_alert_name=f"activity-{name}",
            resource_group_name=place.resource_group,
            location="global",
            description=says,
            enabled=True,
            scopes=[scope],
            condition=monitor.AlertRuleAllOfConditionArgs(all_of=conditions),
            actions=monitor.ActionListArgs(
                action_groups=[monitor.ActionGroupArgs(action_group_id=group) for group in groups]
            ),
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _equals(field: str, value: str) -> monitor.AlertRuleAnyOfOrLeafConditionArgs:
    return monitor.AlertRuleAnyOfOrLeafConditionArgs(field=field, equals=value)


def _any_of(field: str, values: Sequence[str]) -> monitor.AlertRuleAnyOfOrLeafConditionArgs:
    return monitor.AlertRuleAnyOfOrLeafConditionArgs(
        any_of=[monitor.AlertRuleLeafConditionArgs(field=field, equals=value) for value in values]
    )
