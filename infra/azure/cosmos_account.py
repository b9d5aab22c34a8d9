"""An account of Cosmos DB as an environment has it: without keys, backed up continuously."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cosmosdb

from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.settings.sections import CosmosSettings

#: They make another account out of this one; leaving them out later must not undo a restore.
RESTORE_INPUTS = ("createMode", "restoreParameters")
#: Failovers decide on the order of the regions, the service's as well as people's, and Azure refuses an
#: update that changes it: what Azure has is right, and an update with `--refresh` sends just that. Regions
#: that are added or removed at the end are no change of these, and are made.
#: https://learn.microsoft.com/azure/cosmos-db/nosql/manage-with-cli#add-or-remove-regions
_DECIDED_BY_FAILOVERS = ("locations[*].locationName", "locations[*].failoverPriority")


@dataclass(frozen=True)
class AccountArgs:
    """`restore`: whose history the account begins with, and up to when; without, it begins empty.

    `paired`: it also lives in the place's paired region, if there is one. `home`: the region whose Resource
    Manager it belongs to, where that is not the place's own. A restored account keeps its source's:
    https://learn.microsoft.com/azure/cosmos-db/restore-account-continuous-backup#restore-arm-template
    """

    account: str
    place: Place
    settings: CosmosSettings
    exposure: Exposure
    paired: bool = True
    restore: cosmosdb.RestoreParametersArgs | None = None
    home: str | None = None


def declare_account(key: str, args: AccountArgs, opts: pulumi.ResourceOptions) -> cosmosdb.DatabaseAccount:
    """With a paired region the account lives in both, and Azure moves writes when the first is lost."""
    place = args.place
    regions = [place.location, *filter(None, [place.paired if args.paired else None])]
    account = cosmosdb.DatabaseAccount(
        key,
        account_name=args.account,
        resource_group_name=place.resource_group,
        location=args.home or place.location,
        kind=cosmosdb.DatabaseAccountKind.GLOBAL_DOCUMENT_DB,
        database_account_offer_type=cosmosdb.DatabaseAccountOfferType.STANDARD,
        create_mode=cosmosdb.CreateMode.RESTORE if args.restore else None,
        restore_parameters=args.restore,
        locations=[
            cosmosdb.LocationArgs(
                location_name=region, failover_priority=priority, is_zone_redundant=place.zonal
            )
            for priority, region in enumerate(regions)
        ],
        # Also with one region, where it means nothing: Azure refuses to add a region and to change another
        # property in one request.
        enable_automatic_failover=True,
        consistency_policy=cosmosdb.ConsistencyPolicyArgs(
            default_consistency_level=cosmosdb.DefaultConsistencyLevel.SESSION
        ),
        backup_policy=cosmosdb.ContinuousModeBackupPolicyArgs(
            type="Continuous",
            continuous_mode_properties=cosmosdb.ContinuousModePropertiesArgs(tier=args.settings.backup),
        ),
        disable_local_auth=True,
        disable_key_based_metadata_write_access=True,
        minimal_tls_version=cosmosdb.MinimalTlsVersion.TLS12,
        # Said in the restore's own request: what is restored is open to the internet otherwise.
        public_network_access=args.exposure.public_network_access,
        ip_rules=[
            cosmosdb.IpAddressOrRangeArgs(ip_address_or_range=address) for address in args.exposure.addresses
        ],
        tags=place.tags,
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=list(_DECIDED_BY_FAILOVERS))
        ),
    )
    account.locations.apply(lambda found: _tell_of_other_regions(account, args.account, regions, found))
    return account


def _tell_of_other_regions(
    account: pulumi.Resource,
    name: str,
    wanted: Sequence[str],
    found: Sequence[cosmosdb.outputs.LocationResponse],
) -> None:
    """One region in another's place looks like a failover, and so is left alone: say so."""
    there = ["".join((place.location_name or "").split()).lower() for place in found]
    if len(there) == len(wanted) and set(there) != set(wanted):
        pulumi.log.warn(
            f"{name} is in {', '.join(there)}, and the settings want {', '.join(wanted)}. A region is "
            "replaced in two updates: first without agents:paired_location, then with the new one.",
            account,
        )
