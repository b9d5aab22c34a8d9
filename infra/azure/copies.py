"""Where protected copies are kept: a storage account in another region whose blobs nobody changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.own_roles import OwnRole
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant
from infra.azure.storage import DEAD_LETTERS
from infra.azure.storage_account import AccountArgs, account, immutable_container
from infra.naming import COPIED_SECRETS, COPIED_STATE
from infra.settings.backup import BackupSettings

CONTAINERS = (COPIED_SECRETS, DEAD_LETTERS, COPIED_STATE)


@dataclass(frozen=True)
class CopiesArgs:
    """`copier` writes secrets and dead letters, `operators` the Pulumi state; operators may read all of it.

    `writer` is the role that creates blobs, and neither changes nor deletes any.
    """

    account: str
    place: Place
    settings: BackupSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    writer: OwnRole
    copier: Grantee
    operators: Sequence[Grantee]


class Copies(pulumi.ComponentResource):
    """`data` are the containers' ids, for their locks."""

    def __init__(self, name: str, args: CopiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Copies", name, None, opts)
        self._args = args
        child, settings = pulumi.ResourceOptions(parent=self), args.settings
        self.account = account(
            name, AccountArgs(args.account, args.place, args.exposure, settings.soft_delete_days), self
        )
        containers = {
            one: immutable_container(one, self.account, args.place, settings.immutable_days, self)
            for one in CONTAINERS
        }
        self.data = {one: container.id for one, container in containers.items()}
        for one in (COPIED_SECRETS, DEAD_LETTERS):
            args.writer.grant(f"copy-{one}", [args.copier], self.data[one])
        args.writer.grant(f"copy-{COPIED_STATE}", args.operators, self.data[COPIED_STATE])
        grant("read", Role.STORAGE_BLOB_DATA_READER, args.operators, self.account.id, child)
        self._forget_old_letters(name)
        args.exposure.connect(f"{name}-blob", args.place, Service.BLOB, self.account.id, child)
        diagnose(
            f"{name}-blob",
            pulumi.Output.concat(self.account.id, "/blobServices/default"),
            args.workspace_id,
            child,
        )
        self.blob_endpoint = self.account.primary_endpoints.blob
        self.register_outputs({"blobEndpoint": self.blob_endpoint})

    def _forget_old_letters(self, name: str) -> None:
        """Letters hold what users wrote. Secrets and state stay: the newest copy of either may be old."""
        after = storage.DateAfterModificationArgs(
            days_after_modification_greater_than=self._args.settings.retention_days
        )
        storage.ManagementPolicy(
            name,
            management_policy_name="default",
            account_name=self.account.name,
            resource_group_name=self._args.place.resource_group,
            policy=storage.ManagementPolicySchemaArgs(
                rules=[
                    storage.ManagementPolicyRuleArgs(
                        name="old-letters",
                        enabled=True,
                        type=storage.RuleType.LIFECYCLE,
                        definition=storage.ManagementPolicyDefinitionArgs(
                            filters=storage.ManagementPolicyFilterArgs(
                                blob_types=["blockBlob"], prefix_match=[f"{DEAD_LETTERS}/"]
                            ),
                            actions=storage.ManagementPolicyActionArgs(
                                base_blob=storage.ManagementPolicyBaseBlobArgs(delete=after)
                            ),
                        ),
                    )
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
