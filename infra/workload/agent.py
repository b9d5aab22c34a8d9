"""One agent on the cluster: service account, prompts, deployment, service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    HTTPGetActionArgs,
    PodSecurityContextArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ProbeArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from infra.azure.cosmos import CONTAINER, DATABASE
from infra.azure.identity import Identity
from infra.naming import workload
from infra.settings.sections import AgentSettings
from infra.workload.prompts import config_map

PORT = 8080
# The image's unprivileged user.
USER = 10001


@dataclass(frozen=True)
class Dependencies:
    """Where the services are that every agent calls."""

    cosmos_endpoint: pulumi.Input[str]
    openai_endpoint: pulumi.Input[str]
    openai_deployment: pulumi.Input[str]
    vault_uri: pulumi.Input[str]

    def environment(self) -> dict[str, pulumi.Input[str]]:
        """Environment variables, under the names the runbook uses."""
        return {
            "LLMProvider__ProviderType": "AzureOpenAI",
            "LLMProvider__AzureOpenAI__Endpoint": self.openai_endpoint,
            "LLMProvider__AzureOpenAI__DeploymentName": self.openai_deployment,
            "CosmosDb__Endpoint": self.cosmos_endpoint,
            "CosmosDb__Database": DATABASE,
            "CosmosDb__Container": CONTAINER,
            "KeyVault__Uri": self.vault_uri,
        }


@dataclass(frozen=True)
class AgentArgs:
    """`roles_ready` are the components whose role assignments must exist before the first pod starts."""

    agent: str
    namespace: str
    image: pulumi.Input[str]
    version: str
    settings: AgentSettings
    identity: Identity
    oidc_issuer: pulumi.Input[str]
    dependencies: Dependencies
    roles_ready: Sequence[pulumi.Resource]


class Agent(pulumi.ComponentResource):
    """Runs as its own identity, federated to its service account; no secret is mounted anywhere."""

    def __init__(self, name: str, args: AgentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Agent", name, None, opts)
        self._args = args
        self._name = workload(args.agent)
        self._selector = {"app.kubernetes.io/name": self._name}
        self._labels = {**self._selector, "app.kubernetes.io/part-of": "agents"}
        child = pulumi.ResourceOptions(parent=self)
        trust = args.identity.federate(args.oidc_issuer, args.namespace, self._name)
        account = k8s.core.v1.ServiceAccount(
            self._name,
            metadata=self._metadata({"azure.workload.identity/client-id": args.identity.client_id}),
            opts=child,
        )
        prompts = config_map(args.agent, args.namespace, child)
        self.deployment = k8s.apps.v1.Deployment(
            self._name,
            # The next update takes back what an operator changed by hand (`kubectl set image`, `set env`).
            metadata=self._metadata({"pulumi.com/patchForce": "true"}),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=args.settings.replicas,
                selector=LabelSelectorArgs(match_labels=self._selector),
                strategy=k8s.apps.v1.DeploymentStrategyArgs(
                    rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1)
                ),
                template=self._pod(prompts.metadata.name),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, trust, *args.roles_ready]),
        )
        self.service = k8s.core.v1.Service(
            self._name,
            metadata=self._metadata(),
            spec=ServiceSpecArgs(
                selector=self._selector,
                ports=[ServicePortArgs(name="http", port=80, target_port="http")],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.deployment]),
        )
        self.register_outputs({})

    def _metadata(self, annotations: dict[str, pulumi.Input[str]] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(
            name=self._name, namespace=self._args.namespace, labels=self._labels, annotations=annotations
        )

    def _pod(self, prompts: pulumi.Input[str | None]) -> PodTemplateSpecArgs:
        labels = {
            **self._labels,
            "app.kubernetes.io/version": self._args.version,
            "azure.workload.identity/use": "true",
        }
        return PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=labels),
            spec=PodSpecArgs(
                service_account_name=self._name,
                automount_service_account_token=False,
                termination_grace_period_seconds=45,
                security_context=PodSecurityContextArgs(
                    run_as_non_root=True,
                    run_as_user=USER,
                    seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
                ),
                containers=[self._container()],
                volumes=[
                    VolumeArgs(name="prompts", config_map=ConfigMapVolumeSourceArgs(name=prompts)),
                    VolumeArgs(name="tmp", empty_dir=EmptyDirVolumeSourceArgs()),
                ],
            ),
        )

    def _container(self) -> ContainerArgs:
        args = self._args
        environment = {"AGENT": args.agent, **args.dependencies.environment()}
        return ContainerArgs(
            # The runbook's `kubectl set image` names the container like the deployment.
            name=self._name,
            image=args.image,
            ports=[ContainerPortArgs(name="http", container_port=PORT)],
            env=[EnvVarArgs(name=key, value=value) for key, value in environment.items()],
            resources=ResourceRequirementsArgs(
                requests={"cpu": args.settings.cpu, "memory": args.settings.memory},
                limits={"memory": args.settings.memory_limit},
            ),
            startup_probe=_probe("/healthz", period=1, failures=60),
            liveness_probe=_probe("/healthz", period=10),
            readiness_probe=_probe("/readyz", period=5),
            security_context=SecurityContextArgs(
                allow_privilege_escalation=False,
                read_only_root_filesystem=True,
                capabilities=CapabilitiesArgs(drop=["ALL"]),
            ),
            volume_mounts=[
                VolumeMountArgs(name="prompts", mount_path="/prompts", read_only=True),
                VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108 - a path inside the container
            ],
        )


def _probe(path: str, *, period: int, failures: int = 3) -> ProbeArgs:
    return ProbeArgs(
        http_get=HTTPGetActionArgs(path=path, port="http"), period_seconds=period, failure_threshold=failures
    )
