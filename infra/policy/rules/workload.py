"""How what runs on the cluster is kept apart and kept up."""

from typing import Any

from infra.policy.model import UNKNOWN, Resource, Stack, may_be, may_hold
from infra.policy.rule import Faults, StackFaults, resource_rule, stack_rule
from infra.policy.rules.podspec import WORKLOADS, namespace, pod, pod_labels

_KUBERNETES = "https://kubernetes.io/docs"
_DEPLOYMENT = "kubernetes:apps:Deployment"
#: Deployments of agents are called `<agent>-agent` (infra/naming.py).
_AGENT = "-agent"


def _inhabited(stack: Stack) -> dict[str, Resource]:
    """Namespace with pods -> a workload in it."""
    found = ((namespace(workload), workload) for workload in stack.of(*WORKLOADS))
    return {name: workload for name, workload in found if isinstance(name, str)}


def _agents(stack: Stack) -> list[Resource]:
    """The deployments of agents, where enough of them is known to judge them."""
    return [
        deployment
        for deployment in stack.of(_DEPLOYMENT)
        if str(deployment.get("metadata.name", deployment.name)).endswith(_AGENT)
        and namespace(deployment) is not UNKNOWN
    ]


@stack_rule(
    remedy="Add a NetworkPolicy with an empty podSelector, both policyTypes and no rules",
    source=f"{_KUBERNETES}/concepts/services-networking/network-policies/#default-policies",
)
def namespaces_deny_traffic_by_default(stack: Stack) -> StackFaults:
    """In a namespace with pods, traffic that no policy names is refused in both directions."""
    policies = stack.of("kubernetes:networking:NetworkPolicy")
    denied = [namespace(policy) for policy in policies if _denies_everything(policy)]
    for name, workload in _inhabited(stack).items():
        if not may_hold(denied, name):
            yield workload, f"namespace {name} has no default-deny network policy"


def _denies_everything(policy: Resource) -> bool:
    selector = policy.get("spec.podSelector", {})
    selects_all = selector is UNKNOWN or not any(
        selector.get(key) for key in ("matchLabels", "matchExpressions")
    )
    closed = not policy.all("spec.ingress") and not policy.all("spec.egress")
    kinds = policy.get("spec.policyTypes")
    return selects_all and closed and may_hold(kinds, "Ingress") and may_hold(kinds, "Egress")


@stack_rule(
    remedy="Add a PodDisruptionBudget whose selector matches the pods",
    source=f"{_KUBERNETES}/tasks/run-application/configure-pdb/",
)
def agents_survive_the_draining_of_nodes(stack: Stack) -> StackFaults:
    """Every agent has a disruption budget, so that upgrades of nodes do not stop it."""
    budgets = stack.of("kubernetes:policy:PodDisruptionBudget")
    for agent in _agents(stack):
        if not any(
            may_be(namespace(budget), namespace(agent)) and _selects(budget, pod_labels(agent))
            for budget in budgets
        ):
            yield agent, "no disruption budget selects its pods"


def _selects(budget: Resource, labels: Any) -> bool:
    wanted = budget.get("spec.selector.matchLabels", {})
    return bool(wanted) and all(
        may_be(value, labels.get(key)) or labels.get(key) is UNKNOWN for key, value in wanted.items()
    )


@stack_rule(
    remedy="Add a HorizontalPodAutoscaler whose scaleTargetRef names it",
    source=f"{_KUBERNETES}/concepts/workloads/autoscaling/horizontal-pod-autoscale/",
)
def agents_scale_with_their_load(stack: Stack) -> StackFaults:
    """Every agent has an autoscaler."""
    scalers = stack.of("kubernetes:autoscaling:HorizontalPodAutoscaler")
    for agent in _agents(stack):
        name = agent.get("metadata.name")
        if not any(
            may_be(namespace(scaler), namespace(agent))
            and may_be(scaler.get("spec.scaleTargetRef.name"), name)
            for scaler in scalers
        ):
            yield agent, "no autoscaler names it"


@resource_rule(
    _DEPLOYMENT,
    remedy="Add topology_spread_constraints over topology.kubernetes.io/zone",
    source=f"{_KUBERNETES}/concepts/scheduling-eviction/topology-spread-constraints/",
    production=True,
)
def production_pods_are_spread(deployment: Resource) -> Faults:
    """In production the pods of a deployment do not all share one zone."""
    if not pod(deployment).get("topologySpreadConstraints") and pod(deployment):
        yield "its pods may all run in one zone"


@stack_rule(
    remedy="Label the namespace pod-security.kubernetes.io/enforce=restricted",
    source=f"{_KUBERNETES}/concepts/security/pod-security-admission/",
)
def namespaces_refuse_unrestricted_pods(stack: Stack) -> StackFaults:
    """The cluster itself refuses pods that break the restricted profile."""
    inhabited = _inhabited(stack)
    for resource in stack.of("kubernetes:core:Namespace"):
        labels = resource.get("metadata.labels") or {}
        if resource.get("metadata.name") in inhabited:
            level = labels.get("pod-security.kubernetes.io/enforce")
            if not may_be(level, "restricted"):
                yield resource, f"pods in it need not be restricted (enforce is {level or 'not set'})"


@stack_rule(
    remedy="Add a ResourceQuota to the namespace",
    source=f"{_KUBERNETES}/concepts/policy/resource-quotas/",
)
def namespaces_are_bounded(stack: Stack) -> StackFaults:
    """A namespace with pods cannot take the whole cluster."""
    bounded = [namespace(quota) for quota in stack.of("kubernetes:core:ResourceQuota")]
    for name, workload in _inhabited(stack).items():
        if not may_hold(bounded, name):
            yield workload, f"namespace {name} has no resource quota"
