"""Azure OpenAI: an account with its model deployment, and a second one elsewhere to fall back on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cognitiveservices

from infra.azure.content_filter import content_filter
from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant
from infra.azure.soft_deleted import is_soft_deleted
from infra.settings.sections import ModelSettings

_API_VERSION = "2024-10-01"


@dataclass(frozen=True)
class OpenAIArgs:
    """`backup_account` is the name of the second account, which only an environment with two regions has."""

    account: str
    backup_account: str
    place: Place
    model: ModelSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    users: Sequence[Grantee]


class OpenAI(pulumi.ComponentResource):
    """Accounts that only take Entra tokens; a deployment carries the model's name, and the content filter.

    The backup has the same deployment, so that a caller changes nothing but the endpoint; `backup_endpoint`
    is None without a paired region. `deployment_name` is known once both have it: whoever is told the name of
    another model can fall back on it at once. An account that was deleted is restored; what the request says
    then applies to it.
    """

    def __init__(self, name: str, args: OpenAIArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:OpenAI", name, None, opts)
        self._args = args
        self.account = self._account(name, args.account, args.place.location)
        self.deployment_name = self._deploy(self.account)
        self._open(name, self.account)
        self.endpoint = self.account.properties.endpoint
        self.backup_endpoint: pulumi.Output[str] | None = None
        if args.place.paired is not None:
            backup = self._account(f"{name}-backup", args.backup_account, args.place.paired)
            deployed = pulumi.Output.all(self.deployment_name, self._deploy(backup, "-backup"))
            self.deployment_name = deployed.apply(lambda names: names[0])
            self._open(f"{name}-backup", backup, "-backup")
            self.backup_endpoint = backup.properties.endpoint
        self.register_outputs({"endpoint": self.endpoint, "backupEndpoint": self.backup_endpoint})

    def _account(self, key: str, account: str, location: str) -> cognitiveservices.Account:
        args, place = self._args, self._args.place
        path = pulumi.Output.format(
            "providers/Microsoft.CognitiveServices/locations/{0}/resourceGroups/{1}/deletedAccounts/{2}",
            location,
            place.resource_group,
            account,
        )
        deleted = is_soft_deleted(place.cloud, path, _API_VERSION)
        return cognitiveservices.Account(
            key,
            account_name=account,
            resource_group_name=place.resource_group,
            location=location,
            kind="OpenAI",
            sku=cognitiveservices.SkuArgs(name="S0"),
            properties=cognitiveservices.AccountPropertiesArgs(
                custom_sub_domain_name=account,
                disable_local_auth=True,
                public_network_access=args.exposure.public_network_access,
                network_acls=cognitiveservices.NetworkRuleSetArgs(
                    default_action=args.exposure.default_action,
                    ip_rules=[cognitiveservices.IpRuleArgs(value=one) for one in args.exposure.addresses],
                ),
                restore=deleted.apply(lambda known: known or None),
            ),
            tags=place.tags,
            # It matters at creation only.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["properties.restore"]),
        )

    def _deploy(self, account: cognitiveservices.Account, suffix: str = "") -> pulumi.Output[str]:
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        policy = content_filter(f"content-filter{suffix}", account, args.place, child)
        deployment = cognitiveservices.Deployment(
            f"{args.model.name}{suffix}",
            account_name=account.name,
            resource_group_name=args.place.resource_group,
            deployment_name=args.model.name,
            sku=cognitiveservices.SkuArgs(name="GlobalStandard", capacity=args.model.capacity),
            properties=cognitiveservices.DeploymentPropertiesArgs(
                model=cognitiveservices.DeploymentModelArgs(
                    format="OpenAI", name=args.model.name, version=args.model.version
                ),
                rai_policy_name=policy.name,
                version_upgrade_option=(
                    cognitiveservices.DeploymentModelVersionUpgradeOption.NO_AUTO_UPGRADE
                ),
            ),
            opts=child,
        )
        return deployment.name

    def _open(self, key: str, account: cognitiveservices.Account, suffix: str = "") -> None:
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        grant(f"use{suffix}", Role.COGNITIVE_SERVICES_OPENAI_USER, args.users, account.id, child)
        args.exposure.connect(key, args.place, Service.OPENAI, account.id, child)
        diagnose(key, account.id, args.workspace_id, child)
