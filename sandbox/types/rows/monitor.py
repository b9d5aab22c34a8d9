"""Logs, metrics, alerts, dashboards, budgets."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import GUID, INSIGHTS_260, in_group

_WORKSPACE = "Microsoft.OperationalInsights/workspaces/{workspaceName}"
_COLLECTION = NameRule(
    r"[A-Za-z0-9][A-Za-z0-9_.-]{1,62}[A-Za-z0-9]", "3-64 alphanumerics, underscores, periods and hyphens"
)

ROWS = (
    ArmType(
        "Microsoft.OperationalInsights/workspaces",
        in_group(_WORKSPACE),
        pulumi="azure-native:operationalinsights:Workspace",
        model="azure.mgmt.loganalytics:Workspace",
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
            "4-63 alphanumerics and hyphens, starting and ending with an alphanumeric",
        ),
        long_running="provisioning-state",
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.OperationalInsights/workspaces/tables",
        in_group(f"{_WORKSPACE}/tables/{{tableName}}"),
        pulumi="azure-native:operationalinsights:Table",
        model="azure.mgmt.loganalytics:Table",
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.OperationalInsights/workspaces/savedSearches",
        in_group(f"{_WORKSPACE}/savedSearches/{{savedSearchId}}"),
        pulumi="azure-native:operationalinsights:SavedSearch",
        model="azure.mgmt.loganalytics:SavedSearch",
    ),
    ArmType(
        "Microsoft.Insights/components",
        in_group("Microsoft.Insights/components/{resourceName}"),
        pulumi="azure-native:applicationinsights:Component",
        model="azure.mgmt.applicationinsights.v2020_02_02:ApplicationInsightsComponent",
        required=("properties.Application_Type",),
        name=INSIGHTS_260,
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Insights/webtests",
        in_group("Microsoft.Insights/webtests/{webTestName}"),
        pulumi="azure-native:applicationinsights:WebTest",
        model="azure.mgmt.applicationinsights.v2022_06_15:WebTest",
        required=("properties.Kind", "properties.Name"),
        # The SDK has one property for the name in the path and the one in the body.
        renames={"WebTest.webTestName": "properties.Name"},
        name=INSIGHTS_260,
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Insights/workbooks",
        in_group("Microsoft.Insights/workbooks/{resourceName}"),
        pulumi="azure-native:applicationinsights:Workbook",
        model="azure.mgmt.applicationinsights.v2023_06_01:Workbook",
        name=GUID,
        autoname="uuid",
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Insights/actionGroups",
        in_group("Microsoft.Insights/actionGroups/{actionGroupName}"),
        pulumi="azure-native:monitor:ActionGroup",
        model="azure.mgmt.monitor:ActionGroupResource",
        required=("properties.enabled",),
        name=INSIGHTS_260,
        replace_on=("location",),
        location="Global",
    ),
    ArmType(
        "Microsoft.Insights/metricAlerts",
        in_group("Microsoft.Insights/metricAlerts/{ruleName}"),
        pulumi="azure-native:monitor:MetricAlert",
        model="azure.mgmt.monitor:MetricAlertResource",
        name=INSIGHTS_260,
        replace_on=("location",),
        location="global",
    ),
    ArmType(
        "Microsoft.Insights/activityLogAlerts",
        in_group("Microsoft.Insights/activityLogAlerts/{activityLogAlertName}"),
        pulumi="azure-native:monitor:ActivityLogAlert",
        model="azure.mgmt.monitor:ActivityLogAlertResource",
        name=INSIGHTS_260,
        replace_on=("location",),
        location="global",
    ),
    ArmType(
        "Microsoft.Insights/scheduledQueryRules",
        in_group("Microsoft.Insights/scheduledQueryRules/{ruleName}"),
        pulumi="azure-native:monitor:ScheduledQueryRule",
        model="azure.mgmt.monitor:ScheduledQueryRuleResource",
        required=("properties",),
        name=INSIGHTS_260,
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Insights/diagnosticSettings",
        "/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
        pulumi="azure-native:monitor:DiagnosticSetting",
        name=INSIGHTS_260,
    ),
    ArmType(
        "Microsoft.Insights/dataCollectionEndpoints",
        in_group("Microsoft.Insights/dataCollectionEndpoints/{dataCollectionEndpointName}"),
        pulumi="azure-native:monitor:DataCollectionEndpoint",
        model="azure.mgmt.monitor:DataCollectionEndpointResource",
        name=_COLLECTION,
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Insights/dataCollectionRules",
        in_group("Microsoft.Insights/dataCollectionRules/{dataCollectionRuleName}"),
        pulumi="azure-native:monitor:DataCollectionRule",
        model="azure.mgmt.monitor:DataCollectionRuleResource",
        name=_COLLECTION,
        # Every add-on brings streams of its own.
        open=("properties.dataSources.extensions.streams", "properties.dataFlows.streams"),
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Insights/dataCollectionRuleAssociations",
        "/{resourceUri}/providers/Microsoft.Insights/dataCollectionRuleAssociations/{associationName}",
        pulumi="azure-native:monitor:DataCollectionRuleAssociation",
        model="azure.mgmt.monitor:DataCollectionRuleAssociationProxyOnlyResource",
    ),
    ArmType(
        "Microsoft.Monitor/accounts",
        in_group("Microsoft.Monitor/accounts/{azureMonitorWorkspaceName}"),
        pulumi="azure-native:monitor:AzureMonitorWorkspace",
        model="azure.mgmt.monitorworkspaces:AzureMonitorWorkspaceResource",
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9-]{2,42}[A-Za-z0-9]",
            "4-44 alphanumerics and hyphens, starting and ending with an alphanumeric",
        ),
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.AlertsManagement/prometheusRuleGroups",
        in_group("Microsoft.AlertsManagement/prometheusRuleGroups/{ruleGroupName}"),
        pulumi="azure-native:alertsmanagement:PrometheusRuleGroup",
        model="azure.mgmt.prometheusrulegroups:PrometheusRuleGroupResource",
        name=INSIGHTS_260,
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Dashboard/grafana",
        in_group("Microsoft.Dashboard/grafana/{workspaceName}"),
        pulumi="azure-native:dashboard:Grafana",
        model="azure.mgmt.dashboard:ManagedGrafana",
        name=NameRule(
            r"[A-Za-z][A-Za-z0-9-]{0,28}[A-Za-z0-9]",
            "2-30 alphanumerics and hyphens, starting with a letter and ending with an alphanumeric",
        ),
        long_running="azure-async-operation",
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Consumption/budgets",
        "/{scope}/providers/Microsoft.Consumption/budgets/{budgetName}",
        pulumi="azure-native:consumption:Budget",
        model="azure.mgmt.consumption:Budget",
        name=NameRule(r"[A-Za-z0-9_-]{1,63}", "1-63 alphanumerics, hyphens and underscores"),
        # "timePeriod.startDate" cannot change once the budget exists.
        replace_on=("timePeriod.startDate", "timeGrain"),
    ),
)
