"""A storage account as all of ours are: Entra tokens only, and what is deleted can be had back."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from infra.azure.exposure import Exposure
from infra.azure.place import Place


@dataclass(frozen=True)
class AccountArgs:
    """`soft_delete_days`: for how long deleted blobs and containers can be had back."""

    account: str
    place: Place
    exposure: Exposure
    soft_delete_days: int


def account(name: str, args: AccountArgs, parent: pulumi.Resource) -> storage.StorageAccount:
    """The account, and what its blob service keeps."""
    place = args.place
    made = storage.StorageAccount(
        name,
        account_name=args.account,
        resource_group_name=place.resource_group,
        location=place.location,
        kind=storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=replication(place)),
        access_tier=storage.AccessTier.HOT,
        allow_blob_public_access=False,
        allow_cross_tenant_replication=False,
        allow_shared_key_access=False,
        default_to_o_auth_authentication=True,
        enable_https_traffic_only=True,
        is_local_user_enabled=False,
        minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
        encryption=storage.EncryptionArgs(
            key_source=storage.KeySource.MICROSOFT_STORAGE, require_infrastructure_encryption=True
        ),
        public_network_access=args.exposure.public_network_access,
        network_rule_set=storage.NetworkRuleSetArgs(
            # Event Grid and Azure Backup come from outside the network, with their own identities.
            # https://learn.microsoft.com/azure/event-grid/handler-storage-queues
            bypass=storage.Bypass.AZURE_SERVICES,
            default_action=storage.DefaultAction(args.exposure.default_action),
            ip_rules=[
                storage.IPRuleArgs(i_p_address_or_range=address, action=storage.Action.ALLOW)
                for address in args.exposure.addresses
            ],
        ),
        tags=place.tags,
        opts=place.stateful(parent),
    )
    kept = storage.DeleteRetentionPolicyArgs(enabled=True, days=args.soft_delete_days)
    storage.BlobServiceProperties(
        name,
        blob_services_name="default",
        account_name=made.name,
        resource_group_name=place.resource_group,
        is_versioning_enabled=True,
        change_feed=storage.ChangeFeedArgs(enabled=True, retention_in_days=args.soft_delete_days),
        delete_retention_policy=kept,
        container_delete_retention_policy=kept,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return made


def immutable_container(
    name: str, of: storage.StorageAccount, place: Place, days: int, parent: pulumi.Resource
) -> storage.BlobContainer:
    """A container whose blobs can be neither changed nor deleted for so many days after they were written."""
    container = storage.BlobContainer(
        name,
        container_name=name,
        account_name=of.name,
        resource_group_name=place.resource_group,
        public_access=storage.PublicAccess.NONE,
        opts=place.stateful(parent),
    )
    # Not locked: a locked policy can never be shortened, nor its container deleted before its time.
    storage.BlobContainerImmutabilityPolicy(
        name,
        immutability_policy_name="default",
        container_name=container.name,
        account_name=of.name,
        resource_group_name=place.resource_group,
        immutability_period_since_creation_in_days=days,
        allow_protected_append_writes=False,
        # It goes with its container: Azure deletes it alone only for who names its current ETag.
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )
    return container


def replication(place: Place) -> storage.SkuName:
    """How many copies there are, and where; Azure itself chooses the other region."""
    match (place.zonal, place.paired is not None):
        case (True, True):
            return storage.SkuName.STANDARD_GZRS
        case (False, True):
            return storage.SkuName.STANDARD_GRS
        case (True, False):
            return storage.SkuName.STANDARD_ZRS
        case _:
            return storage.SkuName.STANDARD_LRS
