"""Azure OpenAI: one account and its model deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cognitiveservices

from infra.azure.roles import Grantee, Role, grant
from infra.settings import ModelSettings


@dataclass(frozen=True)
class OpenAIArgs:
    account: str
    resource_group: pulumi.Input[str]
    model: ModelSettings
    users: Sequence[Grantee]
    tags: dict[str, str]


class OpenAI(pulumi.ComponentResource):
    """An account that only takes Entra tokens; its deployment carries the model's name."""

    def __init__(self, name: str, args: OpenAIArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:OpenAI", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.account = cognitiveservices.Account(
            name,
            account_name=args.account,
            resource_group_name=args.resource_group,
            kind="OpenAI",
            sku=cognitiveservices.SkuArgs(name="S0"),
            properties=cognitiveservices.AccountPropertiesArgs(
                custom_sub_domain_name=args.account,
                disable_local_auth=True,
                public_network_access=cognitiveservices.PublicNetworkAccess.ENABLED,
            ),
            tags=args.tags,
            opts=child,
        )
        self.deployment = cognitiveservices.Deployment(
            args.model.name,
            account_name=self.account.name,
            resource_group_name=args.resource_group,
            deployment_name=args.model.name,
            sku=cognitiveservices.SkuArgs(name="GlobalStandard", capacity=args.model.capacity),
            properties=cognitiveservices.DeploymentPropertiesArgs(
                model=cognitiveservices.DeploymentModelArgs(
                    format="OpenAI", name=args.model.name, version=args.model.version
                ),
                version_upgrade_option=(
                    cognitiveservices.DeploymentModelVersionUpgradeOption.NO_AUTO_UPGRADE
                ),
            ),
            opts=child,
        )
        grant("use", Role.COGNITIVE_SERVICES_OPENAI_USER, args.users, self.account.id, child)
        self.endpoint = self.account.properties.endpoint
        self.deployment_name = self.deployment.name
        self.register_outputs({"endpoint": self.endpoint})
