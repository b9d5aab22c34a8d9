"""One agent on the cluster: whatever it needs to run, to be reached, to scale and to be left alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    HTTPGetActionArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ProbeArgs,
    ServicePortArgs,
    ServiceSpecArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from infra.azure.identity import Identity
from infra.naming import workload
from infra.settings.sections import AgentSettings
from infra.workload import pods, priorities, scaling, service_accounts
from infra.workload.access import Access
from infra.workload.dependencies import Dependencies
from infra.workload.policies import INGRESS_CONTROLLER, PROMETHEUS, Pods, Reach, allow_in, allow_out
from infra.workload.prompts import config_map, versions
from infra.workload.quota import SURGE, Size

PORT = 8080
#: Whoever drills puts figures there, which agents show to Prometheus; nobody need
#: (docs/adr/0017-drill-figures.md).
DRILL_RESULTS = "drill-results"
# Until every proxy has heard that a pod goes; only then does it stop to take connections. The application
# waits by itself (app/server.py), so that it takes no more events from the first second on.
_LEAVE_SECONDS = 10
# What a request in flight may take (LLMProvider__TimeoutSeconds and storing), then an event in work
# (Events__HandleSeconds), what is left to publish and to settle, the last telemetry, and a margin.
_DRAIN_SECONDS = 65 + 90 + 30 + 5 + 5


@dataclass(frozen=True)
class AgentArgs:
    """`identity_name` is the identity's name, under which it logs in to the database.

    `rights` are its roles: the first pod starts after them, and the last one ends before them. What every
    agent waits for, such as the migrated database, is in the component's `depends_on`: named here, each of
    many agents would depend on the roles of all the others. `console` names the agents that the web console
    lists; the agent that is told of some serves it.
    """

    agent: str
    namespace: str
    prompts: dict[str, str]
    image: pulumi.Input[str]
    version: str
    settings: AgentSettings
    access: Access
    identity: Identity
    identity_name: str
    oidc_issuer: pulumi.Input[str]
    dependencies: Dependencies
    reach: Reach
    rights: Sequence[pulumi.Resource]
    console: Sequence[str] = ()


class Agent(pulumi.ComponentResource):
    """Runs as its own identity, federated to its service account; no secret is mounted anywhere."""

    def __init__(self, name: str, args: AgentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Agent", name, None, opts)
        self._args = args
        self._name = workload(args.agent)
        self._selector = {"app.kubernetes.io/name": self._name}
        self._labels = {**self._selector, **pods.PART_OF}
        child = pulumi.ResourceOptions(parent=self)
        who = Pods(self._name, args.namespace, self._labels)
        account = service_accounts.declare(who, args.identity, args.oidc_issuer, child)
        prompts = config_map(args.agent, args.prompts, args.namespace, child)
        self._deploy(prompts.metadata.name, [*account, *self._ways(child), *args.rights])
        after = pulumi.ResourceOptions(parent=self, depends_on=[self.deployment])
        scaled = scaling.Scaled(self._name, args.namespace, self._selector, args.settings)
        scaling.autoscaler(scaled, after)
        scaling.disruption_budget(scaled, child)
        self.service = k8s.core.v1.Service(
            self._name,
            metadata=self._metadata(),
            spec=ServiceSpecArgs(
                selector=self._selector,
                ports=[ServicePortArgs(name="http", port=80, target_port="http")],
            ),
            opts=after,
        )
        self.register_outputs({})

    def _metadata(self, annotations: dict[str, pulumi.Input[str]] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(
            name=self._name, namespace=self._args.namespace, labels=self._labels, annotations=annotations
        )

    def _ways(self, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        """What this agent's pods may talk to, and who may talk to them."""
        args, mine = self._args, Pods(self._name, self._args.namespace, self._selector)
        out = [args.reach.to_identity(), args.reach.to_services(), args.reach.to_telemetry()]
        if args.dependencies.sql is not None:
            out.append(args.reach.to_sql(args.dependencies.sql.dialect))
        return [
            *(allow_out(mine, way, opts) for way in out),
            *(allow_in(mine, caller, PORT, opts) for caller in (INGRESS_CONTROLLER, PROMETHEUS)),
        ]

    def _deploy(self, prompts: pulumi.Input[str | None], ready: Sequence[pulumi.Resource]) -> None:
        self.deployment = k8s.apps.v1.Deployment(
            self._name,
            # The next update takes back what an operator changed by hand (`kubectl set image`, `set env`).
            metadata=self._metadata({"pulumi.com/patchForce": "true"}),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=self._args.settings.replicas,
                selector=LabelSelectorArgs(match_labels=self._selector),
                strategy=k8s.apps.v1.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
                        max_unavailable=0, max_surge=SURGE
                    ),
                ),
                template=self._pod(prompts),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(ready),
                # How many there are is the autoscaler's to say, or an operator's (`kubectl scale`).
                ignore_changes=["spec.replicas"],
            ),
        )

    def _pod(self, prompts: pulumi.Input[str | None]) -> PodTemplateSpecArgs:
        settings = self._args.settings
        return PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(
                labels={
                    **self._labels,
                    **pods.WORKLOAD_IDENTITY,
                    "app.kubernetes.io/version": self._args.version,
                }
            ),
            spec=PodSpecArgs(
                service_account_name=self._name,
                automount_service_account_token=False,
                enable_service_links=False,
                priority_class_name=priorities.CLASSES[settings.priority],
                termination_grace_period_seconds=_LEAVE_SECONDS + _DRAIN_SECONDS,
                security_context=pods.pod_security_context(),
                topology_spread_constraints=[
                    self._spread("topology.kubernetes.io/zone"),
                    self._spread("kubernetes.io/hostname"),
                ],
                containers=[self._container()],
                volumes=[
                    VolumeArgs(name="prompts", config_map=ConfigMapVolumeSourceArgs(name=prompts)),
                    VolumeArgs(
                        name="drills",
                        config_map=ConfigMapVolumeSourceArgs(name=DRILL_RESULTS, optional=True),
                    ),
                    pods.SCRATCH,
                ],
            ),
        )

    def _spread(self, over: str) -> TopologySpreadConstraintArgs:
        """As evenly as can be, each revision by itself; with a zone gone, pods start where there is room."""
        return TopologySpreadConstraintArgs(
            topology_key=over,
            max_skew=1,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=LabelSelectorArgs(match_labels=self._selector),
            match_label_keys=["pod-template-hash"],
        )

    def _container(self) -> ContainerArgs:
        args = self._args
        environment: dict[str, pulumi.Input[str]] = {
            "AGENT": args.agent,
            "Shutdown__LeaveSeconds": str(_LEAVE_SECONDS),
            **args.access.variables(),
            **versions(args.settings),
            **args.dependencies.environment(args.agent, args.identity_name),
        }
        if args.console:
            environment["Console__Agents"] = json.dumps(list(args.console))
        return ContainerArgs(
            # The runbook's `kubectl set image` names the container like the deployment.
            name=self._name,
            image=args.image,
            ports=[ContainerPortArgs(name="http", container_port=PORT)],
            env=pods.variables(environment),
            resources=pods.resources(Size.of(args.settings)),
            startup_probe=_probe("/healthz", period=1, failures=60),
            liveness_probe=_probe("/healthz", period=10),
            readiness_probe=_probe("/readyz", period=5),
            security_context=pods.security_context(),
            volume_mounts=[
                VolumeMountArgs(name="prompts", mount_path="/prompts", read_only=True),
                VolumeMountArgs(name="drills", mount_path="/drills", read_only=True),
                pods.SCRATCH_MOUNT,
            ],
        )


def _probe(path: str, *, period: int, failures: int = 3) -> ProbeArgs:
    """Two seconds for an answer: a pod that is busy is not a pod that is dead."""
    return ProbeArgs(
        http_get=HTTPGetActionArgs(path=path, port="http"),
        period_seconds=period,
        failure_threshold=failures,
        timeout_seconds=2,
    )
