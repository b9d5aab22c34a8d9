"""Azure OpenAI: one account and its model deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cognitiveservices

from infra.azure.roles import Grantee, Role, grant
from infra.azure.soft_deleted import is_soft_deleted
from infra.cloud import Cloud
from infra.settings.sections import ModelSettings

_API_VERSION = "2024-10-01"


@dataclass(frozen=True)
class OpenAIArgs:
    account: str
    cloud: Cloud
    location: str
    resource_group: pulumi.Input[str]
    model: ModelSettings
    users: Sequence[Grantee]
    tags: dict[str, str]


class OpenAI(pulumi.ComponentResource):
    """An account that only takes Entra tokens; its deployment carries the model's name.

    An account that was deleted is restored; what the request says then applies to it.
    """

    def __init__(self, name: str, args: OpenAIArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:OpenAI", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        path = pulumi.Output.format(
            "providers/Microsoft.CognitiveServices/locations/{0}/resourceGroups/{1}/deletedAccounts/{2}",
            args.location,
            args.resource_group,
            args.account,
        )
        deleted = is_soft_deleted(args.cloud, path, _API_VERSION)
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
                restore=deleted.apply(lambda known: known or None),
            ),
            tags=args.tags,
            # It matters at creation only.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["properties.restore"]),
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
