"""What runs on an environment's cluster, from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.azure.identity import Federated, Identity
from infra.naming import Names
from infra.settings import Settings
from infra.settings.sections import NetworkSettings
from infra.workload.access import Access
from infra.workload.agent import Agent, AgentArgs
from infra.workload.certificates import CertManager
from infra.workload.dependencies import Dependencies
from infra.workload.image import Images
from infra.workload.ingress import Ingress, IngressArgs
from infra.workload.migration import Migration, MigrationArgs
from infra.workload.namespace import Namespace, NamespaceArgs
from infra.workload.policies import Range, Reach
from infra.workload.republishing import Republish, Republishing, RepublishingArgs
from infra.workload.scraping import Scraping
from infra.workload.secret_restoration import RestoreSecrets, SecretRestoration, SecretRestorationArgs

# Instance metadata among them, which hands out the node's identity.
_LINK_LOCAL = "169.254.0.0/16"


@dataclass(frozen=True)
class Platform:
    """What the workload stands on. `prompts`: by agent and file name. `rights`: by agent, its roles.

    `migration` is called `migration_name`; the users `kept` in the database are another stack's. `ready`:
    whose roles and data must be there before a pod starts.
    """

    settings: Settings
    names: Names
    host: str
    prompts: Mapping[str, dict[str, str]]
    kubeconfig: pulumi.Input[str]
    oidc_issuer: pulumi.Input[str]
    identities: Mapping[str, Identity]
    rights: Mapping[str, Sequence[pulumi.Resource]]
    migration: Federated
    migration_name: str
    image: Images
    dependencies: Dependencies
    ready: Sequence[pulumi.Resource]
    kept: Sequence[str] = ()
    republish: Republish | None = None
    secrets: RestoreSecrets | None = None


class Workload(pulumi.ComponentResource):
    """Namespace, certificates' authority, database schema, agents and the way in.

    `address` is where the agents answer; `on_cluster` are the options of what else is put on the cluster.
    """

    def __init__(self, name: str, on: Platform, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Workload", name, None, opts)
        settings, names = on.settings, on.names
        provider = k8s.Provider("cluster", kubeconfig=on.kubeconfig, opts=pulumi.ResourceOptions(parent=self))
        self.on_cluster = pulumi.ResourceOptions(provider=provider)
        reach = reach_of(settings.network)

        def after(*resources: pulumi.Resource) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions(parent=self, provider=provider, depends_on=list(resources))

        namespace = Namespace("namespace", NamespaceArgs(names.namespace, settings.agents), after())
        Scraping("scraping", names.namespace, after())
        authority = CertManager("cert-manager", settings.certificates, after())
        migration = self._migration(on, reach, after(namespace))
        secrets = self._secrets(on, reach, after(namespace))
        agents = [
            Agent(
                agent,
                AgentArgs(
                    agent=agent,
                    namespace=names.namespace,
                    prompts=on.prompts[agent],
                    image=on.image.reference(agent),
                    version=settings.version,
                    settings=wanted,
                    access=Access.of(settings),
                    identity=on.identities[agent],
                    identity_name=names.identity(agent),
                    oidc_issuer=on.oidc_issuer,
                    dependencies=on.dependencies,
                    reach=reach,
                    rights=on.rights[agent],
                    # One agent serves it, so that a new one does not roll the pods of all.
                    console=list(settings.agents) if number == 0 else (),
                ),
                after(namespace, *secrets, *(migration or on.ready)),
            )
            for number, (agent, wanted) in enumerate(settings.agents.items())
        ]
        self._republish(on, reach, after(namespace, *agents))
        ingress = Ingress(
            "ingress",
            IngressArgs(names.namespace, on.host, list(settings.agents)),
            after(namespace, authority, *agents),
        )
        self.address = ingress.address
        self.register_outputs({"address": self.address})

    def _migration(self, on: Platform, reach: Reach, opts: pulumi.ResourceOptions) -> list[Migration]:
        if on.dependencies.sql is None:
            return []
        first = next(iter(on.settings.agents))
        args = MigrationArgs(
            namespace=on.names.namespace,
            # Every agent's image is the same but for its name.
            image=on.image.reference(first),
            version=on.settings.version,
            identity=on.migration,
            identity_name=on.migration_name,
            oidc_issuer=on.oidc_issuer,
            sql=on.dependencies.sql,
            users={on.names.identity(agent): on.identities[agent].client_id for agent in on.settings.agents},
            kept=on.kept,
            reach=reach,
            ready=on.ready,
        )
        return [Migration("migration", args, opts)]

    def _secrets(self, on: Platform, reach: Reach, opts: pulumi.ResourceOptions) -> list[SecretRestoration]:
        if on.secrets is None:
            return []
        args = SecretRestorationArgs(
            namespace=on.names.namespace,
            image=on.image.reference(next(iter(on.settings.agents))),
            version=on.settings.version,
            oidc_issuer=on.oidc_issuer,
            wanted=on.secrets,
            vault_uri=on.dependencies.vault_uri,
            reach=reach,
            ready=on.ready,
        )
        return [SecretRestoration("secret-restoration", args, opts)]

    def _republish(self, on: Platform, reach: Reach, opts: pulumi.ResourceOptions) -> None:
        if on.republish is None:
            return
        args = RepublishingArgs(
            namespace=on.names.namespace,
            image=on.image.reference(next(iter(on.settings.agents))),
            version=on.settings.version,
            oidc_issuer=on.oidc_issuer,
            wanted=on.republish,
            environment={**on.dependencies.kept(), **on.dependencies.published()},
            reach=reach,
        )
        Republishing("republishing", args, opts)


def reach_of(network: NetworkSettings) -> Reach:
    """Services answer inside the network where it is private; Entra ID and Application Insights always answer
    outside of it.

    Outside is every address but the environment's own: a cloud of one's own has private addresses too.
    """
    own = (network.address_space, network.pods, network.services, _LINK_LOCAL)
    outside = Range("0.0.0.0/0", own)
    services = Range(network.endpoints) if network.private else outside
    return Reach(services=[services], identity=[outside], telemetry=[outside])
