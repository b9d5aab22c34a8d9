"""Everything that happens is recorded."""

from infra.policy.model import UNKNOWN, Resource, Stack, may_be, may_hold
from infra.policy.rule import Faults, StackFaults, resource_rule, stack_rule

_LEARN = "https://learn.microsoft.com/azure"
_SETTING = "azure-native:monitor:DiagnosticSetting"
_AUDITING = (
    "azure-native:sql:ExtendedServerBlobAuditingPolicy",
    "azure-native:sql:ServerBlobAuditingPolicy",
)
DIAGNOSABLE = (
    "azure-native:cognitiveservices:Account",
    "azure-native:containerregistry:Registry",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:cosmosdb:DatabaseAccount",
    "azure-native:eventgrid:Topic",
    "azure-native:keyvault:Vault",
    "azure-native:sql:Database",
    "azure-native:storage:StorageAccount",
)


@stack_rule(
    remedy="Call diagnose() in the component that makes it",
    source=f"{_LEARN}/azure-monitor/platform/diagnostic-settings",
)
def services_send_their_logs(stack: Stack) -> StackFaults:
    """Every service that can has a diagnostic setting."""
    settings = stack.of(_SETTING)
    for service in stack.of(*DIAGNOSABLE):
        if not any(setting.refers_to(service, "resourceUri") for setting in settings):
            yield service, "it has no diagnostic setting"


@resource_rule(
    _SETTING,
    remedy="Name the environment's workspace and enable a category group of logs, or metrics",
    source=f"{_LEARN}/azure-monitor/platform/diagnostic-settings",
)
def diagnostics_reach_a_workspace(setting: Resource) -> Faults:
    """A diagnostic setting sends something, and to a place where it can be queried."""
    if setting.get("workspaceId") is None:
        yield "it names no workspace"
    sent = (setting.get("logs", []), setting.get("metrics", []))
    enabled = [item.get("enabled") for kind in sent for item in kind]
    if UNKNOWN not in sent and not may_hold(enabled, True):
        yield "it sends neither logs nor metrics"


@stack_rule(
    remedy="Add an ExtendedServerBlobAuditingPolicy in state Enabled",
    source=f"{_LEARN}/azure-sql/database/auditing-overview",
)
def sql_is_audited(stack: Stack) -> StackFaults:
    """Who did what on an SQL server is recorded."""
    policies = [policy for policy in stack.of(*_AUDITING) if may_be(policy.get("state"), "Enabled")]
    for server in stack.of("azure-native:sql:Server"):
        if not any(policy.refers_to(server, "serverName") for policy in policies):
            yield server, "it has no auditing policy"


@resource_rule(
    "azure-native:eventgrid:EventSubscription",
    "azure-native:eventgrid:EventSubscription",
    "azure-native:eventgrid:TopicEventSubscription",
    "azure-native:eventgrid:SystemTopicEventSubscription",
    remedy="Set dead_letter_with_resource_identity to a blob container",
    source=f"{_LEARN}/event-grid/manage-event-delivery",
)
def events_are_never_dropped(subscription: Resource) -> Faults:
    """An event that cannot be delivered is kept as a dead letter."""
    if not subscription.get("deadLetterWithResourceIdentity") and not subscription.get(
        "deadLetterDestination"
    ):
        yield "it has no place for dead letters"
