"""An environment (`dev`, `prod`): everything the platform runs on, from top to bottom."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi_azure_native import authorization, resources

from infra.azure.cluster import Cluster, ClusterArgs
from infra.azure.cosmos import Cosmos, CosmosArgs
from infra.azure.dns import PublicName, PublicNameArgs
from infra.azure.exposure import Exposure
from infra.azure.grafana import Grafana, GrafanaArgs
from infra.azure.identity import Identity, IdentityArgs
from infra.azure.monitoring import Monitoring, MonitoringArgs
from infra.azure.network import Network, NetworkArgs
from infra.azure.openai import OpenAI, OpenAIArgs
from infra.azure.place import Place
from infra.azure.registry import Registry, RegistryArgs
from infra.azure.roles import Grantee
from infra.azure.telemetry import Telemetry, TelemetryArgs
from infra.azure.vault import Vault, VaultArgs
from infra.cloud import Cloud
from infra.naming import Names
from infra.settings import Settings, SettingsError
from infra.workload.agent import Agent, AgentArgs
from infra.workload.dependencies import Dependencies
from infra.workload.image import Image, ImageArgs
from infra.workload.ingress import Ingress, IngressArgs
from infra.workload.namespace import Namespace, NamespaceArgs
from infra.workload.policies import Reach


def compose(settings: Settings, cloud: Cloud) -> dict[str, pulumi.Output[Any] | str]:
    """Declare the environment; the result is the stack's outputs."""
    names, domain = Names(settings.environment, settings.suffix), _domain(settings, cloud)
    tags, host = names.tags(), names.host(domain)
    operators = _operators(settings)

    group = resources.ResourceGroup("group", resource_group_name=names.resource_group, tags=tags)
    rg = group.name
    place = Place(
        cloud,
        rg,
        settings.location,
        settings.paired_location,
        settings.protect,
        tags,
        zonal=bool(settings.cluster.zones),
    )

    def identity(owner: str) -> Identity:
        return Identity(owner, IdentityArgs(names.identity(owner), place))

    identities = {agent: identity(agent) for agent in settings.agents}
    agents = [owner.grantee() for owner in identities.values()]
    control_plane, kubelet = identity("cluster"), identity("kubelet")

    telemetry = Telemetry("telemetry", TelemetryArgs(place, names, settings.telemetry, agents, operators))
    workspace = telemetry.workspace_id
    network = Network("network", NetworkArgs(place, names, settings.network, workspace))
    exposure = Exposure(
        network.private_access, settings.network.allowed_ranges, egress=[network.egress_address]
    )
    registry = Registry(
        "registry",
        RegistryArgs(
            name=names.registry,
            place=place,
            settings=settings.registry,
            exposure=exposure,
            workspace_id=workspace,
            pullers=[kubelet.grantee()],
            pushers=operators,
        ),
    )
    vault = Vault(
        "vault",
        VaultArgs(
            name=names.vault,
            place=place,
            settings=settings.vault,
            exposure=exposure,
            workspace_id=workspace,
            readers=agents,
            officers=operators,
            secrets={"pagerduty-url": settings.alerts.pagerduty, "teams-url": settings.alerts.teams},
        ),
    )
    cosmos = Cosmos(
        "cosmos",
        CosmosArgs(
            account=names.cosmos,
            place=place,
            settings=settings.cosmos,
            exposure=exposure,
            workspace_id=workspace,
            agents=agents,
            operators=operators,
        ),
    )
    openai = OpenAI(
        "openai",
        OpenAIArgs(
            account=names.openai,
            backup_account=names.openai_backup,
            place=place,
            model=settings.model,
            exposure=exposure,
            workspace_id=workspace,
            users=[*agents, *operators],
        ),
    )
    cluster = Cluster(
        "cluster",
        ClusterArgs(
            place=place,
            names=names,
            settings=settings.cluster,
            network=settings.network,
            subnet_id=network.nodes_subnet_id,
            egress_address=network.egress_address,
            workspace_id=workspace,
            control_plane=control_plane,
            kubelet=kubelet,
            admins=operators,
        ),
    )
    Monitoring("monitoring", MonitoringArgs(place, names, cluster.id, telemetry.metrics_id, workspace))
    Grafana("grafana", GrafanaArgs(place, names, telemetry.metrics_id, workspace, operators))
    image = Image("image", ImageArgs(registry, list(settings.agents), settings.version))

    provider = k8s.Provider("cluster", kubeconfig=cluster.kubeconfig)
    on_cluster = pulumi.ResourceOptions(provider=provider)
    namespace = Namespace("namespace", NamespaceArgs(names.namespace, settings.agents), on_cluster)
    needs = Dependencies(
        cosmos_endpoint=cosmos.endpoint,
        openai_endpoint=openai.endpoint,
        openai_deployment=openai.deployment_name,
        vault_uri=vault.uri,
    )
    deployed = [
        Agent(
            agent,
            AgentArgs(
                agent=agent,
                namespace=names.namespace,
                image=image.reference(agent),
                version=settings.version,
                settings=wanted,
                identity=identities[agent],
                identity_name=names.identity(agent),
                oidc_issuer=cluster.oidc_issuer,
                dependencies=needs,
                reach=Reach(),
                ready=[cosmos, openai, vault, registry],
            ),
            pulumi.ResourceOptions(provider=provider, depends_on=[namespace]),
        )
        for agent, wanted in settings.agents.items()
    ]
    ingress = Ingress(
        "ingress",
        IngressArgs(names.namespace, host, list(settings.agents)),
        pulumi.ResourceOptions(provider=provider, depends_on=[namespace, *deployed]),
    )
    PublicName("public-name", PublicNameArgs(place, host, domain, ingress.address))
    return {
        "agentsUrl": f"https://{host}",
        "resourceGroup": rg,
        "cluster": cluster.name,
        "namespace": names.namespace,
        "registry": registry.login_server,
        "cosmosEndpoint": cosmos.endpoint,
        "vaultUri": vault.uri,
        "getCredentials": pulumi.Output.format(
            "az aks get-credentials -g {0} -n {1} && kubelogin convert-kubeconfig -l azurecli",
            rg,
            cluster.name,
        ),
    }


def _domain(settings: Settings, cloud: Cloud) -> str:
    domain = settings.domain or cloud.domain
    if domain is None:
        raise SettingsError(
            f"agents:domain is missing, and {cloud.name} has no domain of its own. Name a DNS zone that you "
            "can delegate: pulumi config set agents:domain example.com"
        )
    return domain


def _operators(settings: Settings) -> list[Grantee]:
    """Who may work on data and cluster: the listed groups and people, else whoever deploys."""
    if settings.operators:
        return [Grantee(f"operator-{number}", oid, None) for number, oid in enumerate(settings.operators)]
    return [Grantee("deployer", authorization.get_client_config_output().object_id, None)]
