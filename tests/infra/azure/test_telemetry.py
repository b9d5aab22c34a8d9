"""Telemetry: no keys, bounded costs, roles where they are needed, and locks on what must stay."""

from __future__ import annotations

from functools import cache

import pytest

from infra.azure.grafana import Grafana, GrafanaArgs
from infra.azure.locks import Locks, LocksArgs
from infra.azure.monitoring import Monitoring, MonitoringArgs
from infra.azure.place import Place
from infra.azure.roles import Role
from infra.azure.telemetry import Telemetry, TelemetryArgs
from infra.naming import Names
from infra.settings.sections import TelemetrySettings
from tests.infra.azure.declaring import AGENTS, OPERATORS, WORKSPACE, Declarations, declare, large, small

NAMES = Names("dev")
METRICS = "/AzureMonitorWorkspace/telemetry"


def _telemetry(place: Place, settings: TelemetrySettings) -> Declarations:
    return declare(lambda: Telemetry("telemetry", TelemetryArgs(place, NAMES, settings, AGENTS, OPERATORS)))


def _grafana(place: Place) -> Declarations:
    return declare(lambda: Grafana("grafana", GrafanaArgs(place, NAMES, METRICS, WORKSPACE, OPERATORS)))


@cache
def _dev() -> Declarations:
    """Both, as the settings' defaults have them."""
    return Declarations([*_telemetry(small(), TelemetrySettings()), *_grafana(small())])


@cache
def _prod() -> Declarations:
    settings = TelemetrySettings(retention_days=90, daily_cap_gb=None)
    return Declarations([*_telemetry(large(), settings), *_grafana(large())])


def _roles(found: Declarations) -> set[tuple[str, str, str]]:
    return {
        (
            one.inputs["principalId"],
            Role(one.inputs["roleDefinitionId"].rpartition("/")[2]).name,
            one.inputs["scope"],
        )
        for one in found.of("authorization:RoleAssignment")
    }


def test_nothing_takes_a_key() -> None:
    insights = _dev().one("applicationinsights:Component").inputs
    assert insights["disableLocalAuth"] is True
    assert insights["workspaceResourceId"] == "/Workspace/telemetry"
    assert _dev().one("operationalinsights:Workspace").inputs["features"]["disableLocalAuth"] is True
    assert _dev().one("dashboard:Grafana").inputs["properties"]["apiKey"] == "Disabled"


def test_logs_are_kept_and_capped_as_the_settings_say() -> None:
    dev = _dev().one("operationalinsights:Workspace").inputs
    prod = _prod().one("operationalinsights:Workspace").inputs
    assert (dev["retentionInDays"], dev["workspaceCapping"]) == (30, {"dailyQuotaGb": 1})
    assert (prod["retentionInDays"], prod["workspaceCapping"]) == (90, {"dailyQuotaGb": -1})


def test_agents_send_operators_read_and_grafana_reads_metrics_as_itself() -> None:
    operator = "principal-of-operator"
    roles = {
        (
            one.inputs["principalId"],
            Role(one.inputs["roleDefinitionId"].rpartition("/")[2]).name,
            one.inputs["scope"],
        )
        for one in _dev().of("authorization:RoleAssignment")
    }
    assert roles == {
        ("principal-of-notification", "MONITORING_METRICS_PUBLISHER", "/Component/telemetry"),
        ("principal-of-devops", "MONITORING_METRICS_PUBLISHER", "/Component/telemetry"),
        (operator, "MONITORING_READER", "/Component/telemetry"),
        (operator, "LOG_ANALYTICS_DATA_READER", "/Workspace/telemetry"),
        (operator, "MONITORING_DATA_READER", METRICS),
        (operator, "GRAFANA_ADMIN", "/Grafana/grafana"),
        ("principal-of-grafana", "MONITORING_DATA_READER", METRICS),
    }


def test_grafana_reads_the_environments_metrics() -> None:
    integrations = _dev().one("dashboard:Grafana").inputs["properties"]["grafanaIntegrations"]
    assert integrations["azureMonitorWorkspaceIntegrations"] == [{"azureMonitorWorkspaceResourceId": METRICS}]


def test_grafana_outlives_a_zone_where_the_environment_does() -> None:
    found = [one().one("dashboard:Grafana").inputs["properties"]["zoneRedundancy"] for one in (_dev, _prod)]
    assert found == ["Disabled", "Enabled"]


@pytest.mark.parametrize("kind", ["operationalinsights:Workspace", "monitor:AzureMonitorWorkspace"])
def test_logs_and_metrics_are_kept_where_data_is(kind: str) -> None:
    dev, prod = _dev().one(kind), _prod().one(kind)
    assert (dev.protect, dev.retain) == (False, False)
    assert (prod.protect, prod.retain) == (True, True)


def test_the_workspace_and_grafana_report_too() -> None:
    told = {
        one.inputs["resourceUri"]: one.inputs["workspaceId"] for one in _dev().of("monitor:DiagnosticSetting")
    }
    assert told == {"/Workspace/telemetry": "/Workspace/telemetry", "/Grafana/grafana": WORKSPACE}


def test_the_clusters_metrics_and_logs_reach_their_workspaces() -> None:
    cluster = "/ManagedCluster/cluster"
    found = declare(
        lambda: Monitoring("monitoring", MonitoringArgs(small(), NAMES, cluster, METRICS, WORKSPACE))
    )
    metrics = found.one("monitor:DataCollectionRule", "metrics").inputs
    assert metrics["destinations"]["monitoringAccounts"][0]["accountResourceId"] == METRICS
    assert metrics["dataCollectionEndpointId"] == "/DataCollectionEndpoint/metrics"
    logs = found.one("monitor:DataCollectionRule", "logs").inputs
    assert logs["destinations"]["logAnalytics"][0]["workspaceResourceId"] == WORKSPACE
    for rule in (metrics, logs):
        (flow,) = rule["dataFlows"]
        sources = [source for kind in rule["dataSources"].values() for source in kind]
        assert flow["streams"] == [stream for source in sources for stream in source["streams"]]
        assert flow["destinations"] == ["workspace"]
    for key in ("metrics", "logs"):
        association = found.one("monitor:DataCollectionRuleAssociation", key).inputs
        assert association["resourceUri"] == cluster
        assert association["dataCollectionRuleId"] == f"/DataCollectionRule/{key}"


def _locks(place: Place) -> Declarations:
    def program() -> None:
        grafana = Grafana("grafana", GrafanaArgs(place, NAMES, METRICS, WORKSPACE, OPERATORS))
        Locks("locks", LocksArgs(place, {"events": "/databases/events", "letters": "/letters"}, [grafana]))

    return declare(program)


def test_locks_hold_what_must_stay_where_the_environment_is_protected() -> None:
    assert not _locks(small()).of("authorization:ManagementLockByScope")
    locks = _locks(large()).of("authorization:ManagementLockByScope")
    assert {one.inputs["scope"] for one in locks} == {"/databases/events", "/letters"}
    assert {one.inputs["level"] for one in locks} == {"CanNotDelete"}


def test_locks_come_after_everything_else_and_can_be_taken_away() -> None:
    for lock in _locks(large()).of("authorization:ManagementLockByScope"):
        assert lock.needs == ("grafana",)
        assert (lock.protect, lock.retain) == (False, False)
