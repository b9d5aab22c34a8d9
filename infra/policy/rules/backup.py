"""Backups are on, reach back far enough, and survive the loss of a region."""

import re

from infra.policy.model import UNKNOWN, Resource, Stack
from infra.policy.rule import (
    Faults,
    StackFaults,
    require,
    require_at_least,
    resource_rule,
    stack_rule,
)

_LEARN = "https://learn.microsoft.com/azure"
_COSMOS = "azure-native:cosmosdb:DatabaseAccount"
_DATABASE = "azure-native:sql:Database"
#: Days that a restore of production must be able to reach back: two weeks outlast a holiday.
_POINT_IN_TIME_DAYS = 14
_WEEKLY_DAYS = 28
_UNDELETE_DAYS = 7
_DAYS = {"D": 1, "W": 7, "M": 30, "Y": 365}


@resource_rule(
    _COSMOS,
    remedy='Set backup_policy to type "Continuous"',
    source=f"{_LEARN}/cosmos-db/continuous-backup-restore-introduction",
)
def cosmos_is_backed_up_continuously(account: Resource) -> Faults:
    """Cosmos DB can be restored to any second of its window."""
    yield from require(account, "backupPolicy.type", "Continuous")


@resource_rule(
    _COSMOS,
    remedy="Set the tier of the continuous backup to Continuous30Days",
    source=f"{_LEARN}/cosmos-db/continuous-backup-restore-introduction",
    production=True,
)
def production_cosmos_reaches_back_thirty_days(account: Resource) -> Faults:
    """In production the window of Cosmos DB's backup is thirty days."""
    yield from require(account, "backupPolicy.continuousModeProperties.tier", "Continuous30Days")


@resource_rule(
    _DATABASE,
    remedy="Set requested_backup_storage_redundancy to Geo or GeoZone",
    source=f"{_LEARN}/azure-sql/database/automated-backups-overview#backup-storage-redundancy",
    production=True,
)
def production_sql_backups_are_in_two_regions(database: Resource) -> Faults:
    """In production backups of SQL databases survive the loss of a region."""
    yield from require(database, "requestedBackupStorageRedundancy", "Geo", "GeoZone")


@stack_rule(
    remedy=f"Add a BackupShortTermRetentionPolicy with retention_days of {_POINT_IN_TIME_DAYS} or more",
    source=f"{_LEARN}/azure-sql/database/automated-backups-overview#short-term-retention",
    production=True,
)
def production_sql_reaches_back_two_weeks(stack: Stack) -> StackFaults:
    """In production every SQL database can be restored to any point of the last two weeks."""
    policies = stack.of("azure-native:sql:BackupShortTermRetentionPolicy")
    for database in stack.of(_DATABASE):
        own = [policy for policy in policies if _belongs(policy, database)]
        if not own:
            yield database, "it has no short-term retention policy"
        for policy in own:
            for fault in require_at_least(policy, "retentionDays", _POINT_IN_TIME_DAYS):
                yield policy, fault


@stack_rule(
    remedy="Add a LongTermRetentionPolicy that keeps weekly backups for four weeks or more",
    source=f"{_LEARN}/azure-sql/database/long-term-retention-overview",
    production=True,
)
def production_sql_keeps_weekly_backups(stack: Stack) -> StackFaults:
    """In production full backups of every SQL database are kept beyond the point-in-time window."""
    policies = stack.of("azure-native:sql:LongTermRetentionPolicy")
    for database in stack.of(_DATABASE):
        own = [policy for policy in policies if _belongs(policy, database)]
        if not own:
            yield database, "it has no long-term retention policy"
        for policy in own:
            weekly = policy.get("weeklyRetention")
            if weekly is not UNKNOWN and _days(weekly) < _WEEKLY_DAYS:
                yield policy, f"weeklyRetention is {weekly or 'not set'}"


@stack_rule(
    remedy=f"Add BlobServiceProperties with versioning and {_UNDELETE_DAYS} days of soft delete or more",
    source=f"{_LEARN}/storage/blobs/data-protection-overview",
)
def deleted_blobs_can_be_restored(stack: Stack) -> StackFaults:
    """Blobs and containers that were deleted or overwritten can be had back for a week."""
    services = stack.of("azure-native:storage:BlobServiceProperties")
    for account in stack.of("azure-native:storage:StorageAccount"):
        own = [service for service in services if service.refers_to(account, "accountName")]
        if not own:
            yield account, "its blob service has the defaults: nothing that is deleted can be had back"
        for service in own:
            for fault in _undeletable(service):
                yield service, fault


def _undeletable(service: Resource) -> Faults:
    yield from require(service, "isVersioningEnabled", True)
    for policy in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        yield from require(service, f"{policy}.enabled", True)
        yield from require_at_least(service, f"{policy}.days", _UNDELETE_DAYS)


@resource_rule(
    _COSMOS,
    remedy="List a second region under locations, and set enable_automatic_failover=True",
    source=f"{_LEARN}/reliability/reliability-cosmos-db-nosql",
    production=True,
)
def production_cosmos_is_in_two_regions(account: Resource) -> Faults:
    """In production Cosmos DB has a copy in a second region and fails over to it by itself.

    One that was restored in another region than it belongs to stands in for that region while it is lost.
    """
    locations = account.get("locations")
    if locations is not UNKNOWN and len(locations or []) < 2 and not _stands_in(account):
        yield f"it is in {len(locations or [])} region"
    yield from require(account, "enableAutomaticFailover", True)


@stack_rule(
    remedy="Add a FailoverGroup with the databases and a partner server in the paired region",
    source=f"{_LEARN}/azure-sql/database/failover-group-sql-db",
    production=True,
)
def production_sql_fails_over(stack: Stack) -> StackFaults:
    """In production every server that has databases is in a failover group.

    One whose databases were geo-restored stands in for a server in a region that is lost.
    """
    groups = stack.of("azure-native:sql:FailoverGroup")
    for server in stack.of("azure-native:sql:Server"):
        databases = [one for one in stack.of(_DATABASE) if one.refers_to(server, "serverName")]
        has_data = any(one.get("createMode") != "Recovery" for one in databases)
        grouped = any(
            group.refers_to(server, "serverName") or group.refers_to(server, "partnerServers")
            for group in groups
        )
        if has_data and not grouped:
            yield server, "it is in no failover group"


def _stands_in(account: Resource) -> bool:
    places = account.get("locations") or [{}]
    return bool(
        account.get("createMode") == "Restore"
        and places[0].get("locationName") not in {UNKNOWN, account.get("location")}
    )


def _belongs(policy: Resource, database: Resource) -> bool:
    """Names of databases repeat over servers, so the server must be the same too where both are known."""
    servers = {policy.get("serverName"), database.get("serverName")} - {UNKNOWN, None}
    return policy.refers_to(database, "databaseName") and len(servers) <= 1


def _days(duration: object) -> int:
    """Days of an ISO 8601 duration as Azure SQL takes them (`P5W`); none for anything else."""
    found = re.fullmatch(r"P(\d+)([DWMY])", duration) if isinstance(duration, str) else None
    return int(found[1]) * _DAYS[found[2]] if found else 0
