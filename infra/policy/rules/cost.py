"""What it costs is bounded and watched."""

from infra.policy.model import UNKNOWN, Resource, Stack, may_be
from infra.policy.production import is_production
from infra.policy.rule import Faults, Level, StackFaults, resource_rule, stack_rule

_LEARN = "https://learn.microsoft.com/azure"
_THRESHOLDS = ("Actual", "Forecasted")


@stack_rule(
    remedy="Add a consumption Budget on the resource group",
    source=f"{_LEARN}/cost-management-billing/costs/tutorial-acm-create-budgets",
)
def spending_has_a_budget(stack: Stack) -> StackFaults:
    """A stack that spends has a budget."""
    if stack.of("azure-native:resources:ResourceGroup") and not stack.of("azure-native:consumption:Budget"):
        yield None, "the stack has a resource group and no budget"


@resource_rule(
    "azure-native:consumption:Budget",
    remedy="Add notifications with threshold_type Actual and Forecasted",
    source=f"{_LEARN}/cost-management-billing/costs/tutorial-acm-create-budgets",
)
def budgets_warn_before_and_when_they_are_spent(budget: Resource) -> Faults:
    """A budget notifies of what is spent and of what is going to be."""
    notifications = budget.get("notifications", {})
    enabled = [item for item in notifications.values() if may_be(item.get("enabled"), True)]
    for kind in _THRESHOLDS:
        known = notifications is not UNKNOWN
        if known and not any(may_be(item.get("thresholdType", "Actual"), kind) for item in enabled):
            yield f"it has no notification on {kind.lower()} cost"


@resource_rule(
    "azure-native:operationalinsights:Workspace",
    remedy="Set workspace_capping.daily_quota_gb",
    source=f"{_LEARN}/azure-monitor/logs/daily-cap",
    level=Level.ADVISORY,
)
def log_ingestion_is_capped_outside_production(workspace: Resource) -> Faults:
    """Outside production a loop that logs cannot ruin anybody."""
    quota = workspace.get("workspaceCapping.dailyQuotaGb", -1)
    if not is_production(workspace.stack) and isinstance(quota, int | float) and quota <= 0:
        yield "it has no daily cap"
