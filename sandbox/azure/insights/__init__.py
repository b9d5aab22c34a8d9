"""Microsoft.Insights: components, alert rules, action groups, diagnostic settings, data collection."""

from __future__ import annotations

from sandbox.azure.insights import telemetry
from sandbox.azure.insights.action_groups import ActionGroupHandler
from sandbox.azure.insights.activity_alerts import ActivityLogAlertHandler
from sandbox.azure.insights.collection import AssociationHandler, EndpointHandler, RuleHandler
from sandbox.azure.insights.components import ComponentHandler
from sandbox.azure.insights.diagnostic_settings import DiagnosticSettingHandler
from sandbox.azure.insights.metric_alerts import MetricAlertHandler
from sandbox.azure.insights.query_rules import QueryRuleHandler
from sandbox.azure.insights.webtests import WebTestHandler
from sandbox.azure.insights.workbooks import WorkbookHandler
from sandbox.services import Services

HANDLERS = (
    ActionGroupHandler,
    ActivityLogAlertHandler,
    AssociationHandler,
    ComponentHandler,
    DiagnosticSettingHandler,
    EndpointHandler,
    MetricAlertHandler,
    QueryRuleHandler,
    RuleHandler,
    WebTestHandler,
    WorkbookHandler,
)


def mount(services: Services) -> None:
    telemetry.mount(services)


async def start(services: Services) -> None:
    telemetry.publish(services)


async def stop(services: Services) -> None:
    telemetry.stop(services)
